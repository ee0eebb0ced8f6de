// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/kernels.h"
#include "core/candidates/power.h"
#include "core/candidates/scorers.h"
#include "core/fusion/list.h"

#define REPEAT_MAX      0.98f  /* the session's items together */
#define EVIDENCE_FLOOR  0.002f /* share of the votes a session item has at least */
#define NEURAL_LEAST    1e-3f  /* of the session model's probabilities, on new items; with less it has nothing to say */
#define ROUNDING_MARGIN 1e-5f  /* so that a list's scores never sum to more than 1 */

static float sum_of(const float *values, uint32_t from, uint32_t to)
{
    return kernel_sum(values + from, to - from);
}

static uint32_t length_bucket(const struct scoring_scratch *scratch)
{
    uint32_t distinct = scratch->recent.count;
    return distinct <= 2 ? distinct - 1 : distinct <= 4 ? 2 : 3;
}

/* The probabilities that the session's items come again, sharpened by their share of the neighbours' votes; returns
 * their sum. They are 0 when session items are left out. */
static float score_repeats(const struct learned *learned, struct scoring_scratch *scratch)
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
    if (sum <= REPEAT_MAX)
        return sum;
    for (uint32_t i = 0; i < scratch->recent.count; i++)
        probabilities[i] *= REPEAT_MAX / sum;
    return REPEAT_MAX;
}

/* The session model's say on new items. */
struct voice {
    float weight; /* its part of what is said of them */
    float of_new; /* what it gives to them; whether the session's own come again is the repeat scorer's question */
};

static struct voice neural_voice(const struct query *query, const struct scoring_scratch *scratch)
{
    const struct recent *recent = &scratch->recent;
    struct voice voice = {scratch->tables.options.neural_weights[length_bucket(scratch)], 1};
    for (uint32_t i = 0; i < query->neural_count; i++)
        for (uint32_t j = 0; j < recent->count; j++)
            if (query->neural[i].item == recent->items[j])
                voice.of_new -= query->neural[i].score;
    if (!query->neural_count || voice.of_new < NEURAL_LEAST)
        voice.weight = 0;
    return voice;
}

/* Scales the scorers' masses to their parts of what is left for new items, and adds them up in scratch->scores. */
static void mix_new(struct scoring_scratch *scratch, float left)
{
    const struct fusion_options *options = &scratch->tables.options;
    uint32_t bucket = length_bucket(scratch), from = scratch->seen_count, to = scratch->touched_count;
    float knn_sum = sum_of(scratch->knn, from, to), transition_sum = sum_of(scratch->transition, from, to);
    float transition_weight = transition_sum > 1e-20f ? options->transition_weights[bucket] : 0;
    float knn_weight = knn_sum > 1e-20f ? 1 - options->transition_weights[bucket] : 0;
    float unit = knn_weight + transition_weight > 0 ? left / (knn_weight + transition_weight) : 0;
    float knn_unit = knn_weight > 0 ? unit * knn_weight / knn_sum : 0;
    float transition_unit = transition_weight > 0 ? unit * transition_weight / transition_sum : 0;
    kernel_mix(scratch->knn + from, scratch->transition + from, scratch->scores + from, to - from, knn_unit,
               transition_unit);
}

/* Puts the session model's probabilities into the cells, whose kNN masses have been taken out. */
static void touch_neural(const struct learned *learned, const struct query *query, struct scoring_scratch *scratch)
{
    struct slate slate = slate_open(scratch);
    for (uint32_t i = 0; i < query->neural_count; i++) {
        uint32_t entry = learned_entry(learned, query->neural[i].item);
        if (entry != ENTRY_NONE)
            slate_touch(&slate, entry)->knn = query->neural[i].score;
    }
    slate_close(scratch, &slate);
}

/* Adds the session model's part: what it says of new items, next to `sum`, what the others say of them. */
static float mix_neural(struct scoring_scratch *scratch, const struct voice *voice, float sum)
{
    float part = voice->weight / (1 - voice->weight) * sum;
    scratch->neural_unit = voice->weight > 0 ? part / voice->of_new : 0;
    for (uint32_t i = 0; i < scratch->touched_count; i++) {
        scratch->neural[i] = scratch->neural_unit * scratch->cells[scratch->touched[i]].knn;
        scratch->scores[i] += scratch->neural[i];
    }
    return part;
}

