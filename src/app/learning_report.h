// SPDX-License-Identifier: Apache-2.0
#pragma once
/* learning_report: what came out of several ways of learning on one log, as a table, as JSON and as a plot. */
#include "app/learning.h"

#include <stdio.h>

#define LEARNING_SYSTEMS_MAX 19 /* retrieval, static, retrained, and continuous ones */
#define LEARNING_BASES       3  /* the first systems: all later ones are compared with each of these */

struct learning_system {
    char name[120];
    struct learning_way way;
    struct learning_result result;
    /* Filled by learning_report_intervals(), at the last cutoff: */
    struct interval intervals[MEASURE_COUNT];
    struct interval differences[LEARNING_BASES][MEASURE_COUNT];
};

struct learning_report {
    const struct learning_data *data;
    const struct log_reading *reading;
    bool validation;
    struct learning_system *systems;
    size_t system_count, base_count;
};

MUST_CHECK struct status learning_report_intervals(struct learning_report *report);
void learning_report_table(const struct learning_report *report, FILE *out);
void learning_report_json(const struct learning_report *report, struct buffer *out);
/* learning_hit_rate.svg and learning_mrr.svg: @20 over the log's days. */
MUST_CHECK struct status learning_report_plots(const struct learning_report *report, const char *folder,
                                               struct complaint *complaint);
