// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/kernels.h"
#include "core/candidates/power.h"
#include "core/candidates/scorers.h"
#include "core/candidates/select.h"

#include <stdlib.h>

#define LOG2_E 1.44269504f

/* An item of the session whose postings are looked up. */
struct lookup {
    uint32_t entry;
    uint32_t rank;
    float weight;
};

/* Idf over the sessions held; 0.1 at least, so that an item that nearly every session has still finds some. */
static float idf(const struct learned *learned, uint32_t entry)
{
    float idf =
        (power_log2((float)(learned->index.count ? learned->index.count : 1)) - learned->index.logs[entry]) / LOG2_E;
    return idf > 0.1f ? idf : 0.1f;
}

static uint32_t lookups_eddy(const struct learned *learned, const struct scoring_scratch *scratch,
                             struct lookup *lookups)
{
    const struct knn_options *options = &scratch->tables.options.knn;
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < scratch->recent.count && rank < options->query_items_max; rank++) {
        uint32_t entry = scratch->entries[rank];
        if (entry == ENTRY_NONE)
            continue;
        float weight = scratch->tables.query_decay[rank] * scratch->weights[rank];
        if (options->query_idf_power > 0)
            weight *= power_of(idf(learned, entry), options->query_idf_power);
        lookups[count++] = (struct lookup){entry, rank, weight};
    }
    return count;
}

/* Serenade weighs an item by its place from the start of the last clicks, over the number of distinct items there;
 * without that division, which is the same for all, sums are whole numbers and ties are exact. */
static uint32_t lookups_vmis(const struct learned *learned, const struct query *query,
                             const struct knn_options *options, struct lookup *lookups)
{
    uint32_t window = query->length < options->query_items_max ? query->length : options->query_items_max;
    uint32_t count = 0;
    for (uint32_t back = 0; back < window; back++) {
        uint32_t entry = learned_entry(learned, query->items[query->length - 1 - back]);
        bool known = entry == ENTRY_NONE;
        for (uint32_t i = 0; i < count && !known; i++)
            known = lookups[i].entry == entry;
        if (!known)
            lookups[count++] = (struct lookup){entry, back, (float)(window - back)};
    }
    return count;
}

/* The oldest session that can be among the sample_max newest of the union: every list alone bounds it. */
static uint32_t oldest_in_sample(const struct index *index, const struct lookup *lookups, uint32_t count,
                                 uint32_t sample_max)
{
    uint32_t base = index->next - index->count, oldest = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct postings *postings = &index->postings[lookups[i].entry];
        if (postings->count < sample_max)
            continue;
        const uint32_t *ring = blocks_at(index->blocks, postings->block);
        uint32_t mask = ((uint32_t)POSTINGS_FIRST << postings->size_class) - 1;
        uint32_t number = ring[(postings->first + postings->count - sample_max) & mask];
        if (number - base > oldest)
            oldest = number - base;
    }
    return oldest;
}

/* Room for all sessions of the lookups; the buffer is three times as long. */
static struct status neighbours_reserve(struct neighbours *neighbours, const struct index *index,
                                        const struct lookup *lookups, uint32_t count)
{
    uint32_t wanted = 1; /* one place is written beyond the last */
    for (uint32_t i = 0; i < count; i++)
        wanted += index->postings[lookups[i].entry].count;
    if (wanted <= neighbours->capacity)
        return OK;
    uint32_t capacity = neighbours->capacity ? neighbours->capacity : 1024;
    while (capacity < wanted)
        capacity *= 2;
    neighbours_release(neighbours);
    neighbours->ages_left = malloc(capacity * sizeof *neighbours->ages_left);
    neighbours->similarities = malloc(capacity * sizeof *neighbours->similarities);
    neighbours->ranks = malloc(capacity * sizeof *neighbours->ranks);
    neighbours->buffer = malloc((size_t)capacity * 3 * sizeof *neighbours->buffer);
    if (!neighbours->ages_left || !neighbours->similarities || !neighbours->ranks || !neighbours->buffer) {
        neighbours_release(neighbours);
        return FAIL(MEMORY, capacity, "no memory for neighbours");
    }
    neighbours->capacity = capacity;
    return OK;
}

