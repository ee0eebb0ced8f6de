// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"
#include "core/model/layers.h"

#include <math.h>

void l2_forward(const float *x, float *y, float *inverse, uint32_t rows, uint32_t width)
{
    for (uint32_t row = 0; row < rows; row++, x += width, y += width) {
        float square = vector_dot(x, x, width);
        inverse[row] = square > 0 ? 1 / sqrtf(square) : 0;
        for (uint32_t i = 0; i < width; i++)
            y[i] = inverse[row] * x[i];
    }
}

void l2_backward(const float *y, const float *inverse, const float *d_y, float *d_x, uint32_t rows, uint32_t width)
{
    for (uint32_t row = 0; row < rows; row++, y += width, d_y += width, d_x += width) {
        float along = vector_dot(y, d_y, width);
        for (uint32_t i = 0; i < width; i++)
            d_x[i] = inverse[row] * (d_y[i] - along * y[i]);
    }
}
