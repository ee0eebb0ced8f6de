// SPDX-License-Identifier: Apache-2.0
#pragma once
/* What a model is made of, for those who train it and who keep it. */
#include "core/model/backbone.h"
#include "core/model/parts.h"

struct model {
    struct model_options options;
    uint32_t item_count;
    float *items; /* (model_rows(), width): the items', then, when they are directed, the offsets of each */
    struct parameters parameters;
    int64_t trained_to_ms;
};

static inline size_t model_rows(const struct model *model)
{
    return (size_t)model->item_count * (model->options.directed ? 2 : 1);
}

/* Sets an item's vector where it is scored, before it is normalised. row: (width) */
void model_scored_row(const struct model *model, uint32_t item, float *row);

/* As model_score(), by the rows of the table itself: what is scored is not normalised. Sets the scores of these items
 * alone. */
void model_score_table(const struct model *model, struct span items, const float *vectors, uint32_t count,
                       float *scores);

/* Without weights yet: tensors declared, zeros everywhere. MEMORY. */
MUST_CHECK struct status model_open_empty(const struct model_options *options, uint32_t item_count,
                                          struct model **ret_model);
