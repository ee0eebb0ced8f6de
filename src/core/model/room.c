// SPDX-License-Identifier: Apache-2.0
#include "core/model/room.h"

void *room_take(struct room *room, size_t size)
{
    void *memory = arena_alloc(room->arena, size);
    room->failed = room->failed || !memory;
    return memory;
}

struct status room_taken(const struct room *room)
{
    return room->failed ? FAIL(MEMORY, room->arena->used, "no memory for a batch of sessions") : OK;
}

struct status room_keep(struct arena *arena, const void *trace, size_t size, const void **ret_trace)
{
    struct bytes copy = arena_copy(arena, bytes_of(trace, size));
    if (!copy.data)
        return FAIL(MEMORY, size, "no memory for a batch of sessions");
    *ret_trace = copy.data;
    return OK;
}
