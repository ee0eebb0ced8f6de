// SPDX-License-Identifier: Apache-2.0
#pragma once
/* session_model: a trained model at work on a catalogue: its rows are translated by the items' ids. */
#include "app/model_file.h"

#include <eddy/core/neural.h>

/* "17-9f86d081884c7d65": the number of a version in the models topic, 0 for a file, and the first 16 digits of the
 * SHA-256 of the bytes it was made of (of a file: decompressed). */
#define MODEL_VERSION_SIZE   40 /* with NUL */
#define MODEL_VERSION_DIGITS 16

void model_version_write(int64_t number, struct bytes sha256, char text[MODEL_VERSION_SIZE]);

struct session_model {
    struct model_file file;
    struct neural *neural;
    char version[MODEL_VERSION_SIZE];
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

/* ---- in steps, for who shares the catalogue with others */

/* Gives the items of rows [from, to) their numbers, or ITEM_NONE. The catalogue is being written to. MEMORY. */
MUST_CHECK struct status session_model_number(const struct model_file *file, uint32_t from, uint32_t to,
                                              struct catalogue *catalogue, uint32_t *numbers);
/* Puts the file's model to work, with the numbers of all rows; takes what the file holds. Touches no catalogue. */
MUST_CHECK struct status session_model_make(struct model_file *file, const uint32_t *numbers, uint32_t number_count,
                                            struct session_model *ret_model);
