// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/blocks.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)BLOCK_CHUNK_UNITS * BLOCK_UNIT)

void blocks_release(struct blocks *blocks)
{
    for (uint32_t i = 0; i < blocks->chunk_count + blocks->chunk_spare; i++)
        free(blocks->chunks[i]);
    free(blocks->chunks);
    *blocks = (struct blocks){0};
}

void blocks_give(struct blocks *blocks, uint32_t block, unsigned size_class)
{
    uint32_t *next = blocks_at(blocks, block);
    *next = blocks->has_free >> size_class & 1 ? blocks->free_blocks[size_class] : BLOCK_NONE;
    blocks->free_blocks[size_class] = block;
    blocks->has_free |= 1u << size_class;
}

static struct status add_spare(struct blocks *blocks)
{
    uint32_t count = blocks->chunk_count + blocks->chunk_spare;
    if (count == UINT32_MAX >> BLOCK_CLASS_MAX)
        return FAIL(LIMIT, count, "the learned state has reached 64 GiB");
    if (count == blocks->chunk_capacity) {
        uint32_t capacity = blocks->chunk_capacity ? blocks->chunk_capacity * 2 : 16;
        uint8_t **chunks = realloc(blocks->chunks, capacity * sizeof *chunks);
        if (!chunks)
            return FAIL(MEMORY, capacity, "no memory for the learned state");
        blocks->chunks = chunks;
        blocks->chunk_capacity = capacity;
    }
    uint8_t *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return FAIL(MEMORY, CHUNK_BYTES, "no memory for the learned state");
    blocks->chunks[count] = chunk;
    blocks->chunk_spare++;
    return OK;
}

struct status blocks_reserve(struct blocks *blocks, size_t bytes)
{
    /* Aligning a block skips less than its size, and a chunk's end is left when the next block does not fit. */
    size_t wanted = bytes * 2;
    size_t left = blocks->chunk_count ? (BLOCK_CHUNK_UNITS - blocks->fresh) * (size_t)BLOCK_UNIT : 0;
    if (wanted <= left)
        return OK;
    while (blocks->chunk_spare * CHUNK_BYTES < wanted * 2)
        TRY(add_spare(blocks));
    return OK;
}

/* Makes the units of the last chunk up to `until` into free blocks; blocks stand at multiples of their size. */
static void give_fresh(struct blocks *blocks, uint32_t until)
{
    while (blocks->fresh < until) {
        unsigned size_class = (unsigned)__builtin_ctz(blocks->fresh);
        uint32_t block = (blocks->chunk_count - 1) << BLOCK_CLASS_MAX | blocks->fresh;
        blocks->fresh += 1u << size_class;
        blocks_give(blocks, block, size_class);
    }
}

/* A free block of this class, or of a higher one cut in halves; BLOCK_NONE when there is none. */
static uint32_t take_free(struct blocks *blocks, unsigned size_class)
{
    uint32_t classes = blocks->has_free >> size_class << size_class;
    if (!classes)
        return BLOCK_NONE;
    unsigned from = (unsigned)__builtin_ctz(classes);
    uint32_t block = blocks->free_blocks[from];
    memcpy(&blocks->free_blocks[from], blocks_at(blocks, block), sizeof block);
    if (blocks->free_blocks[from] == BLOCK_NONE)
        blocks->has_free &= ~(1u << from);
    while (from > size_class) {
        from--;
        blocks_give(blocks, block + (1u << from), from);
    }
    return block;
}

uint32_t blocks_take(struct blocks *blocks, unsigned size_class)
{
    assert(size_class <= BLOCK_CLASS_MAX);
    uint32_t block = take_free(blocks, size_class);
    if (block != BLOCK_NONE)
        return block;
    uint32_t size = 1u << size_class;
    uint32_t start = (blocks->fresh + size - 1) & ~(size - 1);
    if (!blocks->chunk_count || start + size > BLOCK_CHUNK_UNITS) {
        assert(blocks->chunk_spare);
        if (blocks->chunk_count)
            give_fresh(blocks, BLOCK_CHUNK_UNITS);
        blocks->chunk_count++;
        blocks->chunk_spare--;
        blocks->fresh = start = 0;
    }
    give_fresh(blocks, start);
    blocks->fresh = start + size;
    return (blocks->chunk_count - 1) << BLOCK_CLASS_MAX | start;
}

size_t blocks_memory(const struct blocks *blocks)
{
    return (blocks->chunk_count + blocks->chunk_spare) * CHUNK_BYTES + blocks->chunk_capacity * sizeof *blocks->chunks;
}
