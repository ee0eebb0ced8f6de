// SPDX-License-Identifier: Apache-2.0
#pragma once
/* index: the newest sessions, and per item the newest of them that have it.
 *
 *   sessions   ring of slots by session number; their clicks stand in one ring of words, each session in one piece:
 *              its length, then a word per click
 *   postings   per item a ring of session numbers, oldest first, grown by doubling up to postings_max
 *
 * Session numbers ascend by 1 from 0 and wrap at 2^32; an age (newest - number) never does. Items are entries: the
 * learned state's own item numbers. A click's word is its entry, its type, and whether the session had the item
 * before. Changes come in two steps: the reserving functions may fail and change nothing that is visible; index_add()
 * then cannot fail. */
#include "core/candidates/blocks.h"

#include <eddy/core/learned.h>

#define ENTRY_NONE      UINT32_MAX

#define WORD_ENTRY_BITS 29
#define WORD_ENTRY_MASK ((1u << WORD_ENTRY_BITS) - 1)
#define WORD_AGAIN      (1u << WORD_ENTRY_BITS) /* not the item's first click in this session */
#define WORD_TYPE_SHIFT (WORD_ENTRY_BITS + 1)
#define WORD_KINDS      8 /* of type and again: word >> WORD_ENTRY_BITS */

struct postings {
    uint32_t block; /* of session numbers, a ring of POSTINGS_FIRST << size_class; BLOCK_NONE: none yet */
    uint32_t first; /* place of the oldest */
    uint32_t count;
    uint32_t size_class;
};

#define INDEX_WORDS_BEYOND 16 /* words that may be read beyond any session */
#define POSTINGS_FIRST     (BLOCK_UNIT / sizeof(uint32_t))

struct index {
    uint32_t sessions_max, postings_max;
    uint32_t *begins;  /* of a session's words, by number & (slot_capacity - 1) */
    uint32_t *times_s; /* end of the session, since the epoch, likewise */
    uint32_t slot_capacity;
    uint32_t *words; /* ring of word_capacity */
    uint32_t word_capacity;
    uint32_t word_end;         /* where the next session's words go, if they fit before the ring's end */
    uint32_t word_count;       /* of the sessions held */
    uint32_t next;             /* number of the next session */
    uint32_t count;            /* sessions held: numbers next - count .. next - 1 */
    uint64_t forgotten;        /* sessions that left since it was opened */
    uint64_t pair_count;       /* (session, item) pairs held */
    struct postings *postings; /* by entry */
    uint32_t *frequencies;     /* by entry: sessions held that have it */
    float *logs;               /* by entry: log2 of that, at least 0 */
    uint32_t entry_count, entry_capacity;
    struct blocks *blocks;
};

void index_open(struct index *index, const struct learned_options *options, struct blocks *blocks);
void index_release(struct index *index);
size_t index_memory(const struct index *index); /* without the blocks */

/* Room for entries below entry_count. */
MUST_CHECK struct status index_reserve_entries(struct index *index, uint32_t entry_count);
/* Room for a session of `length` words; blocks for what index_growth() says in sum must have been reserved. */
MUST_CHECK struct status index_reserve(struct index *index, uint32_t length);
/* Bytes of blocks that another posting of an entry takes. */
size_t index_growth(const struct index *index, uint32_t entry);
/* Adds a session; the oldest leave at sessions_max, or at 2^30 words. */
void index_add(struct index *index, const uint32_t *words, uint32_t length, uint32_t time_s);

/* A session's words: the first is how many follow. */
static inline const uint32_t *index_session(const struct index *index, uint32_t number)
{
    return index->words + index->begins[number & (index->slot_capacity - 1)];
}
