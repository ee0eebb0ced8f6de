// SPDX-License-Identifier: Apache-2.0
#pragma once
/* search_report: what `eddy train --search` tells of a search that has ended. */
#include "app/search/trials.h"

struct search_report {
    const struct config *config; /* with the best trial's settings */
    const struct evaluation_data *data;
    const struct trials *trials;
    const char *output;
};

void search_report_text(const struct search_report *report, FILE *out);
void search_report_json(const struct search_report *report, struct buffer *out);
/* trials.svg: MRR@20 by trial, with the best so far; epochs.svg: by epoch, of the best trials. In the folder. */
MUST_CHECK struct status search_report_plots(const struct search_report *report, const char *folder,
                                             struct complaint *complaint);
