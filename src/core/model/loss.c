// SPDX-License-Identifier: Apache-2.0
#include "core/model/loss.h"

#include "core/clones.h"
#include "core/model/arithmetic.h"

#include <math.h>

#define NEVER (-1e30f)

CLONES static void correct(float *restrict logits, const float *restrict log_q, const uint32_t *restrict items,
                           uint32_t count, uint32_t target)
{
    for (uint32_t i = 0; i < count; i++) {
        float logit = logits[i] - log_q[i];
        logits[i] = items[i] == target ? NEVER : logit;
    }
}

CLONES static void hide(float *restrict logits, const uint32_t *restrict items, uint32_t count, uint32_t target)
{
    for (uint32_t i = 0; i < count; i++)
        logits[i] = items[i] == target ? NEVER : logits[i];
}

double softmax_loss(float *logits, uint32_t rows, uint32_t batch, const struct softmax_candidates *candidates,
                    const uint32_t *targets, const float *weights)
{
    uint32_t count = candidates->count;
    double loss = 0;
    for (uint32_t row = 0; row < rows; row++, logits += count) {
        uint32_t target = targets[row];
        float logit = logits[target];
        if (candidates->log_q)
            correct(logits, candidates->log_q, candidates->items, count, candidates->items[target]);
        else
            hide(logits, candidates->items, count, candidates->items[target]);
        logits[target] = logit;
        float largest = vector_max(logits, count);
        float sum = vector_exp(logits, largest, count);
        loss += log((double)sum) + (double)(largest - logit);
        float unit = (weights ? weights[row] : 1) / (float)batch;
        vector_scale(unit / sum, logits, count);
        logits[target] -= unit;
    }
    return loss;
}
