// SPDX-License-Identifier: Apache-2.0
#pragma once
/* The scorers, one file each. They add masses to the slate's cells; scratch_begin() comes first. */
#include "core/candidates/scratch.h"

/* Chooses the neighbours, then adds to cell.knn and counts them in cell.other. MEMORY before anything is touched. */
MUST_CHECK struct status knn_score(const struct learned *learned, const struct query *query,
                                   struct scoring_scratch *scratch);
/* What the formula does to an item's votes at the end: by how many sessions have it, and the sharpening. */
void knn_finish(const struct learned *learned, struct scoring_scratch *scratch);

/* Adds to cell.transition. */
void transition_score(const struct learned *learned, struct scoring_scratch *scratch);

/* Adds to cell.other what the new items with the best of scratch->scores lead to. */
MUST_CHECK struct status walk_score(const struct learned *learned, struct scoring_scratch *scratch);
