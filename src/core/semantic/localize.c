// SPDX-License-Identifier: Apache-2.0
#include "core/semantic/semantic.h"

#include "core/candidates/power.h"
#include "core/model/arithmetic.h"

#define LOG2_E 1.44269504f

/* The nearest items of a vector with their cosines, best first. */
static struct status near(const struct semantic *semantic, const float *vector, uint32_t capacity, struct arena *arena,
                          struct scored_item *ret_items, uint32_t *ret_count)
{
    uint32_t stride = tiles_stride(semantic->width);
    float *padded = ARENA_ARRAY(arena, float, stride);
    *ret_count = 0;
    if (!padded)
        return FAIL(MEMORY, stride, "no memory for a text's vector");
    memset(padded, 0, stride * sizeof *padded);
    memcpy(padded, vector, semantic->width * sizeof *padded);
    float square = vector_dot(padded, padded, stride);
    if (!(square > 0 && square < 4)) /* it says nothing, or is no vector of an embedder */
        return OK;
    TRY(semantic_nearest(semantic, padded, 1, 1, arena, ret_items, capacity, ret_count));
    for (uint32_t i = 0; i < *ret_count; i++)
        ret_items[i].score = vector_dot(semantic_row(semantic, ret_items[i].item), padded, stride);
    return OK;
}

struct status localize_text(const struct semantic *semantic, const float *vector,
                            const struct localize_options *options, struct arena *arena, struct scored_item *ret_items,
                            uint32_t *ret_count)
{
    uint32_t count, kept = 0;
    float sum = 0;
    TRY(near(semantic, vector, options->nearest, arena, ret_items, &count));
    while (kept < count && ret_items[kept].score >= options->similarity_min)
        kept++;
    float best = kept ? ret_items[0].score : 0;
    for (uint32_t i = 0; i < kept; i++) {
        ret_items[i].score = power_exp2((ret_items[i].score - best) / options->temperature * LOG2_E);
        sum += ret_items[i].score;
    }
    for (uint32_t i = 0; i < kept; i++)
        ret_items[i].score /= sum;
    *ret_count = kept;
    return OK;
}

struct status localize_title(const struct semantic *semantic, struct bytes title, const float *vector,
                             const struct localize_options *options, struct arena *arena, struct scored_item *ret_item,
                             enum localized *ret_how)
{
    struct scored_item nearest;
    uint32_t item, count = 0;
    TRY(titles_find(&semantic->titles, title, &item));
    if (item != ITEM_NONE) {
        *ret_item = (struct scored_item){item, 1};
        *ret_how = LOCALIZED_FOUND;
        return OK;
    }
    if (vector)
        TRY(near(semantic, vector, 1, arena, &nearest, &count));
    bool is_near = count && nearest.score >= options->named_min;
    *ret_item = is_near ? nearest : (struct scored_item){.item = ITEM_NONE};
    *ret_how = is_near ? LOCALIZED_NEAR : LOCALIZED_REJECTED;
    return OK;
}
