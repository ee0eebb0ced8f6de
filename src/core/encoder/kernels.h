// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kernels: what an encoder computes that is no product of large matrices, compiled for several instruction sets
 * (core/clones.h); the same bits on every CPU. */
#include <stdint.h>

/* x = gelu(x + bias), gelu(x) = x (1 + erf(x / sqrt 2)) / 2 (Hendrycks & Gimpel 2016), row by row: (rows, width). The
 * absolute error is below 2e-6 where |x| <= 6, and relative beyond. */
void kernel_gelu(float *x, const float *bias, uint32_t rows, uint32_t width);

/* x = norm(x + add + bias), row by row: (rows, width); norm(v) = gain (v - mean) / sqrt(variance + epsilon) + shift
 * (Ba et al. 2016). add: (rows, width), bias: (width); NULL: nothing is added. */
struct kernel_norm {
    const float *gain, *shift; /* (width) */
    float epsilon;
    uint32_t width;
};
void kernel_norm_rows(const struct kernel_norm *norm, float *x, const float *add, const float *bias, uint32_t rows);

/* Self-attention of one text, all heads (Vaswani et al. 2017, 3.2). qkv: (length, 3 width) queries, already divided by
 * the root of a head's width, keys and values side by side; y: (length, width). */
struct kernel_attention {
    uint32_t width, heads; /* heads divides width */
    float *scratch;        /* kernel_attention_scratch() floats for the longest text */
};
uint64_t kernel_attention_scratch(uint32_t width, uint32_t heads, uint32_t length);
void kernel_attend(const struct kernel_attention *attention, const float *qkv, uint32_t length, float *y);
