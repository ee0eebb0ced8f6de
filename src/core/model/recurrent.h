// SPDX-License-Identifier: Apache-2.0
#pragma once
/* What the recurrent backbones share: a GRU over the clicks, as wide as the item table, whose tensors are declared
 * first. */
#include "core/model/backbone.h"

enum { GRU_W, GRU_U, GRU_B, GRU_C, GRU_TENSORS };

struct recurrent_trace {
    float *states; /* (rows, width) after each click */
    struct gru_trace gru;
};

void recurrent_declare(const struct model_options *options, struct parameters *parameters);
/* MEMORY. */
MUST_CHECK struct status recurrent_forward(const struct model_options *options, const struct parameters *parameters,
                                           const struct backbone_batch *batch, struct arena *arena,
                                           struct recurrent_trace *ret_trace);
/* d_states is changed on the way. */
void recurrent_backward(const struct model_options *options, const struct parameters *parameters,
                        const struct backbone_batch *batch, const struct recurrent_trace *trace, float *d_states,
                        float *d_x);

static inline struct start start_xavier(uint32_t in, uint32_t out)
{
    return (struct start){START_NORMAL, __builtin_sqrtf(2.0f / (float)(in + out))}; /* Glorot & Bengio 2010 */
}
