// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"
#include "core/model/layers.h"

#include <string.h>

static bool edge_known(const struct graph_edge *edges, uint32_t count, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < count; i++)
        if (edges[i].from == from && edges[i].to == to)
            return true;
    return false;
}

static void share(struct graph_edge *edges, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t arriving = 0, leaving = 0;
        for (uint32_t j = 0; j < count; j++) {
            arriving += edges[j].to == edges[i].to;
            leaving += edges[j].from == edges[i].from;
        }
        edges[i].share_in = 1 / (float)arriving;
        edges[i].share_out = 1 / (float)leaving;
    }
}

uint32_t graph_edges(const uint32_t *alias, struct packed clicks, struct graph_edge *edges)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < clicks.count; i++) {
        struct graph_edge *own = edges + total;
        uint32_t count = 0;
        for (uint32_t click = clicks.starts[i] + 1; click < clicks.starts[i + 1]; click++) {
            uint32_t from = alias[click - 1], to = alias[click];
            if (!edge_known(own, count, from, to))
                own[count++] = (struct graph_edge){.from = from, .to = to};
        }
        share(own, count);
        total += count;
    }
    return total;
}

/* y = [a, b] in each row */
static void fill_rows(const float *a, const float *b, float *y, uint32_t rows, uint32_t width)
{
    for (uint32_t row = 0; row < rows; row++) {
        memcpy(y + 2 * (size_t)row * width, a, width * sizeof *y);
        memcpy(y + (2 * (size_t)row + 1) * width, b, width * sizeof *y);
    }
}

/* Its opposite: the sums over rows are added to a and b. */
static void add_rows(const float *y, float *a, float *b, uint32_t rows, uint32_t width)
{
    for (uint32_t row = 0; row < rows; row++) {
        vector_add(y + 2 * (size_t)row * width, a, width);
        vector_add(y + (2 * (size_t)row + 1) * width, b, width);
    }
}

void gated_graph_forward(const struct gated_graph *weights, const struct graph *graph, const float *h, float *y,
                         const struct gated_graph_trace *trace, uint32_t width)
{
    uint32_t rows = graph->node_count, pair = 2 * width;
    struct matrix states = {h, width};
    fill_rows(weights->b_in, weights->b_out, trace->sent, rows, width);
    matrix_nt_in(rows, width, width, 1, states, (struct matrix){weights->w_in, width}, 1, trace->sent, pair);
    matrix_nt_in(rows, width, width, 1, states, (struct matrix){weights->w_out, width}, 1, trace->sent + width, pair);
    fill_rows(weights->bias_in, weights->bias_out, trace->messages, rows, width);
    for (uint32_t i = 0; i < graph->edge_count; i++) {
        const struct graph_edge *edge = graph->edges + i;
        size_t from = (size_t)edge->from * pair, to = (size_t)edge->to * pair;
        vector_add_scaled(edge->share_in, trace->sent + from, trace->messages + to, width);
        vector_add_scaled(edge->share_out, trace->sent + to + width, trace->messages + from + width, width);
    }
    linear_forward(trace->messages, weights->cell.w, weights->cell.b, trace->x_part, rows, pair, 3 * width);
    linear_forward(h, weights->cell.u, weights->cell.c, trace->h_part, rows, width, 3 * width);
    gru_cell_forward(trace->x_part, trace->h_part, h, trace->gates, y, rows, width);
}

static void messages_backward(const struct graph *graph, const float *d_messages, float *d_sent, uint32_t width)
{
    uint32_t pair = 2 * width;
    memset(d_sent, 0, (size_t)graph->node_count * pair * sizeof *d_sent);
    for (uint32_t i = 0; i < graph->edge_count; i++) {
        const struct graph_edge *edge = graph->edges + i;
        size_t from = (size_t)edge->from * pair, to = (size_t)edge->to * pair;
        vector_add_scaled(edge->share_in, d_messages + to, d_sent + from, width);
        vector_add_scaled(edge->share_out, d_messages + from + width, d_sent + to + width, width);
    }
}

static void sent_backward(const struct gated_graph *weights, const float *h, const float *d_sent, float *d_h,
                          const struct gated_graph_gradient *gradient, uint32_t rows, uint32_t width)
{
    struct matrix d_in = {d_sent, 2 * width}, d_out = {d_sent + width, 2 * width}, states = {h, width};
    add_rows(d_sent, gradient->b_in, gradient->b_out, rows, width);
    matrix_tn_in(width, width, rows, 1, d_in, states, 1, gradient->w_in, width);
    matrix_tn_in(width, width, rows, 1, d_out, states, 1, gradient->w_out, width);
    matrix_nn_in(rows, width, width, 1, d_in, (struct matrix){weights->w_in, width}, 1, d_h, width);
    matrix_nn_in(rows, width, width, 1, d_out, (struct matrix){weights->w_out, width}, 1, d_h, width);
}

void gated_graph_backward(const struct gated_graph *weights, const struct graph *graph, const float *h,
                          const struct gated_graph_trace *trace, const float *d_y, float *d_h,
                          const struct gated_graph_gradient *gradient, float *work, uint32_t width)
{
    uint32_t rows = graph->node_count, pair = 2 * width;
    size_t part = 3 * (size_t)rows * width;
    float *d_x_part = work, *d_h_part = work + part;
    if (!d_h)
        d_h = work + 2 * part;
    gru_cell_backward(trace->gates, trace->h_part, h, d_y, d_x_part, d_h_part, d_h, rows, width);
    linear_backward(h, weights->cell.u, d_h_part, NULL, gradient->cell.u, gradient->cell.c, rows, width, 3 * width);
    matrix_nn(rows, width, 3 * width, 1, d_h_part, weights->cell.u, 1, d_h);
    float *d_messages = d_h_part; /* done with */
    linear_backward(trace->messages, weights->cell.w, d_x_part, d_messages, gradient->cell.w, gradient->cell.b, rows,
                    pair, 3 * width);
    add_rows(d_messages, gradient->bias_in, gradient->bias_out, rows, width);
    float *d_sent = d_x_part; /* done with, too */
    messages_backward(graph, d_messages, d_sent, width);
    sent_backward(weights, h, d_sent, d_h, gradient, rows, width);
}
