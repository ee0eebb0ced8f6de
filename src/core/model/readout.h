// SPDX-License-Identifier: Apache-2.0
#pragma once
/* readout: what NARM and SR-GNN make of the states that a session's clicks leave. Attention from the last state over
 * all of them gathers what the session is after; both, side by side and through a matrix, are the session's vector:
 *
 *   gathered = sum of (v . sigmoid(state_w state + last_w last + last_b)) state
 *   session  = out_w [gathered, last] + out_b
 *
 * NARM's two pass dropout where they are side by side. */
#include "core/model/backbone.h"
#include "core/model/gathering.h"

/* Its tensors: (width, width) twice, (width), (width, 2 width), and with biases two more of (width). */
enum { READOUT_STATE_W, READOUT_LAST_W, READOUT_V, READOUT_OUT_W, READOUT_LAST_B, READOUT_OUT_B };

struct readout_tensors {
    uint32_t first; /* where the backbone declared them */
    bool biases, drops;
};

/* (count, width) each */
struct readout_vectors {
    float *gathered, *last, *session;
};

struct readout_trace {
    struct gathering gathering;
    float *last, *both; /* (count, width), (count, 2 width) behind dropout */
    uint8_t *mask;      /* (count, 2 width) of that; NULL: nothing is dropped */
    float dropout;
};

/* states: (rows, width), of the batch's clicks. MEMORY. */
MUST_CHECK struct status readout_forward(struct readout_tensors tensors, const struct parameters *parameters,
                                         const struct backbone_batch *batch, const float *states, uint32_t width,
                                         struct arena *arena, const struct readout_vectors *vectors,
                                         struct readout_trace *ret_trace);
/* d->gathered and d->last may be NULL; d_states is set. MEMORY. */
MUST_CHECK struct status readout_backward(struct readout_tensors tensors, const struct parameters *parameters,
                                          const struct readout_trace *trace, struct arena *arena,
                                          const struct readout_vectors *d, float *d_states);
