// SPDX-License-Identifier: Apache-2.0
#pragma once
/* plot: line plots as self-contained SVG: no script, no font, no reference to anything outside of the file. */
#include <eddy/base/buffer.h>

#define PLOT_SERIES_MAX 16

struct plot_series {
    const char *name;
    const double *x, *y;
    size_t count;
};

struct plot {
    const char *title, *x_label, *y_label;
    bool x_logarithmic;  /* points with x <= 0 are left out, as are all beyond 10^15 */
    double y_min, y_max; /* equal: taken from the data, from 0 */
    struct plot_series series[PLOT_SERIES_MAX];
    size_t series_count;
};

void plot_write(const struct plot *plot, struct buffer *out);
/* Makes the folder if it is not there, and says at once whether plots can be written to it; NULL is fine. */
MUST_CHECK struct status plot_try(const char *folder, struct complaint *complaint);
/* Writes it to "<folder>/<name>". */
MUST_CHECK struct status plot_save(const struct plot *plot, const char *folder, const char *name,
                                   struct complaint *complaint);
