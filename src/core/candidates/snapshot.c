// SPDX-License-Identifier: Apache-2.0
/* The learned state as bytes, little-endian:
 *   "eddylrn\0", u32 version, u32 0, options, u64 count, u64 version hash
 *   u32 entries, then per entry: u8 length, item id
 *   u32 next session number, u32 sessions, then per session from the oldest: u32 time, u32 length, u32 words
 *   per entry its row: u16 rules, and unless 0: u32 base, f32 totals, u32 items, f32 forward, f32 backward
 *   popularity: u8 started, i64 base, f64 total, f32 values; u32 top, u32 entries
 *   repeats: the cells, then the records
 *   mixing: f32 weights, f32 repeat shifts, and what they learn by, as in struct mixer
 *   u64 XXH3 of all before
 * Postings and frequencies follow from the sessions. */
#include "core/candidates/learned.h"

#include <eddy/core/frame.h>

#define SNAPSHOT_VERSION 3
#define WEIGHT_MAX       1e30f /* more than can be learned, and sums of them stay finite */
#define COUNT_MAX        1e15

static const char snapshot_magic[FRAME_MAGIC_SIZE] = "eddylrn";

/* ---- writing */

#define PUT(out, value) buffer_append((out), &(value), sizeof(value))

static void put_options(const struct learned_options *options, struct buffer *out)
{
    PUT(out, options->sessions_max);
    PUT(out, options->postings_max);
    PUT(out, options->session_items_max);
    PUT(out, options->successors_max);
    PUT(out, options->forward_decay);
    PUT(out, options->backward_decay);
    PUT(out, options->rules_decay_sessions);
    PUT(out, options->popularity_half_life_ms);
    PUT(out, options->type_weights);
}

static void put_entries(const struct learned *learned, const struct catalogue *catalogue, struct buffer *out)
{
    PUT(out, learned->entry_count);
    for (uint32_t i = 0; i < learned->entry_count; i++) {
        struct bytes id = catalogue_id(catalogue, learned->items[i]);
        assert(id.size <= CLICK_ID_MAX);
        buffer_append_byte(out, (uint8_t)id.size);
        buffer_append_bytes(out, id);
    }
}

static void put_index(const struct index *index, struct buffer *out)
{
    PUT(out, index->next);
    PUT(out, index->count);
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t number = index->next - index->count + i;
        const uint32_t *words = index_session(index, number);
        PUT(out, index->times_s[number & (index->slot_capacity - 1)]);
        buffer_append(out, words, (words[0] + 1) * sizeof *words);
    }
}

static void put_rows(const struct successors *successors, struct buffer *out)
{
    for (uint32_t i = 0; i < successors->entry_count; i++) {
        const struct successor_row *row = &successors->rows[i];
        PUT(out, row->count);
        if (!row->count)
            continue;
        struct successor_view view = successor_view(successors, row);
        PUT(out, row->base);
        PUT(out, row->forward_total);
        PUT(out, row->backward_total);
        buffer_append(out, view.items, row->count * sizeof *view.items);
        buffer_append(out, view.forward, row->count * sizeof *view.forward);
        buffer_append(out, view.backward, row->count * sizeof *view.backward);
    }
}

static void put_popularity(const struct popularity *popularity, struct buffer *out)
{
    buffer_append_byte(out, popularity->started);
    PUT(out, popularity->base_ms);
    PUT(out, popularity->total);
    if (popularity->entry_count)
        buffer_append(out, popularity->values, popularity->entry_count * sizeof *popularity->values);
    PUT(out, popularity->top_count);
    buffer_append(out, popularity->top, popularity->top_count * sizeof *popularity->top);
}

static void put_repeats(const struct repeats *repeats, struct buffer *out)
{
    PUT(out, repeats->current);
    PUT(out, repeats->current_sums);
    PUT(out, repeats->earlier);
    PUT(out, repeats->earlier_sums);
    if (repeats->entry_count)
        buffer_append(out, repeats->records, repeats->entry_count * sizeof *repeats->records);
}

void learned_encode(const struct learned *learned, const struct catalogue *catalogue, struct buffer *out)
{
    size_t start = frame_begin(out, snapshot_magic, SNAPSHOT_VERSION);
    put_options(&learned->options, out);
    PUT(out, learned->count);
    PUT(out, learned->version);
    put_entries(learned, catalogue, out);
    put_index(&learned->index, out);
    put_rows(&learned->successors, out);
    put_popularity(&learned->popularity, out);
    put_repeats(&learned->repeats, out);
    PUT(out, learned->mixer.now.weights);
    PUT(out, learned->mixer.now.repeat_shifts);
    PUT(out, learned->mixer.weight_updates);
    PUT(out, learned->mixer.repeat_squares);
    frame_end(out, start);
}

