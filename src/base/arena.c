// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/arena.h>

#include <stdlib.h>

#define CHUNK_SIZE    ((size_t)256 << 10)
#define LIMIT_DEFAULT ((size_t)1 << 30)

struct arena_chunk {
    struct arena_chunk *next;
    size_t capacity, used;
    _Alignas(16) uint8_t data[];
};

/* A new chunk is as large as all before it together: however much the batches differ, there are few of them, and no
 * more than about twice what was needed at most. */
static size_t next_capacity(const struct arena *arena, size_t size)
{
    size_t capacity = 0;
    for (const struct arena_chunk *chunk = arena->first; chunk; chunk = chunk->next)
        capacity += chunk->capacity;
    capacity = capacity > CHUNK_SIZE ? capacity : CHUNK_SIZE;
    return size > capacity ? size : capacity;
}

static struct arena_chunk *chunk_with_room(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = arena->current;
    while (chunk && chunk->capacity - chunk->used < size && chunk->next) {
        chunk = chunk->next;
        chunk->used = 0;
    }
    if (chunk && chunk->capacity - chunk->used >= size)
        return chunk;
    size_t capacity = next_capacity(arena, size);
    struct arena_chunk *fresh = malloc(sizeof *fresh + capacity);
    if (!fresh)
        return NULL;
    *fresh = (struct arena_chunk){.capacity = capacity};
    if (chunk)
        chunk->next = fresh;
    else
        arena->first = fresh;
    return fresh;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t limit = arena->limit ? arena->limit : LIMIT_DEFAULT;
    if (size > limit)
        return NULL;
    size = (size + 15) & ~(size_t)15;
    if (arena->used + size > limit)
        return NULL;
    struct arena_chunk *chunk = chunk_with_room(arena, size);
    if (!chunk)
        return NULL;
    arena->current = chunk;
    void *memory = chunk->data + chunk->used;
    chunk->used += size;
    arena->used += size;
    return memory;
}

struct bytes arena_copy(struct arena *arena, struct bytes bytes)
{
    if (bytes.size == 0)
        return (struct bytes){0};
    void *copy = arena_alloc(arena, bytes.size);
    if (!copy)
        return (struct bytes){0};
    memcpy(copy, bytes.data, bytes.size);
    return bytes_of(copy, bytes.size);
}

void arena_reset(struct arena *arena)
{
    arena->current = arena->first;
    if (arena->first)
        arena->first->used = 0;
    arena->used = 0;
}

void arena_release(struct arena *arena)
{
    struct arena_chunk *next;
    for (struct arena_chunk *chunk = arena->first; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    *arena = (struct arena){.limit = arena->limit};
}
