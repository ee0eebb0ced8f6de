// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/learned.h"

#include <stdlib.h>

struct learned_options learned_options_default(void)
{
    return (struct learned_options){.sessions_max = 1000000,
                                    .postings_max = 1000,
                                    .session_items_max = 100,
                                    .successors_max = 128,
                                    .forward_decay = 1.1f,
                                    .backward_decay = 1.45f,
                                    .rules_decay_sessions = 100000,
                                    .popularity_half_life_ms = (int64_t)7 * 24 * 3600 * 1000,
                                    .type_weights = {1, 1, 1.5f, 2},
                                    .mixing = mixing_default()};
}

static bool options_in_bounds(const struct learned_options *options)
{
    for (int i = 0; i < CLICK_TYPE_COUNT; i++)
        if (!(options->type_weights[i] >= 0 && options->type_weights[i] <= 1000))
            return false;
    return options->sessions_max >= 1 && options->sessions_max <= LEARNED_SESSIONS_MAX && options->postings_max >= 1 &&
           options->postings_max <= LEARNED_POSTINGS_MAX && options->session_items_max >= 2 &&
           options->session_items_max <= LEARNED_SESSION_ITEMS_MAX && options->successors_max >= 8 &&
           options->successors_max <= LEARNED_SUCCESSORS_MAX && options->forward_decay > 0 &&
           options->backward_decay > 0 && options->rules_decay_sessions >= 0 && options->popularity_half_life_ms > 0;
}

struct status learned_open(const struct learned_options *options, struct learned **ret_learned)
{
    if (!options_in_bounds(options))
        return FAIL(CONFIG, 0, "an option of the learned state is out of its bounds");
    struct learned *learned = calloc(1, sizeof *learned);
    if (!learned)
        return FAIL(MEMORY, 0, "no memory for the learned state");
    learned->options = *options;
    index_open(&learned->index, options, &learned->postings_blocks);
    successors_open(&learned->successors, options, &learned->rows_blocks);
    popularity_open(&learned->popularity, options);
    repeats_open(&learned->repeats);
    mixer_open(&learned->mixer, &options->mixing);
    *ret_learned = learned;
    return OK;
}

void learned_close(struct learned *learned)
{
    if (!learned)
        return;
    index_release(&learned->index);
    successors_release(&learned->successors);
    popularity_release(&learned->popularity);
    repeats_release(&learned->repeats);
    blocks_release(&learned->postings_blocks);
    blocks_release(&learned->rows_blocks);
    free(learned->entries);
    free(learned->items);
    free(learned);
}

uint64_t learned_count(const struct learned *learned)
{
    return learned->count;
}

uint32_t learned_index_sessions(const struct learned *learned)
{
    return learned->index.count;
}

uint64_t learned_forgotten(const struct learned *learned)
{
    return learned->index.forgotten;
}

uint32_t learned_items(const struct learned *learned)
{
    return learned->entry_count;
}

uint64_t learned_version(const struct learned *learned)
{
    return learned->version;
}

const struct mixing *learned_mixing(const struct learned *learned)
{
    return &learned->mixer.now;
}

void learned_reset_mixing(struct learned *learned)
{
    mixer_open(&learned->mixer, &learned->options.mixing);
}

size_t learned_index_memory(const struct learned *learned)
{
    return index_memory(&learned->index) + blocks_memory(&learned->postings_blocks) +
           (learned->map_capacity + learned->entry_capacity) * sizeof(uint32_t);
}

size_t learned_memory(const struct learned *learned)
{
    return sizeof *learned + learned_index_memory(learned) + successors_memory(&learned->successors) +
           blocks_memory(&learned->rows_blocks) + popularity_memory(&learned->popularity) +
           repeats_memory(&learned->repeats);
}

/* ---- entries */

static struct status map_grow(struct learned *learned, uint32_t item)
{
    uint32_t capacity = learned->map_capacity ? learned->map_capacity : 1024;
    while (capacity <= item)
        capacity = capacity < UINT32_MAX / 2 ? capacity * 2 : UINT32_MAX;
    uint32_t *entries = realloc(learned->entries, capacity * sizeof *entries);
    if (!entries)
        return FAIL(MEMORY, capacity, "no memory for learned items");
    for (uint32_t i = learned->map_capacity; i < capacity; i++)
        entries[i] = ENTRY_NONE;
    learned->entries = entries;
    learned->map_capacity = capacity;
    return OK;
}

struct status learned_add_entry(struct learned *learned, uint32_t item, uint32_t *ret_entry)
{
    if (learned->entry_count == LEARNED_ITEMS_MAX)
        return FAIL(LIMIT, LEARNED_ITEMS_MAX, "too many items for the learned state");
    if (learned->entry_count == learned->entry_capacity) {
        uint32_t capacity = learned->entry_capacity ? learned->entry_capacity * 2 : 1024;
        uint32_t *items = realloc(learned->items, capacity * sizeof *items);
        if (!items)
            return FAIL(MEMORY, capacity, "no memory for learned items");
        learned->items = items;
        learned->entry_capacity = capacity;
    }
    if (item >= learned->map_capacity)
        TRY(map_grow(learned, item));
    *ret_entry = learned->entry_count++;
    learned->items[*ret_entry] = item;
    learned->entries[item] = *ret_entry;
    return OK;
}

