// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"
#include "core/model/layers.h"

#include <string.h>

void linear_forward(const float *x, const float *w, const float *bias, float *y, uint32_t rows, uint32_t in,
                    uint32_t out)
{
    for (uint32_t row = 0; bias && row < rows; row++)
        memcpy(y + (size_t)row * out, bias, out * sizeof *y);
    matrix_nt(rows, out, in, 1, x, w, bias ? 1 : 0, y);
}

void linear_backward(const float *x, const float *w, const float *d_y, float *d_x, float *d_w, float *d_bias,
                     uint32_t rows, uint32_t in, uint32_t out)
{
    if (d_x)
        matrix_nn(rows, in, out, 1, d_y, w, 0, d_x);
    matrix_tn(out, in, rows, 1, d_y, x, 1, d_w);
    for (uint32_t row = 0; d_bias && row < rows; row++)
        vector_add(d_y + (size_t)row * out, d_bias, out);
}
