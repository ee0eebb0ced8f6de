// SPDX-License-Identifier: Apache-2.0
#include "core/clones.h"
#include "core/model/arithmetic.h"
#include "core/model/layers.h"

#include <string.h>

static CLONES void cell_forward(const float *restrict x_part, const float *restrict h_part, const float *restrict h,
                                float *restrict gates, float *restrict h_next, uint32_t hidden)
{
    const float *r = gates, *z = gates + hidden;
    float *n = gates + 2 * (size_t)hidden;
    for (uint32_t i = 0; i < 2 * hidden; i++)
        gates[i] = x_part[i] + h_part[i];
    vector_sigmoid(gates, gates, 2 * hidden);
    for (uint32_t i = 0; i < hidden; i++)
        n[i] = x_part[2 * hidden + i] + r[i] * h_part[2 * hidden + i];
    vector_tanh(n, n, hidden);
    for (uint32_t i = 0; i < hidden; i++)
        h_next[i] = n[i] + z[i] * (h[i] - n[i]);
}

void gru_cell_forward(const float *x_part, const float *h_part, const float *h, float *gates, float *h_next,
                      uint32_t rows, uint32_t hidden)
{
    for (uint32_t row = 0; row < rows; row++) {
        size_t at = (size_t)row * hidden;
        cell_forward(x_part + 3 * at, h_part + 3 * at, h + at, gates + 3 * at, h_next + at, hidden);
    }
}

static CLONES void cell_backward(const float *restrict gates, const float *restrict h_part, const float *restrict h,
                                 const float *restrict d_h_next, float *restrict d_x_part, float *restrict d_h_part,
                                 float *restrict d_h, uint32_t hidden)
{
    for (uint32_t i = 0; i < hidden; i++) {
        uint32_t at_z = hidden + i, at_n = 2 * hidden + i;
        float r = gates[i], z = gates[at_z], n = gates[at_n];
        float d_n = d_h_next[i] * (1 - z) * (1 - n * n);
        float d_r = d_n * h_part[at_n] * r * (1 - r);
        float d_z = d_h_next[i] * (h[i] - n) * z * (1 - z);
        d_h[i] = d_h_next[i] * z;
        d_x_part[i] = d_h_part[i] = d_r;
        d_x_part[at_z] = d_h_part[at_z] = d_z;
        d_x_part[at_n] = d_n;
        d_h_part[at_n] = d_n * r;
    }
}

void gru_cell_backward(const float *gates, const float *h_part, const float *h, const float *d_h_next, float *d_x_part,
                       float *d_h_part, float *d_h, uint32_t rows, uint32_t hidden)
{
    for (uint32_t row = 0; row < rows; row++) {
        size_t at = (size_t)row * hidden;
        cell_backward(gates + 3 * at, h_part + 3 * at, h + at, d_h_next + at, d_x_part + 3 * at, d_h_part + 3 * at,
                      d_h + at, hidden);
    }
}

/* The parts of trace->gather: the sessions that have a row t, one below the other. */
struct gathered {
    float *h, *part, *d_h; /* (count, hidden), (count, 3 hidden) u h + c or its gradient, (count, hidden) */
};

static struct gathered gathered_of(const struct gru_trace *trace, uint32_t count, uint32_t hidden)
{
    float *h = trace->gather, *part = h + (size_t)count * hidden;
    return (struct gathered){h, part, part + 3 * (size_t)count * hidden};
}

/* The states that step t begins with; how many. */
static uint32_t gather_states(const float *y, float *h, struct packed sessions, uint32_t t, uint32_t hidden)
{
    uint32_t active = 0;
    for (uint32_t i = 0; i < sessions.count; i++) {
        uint32_t row = sessions.starts[i] + t;
        if (row >= sessions.starts[i + 1])
            continue;
        float *state = h + (size_t)active++ * hidden;
        if (t)
            memcpy(state, y + (size_t)(row - 1) * hidden, hidden * sizeof *state);
        else
            memset(state, 0, hidden * sizeof *state);
    }
    return active;
}

