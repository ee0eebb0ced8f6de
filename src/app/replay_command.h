// SPDX-License-Identifier: Apache-2.0
#pragma once
/* replay_command: a replay with its reports, as `eddy replay` and `eddy evaluate --mode prequential` run it. */
#include "app/config_arguments.h"
#include "app/replay.h"

struct replay_command {
    const char *name; /* for messages */
    struct replay_options options;
    struct config_arguments config;
    const char *json, *plots;
};

/* Returns the exit code, after a message on stderr when it is not 0. */
int replay_command_run(const struct replay_command *command);
