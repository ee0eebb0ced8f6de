// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/successors.h"

#include "core/candidates/kernels.h"
#include "core/candidates/power.h"

#include <stdlib.h>
#include <string.h>

#define ROW_CLASS_FIRST 2u /* 64 B: 5 rules */
#define RULE_BYTES      (3 * sizeof(uint32_t))
#define FADING_MAX      40.0f /* a row's weights may grow by exp(this) before it gets a new base */
#define TAIL            8u    /* the weakest rule is sought among the last ones */
#define BACKWARD_RANK   0.5f  /* what a backward rule counts for in a row's order */

void successors_open(struct successors *successors, const struct learned_options *options, struct blocks *blocks)
{
    *successors = (struct successors){
        .row_max = options->successors_max, .decay_sessions = options->rules_decay_sessions, .blocks = blocks};
    for (int i = 0; i < SUCCESSORS_DISTANCE_MAX; i++) {
        successors->forward[i] = power_decay(i, (double)options->forward_decay);
        successors->backward[i] = power_decay(i, (double)options->backward_decay);
    }
}

void successors_release(struct successors *successors)
{
    free(successors->rows);
    *successors = (struct successors){0};
}

size_t successors_memory(const struct successors *successors)
{
    return successors->entry_capacity * sizeof *successors->rows;
}

struct status successors_reserve_entries(struct successors *successors, uint32_t entry_count)
{
    if (entry_count > successors->entry_capacity) {
        uint32_t capacity = successors->entry_capacity ? successors->entry_capacity : 1024;
        while (capacity < entry_count)
            capacity *= 2;
        struct successor_row *rows = realloc(successors->rows, capacity * sizeof *rows);
        if (!rows)
            return FAIL(MEMORY, capacity, "no memory for the transitions");
        successors->rows = rows;
        successors->entry_capacity = capacity;
    }
    for (; successors->entry_count < entry_count; successors->entry_count++)
        successors->rows[successors->entry_count] = (struct successor_row){.block = BLOCK_NONE};
    return OK;
}

/* The class of a block for `count` rules. */
static unsigned row_class(uint32_t count)
{
    unsigned size_class = blocks_class(count * RULE_BYTES);
    return size_class > ROW_CLASS_FIRST ? size_class : ROW_CLASS_FIRST;
}

size_t successors_growth(const struct successors *successors, uint32_t entry, uint32_t more)
{
    const struct successor_row *row = &successors->rows[entry];
    uint32_t wanted = row->count + more < successors->row_max ? row->count + more : successors->row_max;
    /* a row may double several times on its way: at most twice its last block in sum */
    return wanted > successor_capacity(row) ? (size_t)BLOCK_UNIT << (row_class(wanted) + 1) : 0;
}

static void row_grow(struct successors *successors, struct successor_row *row)
{
    struct successor_row grown = *row;
    grown.size_class = (uint16_t)row_class(row->count + 1u);
    grown.block = blocks_take(successors->blocks, grown.size_class);
    if (row->count) {
        struct successor_view from = successor_view(successors, row), to = successor_view(successors, &grown);
        memcpy(to.items, from.items, row->count * sizeof *to.items);
        memcpy(to.forward, from.forward, row->count * sizeof *to.forward);
        memcpy(to.backward, from.backward, row->count * sizeof *to.backward);
        blocks_give(successors->blocks, row->block, row->size_class);
    }
    *row = grown;
}

struct status successors_restore_row(struct successors *successors, uint32_t entry, uint16_t count,
                                     struct successor_view *ret_view)
{
    struct successor_row *row = &successors->rows[entry];
    assert(!row->count && count && count <= successors->row_max);
    unsigned size_class = row_class(count);
    TRY(blocks_reserve(successors->blocks, (size_t)BLOCK_UNIT << size_class));
    row->block = blocks_take(successors->blocks, size_class);
    row->size_class = (uint16_t)size_class;
    row->count = count;
    *ret_view = successor_view(successors, row);
    return OK;
}

