// SPDX-License-Identifier: Apache-2.0
/* stamp: STAMP (Liu et al. 2018): attention over the clicks by the last one and by their mean, each side through a
 * small network; the session's vector is the product of both, item by item. As in RecBole 1.2 and in the authors'
 * code, the mean is added to what attention gathers, attention is not normalised, and scores go into the softmax
 * without the paper's sigmoid.
 *
 * A session of n clicks has length_max - n empty places, and they count as clicks on a row of their own, which is
 * learned; only the mean is still divided by n. RecBole's padding does the same, unmeant: it is not masked. Without it
 * MRR@20 was lower by some 3 % (bench/README.md). */
#include "core/model/arithmetic.h"
#include "core/model/backbone.h"
#include "core/model/gathering.h"
#include "core/model/room.h"

#include <string.h>

#define DEVIATION_ITEMS   0.002f
#define DEVIATION_WEIGHTS 0.05f

enum { W_ROW, W_LAST, W_MEAN, BIAS, V, GATHERED_W, GATHERED_BIAS, LAST_W, LAST_BIAS, EMPTY };

struct trace {
    struct gathering gathering, empties; /* of the clicks; of the empty places, one for all of a session */
    float *places;                       /* (count) how many are empty */
    float *last, *mean, *gathered;       /* (count, width) */
    float *gathered_side, *last_side;    /* (count, width) behind tanh */
};

static struct start items(const struct model_options *options)
{
    (void)options;
    return (struct start){START_NORMAL, DEVIATION_ITEMS};
}

static void declare(const struct model_options *options, struct parameters *parameters)
{
    static const char *const names[] = {"row.w",      "last.w",        "mean.w",      "bias",          "v",
                                        "gathered.w", "gathered.bias", "last_side.w", "last_side.bias"};
    for (uint32_t i = W_ROW; i <= LAST_BIAS; i++) {
        bool matrix = i == W_ROW || i == W_LAST || i == W_MEAN || i == GATHERED_W || i == LAST_W;
        struct start start = matrix || i == V ? (struct start){START_NORMAL, DEVIATION_WEIGHTS} : (struct start){0};
        parameters_declare(parameters, names[i], matrix ? options->width : 1, options->width, start, 1);
    }
    parameters_declare(parameters, "empty", 1, options->width, items(options), 1);
}

/* ---- empty places */

static struct status empties_open(const struct parameters *parameters, uint32_t length_max, struct arena *arena,
                                  struct trace *trace)
{
    struct packed sessions = trace->gathering.sessions;
    uint32_t width = trace->gathering.width, count = sessions.count;
    struct room room = {.arena = arena};
    uint32_t *starts = ROOM(&room, uint32_t, count + 1);
    float *rows = ROOM(&room, float, (size_t)count *width);
    trace->places = ROOM(&room, float, count);
    TRY(room_taken(&room));
    starts[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        starts[i + 1] = i + 1;
        memcpy(rows + (size_t)i * width, parameters_of(parameters, EMPTY), width * sizeof *rows);
        trace->places[i] = (float)(length_max - (sessions.starts[i + 1] - sessions.starts[i]));
    }
    trace->empties = (struct gathering){
        .attention = trace->gathering.attention, .sessions = {count, starts}, .x = rows, .width = width};
    return OK;
}

/* In the mean: an empty place's share of it. */
static float empty_share(const struct trace *trace, uint32_t session)
{
    const uint32_t *starts = trace->gathering.sessions.starts;
    return trace->places[session] / (float)(starts[session + 1] - starts[session]);
}

static void empties_mean_forward(const struct trace *trace)
{
    uint32_t width = trace->gathering.width;
    for (uint32_t i = 0; i < trace->empties.sessions.count; i++)
        vector_add_scaled(empty_share(trace, i), trace->empties.x, trace->mean + (size_t)i * width, width);
}

static void empties_mean_backward(const struct trace *trace, const float *d_mean, float *d_empty)
{
    uint32_t width = trace->gathering.width;
    for (uint32_t i = 0; i < trace->empties.sessions.count; i++)
        vector_add_scaled(empty_share(trace, i), d_mean + (size_t)i * width, d_empty, width);
}

/* What attention gathers of them is added to what it gathers of the clicks. */
static struct status empties_forward(struct trace *trace, const float *context, struct arena *arena)
{
    uint32_t width = trace->gathering.width, count = trace->empties.sessions.count;
    struct room room = {.arena = arena};
    float *one = ROOM(&room, float, (size_t)count *width);
    TRY(room_taken(&room));
    TRY(gathering_forward(&trace->empties, context, one, arena));
    for (uint32_t i = 0; i < count; i++)
        vector_add_scaled(trace->places[i], one + (size_t)i * width, trace->gathered + (size_t)i * width, width);
    return OK;
}

/* Added to d_context and d_empty. */
static struct status empties_backward(const struct trace *trace, const struct additive_gradient *gradient,
                                      const float *d_gathered, float *d_context, float *d_empty, struct arena *arena)
{
    uint32_t width = trace->gathering.width, count = trace->empties.sessions.count;
    size_t size = (size_t)count * width;
    struct room room = {.arena = arena};
    float *d_one = ROOM(&room, float, size), *d_rows = ROOM(&room, float, size), *d_part = ROOM(&room, float, size);
    TRY(room_taken(&room));
    memcpy(d_one, d_gathered, size * sizeof *d_one);
    for (uint32_t i = 0; i < count; i++)
        vector_scale(trace->places[i], d_one + (size_t)i * width, width);
    TRY(gathering_backward(&trace->empties, gradient, d_one, d_rows, d_part, arena));
    vector_add(d_part, d_context, count * width);
    for (uint32_t i = 0; i < count; i++)
        vector_add(d_rows + (size_t)i * width, d_empty, width);
    return OK;
}

