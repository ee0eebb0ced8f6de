// SPDX-License-Identifier: Apache-2.0
/* pw_core: the sum of a session's last clicks, each weighted by the session's length and its distance from the end;
 * weights are a softmax over a learned table of logits. It is CORE (Hou et al. 2022: vectors of sessions and items in
 * one space, compared by cosine) with the least encoder that tells places apart. */
#include "core/model/arithmetic.h"
#include "core/model/backbone.h"
#include "core/model/room.h"

#include <math.h>
#include <string.h>

#define LOGITS_RATE 10 /* a logit moves what it weighs by a share, an item's row moves by itself */

enum { TABLE }; /* (length_max, length_max): logits by length - 1 and distance from the end */

struct trace {
    float *weights; /* (rows) */
};

static struct start items(const struct model_options *options)
{
    return (struct start){START_NORMAL, 1 / sqrtf((float)options->width)}; /* of length 1 on average */
}

static void declare(const struct model_options *options, struct parameters *parameters)
{
    parameters_declare(parameters, "position_logits", options->length_max, options->length_max,
                       (struct start){START_CONSTANT, 0}, LOGITS_RATE);
}

/* The place in the table of each of a session's rows: the row of its length, from its end. */
static uint32_t logit_of(const struct model_options *options, uint32_t length, uint32_t index)
{
    return (length - 1) * options->length_max + (length - 1 - index);
}

static struct status forward(const struct model_options *options, const struct parameters *parameters,
                             const struct backbone_batch *batch, struct arena *arena, struct session_vectors *vectors,
                             const void **ret_trace)
{
    uint32_t rows = packed_rows(batch->sessions), width = options->width;
    const float *table = parameters_of(parameters, TABLE);
    struct room room = {.arena = arena};
    float *logits = ROOM(&room, float, rows);
    const struct trace trace = {ROOM(&room, float, rows)};
    TRY(room_taken(&room));
    for (uint32_t i = 0; i < batch->sessions.count; i++) {
        uint32_t start = batch->sessions.starts[i], length = batch->sessions.starts[i + 1] - start;
        for (uint32_t j = 0; j < length; j++)
            logits[start + j] = table[logit_of(options, length, j)];
    }
    last_forward(batch->x, vectors->local, batch->sessions, width);
    softmax_forward(logits, trace.weights, batch->sessions);
    pool_forward(batch->x, trace.weights, vectors->session, batch->sessions, width);
    memcpy(vectors->global, vectors->session, (size_t)batch->sessions.count * width * sizeof(float));
    return room_keep(arena, &trace, sizeof trace, ret_trace);
}

static struct status backward(const struct model_options *options, const struct parameters *parameters,
                              const struct backbone_batch *batch, const void *trace_of, struct arena *arena,
                              struct session_vectors *d, float *d_x)
{
    const struct trace *trace = trace_of;
    uint32_t rows = packed_rows(batch->sessions), width = options->width;
    struct room room = {.arena = arena};
    float *d_weights = ROOM(&room, float, rows), *d_logits = ROOM(&room, float, rows);
    TRY(room_taken(&room));
    if (d->global)
        vector_add(d->global, d->session, batch->sessions.count * width);
    pool_backward(batch->x, trace->weights, d->session, d_x, d_weights, batch->sessions, width);
    softmax_backward(trace->weights, d_weights, d_logits, batch->sessions);
    float *d_table = parameters_gradient(parameters, TABLE);
    for (uint32_t i = 0; i < batch->sessions.count; i++) {
        uint32_t start = batch->sessions.starts[i], length = batch->sessions.starts[i + 1] - start;
        for (uint32_t j = 0; j < length; j++)
            d_table[logit_of(options, length, j)] += d_logits[start + j];
    }
    if (d->local)
        last_backward(d->local, d_x, batch->sessions, width);
    return OK;
}

const struct backbone backbone_pw_core = {"pw_core", "PW-CORE", items, declare, forward, backward};
