// SPDX-License-Identifier: Apache-2.0
#pragma once
/* session_model: a trained model at work on a catalogue: its rows are translated by the items' ids. */
#include "app/model_file.h"

#include <eddy/core/neural.h>

#define MODEL_VERSION_SIZE 17 /* with NUL */

struct session_model {
    struct model_file file;
    struct neural *neural;
    char version[MODEL_VERSION_SIZE]; /* hash of what the file holds, as hex */
};

/* Every item of the model gets a number of the catalogue; what there is no room for is never listed. What
 * model_file_read() fails with. */
MUST_CHECK struct status session_model_open(const char *path, struct catalogue *catalogue,
                                            struct session_model *ret_model, struct complaint *complaint);
/* Only what is among the first `number_count` items of the catalogue is listed. BAD_INPUT: the model knows none of
 * them. */
MUST_CHECK struct status session_model_open_among(const char *path, const struct catalogue *catalogue,
                                                  uint32_t number_count, struct session_model *ret_model,
                                                  struct complaint *complaint);
void session_model_release(struct session_model *model);
