// SPDX-License-Identifier: Apache-2.0
/* The layers and optimizers against PyTorch: layers.txt holds inputs, outputs and gradients that tools/golden_layers.py
 * wrote. `./dev golden models` writes them anew. What a layer sets is NaN before, so that what it leaves out is seen;
 * what it adds to is 0. */
#include "support/support.h"

#include "core/model/arithmetic.h"
#include "core/model/layers.h"
#include "support/golden_tensors.h"

#include <math.h>

#define SESSIONS      4
#define ROWS          12 /* of all sessions */

#define UNSET(values) unset(values, sizeof(values) / sizeof *(values))

static void unset(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = NAN;
}

/* starts: (SESSIONS + 1), to be filled */
static struct packed packed_of(struct golden_tensors *golden, const char *name, uint32_t rows, uint32_t *starts)
{
    golden_indices(golden, name, SESSIONS + 1, starts);
    assert_int_equal(starts[0], 0);
    assert_int_equal(starts[SESSIONS], rows);
    return (struct packed){SESSIONS, starts};
}

static void assert_all_used(const struct golden_tensors *golden, const char *prefix)
{
    const char *unused = golden_unused(golden, prefix);
    if (unused)
        fail_msg("tensor %s is compared with nothing", unused);
}

/* ---- layers of rows */

static void linear_is_that_of_pytorch(void **state)
{
    enum { LINES = 7, IN = 6, OUT = 8 };
    const float *x = golden_tensor(*state, "linear.x", LINES, IN);
    const float *w = golden_tensor(*state, "linear.w", OUT, IN);
    const float *bias = golden_tensor(*state, "linear.bias", 1, OUT);
    const float *d_y = golden_tensor(*state, "linear.d_y", LINES, OUT);
    float y[LINES * OUT], d_x[LINES * IN], d_w[OUT * IN] = {0}, d_bias[OUT] = {0};
    UNSET(y);
    UNSET(d_x);
    linear_forward(x, w, bias, y, LINES, IN, OUT);
    linear_backward(x, w, d_y, d_x, d_w, d_bias, LINES, IN, OUT);
    golden_compare(*state, "linear.y", LINES, OUT, y);
    golden_compare(*state, "linear.d_x", LINES, IN, d_x);
    golden_compare(*state, "linear.d_w", OUT, IN, d_w);
    golden_compare(*state, "linear.d_bias", 1, OUT, d_bias);
    assert_all_used(*state, "linear.");
}

static void l2_is_that_of_pytorch(void **state)
{
    enum { LINES = 6, WIDTH = 12 };
    const float *x = golden_tensor(*state, "l2.x", LINES, WIDTH);
    const float *d_y = golden_tensor(*state, "l2.d_y", LINES, WIDTH);
    float y[LINES * WIDTH], inverse[LINES], d_x[LINES * WIDTH];
    UNSET(y);
    UNSET(d_x);
    l2_forward(x, y, inverse, LINES, WIDTH);
    l2_backward(y, inverse, d_y, d_x, LINES, WIDTH);
    golden_compare(*state, "l2.y", LINES, WIDTH, y);
    golden_compare(*state, "l2.d_x", LINES, WIDTH, d_x);
    assert_all_used(*state, "l2.");
}

static void layer_norm_is_that_of_pytorch(void **state)
{
    enum { LINES = 6, WIDTH = 12 };
    const float *x = golden_tensor(*state, "layer_norm.x", LINES, WIDTH);
    const float *gain = golden_tensor(*state, "layer_norm.gain", 1, WIDTH);
    const float *bias = golden_tensor(*state, "layer_norm.bias", 1, WIDTH);
    const float *d_y = golden_tensor(*state, "layer_norm.d_y", LINES, WIDTH);
    float y[LINES * WIDTH], normal[LINES * WIDTH], inverse[LINES];
    float d_x[LINES * WIDTH], d_gain[WIDTH] = {0}, d_bias[WIDTH] = {0};
    UNSET(y);
    UNSET(d_x);
    layer_norm_forward(x, gain, bias, y, normal, inverse, LINES, WIDTH);
    layer_norm_backward(gain, normal, inverse, d_y, d_x, d_gain, d_bias, LINES, WIDTH);
    golden_compare(*state, "layer_norm.y", LINES, WIDTH, y);
    golden_compare(*state, "layer_norm.d_x", LINES, WIDTH, d_x);
    golden_compare(*state, "layer_norm.d_gain", 1, WIDTH, d_gain);
    golden_compare(*state, "layer_norm.d_bias", 1, WIDTH, d_bias);
    assert_all_used(*state, "layer_norm.");
}

