// SPDX-License-Identifier: Apache-2.0
#pragma once
/* room: many arrays for a batch, out of its arena. What fails is remembered, so that all are asked for first and one
 * room_taken() follows. */
#include <eddy/base/arena.h>

#include <stdbool.h>

struct room {
    struct arena *arena;
    bool failed;
};

/* NULL when there is none. */
void *room_take(struct room *room, size_t size);
#define ROOM(room, type, count) ((type *)room_take((room), sizeof(type) * (size_t)(count)))
/* MEMORY. */
MUST_CHECK struct status room_taken(const struct room *room);
/* A copy of `size` bytes that lasts as long as the batch. MEMORY. */
MUST_CHECK struct status room_keep(struct arena *arena, const void *trace, size_t size, const void **ret_trace);
