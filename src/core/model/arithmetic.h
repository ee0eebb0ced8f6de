// SPDX-License-Identifier: Apache-2.0
#pragma once
/* arithmetic: the loops under the layers that are no matrix products, compiled for several instruction sets (clones.h);
 * and the matrix products, which are OpenBLAS's. The loops give the same bits on every CPU; OpenBLAS's sums have an
 * order of their own for each. Arrays must not overlap unless it is said. */
#include <stdint.h>

float vector_dot(const float *a, const float *b, uint32_t count);
float vector_sum(const float *x, uint32_t count);
float vector_max(const float *x, uint32_t count);                            /* count >= 1 */
void vector_add(const float *x, float *sum, uint32_t count);                 /* sum += x */
void vector_add_scaled(float k, const float *x, float *sum, uint32_t count); /* sum += k x */
void vector_scale(float k, float *x, uint32_t count);                        /* x *= k */
void vector_multiply(const float *a, const float *b, float *product, uint32_t count);
/* x = e^(x - shift); the sum is returned. Relative error below 2e-6; e^-87 stands for all below. */
float vector_exp(float *x, float shift, uint32_t count);
/* In place too. Absolute error below 1e-6. */
void vector_sigmoid(const float *x, float *y, uint32_t count);
void vector_tanh(const float *x, float *y, uint32_t count);

/* One step of Adam (Kingma & Ba 2015, algorithm 1) on `count` weights; `rate` holds the bias corrections already:
 * rate = alpha sqrt(1 - beta2^t) / (1 - beta1^t); and so does `epsilon`: 1e-8 sqrt(1 - beta2^t). */
struct adam {
    float rate, beta1, beta2, epsilon, decay; /* decay: of weights, added to the gradient (L2) */
};
void vector_adam(const struct adam *adam, const float *gradient, float *weights, float *mean, float *square,
                 uint32_t count);
/* One step of Adagrad (Duchi et al. 2011): square += g^2, weights -= rate g / (sqrt(square) + epsilon). */
void vector_adagrad(float rate, float epsilon, const float *gradient, float *weights, float *square, uint32_t count);

/* c = alpha a b + beta c, row by row; a: (m, k), b: (k, n), c: (m, n). _nt: b is (n, k); _tn: a is (k, m). */
void matrix_nn(uint32_t m, uint32_t n, uint32_t k, float alpha, const float *a, const float *b, float beta, float *c);
void matrix_nt(uint32_t m, uint32_t n, uint32_t k, float alpha, const float *a, const float *b, float beta, float *c);
void matrix_tn(uint32_t m, uint32_t n, uint32_t k, float alpha, const float *a, const float *b, float beta, float *c);
/* The same for matrices that are parts of wider ones; the numbers say how far apart rows are. */
struct matrix {
    const float *values;
    uint32_t stride;
};
void matrix_nn_in(uint32_t m, uint32_t n, uint32_t k, float alpha, struct matrix a, struct matrix b, float beta,
                  float *c, uint32_t stride);
void matrix_nt_in(uint32_t m, uint32_t n, uint32_t k, float alpha, struct matrix a, struct matrix b, float beta,
                  float *c, uint32_t stride);
void matrix_tn_in(uint32_t m, uint32_t n, uint32_t k, float alpha, struct matrix a, struct matrix b, float beta,
                  float *c, uint32_t stride);
