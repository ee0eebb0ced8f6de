// SPDX-License-Identifier: Apache-2.0
#pragma once
/* blocks: pieces of 16 B << class, kept by a 32-bit number, for the many small lists of the learned state. What is
 * given back are used again; memory goes back to the system only as a whole. {0} is a valid empty set.
 *
 * Only blocks_reserve() can fail: a change of many lists reserves once for all of them and is then carried out whole.
 */
#include <eddy/base/status.h>
#include <stddef.h>

#define BLOCK_NONE        UINT32_MAX
#define BLOCK_CLASS_MAX   14u /* 256 KiB: one chunk */
#define BLOCK_CHUNK_UNITS (1u << BLOCK_CLASS_MAX)
#define BLOCK_UNIT        16u

struct blocks {
    uint8_t **chunks;
    uint32_t chunk_count; /* in use */
    uint32_t chunk_spare; /* allocated beyond these */
    uint32_t chunk_capacity;
    uint32_t fresh;                            /* units used of the last chunk in use */
    uint32_t has_free;                         /* a bit per class */
    uint32_t free_blocks[BLOCK_CLASS_MAX + 1]; /* heads of lists */
};

void blocks_release(struct blocks *blocks);
/* Lets blocks of up to `bytes` in sum be taken. MEMORY, or LIMIT past 64 GiB. */
MUST_CHECK struct status blocks_reserve(struct blocks *blocks, size_t bytes);
/* A block; there must be room left of what was reserved. */
uint32_t blocks_take(struct blocks *blocks, unsigned size_class);
void blocks_give(struct blocks *blocks, uint32_t block, unsigned size_class);
size_t blocks_memory(const struct blocks *blocks);

static inline void *blocks_at(const struct blocks *blocks, uint32_t block)
{
    return blocks->chunks[block >> BLOCK_CLASS_MAX] + (size_t)(block & (BLOCK_CHUNK_UNITS - 1)) * BLOCK_UNIT;
}

/* The smallest class of at least `size` bytes. */
static inline unsigned blocks_class(size_t size)
{
    unsigned size_class = 0;
    while (((size_t)BLOCK_UNIT << size_class) < size)
        size_class++;
    return size_class;
}