/* ---- reading */

#define CORRUPT(what) FAIL(CORRUPT, 0, what)

#define GET(rest, to) frame_take((rest), &(to), sizeof(to))

static struct status get_floats(struct bytes *rest, float *to, size_t count)
{
    TRY(frame_take(rest, to, count * sizeof *to));
    for (size_t i = 0; i < count; i++)
        if (!(to[i] >= 0 && to[i] <= WEIGHT_MAX))
            return CORRUPT("a weight in the learned state's snapshot is not one");
    return OK;
}

static struct status get_entry_numbers(struct bytes *rest, uint32_t *to, size_t count, uint32_t entry_count)
{
    TRY(frame_take(rest, to, count * sizeof *to));
    for (size_t i = 0; i < count; i++)
        if (to[i] >= entry_count)
            return CORRUPT("the learned state's snapshot names an item it does not have");
    return OK;
}

/* Options are compared as they are written: field by field. */
static struct status get_options(struct bytes *rest, const struct learned_options *options)
{
    AUTO(buffer) wanted = {0};
    put_options(options, &wanted);
    TRY(buffer_check(&wanted));
    struct bytes found;
    TRY(frame_take_bytes(rest, wanted.size, &found));
    return bytes_equal(found, buffer_bytes(&wanted))
               ? OK
               : FAIL(CONFIG, 0, "the learned state's snapshot was made with other options");
}

static struct status get_entries(struct bytes *rest, struct learned *learned, struct catalogue *catalogue)
{
    uint32_t count;
    TRY(GET(rest, count));
    for (uint32_t i = 0; i < count; i++) {
        uint8_t size;
        uint32_t item, entry;
        TRY(GET(rest, size));
        struct bytes id;
        TRY(frame_take_bytes(rest, size, &id));
        if (!size || !bytes_is_utf8(id))
            return CORRUPT("an item id in the learned state's snapshot is not one");
        TRY(catalogue_intern(catalogue, id, &item));
        if (learned_entry(learned, item) != ENTRY_NONE)
            return CORRUPT("the learned state's snapshot has an item twice");
        TRY(learned_add_entry(learned, item, &entry));
    }
    return learned_reserve_entries(learned);
}

static struct status get_session(struct bytes *rest, struct learned *learned)
{
    struct lesson *lesson = &learned->lesson;
    uint32_t time_s, length;
    TRY(GET(rest, time_s));
    TRY(GET(rest, length));
    if (!length || length > learned->options.session_items_max)
        return CORRUPT("a session in the learned state's snapshot has no proper length");
    TRY(frame_take(rest, lesson->words, length * sizeof *lesson->words));
    size_t growth = 0;
    uint32_t again[LEARNED_SESSION_ITEMS_MAX];
    for (uint32_t i = 0; i < length; i++) {
        again[i] = lesson->words[i] & ~WORD_AGAIN;
        uint32_t entry = again[i] & WORD_ENTRY_MASK;
        if (entry >= learned->entry_count)
            return CORRUPT("the learned state's snapshot names an item it does not have");
        growth += index_growth(&learned->index, entry);
    }
    learned_mark_again(again, length);
    if (memcmp(again, lesson->words, length * sizeof *again) != 0)
        return CORRUPT("a session in the learned state's snapshot contradicts itself");
    TRY(index_reserve(&learned->index, length));
    TRY(blocks_reserve(&learned->postings_blocks, growth));
    index_add(&learned->index, lesson->words, length, time_s);
    return OK;
}

static struct status get_index(struct bytes *rest, struct learned *learned)
{
    uint32_t next, count;
    TRY(GET(rest, next));
    TRY(GET(rest, count));
    if (count > learned->options.sessions_max)
        return CORRUPT("the learned state's snapshot has too many sessions");
    learned->index.next = next - count;
    for (uint32_t i = 0; i < count; i++)
        TRY(get_session(rest, learned));
    if (learned->index.count != count)
        return CORRUPT("the learned state's snapshot has too many clicks");
    return OK;
}

