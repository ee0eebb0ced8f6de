// SPDX-License-Identifier: Apache-2.0
#pragma once
/* layers: what session models are made of, each with its derivative. Functions over plain arrays, row by row; shapes
 * stand in comments, (rows, columns). A layer keeps nothing: what its backward pass needs of the forward pass is an
 * argument of both, and belongs to the caller.
 *
 *   x_forward(inputs, weights, outputs, what backward needs)
 *   x_backward(..., d_output, d_input, d_weight): d_output is the loss's gradient with respect to the output;
 *                 d_input is set, NULL when nobody asks for it; gradients of weights are added to, as they are shared
 *
 * Sessions of a batch lie one behind the other, without padding: struct packed says where each begins. Arrays must not
 * overlap. tests/unit/core/model holds each against finite differences and against a slow reference, tests/golden
 * against PyTorch. Matrix products are OpenBLAS's; the rest is arithmetic.h. */
#include <eddy/base/random.h>

#include <stdbool.h>
#include <stdint.h>

/* Session i's rows are starts[i] .. starts[i + 1] - 1; none is empty. */
struct packed {
    uint32_t count;
    const uint32_t *starts; /* (count + 1) starts[0] = 0 */
};

static inline uint32_t packed_rows(struct packed sessions)
{
    return sessions.starts[sessions.count];
}

/* ---- linear: y = x w^T + bias */

/* x: (rows, in), w: (out, in), bias: (out) or NULL, y: (rows, out) */
void linear_forward(const float *x, const float *w, const float *bias, float *y, uint32_t rows, uint32_t in,
                    uint32_t out);
/* d_bias: (out) or NULL */
void linear_backward(const float *x, const float *w, const float *d_y, float *d_x, float *d_w, float *d_bias,
                     uint32_t rows, uint32_t in, uint32_t out);

/* ---- L2 normalisation: y = x / |x|, row by row (NISER, Gupta et al. 2019, eq. 4) */

/* inverse: (rows) 1 / |x|, for backward. A row of zeros stays one. y may be x, and d_x may be d_y. */
void l2_forward(const float *x, float *y, float *inverse, uint32_t rows, uint32_t width);
void l2_backward(const float *y, const float *inverse, const float *d_y, float *d_x, uint32_t rows, uint32_t width);

/* ---- layer normalisation (Ba et al. 2016): y = gain (x - mean) / sqrt(variance + 1e-5) + bias, row by row */

/* gain, bias: (width); normal: (rows, width) and inverse: (rows), for backward */
void layer_norm_forward(const float *x, const float *gain, const float *bias, float *y, float *normal, float *inverse,
                        uint32_t rows, uint32_t width);
void layer_norm_backward(const float *gain, const float *normal, const float *inverse, const float *d_y, float *d_x,
                         float *d_gain, float *d_bias, uint32_t rows, uint32_t width);

/* ---- dropout, inverted: what is kept is divided by 1 - rate, so that nothing is to be scaled when it is off */

/* mask: (count) 1 kept, 0 dropped. 0 <= rate < 1; each is dropped with floor(256 rate) / 256. */
void dropout_forward(struct random *random, float rate, const float *x, float *y, uint8_t *mask, uint32_t count);
void dropout_backward(float rate, const uint8_t *mask, const float *d_y, float *d_x, uint32_t count);

/* ---- softmax within each session, and the weighted sum of its rows */

/* logits, weights: (packed_rows) */
void softmax_forward(const float *logits, float *weights, struct packed sessions);
void softmax_backward(const float *weights, const float *d_weights, float *d_logits, struct packed sessions);
/* x: (packed_rows, width), pooled: (count, width) = sum of weights * x */
void pool_forward(const float *x, const float *weights, float *pooled, struct packed sessions, uint32_t width);
void pool_backward(const float *x, const float *weights, const float *d_pooled, float *d_x, float *d_weights,
                   struct packed sessions, uint32_t width);

/* ---- the last row of each session, and the mean of its rows. The rows serve others too: d_x is added to. */

/* x: (packed_rows, width), last, mean: (count, width) */
void last_forward(const float *x, float *last, struct packed sessions, uint32_t width);
void last_backward(const float *d_last, float *d_x, struct packed sessions, uint32_t width);
void mean_forward(const float *x, float *mean, struct packed sessions, uint32_t width);
void mean_backward(const float *d_mean, float *d_x, struct packed sessions, uint32_t width);

/* ---- additive attention (Bahdanau et al. 2015; STAMP, NARM and SR-GNN in their way): logit of a row of x =
 * v . sigmoid(x w^T + context), context being one row a session: what the caller makes of the session as a whole */

struct additive {
    const float *w, *v; /* (hidden_width, width), (hidden_width) */
};

struct additive_gradient {
    float *w, *v;
};

/* x: (packed_rows, width), context: (count, hidden_width); hidden: (packed_rows, hidden_width), for backward; logits:
 * (packed_rows) */
void additive_forward(const struct additive *weights, const float *x, const float *context, float *hidden,
                      float *logits, struct packed sessions, uint32_t width, uint32_t hidden_width);
/* d_context is set; d_hidden: (packed_rows, hidden_width) to work in */
void additive_backward(const struct additive *weights, const float *x, const float *hidden, const float *d_logits,
                       float *d_x, float *d_context, float *d_hidden, const struct additive_gradient *gradient,
                       struct packed sessions, uint32_t width, uint32_t hidden_width);

