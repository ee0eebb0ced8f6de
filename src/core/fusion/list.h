// SPDX-License-Identifier: Apache-2.0
#pragma once
/* list: takes the best candidates that pass the filters off the slate. */
#include "core/candidates/scratch.h"

struct list {
    const struct learned *learned;
    const struct catalogue *catalogue;
    const struct query *query;
    const struct fusion_options *options;
    struct scoring_scratch *scratch;
    struct recommended_item *items;
    uint32_t count;
    uint32_t *places; /* by item of the list: in touched, or as in struct ranked; or PLACE_FILLED */
};
#define PLACE_FILLED UINT32_MAX

/* How many candidates are ranked: with a limit per category more than the list takes. */
uint32_t list_ranked_max(const struct fusion_options *options);

/* Fills `items` and `places` with scores and items: the best of the slate, then popular ones. */
void list_make(struct list *list);

/* Fills in the shares and reasons of a made list. */
void list_explain(struct list *list);
