// SPDX-License-Identifier: Apache-2.0
#pragma once
/* successors: per item, weighted rules to the items that come soon after it (forward) or before it (backward) in
 * sessions. A row holds at most successors_max rules, kept nearly sorted: a rule that gains moves one place up past
 * weaker ones, and a new rule in a full row takes the place of the weakest near its end.
 *
 * Rules fade with the number of sessions learned since. Instead of shrinking old weights, new ones are written larger:
 * a row's weights are in units of its own `base` session, and are brought to a new one before they overflow. Within a
 * row only ratios matter. */
#include "core/candidates/blocks.h"

#include <eddy/core/learned.h>

#define SUCCESSORS_DISTANCE_MAX 8 /* clicks apart that still make a rule */

struct successor_row {
    uint32_t block; /* items (u32), forward (float), backward (float): `capacity` each; BLOCK_NONE: none yet */
    uint16_t count;
    uint16_t size_class;
    uint32_t base;                       /* session whose weight is 1 */
    float forward_total, backward_total; /* of all that was ever added, faded likewise; forgotten rules too */
};

struct successors {
    uint32_t row_max;
    float decay_sessions;
    float forward[SUCCESSORS_DISTANCE_MAX], backward[SUCCESSORS_DISTANCE_MAX]; /* by distance - 1 */
    struct successor_row *rows;                                                /* by entry */
    uint32_t entry_count, entry_capacity;
    struct blocks *blocks;
};

struct successor_view { /* a row's arrays */
    uint32_t *items;
    float *forward, *backward;
};

void successors_open(struct successors *successors, const struct learned_options *options, struct blocks *blocks);
void successors_release(struct successors *successors);
size_t successors_memory(const struct successors *successors); /* without the blocks */
MUST_CHECK struct status successors_reserve_entries(struct successors *successors, uint32_t entry_count);
/* Bytes of the blocks, at most, that up to `more` new rules of an entry take. */
size_t successors_growth(const struct successors *successors, uint32_t entry, uint32_t more);
/* Adds the rules of a session; blocks for them must have been reserved. `weights` are the clicks' own; `number` is the
 * session's, ascending. */
void successors_add(struct successors *successors, const uint32_t *entries, const float *weights, uint32_t length,
                    uint32_t number);

/* Gives the empty row of an entry room for `count` rules (<= row_max), for the caller to fill in. */
MUST_CHECK struct status successors_restore_row(struct successors *successors, uint32_t entry, uint16_t count,
                                                struct successor_view *ret_view);

static inline uint32_t successor_capacity(const struct successor_row *row)
{
    return row->block == BLOCK_NONE ? 0 : (BLOCK_UNIT << row->size_class) / (3 * (uint32_t)sizeof(uint32_t));
}

static inline struct successor_view successor_view(const struct successors *successors, const struct successor_row *row)
{
    uint32_t *items = blocks_at(successors->blocks, row->block);
    uint32_t capacity = successor_capacity(row);
    float *weights = (float *)(items + capacity);
    return (struct successor_view){items, weights, weights + capacity};
}