static uint32_t longest(struct packed sessions)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < sessions.count; i++) {
        uint32_t length = sessions.starts[i + 1] - sessions.starts[i];
        most = length > most ? length : most;
    }
    return most;
}

void gru_forward(const struct gru *weights, const float *x, float *y, const struct gru_trace *trace,
                 struct packed sessions, uint32_t in, uint32_t hidden)
{
    struct gathered gathered = gathered_of(trace, sessions.count, hidden);
    linear_forward(x, weights->w, weights->b, trace->x_part, packed_rows(sessions), in, 3 * hidden);
    for (uint32_t t = 0, steps = longest(sessions); t < steps; t++) {
        uint32_t active = gather_states(y, gathered.h, sessions, t, hidden);
        if (t)
            linear_forward(gathered.h, weights->u, weights->c, gathered.part, active, hidden, 3 * hidden);
        active = 0;
        for (uint32_t i = 0; i < sessions.count; i++) {
            size_t row = sessions.starts[i] + t;
            if (row >= sessions.starts[i + 1])
                continue;
            const float *part = t ? gathered.part + 3 * (size_t)active * hidden : weights->c;
            float *h_part = trace->h_part + 3 * row * hidden;
            memcpy(h_part, part, 3 * (size_t)hidden * sizeof *h_part);
            cell_forward(trace->x_part + 3 * row * hidden, h_part, gathered.h + (size_t)active++ * hidden,
                         trace->gates + 3 * row * hidden, y + row * hidden, hidden);
        }
    }
}

/* What step t's states get back goes to the rows before, which they were. */
static void scatter_states(const float *d_h, float *d_y, struct packed sessions, uint32_t t, uint32_t hidden)
{
    uint32_t active = 0;
    for (uint32_t i = 0; i < sessions.count; i++) {
        size_t row = sessions.starts[i] + t;
        if (row < sessions.starts[i + 1])
            vector_add(d_h + (size_t)active++ * hidden, d_y + (row - 1) * hidden, hidden);
    }
}

/* The gradient of x_part takes the place of x_part, which nobody needs any more. */
static void step_backward(const struct gathered *gathered, const struct gru_trace *trace, const float *d_y, float *d_c,
                          struct packed sessions, uint32_t t, uint32_t hidden)
{
    uint32_t active = 0;
    for (uint32_t i = 0; i < sessions.count; i++) {
        size_t row = sessions.starts[i] + t;
        if (row >= sessions.starts[i + 1])
            continue;
        size_t at = (size_t)active++ * hidden;
        cell_backward(trace->gates + 3 * row * hidden, trace->h_part + 3 * row * hidden, gathered->h + at,
                      d_y + row * hidden, trace->x_part + 3 * row * hidden, gathered->part + 3 * at, gathered->d_h + at,
                      hidden);
        vector_add(gathered->part + 3 * at, d_c, 3 * hidden);
    }
}

void gru_backward(const struct gru *weights, const float *x, const float *y, const struct gru_trace *trace, float *d_y,
                  float *d_x, const struct gru_gradient *gradient, struct packed sessions, uint32_t in, uint32_t hidden)
{
    struct gathered gathered = gathered_of(trace, sessions.count, hidden);
    for (uint32_t t = longest(sessions); t-- > 0;) {
        uint32_t active = gather_states(y, gathered.h, sessions, t, hidden);
        step_backward(&gathered, trace, d_y, gradient->c, sessions, t, hidden);
        if (t == 0)
            break; /* the states were zeros, and are nobody's output */
        matrix_tn(3 * hidden, hidden, active, 1, gathered.part, gathered.h, 1, gradient->u);
        matrix_nn(active, hidden, 3 * hidden, 1, gathered.part, weights->u, 1, gathered.d_h);
        scatter_states(gathered.d_h, d_y, sessions, t, hidden);
    }
    linear_backward(x, weights->w, trace->x_part, d_x, gradient->w, gradient->b, packed_rows(sessions), in, 3 * hidden);
}