static void entries_forget(struct learned *learned, uint32_t entry_count)
{
    while (learned->entry_count > entry_count)
        learned->entries[learned->items[--learned->entry_count]] = ENTRY_NONE;
}

/* ---- learning */

void learned_mark_again(uint32_t *words, uint32_t length)
{
    for (uint32_t i = 1; i < length; i++)
        for (uint32_t j = 0; j < i && !(words[i] & WORD_AGAIN); j++)
            if (((words[i] ^ words[j]) & WORD_ENTRY_MASK) == 0)
                words[i] |= WORD_AGAIN;
}

static struct status lesson_read(struct learned *learned, const struct session_view *view)
{
    struct lesson *lesson = &learned->lesson;
    uint32_t skipped =
        view->length > learned->options.session_items_max ? view->length - learned->options.session_items_max : 0;
    lesson->click_count = lesson->length = 0;
    for (uint32_t i = skipped; i < view->length; i++) {
        uint32_t entry = learned_entry(learned, view->items[i]);
        if (entry == ENTRY_NONE)
            TRY(learned_add_entry(learned, view->items[i], &entry));
        lesson->clicks[lesson->click_count++] = entry;
        uint32_t type = view->types[i] < CLICK_TYPE_COUNT ? view->types[i] : CLICK_TYPE_CLICK;
        float weight = learned->options.type_weights[type];
        uint32_t last = lesson->length - 1;
        if (lesson->length && lesson->entries[last] == entry) {
            if (weight > lesson->weights[last]) {
                lesson->weights[last] = weight;
                lesson->words[last] = entry | type << WORD_TYPE_SHIFT;
            }
            continue;
        }
        lesson->entries[lesson->length] = entry;
        lesson->weights[lesson->length] = weight;
        lesson->words[lesson->length++] = entry | type << WORD_TYPE_SHIFT;
    }
    learned_mark_again(lesson->words, lesson->length);
    return OK;
}

struct status learned_reserve_entries(struct learned *learned)
{
    TRY(index_reserve_entries(&learned->index, learned->entry_count));
    TRY(successors_reserve_entries(&learned->successors, learned->entry_count));
    TRY(popularity_reserve_entries(&learned->popularity, learned->entry_count));
    return repeats_reserve_entries(&learned->repeats, learned->entry_count);
}

static struct status lesson_reserve(struct learned *learned)
{
    const struct lesson *lesson = &learned->lesson;
    TRY(learned_reserve_entries(learned));
    TRY(index_reserve(&learned->index, lesson->length));
    size_t postings = 0, rows = 0;
    for (uint32_t i = 0; i < lesson->length; i++) {
        postings += index_growth(&learned->index, lesson->entries[i]);
        rows += successors_growth(&learned->successors, lesson->entries[i], lesson->length - 1);
    }
    TRY(blocks_reserve(&learned->postings_blocks, postings));
    return blocks_reserve(&learned->rows_blocks, rows);
}

static struct status lesson_prepare(struct learned *learned, const struct session_view *view)
{
    TRY(lesson_read(learned, view));
    return lesson_reserve(learned);
}

/* The version covers what was learned, not how the catalogue numbers it. */
static void version_advance(struct learned *learned, const struct session_view *view)
{
    const struct lesson *lesson = &learned->lesson;
    const int64_t *times_ms = view->times_ms + view->length - lesson->click_count;
    const uint8_t *types = view->types + view->length - lesson->click_count;
    uint64_t parts[] = {learned->version, bytes_hash(view->session_id),
                        bytes_hash(bytes_of(lesson->clicks, lesson->click_count * sizeof *lesson->clicks)),
                        bytes_hash(bytes_of(times_ms, lesson->click_count * sizeof *times_ms)),
                        bytes_hash(bytes_of(types, lesson->click_count))};
    learned->version = bytes_hash(bytes_of(parts, sizeof parts));
}

static uint32_t seconds_of(int64_t time_ms)
{
    int64_t seconds = time_ms / 1000;
    return seconds < 0 ? 0 : seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

struct status learned_learn(struct learned *learned, const struct closed_session *session)
{
    const struct session_view *view = &session->view;
    if (!view->length)
        return OK;
    uint32_t entry_count = learned->entry_count;
    struct status status = lesson_prepare(learned, view);
    if (failed(status)) {
        entries_forget(learned, entry_count);
        return status;
    }
    const struct lesson *lesson = &learned->lesson;
    int64_t time_ms = view->times_ms[view->length - 1];
    for (uint32_t i = 0; i < lesson->length; i++)
        popularity_add(&learned->popularity, lesson->entries[i], lesson->weights[i], time_ms);
    if (view->length > 1) {
        uint32_t number = learned->index.next;
        successors_add(&learned->successors, lesson->entries, lesson->weights, lesson->length, number);
        repeats_add(&learned->repeats, lesson->clicks, lesson->click_count);
        index_add(&learned->index, lesson->words, lesson->length, seconds_of(time_ms));
    }
    version_advance(learned, view);
    learned->count++;
    return OK;
}
