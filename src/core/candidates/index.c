// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/index.h"

#include "core/candidates/power.h"

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
    free(index->begins);
    free(index->times_s);
    free(index->words);
    free(index->postings);
    free(index->frequencies);
    free(index->logs);
    *index = (struct index){0};
}

size_t index_memory(const struct index *index)
{
    return index->slot_capacity * (sizeof *index->begins + sizeof *index->times_s) +
           index->word_capacity * sizeof *index->words +
           index->entry_capacity * (sizeof *index->postings + sizeof *index->frequencies + sizeof *index->logs);
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
        float *logs = realloc(index->logs, capacity * sizeof *logs);
        if (!logs)
            return FAIL(MEMORY, capacity, "no memory for the index");
        index->logs = logs;
        index->entry_capacity = capacity;
    }
    for (; index->entry_count < entry_count; index->entry_count++) {
        index->postings[index->entry_count] = (struct postings){.block = BLOCK_NONE};
        index->frequencies[index->entry_count] = 0;
        index->logs[index->entry_count] = 0;
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

/* One session more or less has the item. */
static void count_pair(struct index *index, uint32_t entry, int change)
{
    uint32_t frequency = index->frequencies[entry] += (uint32_t)change;
    index->logs[entry] = frequency ? power_log2((float)frequency) : 0;
    index->pair_count += (uint64_t)(int64_t)change;
}

static void evict_oldest(struct index *index)
{
    uint32_t number = oldest_number(index);
    const uint32_t *words = index_session(index, number);
    for (uint32_t i = 1; i <= words[0]; i++) {
        if (words[i] & WORD_AGAIN)
            continue;
        uint32_t entry = words[i] & WORD_ENTRY_MASK;
        struct postings *postings = &index->postings[entry];
        count_pair(index, entry, -1);
        const uint32_t *ring = blocks_at(index->blocks, postings->block);
        if (postings->count && ring[postings->first] == number) /* else it was pushed out at postings_max */
            postings_drop_oldest(postings);
    }
    index->word_count -= words[0] + 1;
    index->count--;
    index->forgotten++;
}

/* Words from the oldest session's first to word_end, the gap before the ring's end included. */
static uint32_t words_used(const struct index *index)
{
    if (!index->count)
        return 0;
    uint32_t oldest = index->begins[oldest_number(index) & (index->slot_capacity - 1)];
    uint32_t used = (index->word_end - oldest) & (index->word_capacity - 1);
    return used ? used : index->word_capacity;
}

/* What a session of `size` words, its length included, has to have room for is decided by counts alone, never by how
 * they lie in the ring, so that a restored index goes on like the one that was saved. */
static bool must_evict(const struct index *index, uint32_t size)
{
    return index->count && (index->count == index->sessions_max || index->word_count + size > WORDS_KEPT_MAX);
}

static bool words_fit(const struct index *index, uint32_t size)
{
    uint32_t to_end = index->word_capacity - index->word_end;
    uint32_t needed = size <= to_end ? size : to_end + size; /* a session stands in one piece */
    return needed <= index->word_capacity - words_used(index);
}

/* Moves every session's words into a ring twice the size. */
static struct status words_grow(struct index *index)
{
    uint32_t capacity = index->word_capacity ? index->word_capacity * 2 : WORDS_FIRST;
    uint32_t *words = calloc(capacity + INDEX_WORDS_BEYOND, sizeof *words);
    if (!words)
        return FAIL(MEMORY, capacity, "no memory for the index");
    uint32_t end = 0;
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t *begin = &index->begins[(oldest_number(index) + i) & (index->slot_capacity - 1)];
        uint32_t length = index->words[*begin] + 1;
        memcpy(words + end, index->words + *begin, length * sizeof *words);
        *begin = end;
        end += length;
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
    uint32_t *begins = malloc(capacity * sizeof *begins), *times_s = malloc(capacity * sizeof *times_s);
    if (!begins || !times_s) {
        free(begins);
        free(times_s);
        return FAIL(MEMORY, capacity, "no memory for the index");
    }
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t number = oldest_number(index) + i;
        begins[number & (capacity - 1)] = index->begins[number & (index->slot_capacity - 1)];
        times_s[number & (capacity - 1)] = index->times_s[number & (index->slot_capacity - 1)];
    }
    free(index->begins);
    free(index->times_s);
    index->begins = begins;
    index->times_s = times_s;
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
    while (!words_fit(index, length + 1))
        TRY(words_grow(index));
    return OK;
}

void index_add(struct index *index, const uint32_t *words, uint32_t length, uint32_t time_s)
{
    assert(length && words_fit(index, length + 1));
    while (must_evict(index, length + 1))
        evict_oldest(index);
    if (index->word_end + length + 1 > index->word_capacity)
        index->word_end = 0;
    uint32_t number = index->next, slot = number & (index->slot_capacity - 1);
    uint32_t *to = index->words + index->word_end;
    to[0] = length;
    memcpy(to + 1, words, length * sizeof *words);
    index->begins[slot] = index->word_end;
    index->times_s[slot] = time_s;
    index->word_end = (index->word_end + length + 1) & (index->word_capacity - 1);
    index->word_count += length + 1;
    for (uint32_t i = 0; i < length; i++) {
        if (words[i] & WORD_AGAIN)
            continue;
        uint32_t entry = words[i] & WORD_ENTRY_MASK;
        postings_add(index, &index->postings[entry], number);
        count_pair(index, entry, 1);
    }
    index->next++;
    index->count++;
}
