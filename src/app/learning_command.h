// SPDX-License-Identifier: Apache-2.0
#pragma once
/* learning_command: `eddy evaluate --mode learning`, with its reports. */
#include "app/evaluation_report.h"
#include "app/learning.h"

struct learning_command {
    const char *const *paths;
    size_t path_count;
    struct learning_split split;
    bool validation;      /* the split is a part of what may be tuned on */
    int64_t retrain_days; /* 0: no system is trained anew */
    bool fused;
    bool strict;
    const char *json, *plots;
    bool stdout_taken; /* by the JSON */
};

/* Each configuration is a continuous system; the first one also says how the first model, and each from nothing, is
 * trained. Returns the exit code, after a message on stderr when it is not 0. */
int learning_command_run(const struct learning_command *command, const struct evaluation_system *configurations,
                         size_t count);
