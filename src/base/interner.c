// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/interner.h>

#include <eddy/base/arena.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Numbers -> bytes goes through blocks of fixed size that never move, so that readers without the lock never
 * see a moving array. The table is open addressing over (hash tag, number). */
#define BLOCK_BITS 14
#define BLOCK_SIZE (1u << BLOCK_BITS)

struct slot {
    uint32_t tag;    /* upper half of the hash */
    uint32_t number; /* INTERNER_NONE: free */
};

struct interner {
    struct arena strings;
    struct bytes **blocks; /* count_max / BLOCK_SIZE + 1 pointers, set once each */
    struct slot *slots;
    uint32_t mask;
    uint32_t count_max;
    _Atomic uint32_t count; /* interner_get() reads it without the lock */
    size_t bytes_max;
};

struct status interner_open(uint32_t count_max, size_t bytes_max, struct interner **ret_interner)
{
    struct interner *interner = calloc(1, sizeof *interner);
    if (!interner)
        return FAIL(MEMORY, 0, "no memory for the interner");
    interner->count_max = count_max < INTERNER_NONE ? count_max : INTERNER_NONE - 1;
    interner->bytes_max = bytes_max;
    interner->strings.limit = bytes_max + bytes_max / 2 + ((size_t)1 << 20); /* rounding to 16 bytes */
    interner->blocks = calloc(interner->count_max / BLOCK_SIZE + 1, sizeof *interner->blocks);
    interner->mask = 1023;
    interner->slots = malloc((interner->mask + 1) * sizeof *interner->slots);
    if (!interner->blocks || !interner->slots) {
        interner_close(interner);
        return FAIL(MEMORY, count_max, "no memory for the interner");
    }
    memset(interner->slots, 0xff, (interner->mask + 1) * sizeof *interner->slots);
    *ret_interner = interner;
    return OK;
}

void interner_close(struct interner *interner)
{
    if (!interner)
        return;
    for (uint32_t i = 0; interner->blocks && i <= interner->count_max / BLOCK_SIZE; i++)
        free(interner->blocks[i]);
    free(interner->blocks);
    free(interner->slots);
    arena_release(&interner->strings);
    free(interner);
}

struct bytes interner_get(const struct interner *interner, uint32_t number)
{
    assert(number < interner_count(interner));
    return interner->blocks[number >> BLOCK_BITS][number & (BLOCK_SIZE - 1)];
}

/* The slot that holds `text`, or the free slot where it belongs. */
static struct slot *slot_of(const struct interner *interner, struct bytes text, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint32_t i = (uint32_t)hash & interner->mask;; i = (i + 1) & interner->mask) {
        struct slot *slot = &interner->slots[i];
        if (slot->number == INTERNER_NONE)
            return slot;
        if (slot->tag == tag && bytes_equal(interner_get(interner, slot->number), text))
            return slot;
    }
}

uint32_t interner_find(const struct interner *interner, struct bytes text)
{
    return slot_of(interner, text, bytes_hash(text))->number;
}

#define TOGETHER 32

/* A text is behind three places in memory, each known from the one before. Each is asked for early, and for all texts
 * before any is used, so that one does not wait for them one by one. */
static size_t find_together(const struct interner *interner, const struct bytes *texts, size_t count, uint32_t *numbers)
{
    uint64_t hashes[TOGETHER];
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        hashes[i] = bytes_hash(texts[i]);
        __builtin_prefetch(&interner->slots[(uint32_t)hashes[i] & interner->mask]);
    }
    for (size_t i = 0; i < count; i++) {
        numbers[i] = interner->slots[(uint32_t)hashes[i] & interner->mask].number; /* most likely */
        if (numbers[i] != INTERNER_NONE)
            __builtin_prefetch(&interner->blocks[numbers[i] >> BLOCK_BITS][numbers[i] & (BLOCK_SIZE - 1)]);
    }
    for (size_t i = 0; i < count; i++)
        if (numbers[i] != INTERNER_NONE)
            __builtin_prefetch(interner_get(interner, numbers[i]).data);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = slot_of(interner, texts[i], hashes[i])->number;
        found += numbers[i] != INTERNER_NONE;
    }
    return found;
}

size_t interner_find_all(const struct interner *interner, const struct bytes *texts, size_t count, uint32_t *numbers)
{
    size_t found = 0;
    for (size_t at = 0; at < count; at += TOGETHER) {
        size_t part = count - at < TOGETHER ? count - at : TOGETHER;
        found += find_together(interner, texts + at, part, numbers + at);
    }
    return found;
}

static struct status table_grow(struct interner *interner)
{
    uint32_t mask = interner->mask * 2 + 1;
    struct slot *slots = malloc(((size_t)mask + 1) * sizeof *slots);
    if (!slots)
        return FAIL(MEMORY, mask, "no memory for the interner's table");
    memset(slots, 0xff, ((size_t)mask + 1) * sizeof *slots);
    free(interner->slots);
    interner->slots = slots;
    interner->mask = mask;
    for (uint32_t number = 0; number < interner->count; number++) {
        uint64_t hash = bytes_hash(interner_get(interner, number));
        uint32_t i = (uint32_t)hash & mask;
        while (slots[i].number != INTERNER_NONE)
            i = (i + 1) & mask;
        slots[i] = (struct slot){(uint32_t)(hash >> 32), number};
    }
    return OK;
}

struct status interner_add(struct interner *interner, struct bytes text, uint32_t *ret_number)
{
    uint64_t hash = bytes_hash(text);
    struct slot *slot = slot_of(interner, text, hash);
    if (slot->number != INTERNER_NONE) {
        *ret_number = slot->number;
        return OK;
    }
    if (interner->count >= interner->count_max || text.size > interner->bytes_max ||
        interner->strings.used > interner->bytes_max - text.size)
        return FAIL(LIMIT, interner->count, "the interner is full");
    uint32_t number = interner->count;
    struct bytes **block = &interner->blocks[number >> BLOCK_BITS];
    if (!*block && !(*block = malloc(BLOCK_SIZE * sizeof **block)))
        return FAIL(MEMORY, number, "no memory for interned strings");
    struct bytes copy = arena_copy(&interner->strings, text);
    if (text.size && !copy.data)
        return FAIL(MEMORY, number, "no memory for interned strings");
    (*block)[number & (BLOCK_SIZE - 1)] = copy;
    *slot = (struct slot){(uint32_t)(hash >> 32), number};
    interner->count++;
    *ret_number = number;
    if (interner->count > interner->mask - interner->mask / 4) {
        struct status status = table_grow(interner);
        if (failed(status) && interner->count >= interner->mask)
            return status; /* still findable until the table is really full */
    }
    return OK;
}

uint32_t interner_count(const struct interner *interner)
{
    return atomic_load_explicit(&interner->count, memory_order_relaxed);
}

size_t interner_memory(const struct interner *interner)
{
    size_t blocks = (interner->count + BLOCK_SIZE - 1) / BLOCK_SIZE;
    return interner->strings.used + blocks * BLOCK_SIZE * sizeof(struct bytes) +
           ((size_t)interner->mask + 1) * sizeof(struct slot);
}
