// SPDX-License-Identifier: Apache-2.0
#pragma once
/* repeats: how likely the next click is on the current item of the session again, or on an earlier one.
 *
 * Counts of what happened, by the session's situation: its length, whether the last two clicks are equal, whether the
 * item came several times, whether anything was repeated, and for earlier items how many distinct items ago. Small
 * cells lean on the sum over what is finer; an item's own record (seen against expected) tilts the odds. Counts are
 * halved where they grow large, so that a change of the shop's habits is learned. */
#include "core/candidates/recent.h"

#define REPEAT_LENGTHS 6  /* 1, 2, 3, 4..5, 6..9, 10 and more clicks */
#define REPEAT_RANKS   16 /* distinct items ago; the last for all beyond */

struct repeat_cell {
    double times, hits;
};

struct repeat_record { /* of one item */
    float current_seen, current_expected, earlier_seen, earlier_expected;
};

struct repeats {
    struct repeat_cell current[REPEAT_LENGTHS][2][2][2]; /* twice, item several times, anything repeated */
    struct repeat_cell current_sums[REPEAT_LENGTHS][2];
    struct repeat_cell earlier[REPEAT_LENGTHS][REPEAT_RANKS][2][2]; /* item several times, anything repeated */
    struct repeat_cell earlier_sums[REPEAT_RANKS][2][2];
    struct repeat_record *records; /* by entry */
    uint32_t entry_count, entry_capacity;
};

void repeats_open(struct repeats *repeats);
void repeats_release(struct repeats *repeats);
size_t repeats_memory(const struct repeats *repeats);
MUST_CHECK struct status repeats_reserve_entries(struct repeats *repeats, uint32_t entry_count);
/* Learns a session's clicks. */
void repeats_add(struct repeats *repeats, const uint32_t *entries, uint32_t length);

/* The probabilities that the next click is on the session's distinct items, by rank; each for itself, so their sum may
 * pass 1. `entries` are those of recent->items, ENTRY_NONE for items never learned. */
void repeats_probabilities(const struct repeats *repeats, const struct recent *recent, const uint32_t *entries,
                           const struct repeat_options *options, float *ret_probabilities);
