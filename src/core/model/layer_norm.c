// SPDX-License-Identifier: Apache-2.0
#include "core/clones.h"
#include "core/model/arithmetic.h"
#include "core/model/layers.h"

#include <math.h>
#include <stddef.h>

#define EPSILON 1e-5f

static CLONES void forward_row(const float *restrict x, const float *restrict gain, const float *restrict bias,
                               float *restrict y, float *restrict normal, float *restrict inverse, uint32_t width)
{
    float mean = vector_sum(x, width) / (float)width;
    for (uint32_t i = 0; i < width; i++)
        normal[i] = x[i] - mean;
    *inverse = 1 / sqrtf(vector_dot(normal, normal, width) / (float)width + EPSILON);
    for (uint32_t i = 0; i < width; i++) {
        normal[i] *= *inverse;
        y[i] = gain[i] * normal[i] + bias[i];
    }
}

void layer_norm_forward(const float *x, const float *gain, const float *bias, float *y, float *normal, float *inverse,
                        uint32_t rows, uint32_t width)
{
    for (uint32_t row = 0; row < rows; row++) {
        size_t at = (size_t)row * width;
        forward_row(x + at, gain, bias, y + at, normal + at, inverse + row, width);
    }
}

static CLONES void backward_weights(const float *restrict normal, const float *restrict d_y, float *restrict d_gain,
                                    float *restrict d_bias, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        d_gain[i] += d_y[i] * normal[i];
        d_bias[i] += d_y[i];
    }
}

/* What comes back loses its mean and what lies along `normal`: neither can change the output. */
static CLONES void backward_row(const float *restrict gain, const float *restrict normal, float inverse,
                                const float *restrict d_y, float *restrict d_x, uint32_t width)
{
    vector_multiply(gain, d_y, d_x, width);
    float mean = vector_sum(d_x, width) / (float)width;
    float along = vector_dot(d_x, normal, width) / (float)width;
    for (uint32_t i = 0; i < width; i++)
        d_x[i] = inverse * (d_x[i] - mean - along * normal[i]);
}

void layer_norm_backward(const float *gain, const float *normal, const float *inverse, const float *d_y, float *d_x,
                         float *d_gain, float *d_bias, uint32_t rows, uint32_t width)
{
    for (uint32_t row = 0; row < rows; row++) {
        size_t at = (size_t)row * width;
        backward_weights(normal + at, d_y + at, d_gain, d_bias, width);
        if (d_x)
            backward_row(gain, normal + at, inverse[row], d_y + at, d_x + at, width);
    }
}
