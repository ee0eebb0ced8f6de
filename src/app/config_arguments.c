// SPDX-License-Identifier: Apache-2.0
#include "app/config_arguments.h"

#include <stdio.h>

int config_from_arguments(const char *command, const struct config_arguments *from, size_t index, struct config *config)
{
    if (index == CONFIG_ONLY) {
        index = 0;
        if (from->files.count > 1) {
            fprintf(stderr, "eddy %s: --config is given more than once\n", command);
            return EXIT_USAGE;
        }
    }
    assert(index == 0 || index < from->files.count);
    struct complaint complaint = {""};
    const char *file = from->files.count > 0 ? from->files.texts[index] : NULL;
    struct status status = config_make(config, file, from->sets.texts, from->sets.count, &complaint);
    if (!failed(status))
        return EXIT_OK;
    char text[256];
    fprintf(stderr, "eddy %s: %s\n", command,
            *complaint.text ? complaint.text : status_text(status, text, sizeof text));
    return failed_as(status, FAULT_MEMORY) ? EXIT_FAILED : EXIT_CONFIG;
}
