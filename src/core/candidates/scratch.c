// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/scratch.h"

#include "core/candidates/power.h"

#include <stdlib.h>

#define SCAN_MAX   256 /* last clicks of a session that are looked at */
#define VOTE_LEAST 1e-4f

struct status scoring_scratch_open(struct scoring_scratch **ret_scratch)
{
    struct scoring_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch)
        return FAIL(MEMORY, 0, "no memory for the scoring scratch");
    *ret_scratch = scratch;
    return OK;
}

void neighbours_release(struct neighbours *neighbours)
{
    free(neighbours->ages_left);
    free(neighbours->similarities);
    free(neighbours->ranks);
    free(neighbours->buffer);
    *neighbours = (struct neighbours){0};
}

void votes_release(struct votes *votes)
{
    free(votes->words);
    free(votes->weights);
    *votes = (struct votes){0};
}

struct status votes_reserve(struct votes *votes, uint64_t wanted)
{
    votes->count = 0;
    wanted += VOTES_BEYOND;
    if (wanted <= votes->capacity)
        return OK;
    if (wanted > UINT32_MAX / 2)
        return FAIL(LIMIT, wanted, "too many votes");
    uint32_t capacity = 1024;
    while (capacity < wanted)
        capacity *= 2;
    votes_release(votes);
    votes->words = malloc(capacity * sizeof *votes->words);
    votes->weights = malloc(capacity * sizeof *votes->weights);
    if (!votes->words || !votes->weights) {
        votes_release(votes);
        return FAIL(MEMORY, capacity, "no memory for votes");
    }
    votes->capacity = capacity;
    return OK;
}

static void slate_release(struct scoring_scratch *scratch)
{
    free(scratch->touched);
    free(scratch->knn);
    free(scratch->transition);
    free(scratch->walk);
    free(scratch->sessions);
    free(scratch->scores);
    for (int i = 0; i < NAMER_COUNT; i++) {
        free(scratch->named[i]);
        scratch->named[i] = NULL;
    }
    scratch->touched = NULL;
    scratch->knn = scratch->transition = scratch->walk = scratch->sessions = scratch->scores = NULL;
    scratch->slate_capacity = 0;
}

void scoring_scratch_close(struct scoring_scratch *scratch)
{
    if (!scratch)
        return;
    neighbours_release(&scratch->neighbours);
    votes_release(&scratch->votes);
    slate_release(scratch);
    free(scratch->accumulators);
    free(scratch->cells);
    free(scratch->ranked);
    free(scratch->outsiders);
    free(scratch);
}

size_t scoring_scratch_memory(const struct scoring_scratch *scratch)
{
    return sizeof *scratch + scratch->accumulator_capacity * sizeof *scratch->accumulators +
           scratch->cell_capacity * sizeof *scratch->cells +
           (size_t)scratch->slate_capacity * (6 + NAMER_COUNT) * sizeof(float) +
           (size_t)scratch->neighbours.capacity * 6 * sizeof(uint32_t) +
           (size_t)scratch->votes.capacity * 2 * sizeof(uint32_t) + scratch->ranked_capacity * sizeof *scratch->ranked +
           scratch->outsider_capacity * sizeof *scratch->outsiders;
}

/* ---- tables */

static void tables_decays(struct tables *tables)
{
    const struct fusion_options *options = &tables->options;
    for (int i = 0; i < QUERY_ITEMS_MAX; i++) {
        tables->query_decay[i] = power_decay(i, (double)options->knn.query_decay);
        tables->match_decay[i] = power_decay(i, (double)options->knn.match_decay);
        tables->transition_decay[i] = power_decay(i, (double)options->transition.query_decay);
    }
}

static void tables_offsets(struct tables *tables)
{
    const struct knn_options *knn = &tables->options.knn;
    for (int i = 0; i < OFFSETS; i++) {
        int distance = i - LEARNED_SESSION_ITEMS_MAX;
        float weight = 1;
        if (knn->formula == KNN_EDDY && distance > 0)
            weight = power_decay(distance - 1, (double)knn->forward_decay);
        else if (knn->formula == KNN_EDDY && distance < 0)
            weight = knn->backward_weight * power_decay(-distance - 1, (double)knn->backward_decay);
        else if (knn->formula == KNN_EDDY)
            weight = knn->self_weight;
        tables->offsets[i] = weight;
    }
}

