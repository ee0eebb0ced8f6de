// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/kernels.h"
#include "core/candidates/scorers.h"

/* The best new candidates by score: their places, best first. */
static void choose_starts(struct scoring_scratch *scratch, uint32_t starts_max)
{
    const float *scores = scratch->scores;
    uint32_t count = 0;
    for (uint32_t i = scratch->seen_count; i < scratch->touched_count; i++) {
        if (count == starts_max && !(scores[i] > scores[scratch->starts[count - 1]]))
            continue;
        uint32_t place = count < starts_max ? count++ : count - 1;
        for (; place && scores[scratch->starts[place - 1]] < scores[i]; place--)
            scratch->starts[place] = scratch->starts[place - 1];
        scratch->starts[place] = i;
    }
    scratch->start_count = count;
}

/* Rows lie far apart in memory: all are fetched before the first is needed. (Always inlined: gcc takes a function that
 * only prefetches for one that does nothing.) */
static inline __attribute__((always_inline)) void
prefetch_rows(const struct successors *successors, const struct scoring_scratch *scratch, uint32_t rules_max)
{
    for (uint32_t i = 0; i < scratch->start_count; i++)
        __builtin_prefetch(&successors->rows[scratch->touched[scratch->starts[i]]]);
    for (uint32_t i = 0; i < scratch->start_count; i++) {
        const struct successor_row *row = &successors->rows[scratch->touched[scratch->starts[i]]];
        if (!row->count)
            continue;
        struct successor_view view = successor_view(successors, row);
        for (uint32_t j = 0; j < row->count && j < rules_max; j += 16) { /* a cache line of each */
            __builtin_prefetch(&view.items[j]);
            __builtin_prefetch(&view.forward[j]);
            __builtin_prefetch(&view.backward[j]);
        }
    }
}

/* Writes down what the starts lead to. */
static void collect_steps(const struct successors *successors, struct scoring_scratch *scratch)
{
    const struct walk_options *options = &scratch->tables.options.walk;
    struct votes *steps = &scratch->votes;
    for (uint32_t i = 0; i < scratch->start_count; i++) {
        uint32_t start = scratch->starts[i];
        const struct successor_row *row = &successors->rows[scratch->touched[start]];
        float total = row->forward_total + options->backward_weight * row->backward_total;
        if (!row->count || !(total > 0))
            continue;
        struct successor_view view = successor_view(successors, row);
        uint32_t count = row->count < options->rules_max ? row->count : options->rules_max;
        memcpy(steps->words + steps->count, view.items, count * sizeof *view.items);
        kernel_blend(steps->weights + steps->count, view.forward, view.backward, count, scratch->scores[start] / total,
                     options->backward_weight * scratch->scores[start] / total);
        steps->count += count;
    }
    memset(steps->words + steps->count, 0, VOTES_BEYOND * sizeof *steps->words);
}

struct status walk_score(const struct learned *learned, struct scoring_scratch *scratch)
{
    const struct walk_options *options = &scratch->tables.options.walk;
    const struct successors *successors = &learned->successors;
    struct votes *steps = &scratch->votes;
    uint32_t starts_max = options->starts_max < WALK_STARTS_MAX ? options->starts_max : WALK_STARTS_MAX;
    scratch->start_count = 0;
    if (!starts_max)
        return OK;
    TRY(votes_reserve(steps, (uint64_t)starts_max * successors->row_max));
    choose_starts(scratch, starts_max);
    prefetch_rows(successors, scratch, options->rules_max);
    collect_steps(successors, scratch);
    struct slate slate = slate_open(scratch);
    for (uint32_t i = 0; i < steps->count; i++) {
        __builtin_prefetch(&slate.cells[steps->words[i + VOTES_BEYOND - 1]], 1);
        slate_touch(&slate, steps->words[i])->other += steps->weights[i];
    }
    slate_close(scratch, &slate);
    return OK;
}