/* ---- layers of sessions */

static void softmax_is_that_of_pytorch(void **state)
{
    uint32_t starts[SESSIONS + 1];
    struct packed sessions = packed_of(*state, "sessions.starts", ROWS, starts);
    const float *logits = golden_tensor(*state, "softmax.logits", 1, ROWS);
    const float *d_y = golden_tensor(*state, "softmax.d_y", 1, ROWS);
    float weights[ROWS], d_logits[ROWS];
    UNSET(weights);
    UNSET(d_logits);
    softmax_forward(logits, weights, sessions);
    softmax_backward(weights, d_y, d_logits, sessions);
    golden_compare(*state, "softmax.y", 1, ROWS, weights);
    golden_compare(*state, "softmax.d_logits", 1, ROWS, d_logits);
    assert_all_used(*state, "softmax.");
}

static void pooling_is_that_of_pytorch(void **state)
{
    enum { WIDTH = 8 };
    uint32_t starts[SESSIONS + 1];
    struct packed sessions = packed_of(*state, "sessions.starts", ROWS, starts);
    const float *x = golden_tensor(*state, "pool.x", ROWS, WIDTH);
    const float *weights = golden_tensor(*state, "pool.weights", 1, ROWS);
    const float *d_y = golden_tensor(*state, "pool.d_y", SESSIONS, WIDTH);
    float pooled[SESSIONS * WIDTH], d_x[ROWS * WIDTH], d_weights[ROWS];
    UNSET(pooled);
    UNSET(d_x);
    UNSET(d_weights);
    pool_forward(x, weights, pooled, sessions, WIDTH);
    pool_backward(x, weights, d_y, d_x, d_weights, sessions, WIDTH);
    golden_compare(*state, "pool.y", SESSIONS, WIDTH, pooled);
    golden_compare(*state, "pool.d_x", ROWS, WIDTH, d_x);
    golden_compare(*state, "pool.d_weights", 1, ROWS, d_weights);
    assert_all_used(*state, "pool.");
}

/* The context is a linear layer of its session, as in the models that have this attention. */
static void additive_attention_is_that_of_pytorch(void **state)
{
    enum { WIDTH = 8, HIDDEN = 6 };
    uint32_t starts[SESSIONS + 1];
    struct packed sessions = packed_of(*state, "sessions.starts", ROWS, starts);
    const float *x = golden_tensor(*state, "additive.x", ROWS, WIDTH);
    const float *whole = golden_tensor(*state, "additive.context", SESSIONS, WIDTH);
    const float *w_c = golden_tensor(*state, "additive.w_c", HIDDEN, WIDTH);
    const float *bias = golden_tensor(*state, "additive.bias", 1, HIDDEN);
    const struct additive weights = {golden_tensor(*state, "additive.w_x", HIDDEN, WIDTH),
                                     golden_tensor(*state, "additive.v", 1, HIDDEN)};
    const float *d_y = golden_tensor(*state, "additive.d_y", 1, ROWS);
    float context[SESSIONS * HIDDEN], hidden[ROWS * HIDDEN], logits[ROWS], d_hidden[ROWS * HIDDEN];
    float d_x[ROWS * WIDTH], d_context[SESSIONS * HIDDEN], d_whole[SESSIONS * WIDTH];
    float d_w_x[HIDDEN * WIDTH] = {0}, d_v[HIDDEN] = {0}, d_w_c[HIDDEN * WIDTH] = {0}, d_bias[HIDDEN] = {0};
    const struct additive_gradient gradient = {d_w_x, d_v};
    UNSET(logits);
    UNSET(d_hidden);
    UNSET(d_x);
    UNSET(d_context);
    linear_forward(whole, w_c, bias, context, SESSIONS, WIDTH, HIDDEN);
    additive_forward(&weights, x, context, hidden, logits, sessions, WIDTH, HIDDEN);
    additive_backward(&weights, x, hidden, d_y, d_x, d_context, d_hidden, &gradient, sessions, WIDTH, HIDDEN);
    linear_backward(whole, w_c, d_context, d_whole, d_w_c, d_bias, SESSIONS, WIDTH, HIDDEN);
    golden_compare(*state, "additive.y", 1, ROWS, logits);
    golden_compare(*state, "additive.d_x", ROWS, WIDTH, d_x);
    golden_compare(*state, "additive.d_context", SESSIONS, WIDTH, d_whole);
    golden_compare(*state, "additive.d_w_x", HIDDEN, WIDTH, d_w_x);
    golden_compare(*state, "additive.d_w_c", HIDDEN, WIDTH, d_w_c);
    golden_compare(*state, "additive.d_bias", 1, HIDDEN, d_bias);
    golden_compare(*state, "additive.d_v", 1, HIDDEN, d_v);
    assert_all_used(*state, "additive.");
}

