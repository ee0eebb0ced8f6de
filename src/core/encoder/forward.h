// SPDX-License-Identifier: Apache-2.0
#pragma once
/* forward: tokens to vectors. */
#include "core/encoder/weights.h"

/* Texts one behind the other: text i's tokens are tokens[starts[i]] .. tokens[starts[i + 1] - 1]; none is empty. */
struct token_batch {
    uint32_t count;
    const uint32_t *starts; /* (count + 1) */
    const uint32_t *tokens;
};

struct forward_work;

/* For batches of up to `rows` tokens altogether, the longest of `length`. MEMORY. */
MUST_CHECK struct status forward_work_open(const struct encoder_settings *settings, uint32_t rows, uint32_t length,
                                           struct forward_work **ret_work);
void forward_work_close(struct forward_work *work);

/* The mean of each text's rows, with length 1; vectors: (count, width). BAD_INPUT: weights that are finite gave a
 * number that is not. */
MUST_CHECK struct status forward(const struct encoder_settings *settings, const struct encoder_weights *weights,
                                 const struct token_batch *batch, struct forward_work *work, float *vectors);