/* How far from the match a vote weighs more than VOTE_LEAST of the strongest. */
static uint32_t reach(const struct tables *tables, int step)
{
    const float *offsets = tables->offsets + LEARNED_SESSION_ITEMS_MAX;
    float strongest = 0;
    for (int i = -LEARNED_SESSION_ITEMS_MAX; i <= LEARNED_SESSION_ITEMS_MAX; i++)
        strongest = offsets[i] > strongest ? offsets[i] : strongest;
    uint32_t distance = LEARNED_SESSION_ITEMS_MAX;
    while (distance && !(offsets[step * (int)distance] > VOTE_LEAST * strongest))
        distance--;
    return distance;
}

static void tables_kinds(struct tables *tables)
{
    for (unsigned i = 0; i < WORD_KINDS; i++) {
        bool again = i & 1;
        float weight = tables->learned.type_weights[i >> 1];
        if (tables->options.knn.formula == KNN_VMIS)
            weight = again ? 0 : 1;
        tables->kind_factors[i] = (cell_vector){weight, 0, 0, 0};
        tables->kind_additions[i] = (cell_vector){0, 0, again ? 0 : 1, 1};
    }
}

static void tables_prepare(struct tables *tables, const struct fusion_options *options,
                           const struct learned_options *learned)
{
    /* NOLINTBEGIN(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): at worst they are made anew */
    if (tables->ready && !memcmp(&tables->options, options, sizeof *options) &&
        !memcmp(&tables->learned, learned, sizeof *learned))
        return;
    /* NOLINTEND(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c) */
    /* memcpy: padding too, so that the comparison above holds */
    memcpy(&tables->options, options, sizeof *options);
    memcpy(&tables->learned, learned, sizeof *learned);
    tables_decays(tables);
    tables_offsets(tables);
    tables->reach_back = reach(tables, -1);
    tables->reach_ahead = reach(tables, 1);
    tables_kinds(tables);
    tables->ready = true;
}

/* ---- growth */

static struct status accumulators_reserve(struct scoring_scratch *scratch, const struct index *index)
{
    if (index->slot_capacity <= scratch->accumulator_capacity)
        return OK;
    free(scratch->accumulators);
    scratch->accumulator_capacity = 0;
    scratch->accumulators = calloc(index->slot_capacity, sizeof *scratch->accumulators);
    if (!scratch->accumulators)
        return FAIL(MEMORY, index->slot_capacity, "no memory for similarities");
    scratch->accumulator_capacity = index->slot_capacity;
    scratch->stamp = 0;
    return OK;
}

static struct status cells_reserve(struct scoring_scratch *scratch, const struct learned *learned)
{
    if (learned->entry_count <= scratch->cell_capacity)
        return OK;
    free(scratch->cells);
    scratch->cell_capacity = 0;
    scratch->cells = calloc(learned->entry_capacity, sizeof *scratch->cells);
    if (!scratch->cells)
        return FAIL(MEMORY, learned->entry_capacity, "no memory for candidates");
    scratch->cell_capacity = learned->entry_capacity;
    return OK;
}

static uint64_t named_count(const struct query *query)
{
    uint64_t count = 0;
    for (int i = 0; i < NAMER_COUNT; i++)
        count += query->named[i].count;
    return count;
}

/* The most entries one question can touch, and one more. */
static uint32_t slate_bound(const struct learned *learned, const struct query *query,
                            const struct fusion_options *options)
{
    uint64_t bound =
        (uint64_t)options->knn.neighbours_max * learned->options.session_items_max +
        (uint64_t)(options->transition.query_items_max + options->walk.starts_max) * learned->options.successors_max +
        2 * (uint64_t)options->list_size + named_count(query) + query->length + 2 * QUERY_ITEMS_MAX;
    uint64_t all = (uint64_t)learned->entry_count + 2 * QUERY_ITEMS_MAX;
    return (uint32_t)(bound < all ? bound : all);
}

static struct status slate_reserve(struct scoring_scratch *scratch, uint32_t wanted)
{
    if (wanted <= scratch->slate_capacity)
        return OK;
    uint32_t capacity = 1024;
    while (capacity < wanted)
        capacity *= 2;
    slate_release(scratch);
    scratch->touched = malloc(capacity * sizeof *scratch->touched);
    scratch->knn = malloc(capacity * sizeof *scratch->knn);
    scratch->transition = malloc(capacity * sizeof *scratch->transition);
    scratch->walk = malloc(capacity * sizeof *scratch->walk);
    scratch->sessions = malloc(capacity * sizeof *scratch->sessions);
    scratch->scores = malloc(capacity * sizeof *scratch->scores);
    bool all_named = true;
    for (int i = 0; i < NAMER_COUNT; i++) {
        scratch->named[i] = malloc(capacity * sizeof *scratch->named[i]);
        all_named = all_named && scratch->named[i];
    }
    if (!scratch->touched || !scratch->knn || !scratch->transition || !scratch->walk || !scratch->sessions ||
        !scratch->scores || !all_named) {
        slate_release(scratch);
        return FAIL(MEMORY, capacity, "no memory for candidates");
    }
    scratch->slate_capacity = capacity;
    return OK;
}

