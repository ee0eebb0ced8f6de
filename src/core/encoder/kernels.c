// SPDX-License-Identifier: Apache-2.0
#include "core/encoder/kernels.h"

#include "core/clones.h"
#include "core/model/arithmetic.h"
#include "core/model/lanes.h"

#include <math.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

/* ---- gelu */

/* erf(x) = x P(x^2) / Q(x^2) up to where it is 1 for a float: least squares by the largest error, which is 2e-8 (and
 * 5e-7 with what floats round). */
#define ERF_END 3.95f

INLINE float error_function(float x)
{
    x = x < -ERF_END ? -ERF_END : x;
    x = x > ERF_END ? ERF_END : x;
    float t = x * x, p = 2.0117414e-06f, q = 3.78396951e-05f;
    p = 0.000287600556f + t * p;
    q = 0.00119820067f + t * q;
    p = 0.00391731771f + t * p;
    q = 0.0152707023f + t * q;
    p = 0.0532070606f + t * p;
    q = 0.115590754f + t * q;
    p = 0.194035695f + t * p;
    q = 0.505291145f + t * q;
    p = 1.12837901f + t * p;
    q = 1.0f + t * q;
    return x * p / q;
}

static CLONES void gelu_row(float *restrict x, const float *restrict bias, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        float v = x[i] + bias[i], e = error_function(v * 0.707106781f);
        x[i] = 0.5f * v * (1.0f + e);
    }
}

void kernel_gelu(float *x, const float *bias, uint32_t rows, uint32_t width)
{
    for (uint32_t row = 0; row < rows; row++)
        gelu_row(x + (size_t)row * width, bias, width);
}

/* ---- layer normalisation */

static CLONES void add_row(float *restrict x, const float *restrict add, const float *restrict bias, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++)
        x[i] += add[i] + bias[i];
}

static CLONES void norm_row(const struct kernel_norm *norm, float *restrict x)
{
    const float *restrict gain = norm->gain, *restrict shift = norm->shift;
    uint32_t width = norm->width;
    float mean = vector_sum(x, width) / (float)width;
    for (uint32_t i = 0; i < width; i++)
        x[i] -= mean;
    float inverse = 1 / sqrtf(vector_dot(x, x, width) / (float)width + norm->epsilon);
    for (uint32_t i = 0; i < width; i++)
        x[i] = gain[i] * (x[i] * inverse) + shift[i];
}

void kernel_norm_rows(const struct kernel_norm *norm, float *x, const float *add, const float *bias, uint32_t rows)
{
    for (uint32_t row = 0; row < rows; row++, x += norm->width) {
        if (add)
            add_row(x, add + (size_t)row * norm->width, bias, norm->width);
        norm_row(norm, x);
    }
}

/* ---- attention */

#define BLOCK 4 /* rows that are computed side by side, so that what they share is loaded once */

/* Both matrices are parts of wider ones. */
struct part {
    const float *numbers;
    uint32_t stride; /* from row to row */
};

INLINE void lanes_store(const lanes *from, float *to, uint32_t count)
{
    memcpy(to, from, (count < LANES ? count : LANES) * sizeof *to);
}

/* c = a b for `rows` rows, which is a constant where it is called. a: (rows, inner), b: (inner, columns). */
INLINE void multiply_rows(struct part a, struct part b, uint32_t rows, uint32_t inner, uint32_t columns, float *c,
                          uint32_t stride)
{
    for (uint32_t column = 0; column < columns; column += LANES) {
        lanes sums[BLOCK] = {{0}}, more;
        for (uint32_t i = 0; i < inner; i++) {
            lanes_load(&more, b.numbers + (size_t)i * b.stride + column, columns - column);
            for (uint32_t row = 0; row < rows; row++)
                sums[row] += a.numbers[(size_t)row * a.stride + i] * more;
        }
        for (uint32_t row = 0; row < rows; row++)
            lanes_store(&sums[row], c + (size_t)row * stride + column, columns - column);
    }
}

/* OpenBLAS takes longer to begin than these take: a few rows, 32 columns. */
static CLONES void multiply(struct part a, struct part b, uint32_t rows, uint32_t inner, uint32_t columns, float *c,
                            uint32_t stride)
{
    uint32_t row = 0;
    for (; row + BLOCK <= rows; row += BLOCK)
        multiply_rows((struct part){a.numbers + (size_t)row * a.stride, a.stride}, b, BLOCK, inner, columns,
                      c + (size_t)row * stride, stride);
    for (; row < rows; row++)
        multiply_rows((struct part){a.numbers + (size_t)row * a.stride, a.stride}, b, 1, inner, columns,
                      c + (size_t)row * stride, stride);
}

static uint32_t padded(uint32_t length)
{
    return (length + LANES - 1) / LANES * LANES;
}

/* Keys as columns: (width, padded length), zeros behind. */
static CLONES void turn(struct part keys, uint32_t length, uint32_t width, float *restrict turned)
{
    uint32_t stride = padded(length);
    for (uint32_t i = 0; i < width; i++) {
        for (uint32_t j = 0; j < length; j++)
            turned[i * stride + j] = keys.numbers[(size_t)j * keys.stride + i];
        for (uint32_t j = length; j < stride; j++)
            turned[i * stride + j] = 0;
    }
}

uint64_t kernel_attention_scratch(uint32_t width, uint32_t heads, uint32_t length)
{
    return (uint64_t)padded(length) * (width / heads + length);
}

void kernel_attend(const struct kernel_attention *attention, const float *qkv, uint32_t length, float *y)
{
    uint32_t width = attention->width, head = width / attention->heads, across = padded(length);
    float *keys = attention->scratch, *scores = keys + (size_t)head * across;
    for (uint32_t at = 0; at < width; at += head) {
        struct part query = {qkv + at, 3 * width}, key = {qkv + width + at, 3 * width};
        turn(key, length, head, keys);
        multiply(query, (struct part){keys, across}, length, head, across, scores, across);
        for (uint32_t row = 0; row < length; row++) {
            float *score = scores + (size_t)row * across;
            float sum = vector_exp(score, vector_max(score, length), length);
            vector_scale(1 / sum, score, length);
        }
        multiply((struct part){scores, across}, (struct part){qkv + 2 * (size_t)width + at, 3 * width}, length, length,
                 head, y + at, width);
    }
}
