// SPDX-License-Identifier: Apache-2.0
#pragma once
/* The learned state from the inside, for the scorers (const) and the snapshot. */
#include "core/candidates/index.h"
#include "core/candidates/mixing.h"
#include "core/candidates/popularity.h"
#include "core/candidates/repeats.h"
#include "core/candidates/successors.h"

_Static_assert(LEARNED_ITEMS_MAX <= WORD_ENTRY_MASK, "an item's number fits into a click's word");

/* A session about to be learned, item numbers turned into entries. */
struct lesson {
    uint32_t clicks[LEARNED_SESSION_ITEMS_MAX]; /* entries, as they were clicked */
    uint32_t click_count;
    uint32_t entries[LEARNED_SESSION_ITEMS_MAX]; /* the same, an item clicked several times in a row once */
    float weights[LEARNED_SESSION_ITEMS_MAX];
    uint32_t words[LEARNED_SESSION_ITEMS_MAX];
    uint32_t length; /* of the last three */
};

struct learned {
    struct learned_options options;
    uint32_t *entries; /* by catalogue number; ENTRY_NONE: never learned */
    uint32_t map_capacity;
    uint32_t *items; /* catalogue number, by entry */
    uint32_t entry_count, entry_capacity;
    uint64_t count, version;
    struct blocks postings_blocks, rows_blocks;
    struct index index;
    struct successors successors;
    struct popularity popularity;
    struct repeats repeats;
    struct mixer mixer;
    struct lesson lesson;
};

static inline uint32_t learned_entry(const struct learned *learned, uint32_t item)
{
    return item < learned->map_capacity ? learned->entries[item] : ENTRY_NONE;
}

/* The number of an item met for the first time. */
MUST_CHECK struct status learned_add_entry(struct learned *learned, uint32_t item, uint32_t *ret_entry);
/* Arrays by entry for all entries there are. */
MUST_CHECK struct status learned_reserve_entries(struct learned *learned);
/* Sets WORD_AGAIN in the words of items that came before in the session. */
void learned_mark_again(uint32_t *words, uint32_t length);