/* The name of a layer's tensor, until the next call. */
static const char *named(const char *layer, const char *what)
{
    static char name[64];
    snprintf(name, sizeof name, "%s.%s", layer, what);
    return name;
}

static void compare_attention(struct golden_tensors *golden, const char *layer, uint32_t heads, bool causal)
{
    enum { WIDTH = 12, WEIGHTS_MAX = 3 * (9 + 1 + 36 + 4) };
    uint32_t starts[SESSIONS + 1];
    struct packed sessions = packed_of(golden, "sessions.starts", ROWS, starts);
    const struct attention_shape shape = {WIDTH, heads, causal};
    const float *qkv = golden_tensor(golden, named(layer, "qkv"), ROWS, 3 * WIDTH);
    const float *d_y = golden_tensor(golden, named(layer, "d_y"), ROWS, WIDTH);
    float y[ROWS * WIDTH], weights[WEIGHTS_MAX], d_qkv[ROWS * 3 * WIDTH], d_scores[WEIGHTS_MAX];
    UNSET(y);
    UNSET(weights);
    UNSET(d_qkv);
    UNSET(d_scores);
    assert_true(attention_weights_size(sessions, heads) <= WEIGHTS_MAX);
    attention_forward(qkv, y, weights, sessions, shape);
    attention_backward(qkv, weights, d_y, d_qkv, d_scores, sessions, shape);
    golden_compare(golden, named(layer, "y"), ROWS, WIDTH, y);
    golden_compare(golden, named(layer, "d_qkv"), ROWS, 3 * WIDTH, d_qkv);
    assert_all_used(golden, named(layer, ""));
}

static void attention_is_that_of_pytorch(void **state)
{
    compare_attention(*state, "attention", 2, false);
}

static void causal_attention_is_that_of_pytorch(void **state)
{
    compare_attention(*state, "attention_causal", 3, true);
}