/* ---- the whole */

static struct status forward(const struct model_options *options, const struct parameters *parameters,
                             const struct backbone_batch *batch, struct arena *arena, struct session_vectors *vectors,
                             const void **ret_trace)
{
    uint32_t width = options->width, count = batch->sessions.count, size = count * width;
    struct room room = {.arena = arena};
    float *context = ROOM(&room, float, size);
    struct trace trace = {
        .gathering = {.attention = {parameters_of(parameters, W_ROW), parameters_of(parameters, V)},
                      .sessions = batch->sessions,
                      .x = batch->x,
                      .width = width},
        .last = ROOM(&room, float, size),
        .mean = ROOM(&room, float, size),
        .gathered = ROOM(&room, float, size),
        .gathered_side = ROOM(&room, float, size),
        .last_side = ROOM(&room, float, size),
    };
    TRY(room_taken(&room));
    TRY(empties_open(parameters, options->length_max, arena, &trace));
    last_forward(batch->x, trace.last, batch->sessions, width);
    mean_forward(batch->x, trace.mean, batch->sessions, width);
    empties_mean_forward(&trace);
    linear_forward(trace.last, parameters_of(parameters, W_LAST), parameters_of(parameters, BIAS), context, count,
                   width, width);
    matrix_nt(count, width, width, 1, trace.mean, parameters_of(parameters, W_MEAN), 1, context);
    TRY(gathering_forward(&trace.gathering, context, trace.gathered, arena));
    TRY(empties_forward(&trace, context, arena));
    vector_add(trace.mean, trace.gathered, size);
    linear_forward(trace.gathered, parameters_of(parameters, GATHERED_W), parameters_of(parameters, GATHERED_BIAS),
                   trace.gathered_side, count, width, width);
    linear_forward(trace.last, parameters_of(parameters, LAST_W), parameters_of(parameters, LAST_BIAS), trace.last_side,
                   count, width, width);
    vector_tanh(trace.gathered_side, trace.gathered_side, size);
    vector_tanh(trace.last_side, trace.last_side, size);
    memcpy(vectors->global, trace.gathered_side, size * sizeof(float));
    memcpy(vectors->local, trace.last_side, size * sizeof(float));
    vector_multiply(trace.gathered_side, trace.last_side, vectors->session, size);
    return room_keep(arena, &trace, sizeof trace, ret_trace);
}

/* d_in = (d_vector * other + d_direct) through tanh, whose output is `side`. */
static void through_tanh(const float *d_vector, const float *other, const float *d_direct, const float *side,
                         float *d_in, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        float d = d_vector[i] * other[i] + (d_direct ? d_direct[i] : 0);
        d_in[i] = d * (1 - side[i] * side[i]);
    }
}

static struct status backward(const struct model_options *options, const struct parameters *parameters,
                              const struct backbone_batch *batch, const void *trace_of, struct arena *arena,
                              struct session_vectors *d, float *d_x)
{
    const struct trace *trace = trace_of;
    uint32_t width = options->width, count = batch->sessions.count, size = count * width;
    struct room room = {.arena = arena};
    float *d_side = ROOM(&room, float, size), *d_last = ROOM(&room, float, size), *d_part = ROOM(&room, float, size);
    float *d_mean = ROOM(&room, float, size), *d_context = ROOM(&room, float, size);
    TRY(room_taken(&room));
#define W(tensor) parameters_of(parameters, tensor)
#define D(tensor) parameters_gradient(parameters, tensor)
    through_tanh(d->session, trace->gathered_side, d->local, trace->last_side, d_side, size);
    linear_backward(trace->last, W(LAST_W), d_side, d_last, D(LAST_W), D(LAST_BIAS), count, width, width);
    through_tanh(d->session, trace->last_side, d->global, trace->gathered_side, d_side, size);
    linear_backward(trace->gathered, W(GATHERED_W), d_side, d_mean, D(GATHERED_W), D(GATHERED_BIAS), count, width,
                    width); /* the gradient of what was gathered, and so of the mean, which was added to it */

    const struct additive_gradient gradient = {D(W_ROW), D(V)};
    TRY(gathering_backward(&trace->gathering, &gradient, d_mean, d_x, d_context, arena));
    TRY(empties_backward(trace, &gradient, d_mean, d_context, D(EMPTY), arena));
    linear_backward(trace->mean, W(W_MEAN), d_context, d_part, D(W_MEAN), NULL, count, width, width);
    vector_add(d_part, d_mean, size);
    empties_mean_backward(trace, d_mean, D(EMPTY));
    linear_backward(trace->last, W(W_LAST), d_context, d_part, D(W_LAST), D(BIAS), count, width, width);
    vector_add(d_part, d_last, size);
#undef W
#undef D
    last_backward(d_last, d_x, batch->sessions, width);
    mean_backward(d_mean, d_x, batch->sessions, width);
    return OK;
}

const struct backbone backbone_stamp = {"stamp", "STAMP", items, declare, forward, backward};
