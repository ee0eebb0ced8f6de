// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/scorers.h"

void transition_score(const struct learned *learned, struct scoring_scratch *scratch)
{
    const struct transition_options *options = &scratch->tables.options.transition;
    const struct successors *successors = &learned->successors;
    struct slate slate = slate_open(scratch);
    for (uint32_t rank = 0; rank < scratch->recent.count && rank < options->query_items_max; rank++) {
        if (scratch->entries[rank] == ENTRY_NONE)
            continue;
        const struct successor_row *row = &successors->rows[scratch->entries[rank]];
        float total = row->forward_total + options->backward_weight * row->backward_total;
        if (!row->count || !(total > 0))
            continue;
        struct successor_view view = successor_view(successors, row);
        float weight = scratch->tables.transition_decay[rank] * scratch->weights[rank] / total;
        for (uint32_t i = 0; i < row->count; i++) {
            uint32_t ahead = i + 8 < row->count ? i + 8 : i;
            __builtin_prefetch(&slate.cells[view.items[ahead]], 1);
            slate_touch(&slate, view.items[i])->transition +=
                weight * (view.forward[i] + options->backward_weight * view.backward[i]);
        }
    }
    slate_close(scratch, &slate);
}
