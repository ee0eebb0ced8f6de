// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/kernels.h"
#include "core/candidates/power.h"
#include "core/candidates/scorers.h"
#include "core/fusion/list.h"

#include <eddy/core/neural.h>

#define EVIDENCE_FLOOR 0.002f /* share of the votes a session item has at least */
#define NAMED_LEAST    1e-3f  /* of a namer's probabilities, on new items; with less it has nothing to say */
#define MASS_LEAST     1e-20f
#define POPULAR_LEAST  1e-5f /* of popularity, on new items */

static const enum mix_scorer mix_of[NAMER_COUNT] = {MIX_NEURAL, MIX_SEMANTIC, MIX_AGENT};

/* What the scorers have to say on one question, before it is mixed. */
struct say {
    uint32_t cell;
    bool awake[MIX_SCORERS];
    float sums[MIX_SCORERS]; /* what each says of new items in all */
    float repeats;
};

static float sum_of(const float *values, uint32_t from, uint32_t to)
{
    return kernel_sum(values + from, to - from);
}

static void hear(struct say *say, enum mix_scorer scorer, float sum, float least)
{
    say->sums[scorer] = sum;
    say->awake[scorer] = sum > least;
}

static uint32_t cell_of(const struct learned *learned, const struct scoring_scratch *scratch)
{
    uint32_t last = scratch->entries[0];
    return mix_cell_of(scratch->recent.count, last == ENTRY_NONE ? 0 : learned->index.logs[last]);
}

/* The probabilities that the session's items come again, sharpened by their share of the neighbours' votes; returns
 * their sum. They are 0 when session items are left out. */
static float score_repeats(const struct learned *learned, struct scoring_scratch *scratch, uint32_t cell)
{
    const struct fusion_options *options = &scratch->tables.options;
    float *probabilities = scratch->probabilities;
    if (options->filters.seen == SEEN_EXCLUDE) {
        memset(probabilities, 0, sizeof scratch->probabilities);
        return 0;
    }
    repeats_probabilities(&learned->repeats, &scratch->recent, scratch->entries, &options->repeat, probabilities);
    float votes = sum_of(scratch->knn, 0, scratch->touched_count), sum = 0;
    for (uint32_t i = 0, place = 0; i < scratch->recent.count; i++) {
        float vote = scratch->entries[i] == ENTRY_NONE ? 0 : scratch->knn[place++];
        float share = EVIDENCE_FLOOR + (votes > 0 ? vote / votes : 0);
        float power = options->repeat.evidence_power;
        probabilities[i] = options->repeat.scale * power_of(probabilities[i], 1 - power) * power_of(share, power);
        sum += probabilities[i];
    }
    float repeats = mixer_repeats(&learned->mixer, cell, sum);
    for (uint32_t i = 0; i < scratch->recent.count; i++)
        probabilities[i] = sum > 0 ? probabilities[i] * (repeats / sum) : 0;
    return repeats;
}

/* What kNN and transition say together, in scratch->scores, as one distribution: where the walk starts. */
static void mix_first(const struct learned *learned, struct scoring_scratch *scratch, struct say *say)
{
    uint32_t from = scratch->seen_count, to = scratch->touched_count;
    hear(say, MIX_KNN, sum_of(scratch->knn, from, to), MASS_LEAST);
    hear(say, MIX_TRANSITION, sum_of(scratch->transition, from, to), MASS_LEAST);
    float weights[MIX_SCORERS];
    mixer_weights(&learned->mixer, say->cell, say->awake, weights);
    float knn_unit = weights[MIX_KNN] > 0 ? weights[MIX_KNN] / say->sums[MIX_KNN] : 0;
    float transition_unit = weights[MIX_TRANSITION] > 0 ? weights[MIX_TRANSITION] / say->sums[MIX_TRANSITION] : 0;
    kernel_blend(scratch->scores + from, scratch->knn + from, scratch->transition + from, to - from, knn_unit,
                 transition_unit);
}

