// SPDX-License-Identifier: Apache-2.0
#include "core/model/readout.h"

#include "core/model/arithmetic.h"
#include "core/model/room.h"

#include <string.h>

static const float *weight(struct readout_tensors tensors, const struct parameters *parameters, uint32_t tensor)
{
    bool there = tensor < READOUT_LAST_B || tensors.biases;
    return there ? parameters_of(parameters, tensors.first + tensor) : NULL;
}

static float *gradient_of(struct readout_tensors tensors, const struct parameters *parameters, uint32_t tensor)
{
    bool there = tensor < READOUT_LAST_B || tensors.biases;
    return there ? parameters_gradient(parameters, tensors.first + tensor) : NULL;
}

/* Rows of `both`: the one half from `left`, the other from `right`. */
static void join(const float *left, const float *right, float *both, uint32_t count, uint32_t width)
{
    for (uint32_t i = 0; i < count; i++) {
        memcpy(both + (size_t)i * 2 * width, left + (size_t)i * width, width * sizeof *both);
        memcpy(both + (size_t)i * 2 * width + width, right + (size_t)i * width, width * sizeof *both);
    }
}

static void part(const float *both, float *left, float *right, uint32_t count, uint32_t width)
{
    for (uint32_t i = 0; i < count; i++) {
        memcpy(left + (size_t)i * width, both + (size_t)i * 2 * width, width * sizeof *left);
        memcpy(right + (size_t)i * width, both + (size_t)i * 2 * width + width, width * sizeof *right);
    }
}

struct status readout_forward(struct readout_tensors tensors, const struct parameters *parameters,
                              const struct backbone_batch *batch, const float *states, uint32_t width,
                              struct arena *arena, const struct readout_vectors *vectors,
                              struct readout_trace *ret_trace)
{
    struct packed sessions = batch->sessions;
    uint32_t count = sessions.count;
    size_t size = (size_t)count * width;
    bool drops = tensors.drops && batch->random && batch->dropout > 0;
    struct room room = {.arena = arena};
    float *context = ROOM(&room, float, size), *both = ROOM(&room, float, 2 * size);
    struct readout_trace trace = {
        .gathering = {.attention = {weight(tensors, parameters, READOUT_STATE_W),
                                    weight(tensors, parameters, READOUT_V)},
                      .sessions = sessions,
                      .x = states,
                      .width = width},
        .last = ROOM(&room, float, size),
        .both = drops ? ROOM(&room, float, 2 * size) : both,
        .mask = drops ? ROOM(&room, uint8_t, 2 * size) : NULL,
        .dropout = batch->dropout,
    };
    TRY(room_taken(&room));
    last_forward(states, trace.last, sessions, width);
    linear_forward(trace.last, weight(tensors, parameters, READOUT_LAST_W), weight(tensors, parameters, READOUT_LAST_B),
                   context, count, width, width);
    TRY(gathering_forward(&trace.gathering, context, vectors->gathered, arena));
    memcpy(vectors->last, trace.last, size * sizeof(float));
    join(vectors->gathered, trace.last, both, count, width);
    if (drops)
        dropout_forward(batch->random, trace.dropout, both, trace.both, trace.mask, 2 * count * width);
    linear_forward(trace.both, weight(tensors, parameters, READOUT_OUT_W), weight(tensors, parameters, READOUT_OUT_B),
                   vectors->session, count, 2 * width, width);
    *ret_trace = trace;
    return OK;
}

struct status readout_backward(struct readout_tensors tensors, const struct parameters *parameters,
                               const struct readout_trace *trace, struct arena *arena, const struct readout_vectors *d,
                               float *d_states)
{
    struct packed sessions = trace->gathering.sessions;
    uint32_t width = trace->gathering.width, count = sessions.count;
    size_t size = (size_t)count * width;
    struct room room = {.arena = arena};
    float *d_both = ROOM(&room, float, 2 * size), *d_kept = trace->mask ? ROOM(&room, float, 2 * size) : d_both;
    float *d_gathered = ROOM(&room, float, size);
    float *d_last = ROOM(&room, float, size), *d_context = ROOM(&room, float, size);
    TRY(room_taken(&room));
    linear_backward(trace->both, weight(tensors, parameters, READOUT_OUT_W), d->session, d_both,
                    gradient_of(tensors, parameters, READOUT_OUT_W), gradient_of(tensors, parameters, READOUT_OUT_B),
                    count, 2 * width, width);
    if (trace->mask)
        dropout_backward(trace->dropout, trace->mask, d_both, d_kept, 2 * count * width);
    part(d_kept, d_gathered, d_last, count, width);
    if (d->gathered)
        vector_add(d->gathered, d_gathered, count * width);
    if (d->last)
        vector_add(d->last, d_last, count * width);

    const struct additive_gradient gradient = {gradient_of(tensors, parameters, READOUT_STATE_W),
                                               gradient_of(tensors, parameters, READOUT_V)};
    float *d_part = d_both; /* done with */
    TRY(gathering_backward(&trace->gathering, &gradient, d_gathered, d_states, d_context, arena));
    linear_backward(trace->last, weight(tensors, parameters, READOUT_LAST_W), d_context, d_part,
                    gradient_of(tensors, parameters, READOUT_LAST_W), gradient_of(tensors, parameters, READOUT_LAST_B),
                    count, width, width);
    vector_add(d_part, d_last, count * width);
    last_backward(d_last, d_states, sessions, width);
    return OK;
}
