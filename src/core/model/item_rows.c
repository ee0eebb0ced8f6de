// SPDX-License-Identifier: Apache-2.0
#include "core/model/item_rows.h"

#include "core/model/arithmetic.h"
#include "core/model/room.h"

#include <string.h>

struct status item_rows_take(struct item_rows *rows, bool normalise, struct arena *arena)
{
    size_t size = (size_t)rows->count * rows->model->options.width;
    struct room room = {.arena = arena};
    rows->x = ROOM(&room, float, size);
    rows->mask = rows->dropout > 0 ? ROOM(&room, uint8_t, size) : NULL;
    rows->y = normalise ? ROOM(&room, float, size) : rows->x;
    rows->inverse = normalise ? ROOM(&room, float, rows->count) : NULL;
    rows->places = ROOM(&room, uint32_t, (size_t)rows->count * (rows->offset ? 2 : 1));
    return room_taken(&room);
}

void item_rows_gather(const struct item_rows *rows, struct span span, struct random *random)
{
    uint32_t width = rows->model->options.width;
    float scored[MODEL_WIDTH_MAX];
    for (uint32_t i = span.from; i < span.to; i++) {
        const float *row = rows->model->items + (size_t)rows->items[i] * width;
        if (rows->offset) {
            model_scored_row(rows->model, rows->items[i], scored);
            row = scored;
        }
        size_t at = (size_t)i * width;
        if (rows->mask)
            dropout_forward(random, rows->dropout, row, rows->x + at, rows->mask + at, width);
        else
            memcpy(rows->x + at, row, width * sizeof *row);
    }
    size_t first = (size_t)span.from * width;
    if (rows->inverse)
        l2_forward(rows->x + first, rows->y + first, rows->inverse + span.from, span.to - span.from, width);
}

void item_rows_backward(const struct item_rows *rows, struct span span, float *d)
{
    uint32_t width = rows->model->options.width;
    float before[MODEL_WIDTH_MAX];
    for (uint32_t i = span.from; i < span.to; i++) {
        size_t at = (size_t)i * width;
        if (rows->inverse)
            l2_backward(rows->y + at, rows->inverse + i, d + at, d + at, 1, width);
        if (rows->mask) {
            memcpy(before, d + at, width * sizeof *d);
            dropout_backward(rows->dropout, rows->mask + at, before, d + at, width);
        }
    }
}

void item_rows_place(struct item_rows *rows, struct item_gradients *gradients)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        rows->places[i] = item_gradients_place(gradients, rows->items[i]);
        if (rows->offset)
            rows->places[rows->count + i] = item_gradients_place(gradients, rows->model->item_count + rows->items[i]);
    }
}

void item_rows_add(const struct item_rows *rows, const float *d, struct span places, struct item_gradients *gradients)
{
    uint32_t width = gradients->width, count = places.to - places.from;
    for (uint32_t table = 0; table < (rows->offset ? 2u : 1u); table++)
        for (uint32_t i = 0; i < rows->count; i++) {
            uint32_t place = rows->places[table * rows->count + i];
            if (place - places.from < count)
                vector_add(d + (size_t)i * width, gradients->rows + (size_t)place * width, width);
        }
}
