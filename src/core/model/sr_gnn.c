// SPDX-License-Identifier: Apache-2.0
/* sr_gnn: SR-GNN (Wu et al. 2019): a session's graph of items sends messages once, and what each click's node is then
 * goes through the readout. As in the authors' code, which has no bias behind v; its two biases within the sigmoid act
 * as one. A node is its item's row as its first click has it, dropout and all.
 *
 * With the model's `normalise` it is NISER (Gupta et al. 2019): the nodes have length 1 before the graph layer (eq. 4),
 * behind dropout, as the items and the session's vector have when they are compared. */
#include "core/model/arithmetic.h"
#include "core/model/readout.h"
#include "core/model/room.h"

#include <math.h>
#include <string.h>

enum { W_IN, B_IN, W_OUT, B_OUT, BIAS_IN, BIAS_OUT, CELL_W, CELL_U, CELL_B, CELL_C, READOUT };

static const struct readout_tensors readout = {.first = READOUT, .biases = true};

struct trace {
    struct graph graph;
    struct gated_graph_trace graph_trace;
    uint32_t *first, *alias; /* (node_count) the row of its first click; (rows) each click's node */
    float *nodes, *after;    /* (node_count, width) before the messages and after them */
    float *inverse;          /* (node_count) of the nodes' lengths, when they are made 1; NULL: they are not */
    float *states;           /* (rows, width) the nodes of the clicks, after */
    struct readout_trace readout;
};

static struct start items(const struct model_options *options)
{
    return (struct start){START_UNIFORM, 1 / sqrtf((float)options->width)};
}

static void declare(const struct model_options *options, struct parameters *parameters)
{
    static const struct {
        const char *name;
        uint32_t rows, columns; /* times the width; 0: one row */
    } tensors[] = {{"in.w", 1, 1},    {"in.b", 0, 1},      {"out.w", 1, 1},   {"out.b", 0, 1},
                   {"bias_in", 0, 1}, {"bias_out", 0, 1},  {"gru.w", 3, 2},   {"gru.u", 3, 1},
                   {"gru.b", 0, 3},   {"gru.c", 0, 3},     {"state.w", 1, 1}, {"last.w", 1, 1},
                   {"v", 0, 1},       {"readout.w", 1, 2}, {"last.b", 0, 1},  {"readout.b", 0, 1}};
    for (uint32_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        uint32_t rows = tensors[i].rows ? tensors[i].rows * options->width : 1;
        parameters_declare(parameters, tensors[i].name, rows, tensors[i].columns * options->width, items(options), 1);
    }
}

/* The session's first click on the same item: the click itself, when it is new. */
static uint32_t first_click(const uint32_t *items, uint32_t start, uint32_t click)
{
    uint32_t first = start;
    while (items[first] != items[click])
        first++;
    return first;
}

static void name_nodes(const struct backbone_batch *batch, struct graph_edge *edges, struct trace *trace)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->sessions.count; i++) {
        uint32_t start = batch->sessions.starts[i];
        for (uint32_t click = start; click < batch->sessions.starts[i + 1]; click++) {
            uint32_t first = first_click(batch->items, start, click);
            if (first == click)
                trace->first[count++] = click;
            trace->alias[click] = first == click ? count - 1 : trace->alias[first];
        }
    }
    trace->graph = (struct graph){count, graph_edges(trace->alias, batch->sessions, edges), edges};
}

/* to's rows are from's rows `which`. */
static void pick_rows(const float *from, const uint32_t *which, float *to, uint32_t rows, uint32_t width)
{
    for (uint32_t i = 0; i < rows; i++)
        memcpy(to + (size_t)i * width, from + (size_t)which[i] * width, width * sizeof *to);
}

/* Its opposite: row i of `d_to` is added to row which[i]. */
static void add_to_rows(const float *d_to, const uint32_t *which, float *d_from, uint32_t rows, uint32_t width)
{
    for (uint32_t i = 0; i < rows; i++)
        vector_add(d_to + (size_t)i * width, d_from + (size_t)which[i] * width, width);
}

static struct gated_graph weights_of(const struct parameters *parameters)
{
#define W(tensor) parameters_of(parameters, tensor)
    return (struct gated_graph){
        W(W_IN), W(B_IN), W(W_OUT), W(B_OUT), W(BIAS_IN), W(BIAS_OUT), {W(CELL_W), W(CELL_U), W(CELL_B), W(CELL_C)}};
#undef W
}