static void add_outsider(struct scoring_scratch *scratch, enum namer namer, const struct scored_item *named)
{
    uint32_t at = 0;
    while (at < scratch->outsider_count && scratch->outsiders[at].item != named->item)
        at++;
    if (at == scratch->outsider_count)
        scratch->outsiders[scratch->outsider_count++] = (struct outsider){.item = named->item};
    scratch->outsiders[at].named[namer] += named->score;
}

/* Puts the items that are named on the slate, or among the outsiders. What a namer gives to the session's own items is
 * left out: whether those come again is the repeat scorer's question. */
static void touch_named(const struct learned *learned, const struct query *query, struct scoring_scratch *scratch,
                        enum namer namer, struct say *say)
{
    const struct named *named = &query->named[namer];
    const struct recent *recent = &scratch->recent;
    struct slate slate = slate_open(scratch);
    float of_new = 1;
    for (uint32_t i = 0; i < named->count; i++) {
        uint32_t entry = learned_entry(learned, named->items[i].item);
        if (entry != ENTRY_NONE)
            slate_touch(&slate, entry);
        else if (!query_has_item(query, named->items[i].item))
            add_outsider(scratch, namer, &named->items[i]);
        for (uint32_t j = 0; j < recent->count; j++)
            if (named->items[i].item == recent->items[j])
                of_new -= named->items[i].score;
    }
    slate_close(scratch, &slate);
    hear(say, mix_of[namer], named->count ? of_new : 0, NAMED_LEAST);
}

/* What a namer gave to the items on the slate, whose cells have their places. */
static void gather_named(const struct learned *learned, const struct named *named, struct scoring_scratch *scratch,
                         float *ret_masses)
{
    memset(ret_masses, 0, scratch->touched_count * sizeof *ret_masses);
    for (uint32_t i = 0; i < named->count; i++) {
        uint32_t entry = learned_entry(learned, named->items[i].item);
        if (entry != ENTRY_NONE)
            ret_masses[scratch->cells[entry].place] = named->items[i].score;
    }
}

/* The most popular items: no other untouched item could get into the list. */
static void touch_popular(const struct learned *learned, struct scoring_scratch *scratch, struct say *say)
{
    const struct popularity *popularity = &learned->popularity;
    struct slate slate = slate_open(scratch);
    for (uint32_t i = 0; i < popularity->top_count && i < scratch->tables.options.list_size; i++)
        slate_touch(&slate, popularity->top[i]);
    slate_close(scratch, &slate);
    float of_new = popularity_unit(popularity) > 0 ? 1 : 0;
    for (uint32_t i = 0; i < scratch->seen_count; i++)
        of_new -= popularity_unit(popularity) * popularity->values[scratch->touched[i]];
    hear(say, MIX_POPULAR, of_new, POPULAR_LEAST);
}

/* Takes the walk out of the cells, and what is named. What was touched behind `gathered` has no masses of the first
 * scorers. */
static void gather_rest(const struct learned *learned, const struct query *query, struct scoring_scratch *scratch,
                        uint32_t gathered, struct say *say)
{
    for (uint32_t i = gathered; i < scratch->touched_count; i++)
        scratch->knn[i] = scratch->transition[i] = scratch->sessions[i] = 0;
    for (uint32_t i = 0; i < scratch->touched_count; i++) {
        struct cell *cell = &scratch->cells[scratch->touched[i]];
        scratch->walk[i] = cell->other;
        cell->place = i;
    }
    for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
        if (say->awake[mix_of[namer]])
            gather_named(learned, &query->named[namer], scratch, scratch->named[namer]);
    hear(say, MIX_WALK, sum_of(scratch->walk, scratch->seen_count, scratch->touched_count), MASS_LEAST);
}

