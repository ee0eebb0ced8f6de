// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/layer_rig.h"

#include <math.h>

enum { H, W_IN, B_IN, W_OUT, B_OUT, BIAS_IN, BIAS_OUT, W, U, B, C, PARAMETERS };
#define NODES_MAX 100
#define WIDTH_MAX 40

struct gates {
    struct packed clicks, nodes;
    uint32_t *alias;
    struct graph_edge *edges;
    struct graph graph;
    uint32_t width;
    struct parameter parameters[PARAMETERS];
    struct gated_graph_trace trace;
    float *d_y, *y;
    double wanted[NODES_MAX * WIDTH_MAX];
};

/* count sessions of up to length_max clicks on up to `items` items */
static const struct shape {
    uint32_t count, length_max, items, width;
} shapes[] = {{1, 1, 1, 3}, {4, 5, 3, 1}, {3, 8, 3, 5}, {2, 50, 8, 2}, {3, 5, 9, 16}, {2, 4, 2, 18}, {5, 6, 1, 4}};

/* Rows of nodes in the order in which a session meets them. */
static void make_graph(struct gates *gates, struct layer_rig *rig, struct shape shape)
{
    gates->clicks = rig_sessions(rig, shape.count, shape.length_max);
    uint32_t clicks = packed_rows(gates->clicks);
    uint32_t *starts = rig_block(rig, (shape.count + 1) * sizeof *starts);
    gates->alias = rig_block(rig, clicks * sizeof *gates->alias);
    gates->edges = rig_block(rig, clicks * sizeof *gates->edges);
    starts[0] = 0;
    for (uint32_t i = 0; i < shape.count; i++) {
        uint32_t rows[16], next = starts[i];
        memset(rows, 0xff, sizeof rows);
        for (uint32_t click = gates->clicks.starts[i]; click < gates->clicks.starts[i + 1]; click++) {
            uint32_t item = random_below(&rig->random, shape.items);
            if (rows[item] == UINT32_MAX)
                rows[item] = next++;
            gates->alias[click] = rows[item];
        }
        starts[i + 1] = next;
    }
    gates->nodes = (struct packed){shape.count, starts};
    gates->graph =
        (struct graph){starts[shape.count], graph_edges(gates->alias, gates->clicks, gates->edges), gates->edges};
}

static void make(struct gates *gates, struct layer_rig *rig, struct shape shape)
{
    make_graph(gates, rig, shape);
    uint32_t width = gates->width = shape.width, rows = gates->graph.node_count;
    const uint32_t sizes[PARAMETERS] = {
        [H] = rows * width,      [W_IN] = width * width, [B_IN] = width,     [W_OUT] = width * width,
        [B_OUT] = width,         [BIAS_IN] = width,      [BIAS_OUT] = width, [W] = 6 * width * width,
        [U] = 3 * width * width, [B] = 3 * width,        [C] = 3 * width};
    for (uint32_t i = 0; i < PARAMETERS; i++)
        gates->parameters[i] = i == H ? rig_input(rig, sizes[i]) : rig_weight(rig, sizes[i]);
    gates->trace = (struct gated_graph_trace){rig_unset(rig, rows * 2 * width), rig_unset(rig, rows * 2 * width),
                                              rig_unset(rig, rows * 3 * width), rig_unset(rig, rows * 3 * width),
                                              rig_unset(rig, rows * 3 * width)};
    gates->d_y = rig_random(rig, rows * width);
    gates->y = rig_unset(rig, rows * width);
}

static struct gated_graph weights_of(const struct gates *gates)
{
    const struct parameter *p = gates->parameters;
    return (struct gated_graph){p[W_IN].values,
                                p[B_IN].values,
                                p[W_OUT].values,
                                p[B_OUT].values,
                                p[BIAS_IN].values,
                                p[BIAS_OUT].values,
                                {p[W].values, p[U].values, p[B].values, p[C].values}};
}

static void forward(struct gates *gates)
{
    struct gated_graph weights = weights_of(gates);
    gated_graph_forward(&weights, &gates->graph, gates->parameters[H].values, gates->y, &gates->trace, gates->width);
}

static void backward(struct gates *gates, struct layer_rig *rig, float *d_h)
{
    const struct parameter *p = gates->parameters;
    struct gated_graph weights = weights_of(gates);
    struct gated_graph_gradient gradient = {p[W_IN].gradient,
                                            p[B_IN].gradient,
                                            p[W_OUT].gradient,
                                            p[B_OUT].gradient,
                                            p[BIAS_IN].gradient,
                                            p[BIAS_OUT].gradient,
                                            {p[W].gradient, p[U].gradient, p[B].gradient, p[C].gradient}};
    float *work = rig_unset(rig, gates->graph.node_count * 7 * gates->width);
    gated_graph_backward(&weights, &gates->graph, p[H].values, &gates->trace, gates->d_y, d_h, &gradient, work,
                         gates->width);
}