static struct gated_graph_gradient gradient_of(const struct parameters *parameters)
{
#define D(tensor) parameters_gradient(parameters, tensor)
    return (struct gated_graph_gradient){
        D(W_IN), D(B_IN), D(W_OUT), D(B_OUT), D(BIAS_IN), D(BIAS_OUT), {D(CELL_W), D(CELL_U), D(CELL_B), D(CELL_C)}};
#undef D
}

static struct status take(const struct backbone_batch *batch, const struct model_options *options, struct arena *arena,
                          struct trace *trace)
{
    uint32_t width = options->width;
    size_t rows = packed_rows(batch->sessions), size = rows * width; /* there are as many nodes as clicks, or fewer */
    struct room room = {.arena = arena};
    struct graph_edge *edges = ROOM(&room, struct graph_edge, rows);
    *trace = (struct trace){.first = ROOM(&room, uint32_t, rows),
                            .alias = ROOM(&room, uint32_t, rows),
                            .nodes = ROOM(&room, float, size),
                            .after = ROOM(&room, float, size),
                            .states = ROOM(&room, float, size),
                            .inverse = options->normalise ? ROOM(&room, float, rows) : NULL,
                            .graph_trace = {.sent = ROOM(&room, float, 2 * size),
                                            .messages = ROOM(&room, float, 2 * size),
                                            .x_part = ROOM(&room, float, 3 * size),
                                            .h_part = ROOM(&room, float, 3 * size),
                                            .gates = ROOM(&room, float, 3 * size)}};
    TRY(room_taken(&room));
    name_nodes(batch, edges, trace);
    return OK;
}

static struct status forward(const struct model_options *options, const struct parameters *parameters,
                             const struct backbone_batch *batch, struct arena *arena, struct session_vectors *vectors,
                             const void **ret_trace)
{
    const struct gated_graph weights = weights_of(parameters);
    const struct readout_vectors made = {
        .gathered = vectors->global, .last = vectors->local, .session = vectors->session};
    uint32_t width = options->width;
    struct trace trace;
    TRY(take(batch, options, arena, &trace));
    pick_rows(batch->x, trace.first, trace.nodes, trace.graph.node_count, width);
    if (trace.inverse)
        l2_forward(trace.nodes, trace.nodes, trace.inverse, trace.graph.node_count, width);
    gated_graph_forward(&weights, &trace.graph, trace.nodes, trace.after, &trace.graph_trace, width);
    pick_rows(trace.after, trace.alias, trace.states, packed_rows(batch->sessions), width);
    TRY(readout_forward(readout, parameters, batch, trace.states, width, arena, &made, &trace.readout));
    return room_keep(arena, &trace, sizeof trace, ret_trace);
}

static struct status backward(const struct model_options *options, const struct parameters *parameters,
                              const struct backbone_batch *batch, const void *trace_of, struct arena *arena,
                              struct session_vectors *d, float *d_x)
{
    const struct trace *trace = trace_of;
    const struct gated_graph weights = weights_of(parameters);
    const struct gated_graph_gradient gradient = gradient_of(parameters);
    const struct readout_vectors d_made = {.gathered = d->global, .last = d->local, .session = d->session};
    uint32_t width = options->width, rows = packed_rows(batch->sessions), nodes = trace->graph.node_count;
    size_t size = (size_t)rows * width, size_nodes = (size_t)nodes * width;
    struct room room = {.arena = arena};
    float *d_states = ROOM(&room, float, size), *d_after = ROOM(&room, float, size_nodes);
    float *d_nodes = ROOM(&room, float, size_nodes), *work = ROOM(&room, float, 7 * size_nodes);
    TRY(room_taken(&room));
    TRY(readout_backward(readout, parameters, &trace->readout, arena, &d_made, d_states));
    memset(d_after, 0, size_nodes * sizeof *d_after);
    add_to_rows(d_states, trace->alias, d_after, rows, width);
    gated_graph_backward(&weights, &trace->graph, trace->nodes, &trace->graph_trace, d_after, d_nodes, &gradient, work,
                         width);
    if (trace->inverse)
        l2_backward(trace->nodes, trace->inverse, d_nodes, d_nodes, nodes, width);
    memset(d_x, 0, size * sizeof *d_x);
    add_to_rows(d_nodes, trace->first, d_x, nodes, width);
    return OK;
}

const struct backbone backbone_sr_gnn = {"sr_gnn", "SR-GNN", items, declare, forward, backward};