/* Scales each scorer's masses to its part of what is left for new items, and adds them up in scratch->scores. */
static void mix_all(const struct learned *learned, struct scoring_scratch *scratch, const struct say *say)
{
    uint32_t from = scratch->seen_count, count = scratch->touched_count - from;
    float units[MIX_SCORERS], popular = popularity_unit(&learned->popularity);
    mixer_weights(&learned->mixer, say->cell, say->awake, units);
    for (uint32_t s = 0; s < MIX_SCORERS; s++)
        units[s] = say->awake[s] ? units[s] * (1 - say->repeats) / say->sums[s] : 0;
    scratch->popular_unit = units[MIX_POPULAR] * popular;
    float *scores = scratch->scores + from;
    kernel_mix(scratch->knn + from, scratch->transition + from, scores, count, units[MIX_KNN], units[MIX_TRANSITION]);
    kernel_add_scaled(scratch->walk + from, scores, count, units[MIX_WALK]);
    for (enum namer namer = 0; namer < NAMER_COUNT; namer++) {
        scratch->named_units[namer] = units[mix_of[namer]];
        if (scratch->named_units[namer] > 0)
            kernel_add_scaled(scratch->named[namer] + from, scores, count, scratch->named_units[namer]);
    }
    for (uint32_t i = from; i < scratch->touched_count; i++)
        scratch->scores[i] += scratch->popular_unit * learned->popularity.values[scratch->touched[i]];
}

/* Puts the session's items that compete at their probabilities. */
static void place_repeats(struct scoring_scratch *scratch)
{
    for (uint32_t i = 0, place = 0; i < scratch->recent.count; i++)
        if (scratch->entries[i] != ENTRY_NONE)
            scratch->scores[place++] = scratch->probabilities[i];
}

/* Has the session model judge what is on the slate, and the outsiders and the session's items that are not: where all
 * items would be too many. As above, what it gives to the session's own is left out. */
static struct status judge_slate(const struct learned *learned, const struct query *query,
                                 struct scoring_scratch *scratch, struct say *say)
{
    const struct recent *recent = &scratch->recent;
    struct votes *votes = &scratch->votes; /* all are counted */
    uint32_t count = scratch->touched_count, total = count;
    TRY(votes_reserve(votes, (uint64_t)count + scratch->outsider_count + recent->count));
    for (uint32_t i = 0; i < count; i++)
        votes->words[i] = learned->items[scratch->touched[i]];
    for (uint32_t i = 0; i < scratch->outsider_count; i++)
        votes->words[total++] = scratch->outsiders[i].item;
    for (uint32_t i = 0; i < recent->count; i++)
        if (scratch->entries[i] == ENTRY_NONE)
            votes->words[total++] = recent->items[i];
    neural_among(query->vector.model, query->vector.values, votes->words, total, votes->weights);
    float *judged = scratch->named[NAMER_NEURAL];
    memcpy(judged, votes->weights, count * sizeof *judged);
    for (uint32_t i = 0; i < scratch->outsider_count; i++)
        scratch->outsiders[i].named[NAMER_NEURAL] = votes->weights[count + i];
    hear(say, MIX_NEURAL,
         sum_of(judged, scratch->seen_count, count) + sum_of(votes->weights, count, count + scratch->outsider_count),
         NAMED_LEAST);
    return OK;
}

/* Everything up to the mixing. */
static struct status ask_all(const struct learned *learned, const struct query *query, struct scoring_scratch *scratch,
                             struct say *ret_say)
{
    struct say say = {.cell = cell_of(learned, scratch)};
    TRY(knn_score(learned, query, scratch));
    transition_score(learned, scratch);
    scratch_gather(scratch);
    uint32_t gathered = scratch->touched_count;
    say.repeats = score_repeats(learned, scratch, say.cell);
    knn_finish(learned, scratch);
    mix_first(learned, scratch, &say);
    TRY(walk_score(learned, scratch));
    touch_popular(learned, scratch, &say);
    for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
        touch_named(learned, query, scratch, namer, &say);
    gather_rest(learned, query, scratch, gathered, &say);
    if (query->vector.model)
        TRY(judge_slate(learned, query, scratch, &say));
    *ret_say = say;
    return OK;
}

