// SPDX-License-Identifier: Apache-2.0
#pragma once
/* evaluation_report: what came out of one or several configurations on the same split, as a table for people, as JSON
 * with stable keys for tools, and as plots. The first configuration is the base the others are compared with. */
#include "app/evaluation.h"

#define EVALUATION_SYSTEMS_MAX 16

struct evaluation_system {
    char name[120];
    struct config config; /* nothing, with a model */
    const char *model;    /* a file; NULL: the configuration is what is evaluated */
    struct evaluation_result result;
    /* Filled by evaluation_report_intervals(), at the last cutoff: */
    struct interval intervals[MEASURE_COUNT];
    struct interval differences[MEASURE_COUNT]; /* from the first system */
};

struct evaluation_report {
    const struct evaluation_data *data;
    const struct evaluation_files *files;
    const struct log_reading *reading;
    bool validation; /* tuned on a part of the training days; the test split was not touched */
    struct evaluation_system *systems;
    size_t system_count;
};

#define POSITIONS_MAX 20

struct position_row {
    size_t predictions;
    double sums[MEASURE_COUNT]; /* at the last cutoff */
};

/* Rows by the position of the predicted click, 2..POSITIONS_MAX; the last takes all from there on. */
void evaluation_positions(const struct evaluation_report *report, size_t system,
                          struct position_row ret_rows[POSITIONS_MAX + 1]);

MUST_CHECK struct status evaluation_report_intervals(struct evaluation_report *report);
void evaluation_report_table(const struct evaluation_report *report, FILE *out);
void evaluation_report_json(const struct evaluation_report *report, struct buffer *out);
/* Writes hit_rate.svg and mrr.svg (by cutoff), positions.svg (hit rate by position) and latency.svg (share of
 * predictions by CPU time) into a folder that is there. */
MUST_CHECK struct status evaluation_report_plots(const struct evaluation_report *report, const char *folder,
                                                 struct complaint *complaint);
