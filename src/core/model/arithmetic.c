// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"

#include "core/candidates/power.h"
#include "core/clones.h"
#include "core/model/lanes.h"

#include <cblas.h>
#include <eddy/core/model.h>
#include <math.h>

#define LOG2_OF_E 1.44269504f

CLONES float vector_dot(const float *restrict a, const float *restrict b, uint32_t count)
{
    lanes sums = {0}, x, y;
    for (uint32_t i = 0; i < count; i += LANES) {
        lanes_load(&x, a + i, count - i);
        lanes_load(&y, b + i, count - i);
        sums += x * y;
    }
    return lanes_sum(&sums);
}

CLONES float vector_sum(const float *x, uint32_t count)
{
    lanes sums = {0}, more;
    for (uint32_t i = 0; i < count; i += LANES) {
        lanes_load(&more, x + i, count - i);
        sums += more;
    }
    return lanes_sum(&sums);
}

CLONES float vector_max(const float *x, uint32_t count)
{
    float largest[LANES];
    for (uint32_t lane = 0; lane < LANES; lane++)
        largest[lane] = x[0];
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (uint32_t lane = 0; lane < LANES; lane++)
            largest[lane] = x[i + lane] > largest[lane] ? x[i + lane] : largest[lane];
    for (; i < count; i++)
        largest[0] = x[i] > largest[0] ? x[i] : largest[0];
    for (uint32_t lane = 1; lane < LANES; lane++)
        largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
    return largest[0];
}

CLONES void vector_add(const float *restrict x, float *restrict sum, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        sum[i] += x[i];
}

CLONES void vector_add_scaled(float k, const float *restrict x, float *restrict sum, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        sum[i] += k * x[i];
}

CLONES void vector_scale(float k, float *x, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        x[i] *= k;
}

CLONES void vector_multiply(const float *restrict a, const float *restrict b, float *restrict product, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        product[i] = a[i] * b[i];
}

CLONES float vector_exp(float *x, float shift, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        x[i] = power_exp2((x[i] - shift) * LOG2_OF_E);
    return vector_sum(x, count);
}

/* Neither overflows: the exponent's sign is that of what vanishes. */
static inline float sigmoid_of(float x)
{
    float e = power_exp2((x < 0 ? x : -x) * LOG2_OF_E);
    return (x < 0 ? e : 1.0f) / (1.0f + e);
}

CLONES void vector_sigmoid(const float *x, float *y, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        y[i] = sigmoid_of(x[i]);
}

CLONES void vector_tanh(const float *x, float *y, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        y[i] = 2.0f * sigmoid_of(2.0f * x[i]) - 1.0f;
}

CLONES void vector_adam(const struct adam *adam, const float *restrict gradient, float *restrict weights,
                        float *restrict mean, float *restrict square, uint32_t count)
{
    float rate = adam->rate, beta1 = adam->beta1, beta2 = adam->beta2, epsilon = adam->epsilon, decay = adam->decay;
    for (uint32_t i = 0; i < count; i++) {
        float g = gradient[i] + decay * weights[i];
        mean[i] = beta1 * mean[i] + (1.0f - beta1) * g;
        square[i] = beta2 * square[i] + (1.0f - beta2) * g * g;
        weights[i] -= rate * mean[i] / (sqrtf(square[i]) + epsilon);
    }
}

CLONES void vector_adagrad(float rate, float epsilon, const float *restrict gradient, float *restrict weights,
                           float *restrict square, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        square[i] += gradient[i] * gradient[i];
        weights[i] -= rate * gradient[i] / (sqrtf(square[i]) + epsilon);
    }
}

/* Set once for the process, as OpenBLAS's own number of threads is. */
static const struct matrix_turns *turns;

static void product(enum CBLAS_TRANSPOSE a_way, enum CBLAS_TRANSPOSE b_way, const uint32_t sizes[3], float alpha,
                    struct matrix a, struct matrix b, float beta, float *c, uint32_t stride)
{
    if (turns)
        turns->begin();
    cblas_sgemm(CblasRowMajor, a_way, b_way, (int)sizes[0], (int)sizes[1], (int)sizes[2], alpha, a.values,
                (int)a.stride, b.values, (int)b.stride, beta, c, (int)stride);
    if (turns)
        turns->end();
}

void matrix_nn_in(uint32_t m, uint32_t n, uint32_t k, float alpha, struct matrix a, struct matrix b, float beta,
                  float *c, uint32_t stride)
{
    product(CblasNoTrans, CblasNoTrans, (const uint32_t[]){m, n, k}, alpha, a, b, beta, c, stride);
}

void matrix_nt_in(uint32_t m, uint32_t n, uint32_t k, float alpha, struct matrix a, struct matrix b, float beta,
                  float *c, uint32_t stride)
{
    product(CblasNoTrans, CblasTrans, (const uint32_t[]){m, n, k}, alpha, a, b, beta, c, stride);
}

void matrix_tn_in(uint32_t m, uint32_t n, uint32_t k, float alpha, struct matrix a, struct matrix b, float beta,
                  float *c, uint32_t stride)
{
    product(CblasTrans, CblasNoTrans, (const uint32_t[]){m, n, k}, alpha, a, b, beta, c, stride);
}

void matrix_nn(uint32_t m, uint32_t n, uint32_t k, float alpha, const float *a, const float *b, float beta, float *c)
{
    matrix_nn_in(m, n, k, alpha, (struct matrix){a, k}, (struct matrix){b, n}, beta, c, n);
}

void matrix_nt(uint32_t m, uint32_t n, uint32_t k, float alpha, const float *a, const float *b, float beta, float *c)
{
    matrix_nt_in(m, n, k, alpha, (struct matrix){a, k}, (struct matrix){b, k}, beta, c, n);
}

void matrix_tn(uint32_t m, uint32_t n, uint32_t k, float alpha, const float *a, const float *b, float beta, float *c)
{
    matrix_tn_in(m, n, k, alpha, (struct matrix){a, m}, (struct matrix){b, n}, beta, c, n);
}

struct status matrix_begin_threads(const struct matrix_turns *waiting)
{
    int kind = openblas_get_parallel();
    if (kind == OPENBLAS_OPENMP && openblas_get_num_threads() > 1)
        return FAIL(CONFIG, openblas_get_num_threads(), "an OpenBLAS that was built with OpenMP");
    openblas_set_num_threads(1);
    turns = kind == OPENBLAS_SEQUENTIAL ? waiting : NULL;
    return OK;
}