/* Adds the sessions of one item, newest first, down to `oldest`. */
static uint32_t sample_item(const struct index *index, const struct lookup *lookup, uint32_t oldest,
                            struct scoring_scratch *scratch, uint32_t found)
{
    const struct postings *postings = &index->postings[lookup->entry];
    if (!postings->count)
        return found;
    const uint32_t *ring = blocks_at(index->blocks, postings->block);
    const uint32_t mask = ((uint32_t)POSTINGS_FIRST << postings->size_class) - 1;
    const uint32_t slot_mask = index->slot_capacity - 1, base = index->next - index->count;
    const uint32_t stamp = scratch->stamp, mark = stamp << MARK_RANK_BITS | lookup->rank;
    const uint32_t count = postings->count, newest = postings->first + count - 1;
    const float weight = lookup->weight;
    struct accumulator *accumulators = scratch->accumulators;
    uint32_t *ages_left = scratch->neighbours.ages_left;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = ring[(newest - i) & mask], left = number - base;
        __builtin_prefetch(&accumulators[ring[(newest - i - 12) & mask] & slot_mask], 1);
        if (left < oldest)
            break;
        struct accumulator *accumulator = &accumulators[number & slot_mask];
        struct accumulator old = *accumulator;
        bool fresh = old.mark >> MARK_RANK_BITS != stamp;
        *accumulator = (struct accumulator){(fresh ? 0 : old.similarity) + weight, fresh ? mark : old.mark};
        ages_left[found] = left;
        found += fresh;
    }
    return found;
}

/* Keeps the sample_max newest. */
static void sample_cut(struct neighbours *neighbours, uint32_t sample_max)
{
    if (neighbours->count <= sample_max)
        return;
    uint32_t oldest = select_kth(neighbours->ages_left, neighbours->count, sample_max, neighbours->buffer);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < neighbours->count; i++) {
        uint32_t left = neighbours->ages_left[i];
        neighbours->ages_left[kept] = left;
        kept += left >= oldest;
    }
    neighbours->count = kept;
}

/* Reads the sample's similarities and lets them fade with age. */
static void sample_weigh(const struct learned *learned, const struct query *query, struct scoring_scratch *scratch)
{
    struct neighbours *neighbours = &scratch->neighbours;
    const struct tables *tables = &scratch->tables;
    const struct knn_options *options = &tables->options.knn;
    const struct index *index = &learned->index;
    const uint32_t slot_mask = index->slot_capacity - 1, base = scratch->neighbour_base;
    bool plain = options->formula == KNN_VMIS;
    for (uint32_t i = 0; i < neighbours->count; i++) {
        const struct accumulator *accumulator = &scratch->accumulators[(base + neighbours->ages_left[i]) & slot_mask];
        uint32_t rank = accumulator->mark & ((1u << MARK_RANK_BITS) - 1);
        neighbours->ranks[i] = rank;
        neighbours->similarities[i] = accumulator->similarity * (plain ? 1 : tables->match_decay[rank]);
    }
    if (plain)
        return;
    uint32_t *ages = neighbours->buffer;
    if (options->recency_sessions > 0) {
        for (uint32_t i = 0; i < neighbours->count; i++)
            ages[i] = index->count - 1 - neighbours->ages_left[i];
        kernel_fade(neighbours->similarities, ages, neighbours->count, LOG2_E / options->recency_sessions);
    }
    if (options->recency_ms > 0) {
        int64_t now_s = query->now_ms / 1000;
        for (uint32_t i = 0; i < neighbours->count; i++) {
            int64_t age_s = now_s - (int64_t)index->times_s[(base + neighbours->ages_left[i]) & slot_mask];
            ages[i] = age_s < 0 ? 0 : age_s > INT32_MAX ? INT32_MAX : (uint32_t)age_s;
        }
        kernel_fade(neighbours->similarities, ages, neighbours->count, LOG2_E * 1000 / (float)options->recency_ms);
    }
}

/* Keeps the neighbours_max most similar, the newer of equals. */
static void sample_choose(struct neighbours *neighbours, uint32_t neighbours_max)
{
    if (neighbours->count <= neighbours_max)
        return;
    uint32_t *equals = neighbours->buffer, *keys = equals + neighbours->capacity, *buffer = keys + neighbours->capacity;
    memcpy(keys, neighbours->similarities, neighbours->count * sizeof *keys); /* floats > 0 are in their bits' order */
    uint32_t least = select_kth(keys, neighbours->count, neighbours_max, buffer);
    uint32_t greater = 0, equal = 0;
    for (uint32_t i = 0; i < neighbours->count; i++) {
        equals[equal] = neighbours->ages_left[i];
        equal += keys[i] == least;
        greater += keys[i] > least;
    }
    uint32_t oldest = select_kth(equals, equal, neighbours_max - greater, buffer);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < neighbours->count; i++) {
        uint32_t left = neighbours->ages_left[i];
        bool keep = keys[i] > least || (keys[i] == least && left >= oldest);
        neighbours->ages_left[kept] = left;
        neighbours->similarities[kept] = neighbours->similarities[i];
        neighbours->ranks[kept] = neighbours->ranks[i];
        kept += keep;
    }
    neighbours->count = kept;
}

