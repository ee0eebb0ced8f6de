// SPDX-License-Identifier: Apache-2.0
#pragma once
/* Inside: semantic.c the vectors and sessions, titles.c who has a title, localize.c texts. */
#include "core/model/top_items.h"
#include "core/semantic/titles.h"

struct semantic {
    uint32_t count, width, number_count;
    uint32_t *numbers; /* (count) ITEM_NONE: its title says nothing */
    uint32_t *rows_of; /* (number_count) UINT32_MAX */
    float *rows;       /* (count, stride) */
    struct tiles tiles;
    const struct product_kernel *kernel;
    struct titles titles;
};

/* The item's vector (stride); NULL: it has none. */
const float *semantic_row(const struct semantic *semantic, uint32_t item);

/* lists: (count, capacity) the nearest items of each vector (count, stride), with their probabilities among all;
 * *ret_length of them each. MEMORY. */
MUST_CHECK struct status semantic_nearest(const struct semantic *semantic, const float *vectors, uint32_t count,
                                          float temperature, struct arena *arena, struct scored_item *lists,
                                          uint32_t capacity, uint32_t *ret_length);
