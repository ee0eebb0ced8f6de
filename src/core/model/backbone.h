// SPDX-License-Identifier: Apache-2.0
#pragma once
/* backbone: what a session model does between the rows of a session's items and its vectors. To add one: a file with
 * the four functions, and a row in backbones[] (model.c); tools/golden_backbones.py gets the same in PyTorch. */
#include "core/model/layers.h"
#include "core/model/parameters.h"

#include <eddy/core/model.h>

struct backbone_batch {
    struct packed sessions; /* the last clicks of each, at most length_max */
    const uint32_t *items;  /* (rows) */
    const float *x;         /* (rows, width) their vectors */
    struct random *random;  /* for dropout within the backbone; NULL when scoring */
    float dropout;
};

/* (count, width) each. `session` is what is scored with; `local` stands for the last click and `global` for the whole
 * session, for what is to be aligned with them (LLM4SBR). */
struct session_vectors {
    float *local, *global, *session;
};

struct backbone {
    const char *name, *title;
    /* What the rows of the item table are before training. */
    struct start (*items)(const struct model_options *options);
    /* Declares its tensors. */
    void (*declare)(const struct model_options *options, struct parameters *parameters);
    /* *ret_trace, in the arena, is what backward() needs. MEMORY. */
    struct status (*forward)(const struct model_options *options, const struct parameters *parameters,
                             const struct backbone_batch *batch, struct arena *arena, struct session_vectors *vectors,
                             const void **ret_trace);
    /* `d` holds the loss's gradients with respect to the vectors and may be changed on the way; d->local and d->global
     * may be NULL. d_x: (rows, width) is set; gradients of the parameters are added to. MEMORY. */
    struct status (*backward)(const struct model_options *options, const struct parameters *parameters,
                              const struct backbone_batch *batch, const void *trace, struct arena *arena,
                              struct session_vectors *d, float *d_x);
};

extern const struct backbone backbone_pw_core, backbone_stamp, backbone_narm, backbone_gru4rec, backbone_sr_gnn,
    backbone_sasrec;
