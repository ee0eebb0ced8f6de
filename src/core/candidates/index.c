// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/index.h"

#include <stdlib.h>

#define SLOTS_FIRST    1024u
#define WORDS_FIRST    8192u
#define WORDS_KEPT_MAX (1u << 30)

void index_open(struct index *index, const struct learned_options *options, struct blocks *blocks)
{
    *index =
        (struct index){.sessions_max = options->sessions_max, .postings_max = options->postings_max, .blocks = blocks};
}

void index_release(struct index *index)
{
    free(index->slots);
    free(index->words);
    free(index->postings);
    free(index->frequencies);
    *index = (struct index){0};
}

size_t index_memory(const struct index *index)
{
    return index->slot_capacity * sizeof *index->slots + index->word_capacity * sizeof *index->words +
           index->entry_capacity * (sizeof *index->postings + sizeof *index->frequencies);
}

struct status index_reserve_entries(struct index *index, uint32_t entry_count)
{
    if (entry_count > index->entry_capacity) {
        uint32_t capacity = index->entry_capacity ? index->entry_capacity : 1024;
        while (capacity < entry_count)
            capacity *= 2;
        struct postings *postings = realloc(index->postings, capacity * sizeof *postings);
        if (!postings)
            return FAIL(MEMORY, capacity, "no memory for the index");
        index->postings = postings;
        uint32_t *frequencies = realloc(index->frequencies, capacity * sizeof *frequencies);
        if (!frequencies)
            return FAIL(MEMORY, capacity, "no memory for the index");
        index->frequencies = frequencies;
        index->entry_capacity = capacity;
    }
    for (; index->entry_count < entry_count; index->entry_count++) {
        index->postings[index->entry_count] = (struct postings){.block = BLOCK_NONE};
        index->frequencies[index->entry_count] = 0;
    }
    return OK;
}

/* ---- postings */

static uint32_t postings_capacity(const struct postings *postings)
{
    return postings->block == BLOCK_NONE ? 0 : (uint32_t)POSTINGS_FIRST << postings->size_class;
}

static bool postings_full(const struct index *index, const struct postings *postings)
{
    return postings->count == postings_capacity(postings) && postings->count < index->postings_max;
}

static unsigned postings_next_class(const struct postings *postings)
{
    return postings->block == BLOCK_NONE ? 0 : postings->size_class + 1;
}

static void postings_grow(struct index *index, struct postings *postings)
{
    struct postings grown = {.count = postings->count, .size_class = postings_next_class(postings)};
    grown.block = blocks_take(index->blocks, grown.size_class);
    if (postings->count) {
        const uint32_t *from = blocks_at(index->blocks, postings->block);
        uint32_t *to = blocks_at(index->blocks, grown.block);
        for (uint32_t i = 0; i < postings->count; i++)
            to[i] = from[(postings->first + i) & (postings_capacity(postings) - 1)];
        blocks_give(index->blocks, postings->block, postings->size_class);
    }
    *postings = grown;
}

static void postings_drop_oldest(struct postings *postings)
{
    postings->first = (postings->first + 1) & (postings_capacity(postings) - 1);
    postings->count--;
}

static void postings_add(struct index *index, struct postings *postings, uint32_t number)
{
    if (postings->count == index->postings_max)
        postings_drop_oldest(postings);
    else if (postings_full(index, postings))
        postings_grow(index, postings);
    uint32_t *ring = blocks_at(index->blocks, postings->block);
    ring[(postings->first + postings->count) & (postings_capacity(postings) - 1)] = number;
    postings->count++;
}

/* ---- sessions */

static uint32_t oldest_number(const struct index *index)
{
    return index->next - index->count;
}

static void evict_oldest(struct index *index)
{
    uint32_t number = oldest_number(index);
    const struct index_slot *slot = index_slot(index, number);
    const uint32_t *words = index_words(index, slot);
    for (uint32_t i = 0; i < slot->length; i++) {
        if (words[i] & WORD_AGAIN)
            continue;
        uint32_t entry = words[i] & WORD_ENTRY_MASK;
        struct postings *postings = &index->postings[entry];
        index->frequencies[entry]--;
        index->pair_count--;
        const uint32_t *ring = blocks_at(index->blocks, postings->block);
        if (postings->count && ring[postings->first] == number) /* else it was pushed out at postings_max */
            postings_drop_oldest(postings);
    }
    index->word_count -= slot->length;
    index->count--;
}

