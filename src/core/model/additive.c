// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"
#include "core/model/layers.h"

#include <string.h>

void additive_forward(const struct additive *weights, const float *x, const float *context, float *hidden,
                      float *logits, struct packed sessions, uint32_t width, uint32_t hidden_width)
{
    uint32_t rows = packed_rows(sessions);
    linear_forward(x, weights->w, NULL, hidden, rows, width, hidden_width);
    for (uint32_t i = 0; i < sessions.count; i++)
        for (uint32_t row = sessions.starts[i]; row < sessions.starts[i + 1]; row++)
            vector_add(context + (size_t)i * hidden_width, hidden + (size_t)row * hidden_width, hidden_width);
    vector_sigmoid(hidden, hidden, rows * hidden_width);
    for (uint32_t row = 0; row < rows; row++)
        logits[row] = vector_dot(weights->v, hidden + (size_t)row * hidden_width, hidden_width);
}

void additive_backward(const struct additive *weights, const float *x, const float *hidden, const float *d_logits,
                       float *d_x, float *d_context, float *d_hidden, const struct additive_gradient *gradient,
                       struct packed sessions, uint32_t width, uint32_t hidden_width)
{
    memset(d_context, 0, (size_t)sessions.count * hidden_width * sizeof *d_context);
    for (uint32_t i = 0; i < sessions.count; i++)
        for (uint32_t row = sessions.starts[i]; row < sessions.starts[i + 1]; row++) {
            const float *h = hidden + (size_t)row * hidden_width;
            float *d_h = d_hidden + (size_t)row * hidden_width;
            vector_add_scaled(d_logits[row], h, gradient->v, hidden_width);
            for (uint32_t j = 0; j < hidden_width; j++)
                d_h[j] = d_logits[row] * weights->v[j] * h[j] * (1 - h[j]);
            vector_add(d_h, d_context + (size_t)i * hidden_width, hidden_width);
        }
    linear_backward(x, weights->w, d_hidden, d_x, gradient->w, NULL, packed_rows(sessions), width, hidden_width);
}
