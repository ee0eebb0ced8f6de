// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/pool.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)POOL_CHUNK_UNITS * POOL_UNIT)

void pool_release(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->chunk_count + pool->chunk_spare; i++)
        free(pool->chunks[i]);
    free(pool->chunks);
    *pool = (struct pool){0};
}

void pool_give(struct pool *pool, uint32_t block, unsigned size_class)
{
    uint32_t *next = pool_at(pool, block);
    *next = pool->has_free >> size_class & 1 ? pool->free_blocks[size_class] : POOL_NONE;
    pool->free_blocks[size_class] = block;
    pool->has_free |= 1u << size_class;
}

static struct status add_spare(struct pool *pool)
{
    uint32_t count = pool->chunk_count + pool->chunk_spare;
    if (count == UINT32_MAX >> POOL_CLASS_MAX)
        return FAIL(LIMIT, count, "the learned state has reached 64 GiB");
    if (count == pool->chunk_capacity) {
        uint32_t capacity = pool->chunk_capacity ? pool->chunk_capacity * 2 : 16;
        uint8_t **chunks = realloc(pool->chunks, capacity * sizeof *chunks);
        if (!chunks)
            return FAIL(MEMORY, capacity, "no memory for the learned state");
        pool->chunks = chunks;
        pool->chunk_capacity = capacity;
    }
    uint8_t *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return FAIL(MEMORY, CHUNK_BYTES, "no memory for the learned state");
    pool->chunks[count] = chunk;
    pool->chunk_spare++;
    return OK;
}

struct status pool_reserve(struct pool *pool, size_t bytes)
{
    /* Aligning a block skips less than its size, and a chunk's end is left when the next block does not fit. */
    size_t wanted = bytes * 2;
    size_t left = pool->chunk_count ? (POOL_CHUNK_UNITS - pool->fresh) * (size_t)POOL_UNIT : 0;
    if (wanted <= left)
        return OK;
    while (pool->chunk_spare * CHUNK_BYTES < wanted * 2)
        TRY(add_spare(pool));
    return OK;
}

/* Makes the units of the last chunk up to `until` into free blocks; blocks stand at multiples of their size. */
static void give_fresh(struct pool *pool, uint32_t until)
{
    while (pool->fresh < until) {
        unsigned size_class = (unsigned)__builtin_ctz(pool->fresh);
        uint32_t block = (pool->chunk_count - 1) << POOL_CLASS_MAX | pool->fresh;
        pool->fresh += 1u << size_class;
        pool_give(pool, block, size_class);
    }
}

/* A free block of this class, or of a higher one cut in halves; POOL_NONE when there is none. */
static uint32_t take_free(struct pool *pool, unsigned size_class)
{
    uint32_t classes = pool->has_free >> size_class << size_class;
    if (!classes)
        return POOL_NONE;
    unsigned from = (unsigned)__builtin_ctz(classes);
    uint32_t block = pool->free_blocks[from];
    memcpy(&pool->free_blocks[from], pool_at(pool, block), sizeof block);
    if (pool->free_blocks[from] == POOL_NONE)
        pool->has_free &= ~(1u << from);
    while (from > size_class)
        { from--; pool_give(pool, block + (1u << from), from); }
    return block;
}

uint32_t pool_take(struct pool *pool, unsigned size_class)
{
    assert(size_class <= POOL_CLASS_MAX);
    uint32_t block = take_free(pool, size_class);
    if (block != POOL_NONE)
        return block;
    uint32_t size = 1u << size_class;
    uint32_t start = (pool->fresh + size - 1) & ~(size - 1);
    if (!pool->chunk_count || start + size > POOL_CHUNK_UNITS) {
        assert(pool->chunk_spare);
        if (pool->chunk_count)
            give_fresh(pool, POOL_CHUNK_UNITS);
        pool->chunk_count++;
        pool->chunk_spare--;
        pool->fresh = start = 0;
    }
    give_fresh(pool, start);
    pool->fresh = start + size;
    return (pool->chunk_count - 1) << POOL_CLASS_MAX | start;
}

size_t pool_memory(const struct pool *pool)
{
    return (pool->chunk_count + pool->chunk_spare) * CHUNK_BYTES + pool->chunk_capacity * sizeof *pool->chunks;
}
