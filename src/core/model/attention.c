// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"
#include "core/model/layers.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* One head's view of one session. */
struct head {
    uint32_t length, width; /* rows; the head's columns */
    uint32_t across;        /* from a row of y to the next, and from a query to its key, and to its value */
    float scale;
    bool causal;
};

static struct head head_of(struct attention_shape shape, uint32_t length)
{
    uint32_t width = shape.width / shape.heads;
    return (struct head){length, width, shape.width, 1 / sqrtf((float)width), shape.causal};
}

static uint32_t head_sees(const struct head *head, uint32_t row)
{
    return head->causal ? row + 1 : head->length;
}

static void head_forward(const struct head *head, const float *qkv, float *y, float *weights)
{
    uint32_t length = head->length, stride = 3 * head->across;
    struct matrix query = {qkv, stride}, key = {qkv + head->across, stride};
    struct matrix value = {key.values + head->across, stride};
    matrix_nt_in(length, length, head->width, head->scale, query, key, 0, weights, length);
    for (uint32_t row = 0; row < length; row++) {
        float *weight = weights + (size_t)row * length;
        uint32_t seen = head_sees(head, row);
        vector_scale(1 / vector_exp(weight, vector_max(weight, seen), seen), weight, seen);
        memset(weight + seen, 0, (length - seen) * sizeof *weight);
    }
    matrix_nn_in(length, head->width, length, 1, (struct matrix){weights, length}, value, 0, y, head->across);
}

static void head_backward(const struct head *head, const float *qkv, const float *weights, const float *d_y,
                          float *d_qkv, float *d_scores)
{
    uint32_t length = head->length, width = head->width, stride = 3 * head->across;
    struct matrix query = {qkv, stride}, key = {qkv + head->across, stride};
    struct matrix value = {key.values + head->across, stride};
    struct matrix weight = {weights, length}, d_score = {d_scores, length}, d_sum = {d_y, head->across};
    matrix_nt_in(length, length, width, 1, d_sum, value, 0, d_scores, length);
    for (uint32_t row = 0; row < length; row++) { /* unseen weights are 0, and so are their scores' gradients */
        const float *w = weights + (size_t)row * length;
        float *d = d_scores + (size_t)row * length, mean = vector_dot(w, d, length);
        for (uint32_t j = 0; j < length; j++)
            d[j] = w[j] * (d[j] - mean);
    }
    matrix_nn_in(length, width, length, head->scale, d_score, key, 0, d_qkv, stride);
    matrix_tn_in(length, width, length, head->scale, d_score, query, 0, d_qkv + head->across, stride);
    matrix_tn_in(length, width, length, 1, weight, d_sum, 0, d_qkv + 2 * (size_t)head->across, stride);
}

void attention_forward(const float *qkv, float *y, float *weights, struct packed sessions, struct attention_shape shape)
{
    assert(shape.heads && shape.width % shape.heads == 0);
    for (uint32_t i = 0; i < sessions.count; i++) {
        struct head head = head_of(shape, sessions.starts[i + 1] - sessions.starts[i]);
        size_t first = (size_t)sessions.starts[i] * shape.width;
        for (uint32_t column = 0; column < shape.width; column += head.width) {
            head_forward(&head, qkv + 3 * first + column, y + first + column, weights);
            weights += (size_t)head.length * head.length;
        }
    }
}

void attention_backward(const float *qkv, const float *weights, const float *d_y, float *d_qkv, float *d_scores,
                        struct packed sessions, struct attention_shape shape)
{
    assert(shape.heads && shape.width % shape.heads == 0);
    for (uint32_t i = 0; i < sessions.count; i++) {
        struct head head = head_of(shape, sessions.starts[i + 1] - sessions.starts[i]);
        size_t first = (size_t)sessions.starts[i] * shape.width;
        for (uint32_t column = 0; column < shape.width; column += head.width) {
            head_backward(&head, qkv + 3 * first + column, weights, d_y + first + column, d_qkv + 3 * first + column,
                          d_scores);
            weights += (size_t)head.length * head.length;
            d_scores += (size_t)head.length * head.length;
        }
    }
}

uint64_t attention_weights_size(struct packed sessions, uint32_t heads)
{
    uint64_t pairs = 0;
    for (uint32_t i = 0; i < sessions.count; i++) {
        uint64_t length = sessions.starts[i + 1] - sessions.starts[i];
        pairs += length * length;
    }
    return heads * pairs;
}