static float rank_of(const struct successor_view *view, uint32_t place)
{
    return view->forward[place] + BACKWARD_RANK * view->backward[place];
}

/* The place for a rule the row does not have. */
static uint32_t new_place(struct successors *successors, struct successor_row *row, struct successor_view *view)
{
    if (row->count < successors->row_max) {
        if (row->count == successor_capacity(row)) {
            row_grow(successors, row);
            *view = successor_view(successors, row);
        }
        return row->count++;
    }
    uint32_t weakest = row->count - 1u;
    for (uint32_t i = row->count - TAIL; i < row->count - 1u; i++)
        if (rank_of(view, i) < rank_of(view, weakest))
            weakest = i;
    return weakest;
}

static void swap_places(const struct successor_view *view, uint32_t a, uint32_t b)
{
    uint32_t item = view->items[a];
    float forward = view->forward[a], backward = view->backward[a];
    view->items[a] = view->items[b];
    view->forward[a] = view->forward[b];
    view->backward[a] = view->backward[b];
    view->items[b] = item;
    view->forward[b] = forward;
    view->backward[b] = backward;
}

static void row_add(struct successors *successors, struct successor_row *row, uint32_t item, float forward,
                    float backward)
{
    struct successor_view view = {0};
    if (row->count)
        view = successor_view(successors, row);
    row->forward_total += forward;
    row->backward_total += backward;
    uint32_t place = row->count ? kernel_find(view.items, row->count, item) : 0;
    if (place == row->count) {
        place = new_place(successors, row, &view);
        view.items[place] = item;
        view.forward[place] = view.backward[place] = 0;
    }
    view.forward[place] += forward;
    view.backward[place] += backward;
    while (place && rank_of(&view, place) > rank_of(&view, place - 1)) {
        swap_places(&view, place, place - 1);
        place--;
    }
}

static void row_shrink(const struct successors *successors, struct successor_row *row, float factor)
{
    struct successor_view view = successor_view(successors, row);
    for (uint32_t i = 0; i < row->count; i++) {
        view.forward[i] *= factor;
        view.backward[i] *= factor;
    }
    row->forward_total *= factor;
    row->backward_total *= factor;
}

/* The weight of a rule learned at session `number`, in the row's units. */
static float row_unit(const struct successors *successors, struct successor_row *row, uint32_t number)
{
    if (successors->decay_sessions <= 0)
        return 1;
    if (!row->count)
        row->base = number;
    float exponent = (float)(number - row->base) / successors->decay_sessions;
    if (exponent > FADING_MAX) {
        row_shrink(successors, row, power_decay((double)exponent, 1));
        row->base = number;
        return 1;
    }
    return power_exp2(exponent * 1.44269504f);
}

/* The rows of a session lie far apart in memory: all are fetched before the first is needed. (Always inlined: gcc takes
 * a function that only prefetches for one that does nothing.) */
static inline __attribute__((always_inline)) void prefetch_rows(const struct successors *successors,
                                                                const uint32_t *entries, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        const struct successor_row *row = &successors->rows[entries[i]];
        for (uint32_t j = 0; j < row->count; j += KERNEL_FIND_STEP)
            __builtin_prefetch(successor_view(successors, row).items + j);
    }
}

void successors_add(struct successors *successors, const uint32_t *entries, const float *weights, uint32_t length,
                    uint32_t number)
{
    prefetch_rows(successors, entries, length);
    for (uint32_t i = 0; i < length; i++) {
        struct successor_row *row = &successors->rows[entries[i]];
        float unit = row_unit(successors, row, number);
        for (uint32_t d = 1; d <= SUCCESSORS_DISTANCE_MAX; d++) {
            if (i + d < length && entries[i + d] != entries[i])
                row_add(successors, row, entries[i + d], unit * weights[i + d] * successors->forward[d - 1], 0);
            if (d <= i && entries[i - d] != entries[i])
                row_add(successors, row, entries[i - d], 0, unit * weights[i - d] * successors->backward[d - 1]);
        }
    }
}
