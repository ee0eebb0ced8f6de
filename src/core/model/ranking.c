// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/ranking.h>

#include "core/clones.h"
#include "core/model/layers.h"
#include "core/model/model.h"

#include <stdlib.h>

#define SCORES_MAX (16u << 20) /* floats at once */

struct ranking {
    const struct model *model;
    float *inverse; /* (items) what a score by the item's own row is to be multiplied by */
    float *vectors, *scores;
    struct arena arena;
    uint32_t count, capacity;
    uint32_t starts[RANKING_BATCH + 1], nexts[RANKING_BATCH];
    uint32_t items[RANKING_BATCH * MODEL_LENGTH_MAX];
    uint32_t *ranks[RANKING_BATCH]; /* where they go */
};

/* Rows are not copied to be normalised: a model may be large, and an updater has two. */
static void measure_rows(struct ranking *ranking)
{
    const struct model_options *options = model_options(ranking->model);
    float row[MODEL_WIDTH_MAX], normalised[MODEL_WIDTH_MAX];
    for (uint32_t i = 0; i < ranking->model->item_count; i++) {
        ranking->inverse[i] = 1;
        model_scored_row(ranking->model, i, row);
        if (options->normalise)
            l2_forward(row, normalised, &ranking->inverse[i], 1, options->width);
    }
}

struct status ranking_open(const struct model *model, struct ranking **ret_ranking)
{
    uint32_t items = model_item_count(model), width = model_options(model)->width;
    struct ranking *ranking = calloc(1, sizeof *ranking);
    if (!ranking)
        return FAIL(MEMORY, sizeof *ranking, "no memory to rank all items");
    uint32_t room = SCORES_MAX / items;
    ranking->model = model;
    ranking->capacity = room < 1 ? 1 : room > RANKING_BATCH ? RANKING_BATCH : room;
    ranking->inverse = malloc(items * sizeof *ranking->inverse);
    ranking->vectors = malloc((size_t)ranking->capacity * width * sizeof *ranking->vectors);
    ranking->scores = malloc((size_t)ranking->capacity * items * sizeof *ranking->scores);
    if (!ranking->inverse || !ranking->vectors || !ranking->scores) {
        ranking_close(ranking);
        return FAIL(MEMORY, items, "no memory to rank all items");
    }
    measure_rows(ranking);
    *ret_ranking = ranking;
    return OK;
}

void ranking_close(struct ranking *ranking)
{
    if (!ranking)
        return;
    free(ranking->inverse);
    free(ranking->vectors);
    free(ranking->scores);
    arena_release(&ranking->arena);
    free(ranking);
}

/* The items that score at least as well as the true one, itself among them. */
CLONES static uint32_t rank_in(const float *restrict scores, const float *restrict inverse, uint32_t count,
                               uint32_t next)
{
    uint32_t rank = 0;
    float score = scores[next] * inverse[next];
    for (uint32_t i = 0; i < count; i++)
        rank += scores[i] * inverse[i] < score ? 0 : 1; /* a score that is no number is not below */
    return rank;
}

struct status ranking_flush(struct ranking *ranking)
{
    uint32_t items = model_item_count(ranking->model);
    const struct model_sessions sessions = {ranking->count, ranking->starts, ranking->items};
    if (ranking->count == 0)
        return OK;
    arena_reset(&ranking->arena);
    TRY(model_vectors(ranking->model, &sessions, &ranking->arena, ranking->vectors));
    model_score_table(ranking->model, ranking->vectors, ranking->count, ranking->scores);
    for (uint32_t i = 0; i < ranking->count; i++)
        *ranking->ranks[i] = rank_in(ranking->scores + (size_t)i * items, ranking->inverse, items, ranking->nexts[i]);
    ranking->count = 0;
    return OK;
}

/* The last clicks that the model sees, in their order. Returns how many there are. */
static uint32_t take_known(const struct ranking *ranking, const uint32_t *items, uint32_t length, uint32_t *ret_items)
{
    uint32_t most = model_options(ranking->model)->length_max, known = model_item_count(ranking->model), count = 0;
    uint32_t first = length;
    while (first > 0 && count < most)
        count += items[--first] < known;
    for (uint32_t i = first, at = 0; i < length; i++)
        if (items[i] < known)
            ret_items[at++] = items[i];
    return count;
}

struct status ranking_ask(struct ranking *ranking, const uint32_t *items, uint32_t length, uint32_t next,
                          uint32_t *ret_rank)
{
    uint32_t start = ranking->starts[ranking->count];
    uint32_t seen = take_known(ranking, items, length, ranking->items + start);
    *ret_rank = 0;
    if (seen == 0 || next >= model_item_count(ranking->model))
        return OK;
    ranking->ranks[ranking->count] = ret_rank;
    ranking->nexts[ranking->count] = next;
    ranking->starts[++ranking->count] = start + seen;
    return ranking->count == ranking->capacity ? ranking_flush(ranking) : OK;
}
