// SPDX-License-Identifier: Apache-2.0
#pragma once
/* pool: blocks of 16 bytes to 64 KiB in size classes (16-byte steps to 256, then four to a doubling), named by u32
 * handles. Each class is kept dense: the block that is given back is overwritten by the class's last one, whose owner
 * is told its new handle. So memory in use is what is live now, whatever the order of growing and closing was, and a
 * page that a class has left serves any other class. Pages go back to the system only at the end. */
#include <eddy/base/status.h>
#include <stddef.h>

#define POOL_CLASSES       49
#define POOL_BLOCK_MAX     ((size_t)64 << 10) /* bytes */
#define POOL_UNIT          ((size_t)16)       /* bytes a handle counts in */
#define POOL_PAGE_UNITS    (POOL_BLOCK_MAX / POOL_UNIT)
#define POOL_PAGE_BITS     12
#define POOL_OWNER_NONE    UINT32_MAX
#define POOL_PAGES_A_CHUNK 16

struct pool_class {
    uint32_t *pages;
    uint32_t page_capacity;
    uint32_t used; /* blocks */
};

struct pool {
    struct pool_class classes[POOL_CLASSES];
    uint8_t **pages;
    uint32_t *free_pages; /* room for page_capacity numbers, the free ones first */
    uint32_t page_count, page_capacity, free_count;
};

void pool_release(struct pool *pool);
size_t pool_memory(const struct pool *pool);

/* The class of blocks of at least `size` bytes, 1..POOL_BLOCK_MAX, and the bytes of its blocks. */
uint32_t pool_class_of(size_t size);
size_t pool_class_size(uint32_t class);

/* After it the next pool_take() of that class succeeds, whatever is given back in between. */
MUST_CHECK struct status pool_reserve(struct pool *pool, uint32_t class);
/* A block whose first four bytes are set to `owner` and stay the caller's to keep so. */
uint32_t pool_take(struct pool *pool, uint32_t class, uint32_t owner);
/* Gives a block back. The owner of the block that now has this handle, POOL_OWNER_NONE when none was moved. */
uint32_t pool_give_back(struct pool *pool, uint32_t class, uint32_t handle);

static inline uint8_t *pool_data(const struct pool *pool, uint32_t handle)
{
    return pool->pages[handle >> POOL_PAGE_BITS] + (handle & (POOL_PAGE_UNITS - 1)) * POOL_UNIT;
}
