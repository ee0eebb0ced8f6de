// SPDX-License-Identifier: Apache-2.0
#pragma once
/* config_arguments: --config FILE and --set KEY=VALUE, for every command that has a configuration.
 *
 *   static const struct argument table[] = {..., CONFIG_ARGUMENTS(from), {0}};
 *   int code = config_from_arguments(argv[0], &from, 0, &config);
 *   if (code != EXIT_OK)
 *       return code; */
#include "app/arguments.h"
#include "app/command.h"
#include "app/config.h"

struct config_arguments {
    struct argument_list files, sets;
};

#define CONFIG_ARGUMENTS(from)                                                                                         \
    {"config", "FILE", "configuration, in YAML", ARGUMENT_TEXTS, &(from).files},                                       \
    {                                                                                                                  \
        "set", "KEY=VALUE", "set an option (see 'eddy config docs'); may be repeated", ARGUMENT_TEXTS, &(from).sets    \
    }

/* Makes the configuration from the --config at `index` (0 also when there is none), the environment and every --set.
 * EXIT_OK, or the exit code to return after a message on stderr; then `config` holds nothing to release. A command
 * that takes one configuration passes CONFIG_ONLY, and a second --config is wrong usage. */
#define CONFIG_ONLY SIZE_MAX
int config_from_arguments(const char *command, const struct config_arguments *from, size_t index,
                          struct config *config);