static struct status get_rows(struct bytes *rest, struct successors *successors)
{
    for (uint32_t i = 0; i < successors->entry_count; i++) {
        uint16_t count;
        TRY(GET(rest, count));
        if (!count)
            continue;
        if (count > successors->row_max)
            return CORRUPT("the learned state's snapshot has too many rules for an item");
        struct successor_row *row = &successors->rows[i];
        struct successor_view view;
        TRY(GET(rest, row->base));
        TRY(get_floats(rest, &row->forward_total, 1));
        TRY(get_floats(rest, &row->backward_total, 1));
        TRY(successors_restore_row(successors, i, count, &view));
        TRY(get_entry_numbers(rest, view.items, count, successors->entry_count));
        TRY(get_floats(rest, view.forward, count));
        TRY(get_floats(rest, view.backward, count));
    }
    return OK;
}

static struct status get_popularity(struct bytes *rest, struct popularity *popularity)
{
    uint8_t started;
    uint32_t count = popularity->entry_count, top_count;
    TRY(GET(rest, started));
    TRY(GET(rest, popularity->base_ms));
    TRY(GET(rest, popularity->total));
    TRY(get_floats(rest, popularity->values, count));
    TRY(GET(rest, top_count));
    if (started > 1 || !(popularity->total >= 0 && popularity->total <= (double)WEIGHT_MAX) ||
        top_count != (count < POPULARITY_TOP ? count : POPULARITY_TOP))
        return CORRUPT("the popularity in the learned state's snapshot contradicts itself");
    TRY(get_entry_numbers(rest, popularity->top, top_count, count));
    popularity->started = started;
    popularity->top_count = top_count;
    for (uint32_t i = 0; i < top_count; i++) {
        uint32_t entry = popularity->top[i];
        if (popularity->ranks[entry] != POPULARITY_TOP ||
            (i && popularity->values[entry] > popularity->values[popularity->top[i - 1]]))
            return CORRUPT("the popularity in the learned state's snapshot contradicts itself");
        popularity->ranks[entry] = (uint16_t)i;
    }
    return OK;
}

static struct status get_cells(struct bytes *rest, struct repeat_cell *cells, size_t count)
{
    TRY(frame_take(rest, cells, count * sizeof *cells));
    for (size_t i = 0; i < count; i++)
        if (!(cells[i].hits >= 0 && cells[i].hits <= cells[i].times && cells[i].times <= COUNT_MAX))
            return CORRUPT("the repeats in the learned state's snapshot contradict themselves");
    return OK;
}

#define GET_CELLS(rest, cells)                                                                                         \
    get_cells((rest), (struct repeat_cell *)&(cells), sizeof(cells) / sizeof(struct repeat_cell))

static struct status get_repeats(struct bytes *rest, struct repeats *repeats)
{
    TRY(GET_CELLS(rest, repeats->current));
    TRY(GET_CELLS(rest, repeats->current_sums));
    TRY(GET_CELLS(rest, repeats->earlier));
    TRY(GET_CELLS(rest, repeats->earlier_sums));
    size_t floats = sizeof *repeats->records / sizeof(float);
    return get_floats(rest, (float *)repeats->records, repeats->entry_count * floats);
}

static struct status get_mixer(struct bytes *rest, struct mixer *mixer)
{
    TRY(get_floats(rest, (float *)mixer->now.weights, sizeof mixer->now.weights / sizeof(float)));
    TRY(frame_take(rest, mixer->now.repeat_shifts, sizeof mixer->now.repeat_shifts));
    TRY(get_floats(rest, mixer->weight_updates, MIX_CELLS));
    TRY(get_floats(rest, mixer->repeat_squares, MIX_CELLS));
    return mixer_is_sound(mixer) ? OK : CORRUPT("the weights in the learned state's snapshot are no weights");
}

static struct status get_all(struct bytes *rest, struct learned *learned, struct catalogue *catalogue)
{
    TRY(GET(rest, learned->count));
    TRY(GET(rest, learned->version));
    TRY(get_entries(rest, learned, catalogue));
    TRY(get_index(rest, learned));
    TRY(get_rows(rest, &learned->successors));
    TRY(get_popularity(rest, &learned->popularity));
    TRY(get_repeats(rest, &learned->repeats));
    TRY(get_mixer(rest, &learned->mixer));
    if (rest->size)
        return CORRUPT("the learned state's snapshot has something at its end");
    return OK;
}

struct status learned_restore(struct bytes snapshot, const struct learned_options *options, struct catalogue *catalogue,
                              struct learned **ret_learned)
{
    TRY(frame_open(&snapshot, snapshot_magic, SNAPSHOT_VERSION));
    TRY(get_options(&snapshot, options));
    struct learned *learned;
    TRY(learned_open(options, &learned));
    struct status status = get_all(&snapshot, learned, catalogue);
    if (failed(status)) {
        learned_close(learned);
        return status;
    }
    *ret_learned = learned;
    return OK;
}
