// SPDX-License-Identifier: Apache-2.0
#pragma once
/* gathering: the sum of a session's rows, weighted by additive attention as it is, without a softmax: STAMP, NARM and
 * SR-GNN have it alike. */
#include "core/model/layers.h"

#include <eddy/base/arena.h>

struct gathering {
    struct additive attention; /* as wide as the rows */
    struct packed sessions;
    const float *x; /* (rows, width) */
    uint32_t width;
    float *hidden, *weights; /* (rows, width), (rows): gathering_forward() takes them, for backward */
};

/* context, gathered: (count, width). MEMORY. */
MUST_CHECK struct status gathering_forward(struct gathering *gathering, const float *context, float *gathered,
                                           struct arena *arena);
/* d_x: (rows, width) and d_context: (count, width) are set. MEMORY. */
MUST_CHECK struct status gathering_backward(const struct gathering *gathering, const struct additive_gradient *gradient,
                                            const float *d_gathered, float *d_x, float *d_context, struct arena *arena);
