// SPDX-License-Identifier: Apache-2.0
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

void walk_score(const struct learned *learned, struct scoring_scratch *scratch)
{
    const struct walk_options *options = &scratch->tables.options.walk;
    const struct successors *successors = &learned->successors;
    float weight = scratch->recent.count == 1 ? options->weight_first : options->weight_later;
    uint32_t starts_max = options->starts_max < WALK_STARTS_MAX ? options->starts_max : WALK_STARTS_MAX;
    scratch->start_count = 0;
    if (!(weight > 0) || !starts_max)
        return;
    choose_starts(scratch, starts_max);
    for (uint32_t start = 0; start < scratch->start_count; start++) {
        const struct successor_row *row = &successors->rows[scratch->touched[scratch->starts[start]]];
        float total = row->forward_total + options->backward_weight * row->backward_total;
        if (!row->count || !(total > 0))
            continue;
        struct successor_view view = successor_view(successors, row);
        float mass = weight * scratch->scores[scratch->starts[start]] / total;
        uint32_t count = row->count < options->rules_max ? row->count : options->rules_max;
        for (uint32_t i = 0; i < count; i++)
            scratch_touch(scratch, view.items[i])->other +=
                mass * (view.forward[i] + options->backward_weight * view.backward[i]);
    }
}