static void a_gated_recurrent_unit_is_that_of_pytorch(void **state)
{
    enum { IN = 6, HIDDEN = 8, GATES = 3 * HIDDEN };
    uint32_t starts[SESSIONS + 1];
    struct packed sessions = packed_of(*state, "sessions.starts", ROWS, starts);
    const float *x = golden_tensor(*state, "gru.x", ROWS, IN);
    const struct gru weights = {
        golden_tensor(*state, "gru.w", GATES, IN),
        golden_tensor(*state, "gru.u", GATES, HIDDEN),
        golden_tensor(*state, "gru.b", 1, GATES),
        golden_tensor(*state, "gru.c", 1, GATES),
    };
    float d_y[ROWS * HIDDEN], y[ROWS * HIDDEN], d_x[ROWS * IN];
    float d_w[GATES * IN] = {0}, d_u[GATES * HIDDEN] = {0}, d_b[GATES] = {0}, d_c[GATES] = {0};
    float x_part[ROWS * GATES], h_part[ROWS * GATES], gates[ROWS * GATES], gather[SESSIONS * 5 * HIDDEN];
    const struct gru_trace trace = {x_part, h_part, gates, gather};
    const struct gru_gradient gradient = {d_w, d_u, d_b, d_c};
    memcpy(d_y, golden_tensor(*state, "gru.d_y", ROWS, HIDDEN), sizeof d_y);
    UNSET(y);
    UNSET(d_x);
    UNSET(gather);
    gru_forward(&weights, x, y, &trace, sessions, IN, HIDDEN);
    golden_compare(*state, "gru.y", ROWS, HIDDEN, y);
    UNSET(gather);
    gru_backward(&weights, x, y, &trace, d_y, d_x, &gradient, sessions, IN, HIDDEN);
    golden_compare(*state, "gru.d_x", ROWS, IN, d_x);
    golden_compare(*state, "gru.d_w", GATES, IN, d_w);
    golden_compare(*state, "gru.d_u", GATES, HIDDEN, d_u);
    golden_compare(*state, "gru.d_b", 1, GATES, d_b);
    golden_compare(*state, "gru.d_c", 1, GATES, d_c);
    assert_all_used(*state, "gru.");
}

/* ---- SR-GNN's layer */

enum { NODES = 9, CLICKS = 17, WIDTH = 6, CELL = 3 * WIDTH };

static struct gated_graph gated_graph_weights(struct golden_tensors *golden)
{
    return (struct gated_graph){
        .w_in = golden_tensor(golden, "gated_graph.w_in", WIDTH, WIDTH),
        .b_in = golden_tensor(golden, "gated_graph.b_in", 1, WIDTH),
        .w_out = golden_tensor(golden, "gated_graph.w_out", WIDTH, WIDTH),
        .b_out = golden_tensor(golden, "gated_graph.b_out", 1, WIDTH),
        .bias_in = golden_tensor(golden, "gated_graph.bias_in", 1, WIDTH),
        .bias_out = golden_tensor(golden, "gated_graph.bias_out", 1, WIDTH),
        .cell = {golden_tensor(golden, "gated_graph.w", CELL, 2 * WIDTH),
                 golden_tensor(golden, "gated_graph.u", CELL, WIDTH), golden_tensor(golden, "gated_graph.b", 1, CELL),
                 golden_tensor(golden, "gated_graph.c", 1, CELL)},
    };
}

static void compare_gated_graph_gradient(struct golden_tensors *golden, const struct gated_graph_gradient *gradient)
{
    golden_compare(golden, "gated_graph.d_w_in", WIDTH, WIDTH, gradient->w_in);
    golden_compare(golden, "gated_graph.d_b_in", 1, WIDTH, gradient->b_in);
    golden_compare(golden, "gated_graph.d_w_out", WIDTH, WIDTH, gradient->w_out);
    golden_compare(golden, "gated_graph.d_b_out", 1, WIDTH, gradient->b_out);
    golden_compare(golden, "gated_graph.d_bias_in", 1, WIDTH, gradient->bias_in);
    golden_compare(golden, "gated_graph.d_bias_out", 1, WIDTH, gradient->bias_out);
    golden_compare(golden, "gated_graph.d_w", CELL, 2 * WIDTH, gradient->cell.w);
    golden_compare(golden, "gated_graph.d_u", CELL, WIDTH, gradient->cell.u);
    golden_compare(golden, "gated_graph.d_b", 1, CELL, gradient->cell.b);
    golden_compare(golden, "gated_graph.d_c", 1, CELL, gradient->cell.c);
}