static struct status choose_neighbours(const struct learned *learned, const struct query *query,
                                       struct scoring_scratch *scratch, struct lookup *lookups, uint32_t *ret_lookups)
{
    const struct knn_options *options = &scratch->tables.options.knn;
    const struct index *index = &learned->index;
    struct neighbours *neighbours = &scratch->neighbours;
    uint32_t count = options->formula == KNN_VMIS ? lookups_vmis(learned, query, options, lookups)
                                                  : lookups_eddy(learned, scratch, lookups);
    TRY(neighbours_reserve(neighbours, index, lookups, count));
    if (scratch->stamp == MARK_STAMP_MAX) {
        memset(scratch->accumulators, 0, scratch->accumulator_capacity * sizeof *scratch->accumulators);
        scratch->stamp = 0;
    }
    scratch->stamp++;
    scratch->neighbour_base = index->next - index->count;
    uint32_t oldest = oldest_in_sample(index, lookups, count, options->sample_max);
    neighbours->count = 0;
    for (uint32_t i = 0; i < count; i++)
        neighbours->count = sample_item(index, &lookups[i], oldest, scratch, neighbours->count);
    sample_cut(neighbours, options->sample_max);
    sample_weigh(learned, query, scratch);
    sample_choose(neighbours, options->neighbours_max);
    *ret_lookups = count;
    return OK;
}

/* What each neighbour's votes weigh; replaces the similarities. */
static void weigh_votes(struct scoring_scratch *scratch)
{
    const struct knn_options *options = &scratch->tables.options.knn;
    struct neighbours *neighbours = &scratch->neighbours;
    float *weights = neighbours->similarities;
    if (options->formula == KNN_VMIS) {
        for (uint32_t i = 0; i < neighbours->count; i++)
            weights[i] *= neighbours->ranks[i] < 9 ? 1 - 0.1f * (float)(neighbours->ranks[i] + 1) : 0;
    } else if (options->similarity_power != 1) {
        kernel_power(weights, neighbours->count, options->similarity_power);
    }
}

/* The last place of an entry among `length` words; it is there. Without a branch for short sessions, which are most:
 * where in a session the match is cannot be guessed. */
static uint32_t match_place(const uint32_t *words, uint32_t length, uint32_t entry)
{
    uint32_t place = 0;
    if (length <= VOTES_AT_ONCE) {
        for (uint32_t i = 0; i < VOTES_AT_ONCE; i++)
            place = (words[i] & WORD_ENTRY_MASK) == entry && i < length ? i : place;
        return place;
    }
    for (place = length - 1; place && (words[place] & WORD_ENTRY_MASK) != entry;)
        place--;
    return place;
}

/* Sessions lie far apart in memory: they are fetched some neighbours ahead. (Always inlined: gcc takes a function that
 * only prefetches for one that does nothing.) */
static inline __attribute__((always_inline)) void
prefetch_session(const struct index *index, const struct neighbours *neighbours, uint32_t base, uint32_t place)
{
    const uint32_t slot_mask = index->slot_capacity - 1;
    if (place + 32 < neighbours->count)
        __builtin_prefetch(&index->begins[(base + neighbours->ages_left[place + 32]) & slot_mask]);
    if (place + 16 < neighbours->count) {
        const uint32_t *words = index_session(index, base + neighbours->ages_left[place + 16]);
        __builtin_prefetch(words);
        __builtin_prefetch(words + 8);
    }
}