static struct status outsiders_reserve(struct scoring_scratch *scratch, uint64_t count)
{
    scratch->outsider_count = 0;
    if (count <= scratch->outsider_capacity)
        return OK;
    struct outsider *outsiders = realloc(scratch->outsiders, count * sizeof *outsiders);
    if (!outsiders)
        return FAIL(MEMORY, count, "no memory for candidates");
    scratch->outsiders = outsiders;
    scratch->outsider_capacity = (uint32_t)count;
    return OK;
}

struct status scratch_reserve_ranked(struct scoring_scratch *scratch, uint32_t count)
{
    if (count <= scratch->ranked_capacity)
        return OK;
    struct ranked *ranked = realloc(scratch->ranked, count * sizeof *ranked);
    if (!ranked)
        return FAIL(MEMORY, count, "no memory for a list");
    scratch->ranked = ranked;
    scratch->ranked_capacity = count;
    return OK;
}

/* ---- a question */

static void recent_read(struct scoring_scratch *scratch, const struct learned *learned, const struct query *query)
{
    struct recent *recent = &scratch->recent;
    *recent = (struct recent){0};
    uint32_t skipped = query->length > SCAN_MAX ? query->length - SCAN_MAX : 0;
    for (uint32_t i = skipped; i < query->length; i++)
        recent_add(recent, query->items[i]);
    recent->clicks = query->length;
    for (uint32_t i = 0; i < recent->count; i++) {
        scratch->entries[i] = learned_entry(learned, recent->items[i]);
        scratch->weights[i] = learned->options.type_weights[CLICK_TYPE_CLICK];
    }
    if (!query->types)
        return;
    for (uint32_t rank = 0; rank < recent->count; rank++) {
        float weight = 0;
        for (uint32_t i = skipped; i < query->length; i++)
            if (query->items[i] == recent->items[rank] && query->types[i] < CLICK_TYPE_COUNT &&
                learned->options.type_weights[query->types[i]] > weight)
                weight = learned->options.type_weights[query->types[i]];
        scratch->weights[rank] = weight;
    }
}

/* Puts the session's items on the slate first: those of `recent` when they compete, all when they are left out. */
static void slate_begin(struct scoring_scratch *scratch, const struct learned *learned, const struct query *query)
{
    struct slate slate = {scratch->cells, scratch->touched, 0};
    for (uint32_t i = 0; i < scratch->recent.count; i++)
        if (scratch->entries[i] != ENTRY_NONE)
            slate_touch(&slate, scratch->entries[i]);
    if (scratch->tables.options.filters.seen == SEEN_EXCLUDE)
        for (uint32_t i = 0; i < query->length; i++) {
            uint32_t entry = learned_entry(learned, query->items[i]);
            if (entry != ENTRY_NONE)
                slate_touch(&slate, entry);
        }
    slate_close(scratch, &slate);
    scratch->seen_count = slate.count;
}

struct status scratch_begin(struct scoring_scratch *scratch, const struct learned *learned, const struct query *query,
                            const struct fusion_options *options)
{
    tables_prepare(&scratch->tables, options, &learned->options);
    TRY(accumulators_reserve(scratch, &learned->index));
    TRY(cells_reserve(scratch, learned));
    TRY(slate_reserve(scratch, slate_bound(learned, query, options)));
    TRY(outsiders_reserve(scratch, named_count(query)));
    recent_read(scratch, learned, query);
    slate_begin(scratch, learned, query);
    return OK;
}

void scratch_gather(struct scoring_scratch *scratch)
{
    for (uint32_t i = 0; i < scratch->touched_count; i++) {
        struct cell *cell = &scratch->cells[scratch->touched[i]];
        scratch->knn[i] = cell->knn;
        scratch->transition[i] = cell->transition;
        scratch->sessions[i] = cell->other;
        cell->knn = cell->other = 0;
    }
}

void scratch_end(struct scoring_scratch *scratch)
{
    for (uint32_t i = 0; i < scratch->touched_count; i++)
        scratch->cells[scratch->touched[i]] = (struct cell){.visits = 0};
    scratch->touched_count = 0;
}
