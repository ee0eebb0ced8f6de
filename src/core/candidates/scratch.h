// SPDX-License-Identifier: Apache-2.0
#pragma once
/* The scratch of one shard: dense arrays by session slot and by entry, and what the scorers hand each other for one
 * question. Dense arrays are all zero between questions, or marked by the question's stamp. */
#include "core/candidates/learned.h"

#include <eddy/core/fusion.h>

struct accumulator { /* of one past session */
    float similarity;
    uint32_t mark; /* stamp << MARK_RANK_BITS | rank of the latest item shared */
};
#define MARK_RANK_BITS 5
#define MARK_STAMP_MAX (UINT32_MAX >> MARK_RANK_BITS)

struct cell { /* of one entry; 16 bytes, so that it is one vector and in one cache line */
    union {
        float knn;
        uint32_t place; /* in touched, once all has been gathered */
    };
    float transition;
    float other;  /* first the neighbours that had it, then the walk's mass */
    float visits; /* how often something was added; 0: not on the slate */
};

typedef float cell_vector __attribute__((vector_size(16), may_alias));

/* A neighbour's words are taken in blocks of so many; what is read past its end is thrown away. */
#define VOTES_AT_ONCE 8

#define OFFSETS       (2 * LEARNED_SESSION_ITEMS_MAX + 1 + VOTES_AT_ONCE)

struct tables { /* of the options last asked with */
    struct fusion_options options;
    struct learned_options learned;
    bool ready;
    float query_decay[QUERY_ITEMS_MAX];
    float match_decay[QUERY_ITEMS_MAX];
    float transition_decay[QUERY_ITEMS_MAX];
    float offsets[OFFSETS];               /* by place of an item - place of the match + LEARNED_SESSION_ITEMS_MAX */
    uint32_t reach_back, reach_ahead;     /* places from the match whose votes are worth casting */
    cell_vector kind_factors[WORD_KINDS]; /* a vote for a word of that kind adds vote * factors + additions */
    cell_vector kind_additions[WORD_KINDS];
};

struct neighbours {      /* parallel arrays; first a sample, then those chosen of it */
    uint32_t *ages_left; /* number - oldest number: the greater, the newer */
    float *similarities;
    uint32_t *ranks;
    uint32_t *buffer;
    uint32_t count, capacity;
};

struct ranked { /* a candidate that may get into the list */
    float score;
    /* In touched; or PLACE_STRANGER | rank, an item of the session that was never learned; or PLACE_OUTSIDER | place in
     * outsiders. */
    uint32_t place;
};
#define PLACE_STRANGER 0x80000000u
#define PLACE_OUTSIDER 0x40000000u

struct outsider { /* a new item that was named and never learned: there is no place for it on the slate */
    uint32_t item;
    float named[NAMER_COUNT];
};

struct votes {       /* what a scorer adds to the slate, written down first, so that the cells can be fetched ahead */
    uint32_t *words; /* of the index; or just entries */
    float *weights;
    uint32_t count, capacity;
};
#define VOTES_BEYOND 16 /* places after the last that may be written, or are looked at ahead */

struct scoring_scratch {
    struct tables tables;
    struct accumulator *accumulators; /* by session slot */
    uint32_t accumulator_capacity;
    uint32_t stamp;
    struct neighbours neighbours;
    struct votes votes;
    uint32_t neighbour_base; /* number of the oldest session held */

    /* The question. */
    struct recent recent;                 /* of catalogue numbers */
    uint32_t entries[QUERY_ITEMS_MAX];    /* of these; ENTRY_NONE: never learned */
    float weights[QUERY_ITEMS_MAX];       /* of their clicks' types */
    float probabilities[QUERY_ITEMS_MAX]; /* that they come again */

    /* The slate: entries with a mass, in the order touched, session items first. */
    struct cell *cells; /* by entry */
    uint32_t cell_capacity;
    uint32_t *touched;
    float *knn, *transition, *walk, *sessions, *scores; /* parallel to touched */
    float *named[NAMER_COUNT];                          /* too; not written where it has no unit */
    uint32_t touched_count, seen_count, slate_capacity;
    uint32_t starts[WALK_STARTS_MAX]; /* places in touched the walk started from */
    uint32_t start_count;
    float named_units[NAMER_COUNT], popular_unit; /* what probabilities and popularity were multiplied with */
    struct outsider *outsiders;
    uint32_t outsider_count, outsider_capacity;
    struct ranked *ranked;
    uint32_t ranked_capacity;
};

void neighbours_release(struct neighbours *neighbours);
void votes_release(struct votes *votes);
/* Empties the votes and makes room for `wanted`. */
MUST_CHECK struct status votes_reserve(struct votes *votes, uint64_t wanted);

/* Makes the scratch fit for a question: tables of the options, arrays of the learned state's size, the session's
 * items. The slate is empty but for the session's own items. */
MUST_CHECK struct status scratch_begin(struct scoring_scratch *scratch, const struct learned *learned,
                                       const struct query *query, const struct fusion_options *options);
/* Takes the masses out of the cells into the arrays knn, transition and sessions; their places are 0 then. */
void scratch_gather(struct scoring_scratch *scratch);
/* Room in `ranked`. */
MUST_CHECK struct status scratch_reserve_ranked(struct scoring_scratch *scratch, uint32_t count);
/* Leaves the slate's cells zero again. */
void scratch_end(struct scoring_scratch *scratch);

static inline bool query_has_item(const struct query *query, uint32_t item)
{
    for (uint32_t i = query->length; i--;)
        if (query->items[i] == item)
            return true;
    return false;
}

/* The slate for a loop that adds to it: its count stays in a register. Put back with slate_close(). */
struct slate {
    struct cell *cells;
    uint32_t *touched;
    uint32_t count;
};

static inline struct slate slate_open(const struct scoring_scratch *scratch)
{
    return (struct slate){scratch->cells, scratch->touched, scratch->touched_count};
}

/* True when nothing was added to the cell yet. (As an integer: a comparison of floats asks about NaN, too.) */
static inline bool cell_is_fresh(const struct cell *cell)
{
    uint32_t bits;
    memcpy(&bits, &cell->visits, sizeof bits);
    return !bits;
}

static inline struct cell *slate_touch(struct slate *slate, uint32_t entry)
{
    struct cell *cell = &slate->cells[entry];
    slate->touched[slate->count] = entry; /* one place more than can be touched is there */
    slate->count += cell_is_fresh(cell);
    cell->visits += 1;
    return cell;
}

static inline void slate_close(struct scoring_scratch *scratch, const struct slate *slate)
{
    scratch->touched_count = slate->count;
}
