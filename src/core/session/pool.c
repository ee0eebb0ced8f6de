// SPDX-License-Identifier: Apache-2.0
#include "core/session/pool.h"

#include <stdlib.h>
#include <string.h>

#define PAGES_MAX (1u << (32 - POOL_PAGE_BITS))

uint32_t pool_class_of(size_t size)
{
    assert(size > 0 && size <= POOL_BLOCK_MAX);
    uint32_t units = (uint32_t)((size + POOL_UNIT - 1) / POOL_UNIT);
    if (units <= 16)
        return units;
    uint32_t bits = 31 - (uint32_t)__builtin_clz(units - 1);
    uint32_t quarter = ((units - 1) >> (bits - 2)) - 4;
    return 17 + (bits - 4) * 4 + quarter;
}

static uint32_t class_units(uint32_t class)
{
    assert(class > 0 && class < POOL_CLASSES);
    if (class <= 16)
        return class;
    uint32_t bits = 4 + (class - 17) / 4, quarter = (class - 17) % 4;
    return (5 + quarter) << (bits - 2);
}

size_t pool_class_size(uint32_t class)
{
    return class_units(class) * POOL_UNIT;
}

static uint32_t blocks_a_page(uint32_t class)
{
    return (uint32_t)POOL_PAGE_UNITS / class_units(class);
}

void pool_release(struct pool *pool)
{
    for (uint32_t class = 0; class < POOL_CLASSES; class ++)
        free(pool->classes[class].pages);
    for (uint32_t page = 0; page < pool->page_count; page += POOL_PAGES_A_CHUNK)
        free(pool->pages[page]);
    free(pool->pages);
    free(pool->free_pages);
    *pool = (struct pool){0};
}

size_t pool_memory(const struct pool *pool)
{
    return pool->page_count * POOL_BLOCK_MAX +
           pool->page_capacity * (sizeof *pool->pages + sizeof *pool->free_pages + sizeof *pool->classes[0].pages);
}

static struct status directory_grow(struct pool *pool)
{
    uint32_t capacity = pool->page_capacity ? pool->page_capacity * 2 : 4 * POOL_PAGES_A_CHUNK;
    uint8_t **pages = realloc(pool->pages, capacity * sizeof *pages);
    if (!pages)
        return FAIL(MEMORY, capacity, "no memory for session pages");
    pool->pages = pages;
    uint32_t *free_pages = realloc(pool->free_pages, capacity * sizeof *free_pages);
    if (!free_pages)
        return FAIL(MEMORY, capacity, "no memory for session pages");
    pool->free_pages = free_pages;
    pool->page_capacity = capacity;
    return OK;
}

static struct status pages_add(struct pool *pool)
{
    if (pool->page_count >= PAGES_MAX)
        return FAIL(LIMIT, pool->page_count, "too much memory for handles of sessions");
    if (pool->page_count == pool->page_capacity)
        TRY(directory_grow(pool));
    uint8_t *chunk = malloc(POOL_PAGES_A_CHUNK * POOL_BLOCK_MAX);
    if (!chunk)
        return FAIL(MEMORY, pool->page_count, "no memory for sessions");
    for (uint32_t i = POOL_PAGES_A_CHUNK; i-- > 0;) {
        pool->pages[pool->page_count + i] = chunk + i * POOL_BLOCK_MAX;
        pool->free_pages[pool->free_count++] = pool->page_count + i;
    }
    pool->page_count += POOL_PAGES_A_CHUNK;
    return OK;
}

struct status pool_reserve(struct pool *pool, uint32_t class)
{
    struct pool_class *blocks = &pool->classes[class];
    if (blocks->used % blocks_a_page(class))
        return OK;
    uint32_t pages = blocks->used / blocks_a_page(class);
    if (pages == blocks->page_capacity) {
        uint32_t capacity = pages ? pages * 2 : 8;
        uint32_t *numbers = realloc(blocks->pages, capacity * sizeof *numbers);
        if (!numbers)
            return FAIL(MEMORY, capacity, "no memory for session pages");
        blocks->pages = numbers;
        blocks->page_capacity = capacity;
    }
    return pool->free_count ? OK : pages_add(pool);
}

static uint32_t block_handle(const struct pool *pool, uint32_t class, uint32_t block)
{
    uint32_t per_page = blocks_a_page(class);
    uint32_t page = pool->classes[class].pages[block / per_page];
    return page << POOL_PAGE_BITS | (block % per_page * class_units(class));
}

uint32_t pool_take(struct pool *pool, uint32_t class, uint32_t owner)
{
    struct pool_class *blocks = &pool->classes[class];
    uint32_t per_page = blocks_a_page(class);
    if (blocks->used % per_page == 0) {
        assert(pool->free_count > 0 && blocks->used / per_page < blocks->page_capacity);
        blocks->pages[blocks->used / per_page] = pool->free_pages[--pool->free_count];
    }
    uint32_t handle = block_handle(pool, class, blocks->used++);
    memcpy(pool_data(pool, handle), &owner, sizeof owner);
    return handle;
}

uint32_t pool_give_back(struct pool *pool, uint32_t class, uint32_t handle)
{
    struct pool_class *blocks = &pool->classes[class];
    assert(blocks->used > 0);
    uint32_t owner = POOL_OWNER_NONE;
    uint32_t last = block_handle(pool, class, --blocks->used);
    if (last != handle) {
        memcpy(pool_data(pool, handle), pool_data(pool, last), pool_class_size(class));
        memcpy(&owner, pool_data(pool, handle), sizeof owner);
    }
    if (blocks->used % blocks_a_page(class) == 0)
        pool->free_pages[pool->free_count++] = last >> POOL_PAGE_BITS;
    return owner;
}