struct status fuse(const struct learned *learned, const struct catalogue *catalogue, const struct query *query,
                   const struct fusion_options *options, struct scoring_scratch *scratch,
                   struct recommended_item *ret_items, uint32_t *ret_count)
{
    assert(query->length >= 1 && options->list_size >= 1 && options->list_size <= LIST_SIZE_MAX);
    struct say say;
    TRY(scratch_begin(scratch, learned, query, options));
    struct status status = scratch_reserve_ranked(scratch, list_ranked_max(options));
    if (!failed(status))
        status = ask_all(learned, query, scratch, &say);
    if (failed(status)) {
        scratch_end(scratch);
        return status;
    }
    mix_all(learned, scratch, &say);
    place_repeats(scratch);
    uint32_t places[LIST_SIZE_MAX];
    struct list list = {.learned = learned,
                        .catalogue = catalogue,
                        .query = query,
                        .options = options,
                        .scratch = scratch,
                        .items = ret_items,
                        .places = places};
    list_make(&list);
    list_explain(&list);
    scratch_end(scratch);
    *ret_count = list.count;
    return OK;
}

/* ---- learning to mix */

/* What a namer gave to an item: of one that it did not name, a part of what it has left for all that it did not. */
static float named_to(const struct learned *learned, const struct named *named, uint32_t item)
{
    float unnamed = 1;
    for (uint32_t i = 0; i < named->count; i++) {
        if (named->items[i].item == item && named->items[i].score > 0)
            return named->items[i].score;
        unnamed -= named->items[i].score;
    }
    return unnamed > 0 ? unnamed / (float)(learned->entry_count + 1) : 0;
}

/* What the session model gave to an item when it was asked about some, of which `place` is in touched. */
static float judged(const struct scoring_scratch *scratch, uint32_t place, uint32_t item)
{
    if (place < scratch->touched_count)
        return scratch->named[NAMER_NEURAL][place];
    for (uint32_t i = 0; i < scratch->outsider_count; i++)
        if (scratch->outsiders[i].item == item)
            return scratch->outsiders[i].named[NAMER_NEURAL];
    return 0;
}

/* What each scorer gave to the new item that was clicked. */
static void heard_of(const struct learned *learned, const struct query *query, const struct scoring_scratch *scratch,
                     const struct say *say, uint32_t item, float probabilities[MIX_SCORERS])
{
    uint32_t entry = learned_entry(learned, item), place = scratch->seen_count;
    memset(probabilities, 0, MIX_SCORERS * sizeof *probabilities);
    while (place < scratch->touched_count && scratch->touched[place] != entry)
        place++;
    if (place < scratch->touched_count) {
        probabilities[MIX_KNN] = scratch->knn[place];
        probabilities[MIX_TRANSITION] = scratch->transition[place];
        probabilities[MIX_WALK] = scratch->walk[place];
    }
    if (entry != ENTRY_NONE)
        probabilities[MIX_POPULAR] = popularity_unit(&learned->popularity) * learned->popularity.values[entry];
    for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
        probabilities[mix_of[namer]] = named_to(learned, &query->named[namer], item);
    if (query->vector.model) /* of one that it was not asked about, nothing */
        probabilities[MIX_NEURAL] = judged(scratch, place, item);
    for (enum mix_scorer s = 0; s < MIX_SCORERS; s++)
        probabilities[s] = say->awake[s] ? probabilities[s] / say->sums[s] : 0;
}

struct status fuse_learn(struct learned *learned, const struct query *query, uint32_t item,
                         const struct fusion_options *options, struct scoring_scratch *scratch)
{
    struct say say;
    TRY(scratch_begin(scratch, learned, query, options));
    struct status status = ask_all(learned, query, scratch, &say);
    if (!failed(status)) {
        float probabilities[MIX_SCORERS];
        bool seen = false;
        for (uint32_t i = 0; i < scratch->recent.count; i++)
            seen = seen || scratch->recent.items[i] == item;
        if (!seen)
            heard_of(learned, query, scratch, &say, item, probabilities);
        mixer_learn(&learned->mixer, &learned->options.mixing, say.cell, say.repeats, say.awake,
                    seen ? NULL : probabilities);
    }
    scratch_end(scratch);
    return status;
}
