// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/ranking.h>

#include "core/clones.h"
#include "core/model/layers.h"
#include "core/model/model.h"
#include "core/model/parts.h"

#include <stdlib.h>

#define SCORES_MAX (16u << 20) /* floats at once */

/* That a part has at least. */
#define QUESTIONS_LEAST 64
#define ITEMS_LEAST     2048

struct ranking {
    const struct model *model;
    float *inverse; /* (items) what a score by the item's own row is to be multiplied by */
    float *vectors, *scores;
    struct parallel parallel;
    struct arena arenas[PARTS_MAX];
    struct status statuses[PARTS_MAX];
    uint32_t question_parts, item_parts;
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
    ranking->parallel = parallel_in_order();
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
    for (uint32_t i = 0; i < PARTS_MAX; i++)
        arena_release(&ranking->arenas[i]);
    free(ranking);
}

void ranking_run_on(struct ranking *ranking, struct parallel parallel)
{
    ranking->parallel = parallel;
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

static void make_vectors(void *context, uint32_t index)
{
    struct ranking *ranking = context;
    struct span span = part_of(ranking->count, ranking->question_parts, index);
    const struct model_sessions sessions = {span.to - span.from, ranking->starts + span.from, ranking->items};
    float *vectors = ranking->vectors + (size_t)span.from * model_options(ranking->model)->width;
    arena_reset(&ranking->arenas[index]);
    ranking->statuses[index] = model_vectors(ranking->model, &sessions, &ranking->arenas[index], vectors);
}

static void score(void *context, uint32_t index)
{
    struct ranking *ranking = context;
    struct span items = part_of(model_item_count(ranking->model), ranking->item_parts, index);
    model_score_table(ranking->model, items, ranking->vectors, ranking->count, ranking->scores);
}

static void rank(void *context, uint32_t index)
{
    struct ranking *ranking = context;
    uint32_t items = model_item_count(ranking->model);
    struct span span = part_of(ranking->count, ranking->question_parts, index);
    for (uint32_t i = span.from; i < span.to; i++)
        *ranking->ranks[i] = rank_in(ranking->scores + (size_t)i * items, ranking->inverse, items, ranking->nexts[i]);
}

struct status ranking_flush(struct ranking *ranking)
{
    if (ranking->count == 0)
        return OK;
    ranking->question_parts = parts_of(ranking->count, QUESTIONS_LEAST);
    ranking->item_parts = parts_of(model_item_count(ranking->model), ITEMS_LEAST);
    parallel_run(ranking->parallel, make_vectors, ranking, ranking->question_parts);
    for (uint32_t i = 0; i < ranking->question_parts; i++)
        TRY(ranking->statuses[i]);
    parallel_run(ranking->parallel, score, ranking, ranking->item_parts);
    parallel_run(ranking->parallel, rank, ranking, ranking->question_parts);
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
