// SPDX-License-Identifier: Apache-2.0
#include "core/model/gathering.h"

#include "core/model/arithmetic.h"
#include "core/model/room.h"

struct status gathering_forward(struct gathering *gathering, const float *context, float *gathered, struct arena *arena)
{
    uint32_t rows = packed_rows(gathering->sessions), width = gathering->width;
    struct room room = {.arena = arena};
    gathering->hidden = ROOM(&room, float, (size_t)rows *width);
    gathering->weights = ROOM(&room, float, rows);
    TRY(room_taken(&room));
    additive_forward(&gathering->attention, gathering->x, context, gathering->hidden, gathering->weights,
                     gathering->sessions, width, width);
    pool_forward(gathering->x, gathering->weights, gathered, gathering->sessions, width);
    return OK;
}

struct status gathering_backward(const struct gathering *gathering, const struct additive_gradient *gradient,
                                 const float *d_gathered, float *d_x, float *d_context, struct arena *arena)
{
    uint32_t rows = packed_rows(gathering->sessions), width = gathering->width;
    struct room room = {.arena = arena};
    float *d_pooled = ROOM(&room, float, (size_t)rows *width), *d_hidden = ROOM(&room, float, (size_t)rows *width);
    float *d_weights = ROOM(&room, float, rows);
    TRY(room_taken(&room));
    pool_backward(gathering->x, gathering->weights, d_gathered, d_pooled, d_weights, gathering->sessions, width);
    additive_backward(&gathering->attention, gathering->x, gathering->hidden, d_weights, d_x, d_context, d_hidden,
                      gradient, gathering->sessions, width, width);
    vector_add(d_pooled, d_x, rows * width);
    return OK;
}