/* Words from the oldest session's first to word_end, the gap before the ring's end included. */
static uint32_t words_used(const struct index *index)
{
    if (!index->count)
        return 0;
    uint32_t used = (index->word_end - index_slot(index, oldest_number(index))->begin) & (index->word_capacity - 1);
    return used ? used : index->word_capacity;
}

/* What a session of `length` words has to have room for is decided by counts alone, never by how they lie in the
 * ring, so that a restored index goes on like the one that was saved. */
static bool must_evict(const struct index *index, uint32_t length)
{
    return index->count && (index->count == index->sessions_max || index->word_count + length > WORDS_KEPT_MAX);
}

static bool words_fit(const struct index *index, uint32_t length)
{
    uint32_t to_end = index->word_capacity - index->word_end;
    uint32_t needed = length <= to_end ? length : to_end + length; /* a session stands in one piece */
    return needed <= index->word_capacity - words_used(index);
}

/* Moves every session's words into a ring twice the size. */
static struct status words_grow(struct index *index)
{
    uint32_t capacity = index->word_capacity ? index->word_capacity * 2 : WORDS_FIRST;
    uint32_t *words = malloc(capacity * sizeof *words);
    if (!words)
        return FAIL(MEMORY, capacity, "no memory for the index");
    uint32_t end = 0;
    for (uint32_t i = 0; i < index->count; i++) {
        struct index_slot *slot = &index->slots[(oldest_number(index) + i) & (index->slot_capacity - 1)];
        memcpy(words + end, index->words + slot->begin, slot->length * sizeof *words);
        slot->begin = end;
        end += slot->length;
    }
    free(index->words);
    index->words = words;
    index->word_capacity = capacity;
    index->word_end = end;
    return OK;
}

static struct status slots_grow(struct index *index)
{
    uint32_t capacity = index->slot_capacity ? index->slot_capacity * 2 : SLOTS_FIRST;
    struct index_slot *slots = malloc(capacity * sizeof *slots);
    if (!slots)
        return FAIL(MEMORY, capacity, "no memory for the index");
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t number = oldest_number(index) + i;
        slots[number & (capacity - 1)] = *index_slot(index, number);
    }
    free(index->slots);
    index->slots = slots;
    index->slot_capacity = capacity;
    return OK;
}

size_t index_growth(const struct index *index, uint32_t entry)
{
    const struct postings *postings = &index->postings[entry];
    return postings_full(index, postings) ? (size_t)BLOCK_UNIT << postings_next_class(postings) : 0;
}

struct status index_reserve(struct index *index, uint32_t length)
{
    if (index->count == index->slot_capacity && index->count < index->sessions_max)
        TRY(slots_grow(index));
    while (!words_fit(index, length))
        TRY(words_grow(index));
    return OK;
}

void index_add(struct index *index, const uint32_t *words, uint32_t length, uint32_t time_s)
{
    assert(length && words_fit(index, length));
    while (must_evict(index, length))
        evict_oldest(index);
    if (index->word_end + length > index->word_capacity)
        index->word_end = 0;
    uint32_t number = index->next;
    struct index_slot *slot = &index->slots[number & (index->slot_capacity - 1)];
    *slot = (struct index_slot){index->word_end, length, time_s};
    memcpy(index->words + slot->begin, words, length * sizeof *words);
    index->word_count += length;
    index->word_end = (index->word_end + length) & (index->word_capacity - 1);
    for (uint32_t i = 0; i < length; i++) {
        if (words[i] & WORD_AGAIN)
            continue;
        uint32_t entry = words[i] & WORD_ENTRY_MASK;
        postings_add(index, &index->postings[entry], number);
        index->frequencies[entry]++;
        index->pair_count++;
    }
    index->next++;
    index->count++;
}
