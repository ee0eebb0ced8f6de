// SPDX-License-Identifier: Apache-2.0
#pragma once
/* weights: an encoder's numbers, as they are computed with: queries, keys and values in one matrix, queries scaled for
 * their attention, the embedding of the one token type added to the positions. Matrices are (out, in). */
#include "core/encoder/safetensors.h"
#include "core/encoder/settings.h"

struct encoder_layer {
    float *qkv, *qkv_bias;               /* (3 width, width), (3 width) */
    float *out, *out_bias;               /* (width, width), (width) */
    float *mixed_gain, *mixed_shift;     /* (width) the normalisation behind the attention */
    float *up, *up_bias;                 /* (inner, width), (inner) */
    float *down, *down_bias;             /* (width, inner), (width) */
    float *settled_gain, *settled_shift; /* (width) the one at the end */
};

struct encoder_weights {
    float *block;                 /* what all others point into */
    float *words, *positions;     /* (vocabulary, width), (positions, width) */
    float *gain, *shift;          /* (width) */
    struct encoder_layer *layers; /* (layers) */
};

/* BAD_INPUT: the file is not that of these settings; MEMORY. Released by encoder_weights_release() in any case. */
MUST_CHECK struct status encoder_weights_read(const struct encoder_settings *settings,
                                              const struct safetensors *tensors, uint64_t file_size,
                                              struct encoder_weights *weights, struct complaint *complaint);
void encoder_weights_release(struct encoder_weights *weights);
