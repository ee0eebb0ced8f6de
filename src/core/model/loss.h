// SPDX-License-Identifier: Apache-2.0
#pragma once
/* loss: cross-entropy of a softmax over candidates, all items or some. Where only some are candidates, those that were
 * drawn are corrected by the logarithm of how many draws of theirs are to be expected (logQ: Bengio & Senecal 2008;
 * Yi et al. 2019), so that the gradient is nearly that of the softmax over all. */
#include <stdint.h>

struct softmax_candidates {
    uint32_t count;
    const uint32_t *items; /* (count) */
    const float *log_q;    /* (count) taken from the logits of all but the row's own target; NULL: nothing is */
};

/* logits: (rows, candidates) of a batch, all of it or some; they become the gradient of the batch's mean loss with
 * respect to them, each row's times its weight (weights: (rows); NULL: 1 each). Column targets[row] is the row's
 * target, and other columns with the same item do not compete with it. Returns the sum of the rows' losses, without
 * weights. */
double softmax_loss(float *logits, uint32_t rows, uint32_t batch, const struct softmax_candidates *candidates,
                    const uint32_t *targets, const float *weights);
