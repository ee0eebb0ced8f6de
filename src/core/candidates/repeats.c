// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/repeats.h"

#include <stdlib.h>

#define CELL_PRIOR    20.0 /* times a cell's sum counts for in it */
#define CELL_MAX      (1 << 20)
#define RECORD_MAX    4096.0f
#define CURRENT_HITS  1.0 /* before anything is learned: 1 in 10, 1 in 40 */
#define CURRENT_TIMES 10.0
#define EARLIER_HITS  0.5
#define EARLIER_TIMES 20.0

void repeats_open(struct repeats *repeats)
{
    *repeats = (struct repeats){0};
}

void repeats_release(struct repeats *repeats)
{
    free(repeats->records);
    *repeats = (struct repeats){0};
}

size_t repeats_memory(const struct repeats *repeats)
{
    return repeats->entry_capacity * sizeof *repeats->records;
}

struct status repeats_reserve_entries(struct repeats *repeats, uint32_t entry_count)
{
    if (entry_count > repeats->entry_capacity) {
        uint32_t capacity = repeats->entry_capacity ? repeats->entry_capacity : 1024;
        while (capacity < entry_count)
            capacity *= 2;
        struct repeat_record *records = realloc(repeats->records, capacity * sizeof *records);
        if (!records)
            return FAIL(MEMORY, capacity, "no memory for the repeats");
        repeats->records = records;
        repeats->entry_capacity = capacity;
    }
    for (; repeats->entry_count < entry_count; repeats->entry_count++)
        repeats->records[repeats->entry_count] = (struct repeat_record){0};
    return OK;
}

/* The situation of a session, as indices into the counts. */
struct situation {
    unsigned length;   /* bucket */
    unsigned twice;    /* the last two clicks are equal */
    unsigned repeated; /* anything came again, an item clicked twice at the end aside */
};

static unsigned length_bucket(uint32_t clicks)
{
    if (clicks <= 3)
        return clicks - 1;
    return clicks <= 5 ? 3 : clicks <= 9 ? 4 : 5;
}

static struct situation situation_of(const struct recent *recent)
{
    return (struct situation){.length = length_bucket(recent->clicks),
                              .twice = recent->twice,
                              .repeated = recent->count < recent->clicks - recent->twice};
}

static unsigned rank_bucket(uint32_t rank)
{
    return rank < REPEAT_RANKS ? rank : REPEAT_RANKS - 1;
}

static double cell_probability(const struct repeat_cell *cell, const struct repeat_cell *sum, double hits, double times)
{
    double average = (sum->hits + hits) / (sum->times + times);
    return (cell->hits + CELL_PRIOR * average) / (cell->times + CELL_PRIOR);
}

static double current_probability(const struct repeats *repeats, struct situation at, unsigned several)
{
    return cell_probability(&repeats->current[at.length][at.twice][several][at.repeated],
                            &repeats->current_sums[at.length][at.twice], CURRENT_HITS, CURRENT_TIMES);
}

static double earlier_probability(const struct repeats *repeats, struct situation at, unsigned rank, unsigned several)
{
    return cell_probability(&repeats->earlier[at.length][rank][several][at.repeated],
                            &repeats->earlier_sums[rank][several][at.repeated], EARLIER_HITS, EARLIER_TIMES);
}

static unsigned current_several(const struct recent *recent)
{
    return recent->counts[0] > 1 + recent->twice;
}

/* ---- learning */

static void cell_count(struct repeat_cell *cell, bool hit)
{
    if (cell->times >= CELL_MAX) {
        cell->times /= 2;
        cell->hits /= 2;
    }
    cell->times++;
    cell->hits += hit;
}

static void record_count(float *seen, float *expected, bool hit, double probability)
{
    if (*expected >= RECORD_MAX) {
        *seen /= 2;
        *expected /= 2;
    }
    *expected += (float)probability;
    *seen += hit;
}

static void learn_click(struct repeats *repeats, const struct recent *recent, uint32_t next)
{
    struct situation at = situation_of(recent);
    unsigned several = current_several(recent);
    bool hit = recent->items[0] == next;
    struct repeat_record *record = &repeats->records[recent->items[0]];
    record_count(&record->current_seen, &record->current_expected, hit, current_probability(repeats, at, several));
    cell_count(&repeats->current[at.length][at.twice][several][at.repeated], hit);
    cell_count(&repeats->current_sums[at.length][at.twice], hit);
    for (uint32_t i = 1; i < recent->count; i++) {
        unsigned rank = rank_bucket(i);
        several = recent->counts[i] > 1;
        hit = recent->items[i] == next;
        record = &repeats->records[recent->items[i]];
        record_count(&record->earlier_seen, &record->earlier_expected, hit,
                     earlier_probability(repeats, at, rank, several));
        cell_count(&repeats->earlier[at.length][rank][several][at.repeated], hit);
        cell_count(&repeats->earlier_sums[rank][several][at.repeated], hit);
    }
}

void repeats_add(struct repeats *repeats, const uint32_t *entries, uint32_t length)
{
    struct recent recent = {0};
    for (uint32_t i = 0; i + 1 < length; i++) {
        recent_add(&recent, entries[i]);
        learn_click(repeats, &recent, entries[i + 1]);
    }
}

/* ---- asking */

/* The odds of `probability`, times what the item's record says. */
static float tilt(double probability, double seen, double expected, double prior)
{
    double ratio = prior > 0 ? (seen + prior) / (expected + prior) : 1;
    return (float)(probability * ratio / (probability * ratio + 1 - probability));
}

void repeats_probabilities(const struct repeats *repeats, const struct recent *recent, const uint32_t *entries,
                           const struct repeat_options *options, float *ret_probabilities)
{
    static const struct repeat_record unknown = {0};
    struct situation at = situation_of(recent);
    for (uint32_t i = 0; i < recent->count; i++) {
        const struct repeat_record *record = entries[i] == ENTRY_NONE ? &unknown : &repeats->records[entries[i]];
        if (i == 0)
            ret_probabilities[i] =
                tilt(current_probability(repeats, at, current_several(recent)), (double)record->current_seen,
                     (double)record->current_expected, (double)options->current_prior);
        else
            ret_probabilities[i] =
                tilt(earlier_probability(repeats, at, rank_bucket(i), recent->counts[i] > 1),
                     (double)record->earlier_seen, (double)record->earlier_expected, (double)options->earlier_prior);
    }
}
