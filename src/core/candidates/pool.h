// SPDX-License-Identifier: Apache-2.0
#pragma once
/* pool: blocks of 16 B << class, kept by a 32-bit number, for the many small lists of the learned state. Blocks given
 * back are used again; memory goes back to the system only as a whole. {0} is a valid empty pool.
 *
 * Only pool_reserve() can fail: a change of many lists reserves once for all of them and is then carried out whole. */
#include <eddy/base/status.h>
#include <stddef.h>

#define POOL_NONE        UINT32_MAX
#define POOL_CLASS_MAX   14u /* 256 KiB: one chunk */
#define POOL_CHUNK_UNITS (1u << POOL_CLASS_MAX)
#define POOL_UNIT        16u

struct pool {
    uint8_t **chunks;
    uint32_t chunk_count; /* in use */
    uint32_t chunk_spare; /* allocated beyond these */
    uint32_t chunk_capacity;
    uint32_t fresh;                           /* units used of the last chunk in use */
    uint32_t has_free;                        /* a bit per class */
    uint32_t free_blocks[POOL_CLASS_MAX + 1]; /* heads of lists */
};

void pool_release(struct pool *pool);
/* Lets blocks of up to `bytes` in sum be taken. MEMORY, or LIMIT past 64 GiB. */
MUST_CHECK struct status pool_reserve(struct pool *pool, size_t bytes);
/* A block; there must be room left of what was reserved. */
uint32_t pool_take(struct pool *pool, unsigned size_class);
void pool_give(struct pool *pool, uint32_t block, unsigned size_class);
size_t pool_memory(const struct pool *pool);

static inline void *pool_at(const struct pool *pool, uint32_t block)
{
    return pool->chunks[block >> POOL_CLASS_MAX] + (size_t)(block & (POOL_CHUNK_UNITS - 1)) * POOL_UNIT;
}

/* The smallest class of at least `size` bytes. */
static inline unsigned pool_class(size_t size)
{
    unsigned size_class = 0;
    while (((size_t)POOL_UNIT << size_class) < size)
        size_class++;
    return size_class;
}