/* ---- self-attention over a session's own rows, several heads (Vaswani et al. 2017, 3.2; causal as in SASRec, Kang &
 * McAuley 2018): queries, keys and values side by side in one matrix; scores are divided by sqrt(width / heads) */

struct attention_shape {
    uint32_t width, heads; /* heads divides width */
    bool causal;           /* a row sees itself and those before it */
};

/* qkv: (packed_rows, 3 width) query, key, value; y: (packed_rows, width) the heads side by side;
 * weights: (heads * sum of length^2), for backward: attention_weights_size(); 0 for what a row does not see */
void attention_forward(const float *qkv, float *y, float *weights, struct packed sessions,
                       struct attention_shape shape);
/* d_qkv is never NULL, as nothing else is asked for; d_scores: as many as weights, to work in */
void attention_backward(const float *qkv, const float *weights, const float *d_y, float *d_qkv, float *d_scores,
                        struct packed sessions, struct attention_shape shape);
uint64_t attention_weights_size(struct packed sessions, uint32_t heads);

/* ---- gated recurrent unit (Cho et al. 2014, in PyTorch's form): with r, z, n one below the other in the weights,
 *   r = sigmoid(w_r x + b_r + u_r h + c_r)   z = sigmoid(w_z x + b_z + u_z h + c_z)
 *   n = tanh(w_n x + b_n + r (u_n h + c_n))  h' = (1 - z) n + z h                    h starts at 0 */

struct gru {
    const float *w, *u, *b, *c; /* (3 hidden, in), (3 hidden, hidden), (3 hidden), (3 hidden) */
};

struct gru_gradient {
    float *w, *u, *b, *c;
};

/* One step of `rows` independent states, also SR-GNN's cell. x_part: (rows, 3 hidden) = w x + b; h_part:
 * (rows, 3 hidden) = u h + c. gates: (rows, 3 hidden) r, z, n for backward. */
void gru_cell_forward(const float *x_part, const float *h_part, const float *h, float *gates, float *h_next,
                      uint32_t rows, uint32_t hidden);
/* d_h is set to the part that comes through z; the caller adds d_h_part u */
void gru_cell_backward(const float *gates, const float *h_part, const float *h, const float *d_h_next, float *d_x_part,
                       float *d_h_part, float *d_h, uint32_t rows, uint32_t hidden);

/* What the forward pass over sessions leaves for the backward pass. */
struct gru_trace {
    float *x_part, *h_part, *gates; /* (packed_rows, 3 hidden) each */
    float *gather;                  /* (count, 5 hidden) to work in */
};

/* x: (packed_rows, in); y: (packed_rows, hidden) the state after each row */
void gru_forward(const struct gru *weights, const float *x, float *y, const struct gru_trace *trace,
                 struct packed sessions, uint32_t in, uint32_t hidden);
/* d_y: (packed_rows, hidden) is changed on the way: it gathers what comes back through time. So is trace->x_part. */
void gru_backward(const struct gru *weights, const float *x, const float *y, const struct gru_trace *trace, float *d_y,
                  float *d_x, const struct gru_gradient *gradient, struct packed sessions, uint32_t in,
                  uint32_t hidden);

/* ---- gated graph layer (SR-GNN, Wu et al. 2019, eq. 1-5): a session's graph has a node for each different item and an
 * edge for each pair of neighbours, however often it occurs; along the edges each node gets the mean of what the nodes
 * before it send, and beside it the mean of what those behind it send; both go through a gated recurrent unit */

struct graph_edge {
    uint32_t from, to;         /* rows of nodes */
    float share_in, share_out; /* 1 / (edges that arrive at `to`), 1 / (edges that leave `from`) */
};

/* The graphs of a batch in one, as sessions share no nodes. */
struct graph {
    uint32_t node_count, edge_count;
    const struct graph_edge *edges;
};

/* Made once for all steps of a batch. alias: (packed_rows) each click's row of nodes; edges: (packed_rows) has room for
 * all; returns how many there are. The time grows with the square of a session's length. */
uint32_t graph_edges(const uint32_t *alias, struct packed clicks, struct graph_edge *edges);

struct gated_graph {
    const float *w_in, *b_in, *w_out, *b_out; /* (width, width), (width) each, before the messages are sent */
    const float *bias_in, *bias_out;          /* (width) each, added to what arrives */
    struct gru cell;                          /* in = 2 width, hidden = width */
};

struct gated_graph_gradient {
    float *w_in, *b_in, *w_out, *b_out, *bias_in, *bias_out;
    struct gru_gradient cell;
};

/* All for the backward pass. */
struct gated_graph_trace {
    float *sent;                    /* (node_count, 2 width) h w_in^T + b_in, h w_out^T + b_out */
    float *messages;                /* (node_count, 2 width) what arrives */
    float *x_part, *h_part, *gates; /* (node_count, 3 width) */
};

/* h, y: (node_count, width). One step; several are several calls with the same weights. */
void gated_graph_forward(const struct gated_graph *weights, const struct graph *graph, const float *h, float *y,
                         const struct gated_graph_trace *trace, uint32_t width);
/* work: (node_count, 7 width) */
void gated_graph_backward(const struct gated_graph *weights, const struct graph *graph, const float *h,
                          const struct gated_graph_trace *trace, const float *d_y, float *d_h,
                          const struct gated_graph_gradient *gradient, float *work, uint32_t width);
