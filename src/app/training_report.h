// SPDX-License-Identifier: Apache-2.0
#pragma once
/* training_report: what `eddy train` tells of a training. */
#include "app/training.h"

#include <stdio.h>

struct training_report {
    const struct config *config;
    const struct evaluation_data *data;
    const struct training_result *result;
    const char *output;
    bool validated;
};

void training_report_text(const struct training_report *report, FILE *out);
void training_report_json(const struct training_report *report, struct buffer *out);
/* loss.svg, and with a validation validation.svg, in the folder. */
MUST_CHECK struct status training_report_plots(const struct training_report *report, const char *folder,
                                               struct complaint *complaint);