/* Takes the walk's masses from the cells, and adds the most popular items to the slate: no other untouched item could
 * get into the list. Returns the sum of all new items' scores; where the session led to none, what is `left` for them
 * belongs to items that nothing is known of. */
static float mix_rest(const struct learned *learned, const struct query *query, const struct voice *voice,
                      struct scoring_scratch *scratch, uint32_t mixed, float left)
{
    const struct popularity *popularity = &learned->popularity;
    const struct fusion_options *options = &scratch->tables.options;
    struct slate slate = slate_open(scratch);
    for (uint32_t i = 0; i < popularity->top_count && i < options->list_size; i++)
        slate_touch(&slate, popularity->top[i]);
    slate_close(scratch, &slate);
    touch_neural(learned, query, scratch);
    for (uint32_t i = mixed; i < scratch->touched_count; i++)
        scratch->knn[i] = scratch->transition[i] = scratch->sessions[i] = scratch->scores[i] = 0;
    for (uint32_t i = 0; i < scratch->touched_count; i++)
        scratch->walk[i] = scratch->cells[scratch->touched[i]].other;
    float sum = sum_of(scratch->scores, scratch->seen_count, scratch->touched_count) +
                sum_of(scratch->walk, scratch->seen_count, scratch->touched_count);
    float unit = options->popular_weight * popularity_unit(popularity);
    for (uint32_t i = 0; i < scratch->touched_count; i++)
        scratch->scores[i] += scratch->walk[i] + unit * popularity->values[scratch->touched[i]];
    sum = sum > 0 ? sum : left;
    sum += mix_neural(scratch, voice, sum);
    return sum + (unit > 0 ? options->popular_weight : 0);
}

/* Puts the session's items that compete at their probabilities. */
static void place_repeats(struct scoring_scratch *scratch)
{
    for (uint32_t i = 0, place = 0; i < scratch->recent.count; i++)
        if (scratch->entries[i] != ENTRY_NONE)
            scratch->scores[place++] = scratch->probabilities[i];
}

static struct status score(const struct learned *learned, const struct query *query, struct scoring_scratch *scratch,
                           float *ret_sum)
{
    TRY(knn_score(learned, query, scratch));
    transition_score(learned, scratch);
    scratch_gather(scratch);
    uint32_t mixed = scratch->touched_count;
    float repeats = score_repeats(learned, scratch);
    knn_finish(learned, scratch);
    struct voice voice = neural_voice(query, scratch);
    float left = (1 - repeats) * (1 - voice.weight);
    mix_new(scratch, left);
    TRY(walk_score(learned, scratch));
    *ret_sum = repeats + mix_rest(learned, query, &voice, scratch, mixed, left);
    place_repeats(scratch);
    return OK;
}

struct status fuse(const struct learned *learned, const struct catalogue *catalogue, const struct query *query,
                   const struct fusion_options *options, struct scoring_scratch *scratch,
                   struct recommended_item *ret_items, uint32_t *ret_count)
{
    assert(query->length >= 1 && options->list_size >= 1 && options->list_size <= LIST_SIZE_MAX);
    TRY(scratch_begin(scratch, learned, query, options));
    float sum = 1;
    struct status status = scratch_reserve_ranked(scratch, list_ranked_max(options));
    if (!failed(status))
        status = score(learned, query, scratch, &sum);
    if (failed(status)) {
        scratch_end(scratch);
        return status;
    }
    uint32_t places[LIST_SIZE_MAX];
    struct list list = {.learned = learned,
                        .catalogue = catalogue,
                        .query = query,
                        .options = options,
                        .scratch = scratch,
                        .unit = (1 - ROUNDING_MARGIN) / sum,
                        .items = ret_items,
                        .places = places};
    list_make(&list);
    list_explain(&list);
    scratch_end(scratch);
    *ret_count = list.count;
    return OK;
}
