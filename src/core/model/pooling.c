// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"
#include "core/model/layers.h"

#include <string.h>

void softmax_forward(const float *logits, float *weights, struct packed sessions)
{
    for (uint32_t i = 0; i < sessions.count; i++) {
        uint32_t start = sessions.starts[i], length = sessions.starts[i + 1] - start;
        memcpy(weights + start, logits + start, length * sizeof *weights);
        float sum = vector_exp(weights + start, vector_max(logits + start, length), length);
        vector_scale(1 / sum, weights + start, length);
    }
}

void softmax_backward(const float *weights, const float *d_weights, float *d_logits, struct packed sessions)
{
    for (uint32_t i = 0; i < sessions.count; i++) {
        uint32_t start = sessions.starts[i], end = sessions.starts[i + 1];
        float mean = vector_dot(weights + start, d_weights + start, end - start);
        for (uint32_t row = start; row < end; row++)
            d_logits[row] = weights[row] * (d_weights[row] - mean);
    }
}

void pool_forward(const float *x, const float *weights, float *pooled, struct packed sessions, uint32_t width)
{
    memset(pooled, 0, (size_t)sessions.count * width * sizeof *pooled);
    for (uint32_t i = 0; i < sessions.count; i++)
        for (uint32_t row = sessions.starts[i]; row < sessions.starts[i + 1]; row++)
            vector_add_scaled(weights[row], x + (size_t)row * width, pooled + (size_t)i * width, width);
}

void pool_backward(const float *x, const float *weights, const float *d_pooled, float *d_x, float *d_weights,
                   struct packed sessions, uint32_t width)
{
    for (uint32_t i = 0; i < sessions.count; i++) {
        const float *d_session = d_pooled + (size_t)i * width;
        for (uint32_t row = sessions.starts[i]; row < sessions.starts[i + 1]; row++) {
            if (d_weights)
                d_weights[row] = vector_dot(d_session, x + (size_t)row * width, width);
            if (!d_x)
                continue;
            memset(d_x + (size_t)row * width, 0, width * sizeof *d_x);
            vector_add_scaled(weights[row], d_session, d_x + (size_t)row * width, width);
        }
    }
}

void last_forward(const float *x, float *last, struct packed sessions, uint32_t width)
{
    for (uint32_t i = 0; i < sessions.count; i++)
        memcpy(last + (size_t)i * width, x + (size_t)(sessions.starts[i + 1] - 1) * width, width * sizeof *last);
}

void last_backward(const float *d_last, float *d_x, struct packed sessions, uint32_t width)
{
    for (uint32_t i = 0; i < sessions.count; i++)
        vector_add(d_last + (size_t)i * width, d_x + (size_t)(sessions.starts[i + 1] - 1) * width, width);
}

void mean_forward(const float *x, float *mean, struct packed sessions, uint32_t width)
{
    memset(mean, 0, (size_t)sessions.count * width * sizeof *mean);
    for (uint32_t i = 0; i < sessions.count; i++, mean += width) {
        for (uint32_t row = sessions.starts[i]; row < sessions.starts[i + 1]; row++)
            vector_add(x + (size_t)row * width, mean, width);
        vector_scale(1 / (float)(sessions.starts[i + 1] - sessions.starts[i]), mean, width);
    }
}

void mean_backward(const float *d_mean, float *d_x, struct packed sessions, uint32_t width)
{
    for (uint32_t i = 0; i < sessions.count; i++, d_mean += width)
        for (uint32_t row = sessions.starts[i]; row < sessions.starts[i + 1]; row++)
            vector_add_scaled(1 / (float)(sessions.starts[i + 1] - sessions.starts[i]), d_mean,
                              d_x + (size_t)row * width, width);
}
