// SPDX-License-Identifier: Apache-2.0
#pragma once
/* search_command: `eddy train --search`, from what the command line said. */
#include "app/arguments.h"
#include "app/search/run.h"

struct search_command {
    struct search_task task;
    struct argument_list over;       /* --over */
    const char *json, *plots, *best; /* NULL: none */
    bool stdout_taken;               /* by the JSON */
};

/* Says at once what would else be found after reading the clicks: what is wrong with --over, and with the files to
 * write. CONFIG, what file_try() fails with. */
MUST_CHECK struct status search_command_check(const struct search_command *command, struct config *config,
                                              struct trial_space *ret_space, struct complaint *complaint);
/* What search_run() fails with, and writing files does. */
MUST_CHECK struct status search_command_run(const struct search_command *command, struct config *config,
                                            const struct evaluation_data *data, const struct trial_space *space,
                                            struct complaint *complaint);