/* The connection matrices as in the authors' code (get_slice()): 1 at [from][to] for neighbours; what arrives at a node
 * is weighted by the column's sum, what comes back from behind it by the row's. */
static void connect(const struct gates *gates, double in[NODES_MAX][NODES_MAX], double out[NODES_MAX][NODES_MAX])
{
    static double a[NODES_MAX][NODES_MAX];
    memset(a, 0, sizeof a);
    for (uint32_t i = 0; i < gates->clicks.count; i++)
        for (uint32_t click = gates->clicks.starts[i]; click + 1 < gates->clicks.starts[i + 1]; click++)
            a[gates->alias[click]][gates->alias[click + 1]] = 1;
    for (uint32_t i = 0; i < gates->graph.node_count; i++) {
        double column = 0, row = 0;
        for (uint32_t j = 0; j < gates->graph.node_count; j++) {
            column += a[j][i];
            row += a[i][j];
        }
        for (uint32_t j = 0; j < gates->graph.node_count; j++) {
            in[i][j] = a[j][i] / (column > 0 ? column : 1);
            out[i][j] = a[i][j] / (row > 0 ? row : 1);
        }
    }
}

/* y = x w^T + b */
static void linear(const double *x, const struct parameter *w, const struct parameter *b, double *y, uint32_t in,
                   uint32_t out)
{
    for (uint32_t i = 0; i < out; i++) {
        y[i] = (double)b->values[i];
        for (uint32_t j = 0; j < in; j++)
            y[i] += (double)w->values[i * in + j] * x[j];
    }
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void reference_cell(const struct gates *gates, const double *message, const double *h, double *next)
{
    const struct parameter *p = gates->parameters;
    uint32_t width = gates->width;
    double from_x[3 * WIDTH_MAX], from_h[3 * WIDTH_MAX];
    linear(message, &p[W], &p[B], from_x, 2 * width, 3 * width);
    linear(h, &p[U], &p[C], from_h, width, 3 * width);
    for (uint32_t i = 0; i < width; i++) {
        double reset = sigmoid(from_x[i] + from_h[i]), input = sigmoid(from_x[width + i] + from_h[width + i]);
        double new = tanh(from_x[2 * width + i] + reset * from_h[2 * width + i]);
        next[i] = new + input *(h[i] - new);
    }
}

static double reference(void *context)
{
    struct gates *gates = context;
    const struct parameter *p = gates->parameters;
    uint32_t width = gates->width, rows = gates->graph.node_count;
    static double in[NODES_MAX][NODES_MAX], out[NODES_MAX][NODES_MAX];
    static double h[NODES_MAX][WIDTH_MAX], sent_in[NODES_MAX][WIDTH_MAX], sent_out[NODES_MAX][WIDTH_MAX];
    connect(gates, in, out);
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t i = 0; i < width; i++)
            h[row][i] = (double)p[H].values[row * width + i];
        linear(h[row], &p[W_IN], &p[B_IN], sent_in[row], width, width);
        linear(h[row], &p[W_OUT], &p[B_OUT], sent_out[row], width, width);
    }
    for (uint32_t row = 0; row < rows; row++) {
        double message[2 * WIDTH_MAX];
        for (uint32_t i = 0; i < width; i++) {
            message[i] = (double)p[BIAS_IN].values[i];
            message[width + i] = (double)p[BIAS_OUT].values[i];
            for (uint32_t other = 0; other < rows; other++) {
                message[i] += in[row][other] * sent_in[other][i];
                message[width + i] += out[row][other] * sent_out[other][i];
            }
        }
        reference_cell(gates, message, h[row], gates->wanted + row * width);
    }
    return loss_of(gates->d_y, gates->wanted, rows * width);
}

static void outputs_and_gradients_are_those_of_the_reference(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct layer_rig rig;
        static struct gates gates;
        layer_rig_open(&rig, test_seed(i));
        make(&gates, &rig, shapes[i]);
        forward(&gates);
        reference(&gates);
        assert_close(gates.y, gates.wanted, gates.graph.node_count * gates.width);
        backward(&gates, &rig, gates.parameters[H].gradient);
        assert_gradients(&(struct gradient_check){reference, &gates}, gates.parameters, PARAMETERS);
        layer_rig_close(&rig);
    }
}