static void a_gated_graph_is_that_of_its_authors(void **state)
{
    uint32_t starts[SESSIONS + 1], alias[CLICKS];
    struct graph_edge edges[CLICKS];
    golden_indices(*state, "gated_graph.alias", CLICKS, alias);
    uint32_t edge_count = graph_edges(alias, packed_of(*state, "gated_graph.clicks", CLICKS, starts), edges);
    const struct graph graph = {NODES, edge_count, edges};
    const struct gated_graph weights = gated_graph_weights(*state);
    const float *h = golden_tensor(*state, "gated_graph.h", NODES, WIDTH);
    const float *d_y = golden_tensor(*state, "gated_graph.d_y", NODES, WIDTH);
    float sent[NODES * 2 * WIDTH], messages[NODES * 2 * WIDTH];
    float x_part[NODES * CELL], h_part[NODES * CELL], gates[NODES * CELL];
    const struct gated_graph_trace trace = {sent, messages, x_part, h_part, gates};
    float d_w_in[WIDTH * WIDTH] = {0}, d_b_in[WIDTH] = {0}, d_w_out[WIDTH * WIDTH] = {0}, d_b_out[WIDTH] = {0};
    float d_bias_in[WIDTH] = {0}, d_bias_out[WIDTH] = {0};
    float d_w[CELL * 2 * WIDTH] = {0}, d_u[CELL * WIDTH] = {0}, d_b[CELL] = {0}, d_c[CELL] = {0};
    const struct gated_graph_gradient gradient = {
        d_w_in, d_b_in, d_w_out, d_b_out, d_bias_in, d_bias_out, {d_w, d_u, d_b, d_c}};
    float y[NODES * WIDTH], d_h[NODES * WIDTH], work[NODES * 7 * WIDTH];
    UNSET(sent);
    UNSET(messages);
    UNSET(y);
    UNSET(d_h);
    UNSET(work);
    gated_graph_forward(&weights, &graph, h, y, &trace, WIDTH);
    golden_compare(*state, "gated_graph.y", NODES, WIDTH, y);
    gated_graph_backward(&weights, &graph, h, &trace, d_y, d_h, &gradient, work, WIDTH);
    golden_compare(*state, "gated_graph.d_h", NODES, WIDTH, d_h);
    compare_gated_graph_gradient(*state, &gradient);
    assert_all_used(*state, "gated_graph.");
}

/* ---- the bound itself, on the numbers that it is used for */

static void a_changed_number_is_reported(void **state)
{
    enum { LINES = 7, OUT = 8, COUNT = LINES * OUT };
    const float *wanted = golden_tensor(*state, "linear.y", LINES, OUT);
    for (uint32_t i = 0; i < COUNT; i++) {
        AUTO(buffer) report = {0};
        float got[COUNT];
        memcpy(got, wanted, sizeof got);
        float bound = fmaxf((float)GOLDEN_ABSOLUTE, (float)GOLDEN_RELATIVE * fabsf(wanted[i]));
        got[i] = wanted[i] + 0.8f * bound;
        assert_true(golden_same("linear.y", wanted, got, COUNT, &report));
        const float wrong[] = {wanted[i] + 1.2f * bound, wanted[i] - 1.2f * bound, -INFINITY, NAN};
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            char place[64];
            snprintf(place, sizeof place, "tensor linear.y: 1 of %d numbers differ, most number %u:", COUNT, i);
            got[i] = wrong[j];
            buffer_clear(&report);
            assert_false(golden_same("linear.y", wanted, got, COUNT, &report));
            assert_non_null(strstr(buffer_text(&report), place));
        }
    }
}

static int open_golden(void **state)
{
    *state = golden_tensors_open("tests/golden/layers.txt");
    return 0;
}

static int close_golden(void **state)
{
    golden_tensors_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_is_that_of_pytorch),
        cmocka_unit_test(l2_is_that_of_pytorch),
        cmocka_unit_test(layer_norm_is_that_of_pytorch),
        cmocka_unit_test(softmax_is_that_of_pytorch),
        cmocka_unit_test(pooling_is_that_of_pytorch),
        cmocka_unit_test(additive_attention_is_that_of_pytorch),
        cmocka_unit_test(attention_is_that_of_pytorch),
        cmocka_unit_test(causal_attention_is_that_of_pytorch),
        cmocka_unit_test(a_gated_recurrent_unit_is_that_of_pytorch),
        cmocka_unit_test(a_gated_graph_is_that_of_its_authors),
        cmocka_unit_test(a_changed_number_is_reported),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
