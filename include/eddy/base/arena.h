// SPDX-License-Identifier: Apache-2.0
#pragma once
/* arena: memory for one batch. Allocations live until arena_reset(), which keeps the chunks, so that a shard
 * allocates from the system only while warming up. Not thread-safe: one arena per shard.
 * {0} is a valid empty arena. arena_alloc returns 16-byte aligned, uninitialised memory, or NULL when the
 * system has none or `limit` bytes (0 = 1 GiB) would be passed. */
#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *first, *current;
    size_t used; /* bytes handed out since the last reset */
    size_t limit;
};

void *arena_alloc(struct arena *arena, size_t size);
/* A copy of `bytes` in the arena; {NULL, 0} when there is no room and bytes.size > 0. */
struct bytes arena_copy(struct arena *arena, struct bytes bytes);
void arena_reset(struct arena *arena);
void arena_release(struct arena *arena);

#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))