static void weights_get_their_gradients_when_nobody_asks_for_that_of_h(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct gates gates;
    layer_rig_open(&rig, test_seed(1));
    make(&gates, &rig, (struct shape){3, 6, 4, 5});
    forward(&gates);
    backward(&gates, &rig, NULL);
    assert_gradients(&(struct gradient_check){reference, &gates}, gates.parameters + W_IN, PARAMETERS - W_IN);
    layer_rig_close(&rig);
}

static void assert_edge(struct graph_edge edge, uint32_t from, uint32_t to, float share_in, float share_out)
{
    assert_int_equal(edge.from, from);
    assert_int_equal(edge.to, to);
    assert_true(edge.share_in == share_in && edge.share_out == share_out);
}

static void an_edge_counts_once_and_sessions_have_their_own(void **state)
{
    (void)state;
    const uint32_t alias[] = {0, 1, 0, 1, 1, /**/ 2, /**/ 3, 4, 3};
    struct graph_edge edges[9];
    assert_int_equal(graph_edges(alias, (struct packed){3, (const uint32_t[]){0, 5, 6, 9}}, edges), 5);
    assert_edge(edges[0], 0, 1, 0.5f, 1);
    assert_edge(edges[1], 1, 0, 1, 0.5f);
    assert_edge(edges[2], 1, 1, 0.5f, 0.5f);
    assert_edge(edges[3], 3, 4, 1, 1);
    assert_edge(edges[4], 4, 3, 1, 1);
    assert_int_equal(graph_edges(alias, (struct packed){0, (const uint32_t[]){0}}, edges), 0);
}

static void shares_of_a_node_sum_to_one(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct gates gates;
    layer_rig_open(&rig, test_seed(2));
    make_graph(&gates, &rig, (struct shape){20, 50, 5, 0});
    float in[NODES_MAX] = {0}, out[NODES_MAX] = {0};
    for (uint32_t i = 0; i < gates.graph.edge_count; i++) {
        in[gates.edges[i].to] += gates.edges[i].share_in;
        out[gates.edges[i].from] += gates.edges[i].share_out;
    }
    for (uint32_t row = 0; row < gates.graph.node_count; row++) {
        assert_true(in[row] == 0 || fabsf(in[row] - 1) < 1e-5f);
        assert_true(out[row] == 0 || fabsf(out[row] - 1) < 1e-5f);
    }
    layer_rig_close(&rig);
}

static void a_node_without_neighbours_hears_of_nobody(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct gates gates;
    layer_rig_open(&rig, test_seed(3));
    make(&gates, &rig, (struct shape){1, 1, 1, 7});
    forward(&gates);
    float *before = rig_copy(&rig, gates.y, 7);
    for (uint32_t i = 0; i < 7; i++)
        gates.parameters[B_IN].values[i] = gates.parameters[B_OUT].values[i] = 9;
    forward(&gates);
    assert_memory_equal(gates.y, before, 7 * sizeof *before);
    assert_memory_equal(gates.trace.messages, gates.parameters[BIAS_IN].values, 7 * sizeof *before);
    layer_rig_close(&rig);
}

static void sessions_that_change_places_take_their_outputs_along(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct gates gates;
    layer_rig_open(&rig, test_seed(4));
    make(&gates, &rig, (struct shape){5, 7, 4, 17});
    forward(&gates);
    float *wanted = rig_reverse_rows(&rig, gates.y, gates.nodes, 17);
    gates.parameters[H].values = rig_reverse_rows(&rig, gates.parameters[H].values, gates.nodes, 17);
    struct packed nodes = rig_reverse_sessions(&rig, gates.nodes), clicks = rig_reverse_sessions(&rig, gates.clicks);
    uint32_t *alias = rig_block(&rig, packed_rows(clicks) * sizeof *alias);
    for (uint32_t i = 0; i < clicks.count; i++)
        for (uint32_t j = 0; j < clicks.starts[i + 1] - clicks.starts[i]; j++)
            alias[clicks.starts[i] + j] = gates.alias[gates.clicks.starts[clicks.count - 1 - i] + j] + nodes.starts[i] -
                                          gates.nodes.starts[clicks.count - 1 - i];
    assert_int_equal(graph_edges(alias, clicks, gates.edges), gates.graph.edge_count);
    forward(&gates);
    assert_same_floats(gates.y, wanted, packed_rows(nodes) * 17);
    layer_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_and_gradients_are_those_of_the_reference),
        cmocka_unit_test(weights_get_their_gradients_when_nobody_asks_for_that_of_h),
        cmocka_unit_test(an_edge_counts_once_and_sessions_have_their_own),
        cmocka_unit_test(shares_of_a_node_sum_to_one),
        cmocka_unit_test(a_node_without_neighbours_hears_of_nobody),
        cmocka_unit_test(sessions_that_change_places_take_their_outputs_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