/* Writes down what every neighbour votes for. */
static void collect_votes(const struct index *index, struct scoring_scratch *scratch)
{
    const struct neighbours *neighbours = &scratch->neighbours;
    const struct tables *tables = &scratch->tables;
    const float *offsets = tables->offsets + LEARNED_SESSION_ITEMS_MAX;
    const uint32_t base = scratch->neighbour_base, count = neighbours->count;
    const bool placed = tables->options.knn.formula == KNN_EDDY;
    uint32_t *to_words = scratch->votes.words;
    float *to_weights = scratch->votes.weights;
    for (uint32_t i = 0; i < count; i++) {
        prefetch_session(index, neighbours, base, i);
        const uint32_t *words = index_session(index, base + neighbours->ages_left[i]) + 1;
        uint32_t length = words[-1];
        uint32_t match = placed ? match_place(words, length, scratch->entries[neighbours->ranks[i]]) : 0;
        uint32_t from = match > tables->reach_back ? match - tables->reach_back : 0;
        uint32_t to = match + tables->reach_ahead < length ? match + tables->reach_ahead + 1 : length;
        const float *weights = offsets - match;
        float weight = neighbours->similarities[i];
        for (uint32_t block = from; block < to; block += VOTES_AT_ONCE) {
            for (uint32_t j = 0; j < VOTES_AT_ONCE; j++) {
                to_words[block - from + j] = words[block + j];
                to_weights[block - from + j] = weight * weights[block + j];
            }
        }
        to_words += to - from;
        to_weights += to - from;
    }
    memset(to_words, 0, VOTES_BEYOND * sizeof *to_words);
    scratch->votes.count = (uint32_t)(to_words - scratch->votes.words);
}

static void cast_votes(struct scoring_scratch *scratch)
{
    const uint32_t *words = scratch->votes.words, count = scratch->votes.count;
    const float *weights = scratch->votes.weights;
    const struct tables *tables = &scratch->tables;
    struct slate slate = slate_open(scratch);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = words[i] & WORD_ENTRY_MASK, kind = words[i] >> WORD_ENTRY_BITS;
        __builtin_prefetch(&slate.cells[words[i + VOTES_BEYOND - 1] & WORD_ENTRY_MASK], 1);
        struct cell *cell = &slate.cells[entry];
        slate.touched[slate.count] = entry;
        slate.count += cell_is_fresh(cell);
        cell_vector *vector = (cell_vector *)cell;
        *vector += weights[i] * tables->kind_factors[kind] + tables->kind_additions[kind];
    }
    slate_close(scratch, &slate);
}

struct status knn_score(const struct learned *learned, const struct query *query, struct scoring_scratch *scratch)
{
    struct lookup lookups[QUERY_ITEMS_MAX];
    uint32_t count;
    TRY(choose_neighbours(learned, query, scratch, lookups, &count));
    TRY(votes_reserve(&scratch->votes,
                      (uint64_t)scratch->neighbours.count * learned->options.session_items_max + VOTES_AT_ONCE));
    weigh_votes(scratch);
    collect_votes(&learned->index, scratch);
    cast_votes(scratch);
    return OK;
}

void knn_finish(const struct learned *learned, struct scoring_scratch *scratch)
{
    const struct knn_options *options = &scratch->tables.options.knn;
    const struct index *index = &learned->index;
    uint32_t count = scratch->touched_count;
    float *logs = scratch->scores; /* not used yet */
    for (uint32_t i = 0; i < count; i++)
        logs[i] = index->logs[scratch->touched[i]];
    if (options->formula == KNN_EDDY) {
        kernel_sharpen(scratch->knn, logs, count, options->frequency_power, options->sharpness);
        return;
    }
    float all = power_log2((float)(index->pair_count ? index->pair_count : 1));
    for (uint32_t i = 0; i < count; i++)
        scratch->knn[i] *= (all - logs[i]) / LOG2_E;
}

const uint32_t *knn_neighbours(const struct scoring_scratch *scratch, uint32_t *ret_count)
{
    *ret_count = scratch->neighbours.count;
    return scratch->neighbours.ages_left;
}

struct status knn_alone(const struct learned *learned, const struct query *query, const struct knn_options *options,
                        struct scoring_scratch *scratch, struct scored_item *ret_items, uint32_t capacity,
                        uint32_t *ret_count)
{
    struct fusion_options fusion = {.list_size = capacity, .knn = *options};
    TRY(scratch_begin(scratch, learned, query, &fusion));
    struct status status = knn_score(learned, query, scratch);
    if (failed(status)) {
        scratch_end(scratch);
        return status;
    }
    scratch_gather(scratch);
    knn_finish(learned, scratch);
    uint32_t count = 0, current = learned_entry(learned, query->items[query->length - 1]);
    float least = 0;
    for (uint32_t i = 0; i < scratch->touched_count; i++) {
        float score = scratch->knn[i];
        if (!(score > least) || scratch->touched[i] == current)
            continue;
        uint32_t place = count < capacity ? count++ : count - 1;
        for (; place && ret_items[place - 1].score < score; place--)
            ret_items[place] = ret_items[place - 1];
        ret_items[place] = (struct scored_item){learned->items[scratch->touched[i]], score};
        least = count == capacity ? ret_items[count - 1].score : 0;
    }
    scratch_end(scratch);
    *ret_count = count;
    return OK;
}
