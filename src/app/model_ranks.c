// SPDX-License-Identifier: Apache-2.0
#include "app/model_ranks.h"

#include "app/progress.h"

#include <stdlib.h>

#define SCORES_MAX (16u << 20) /* floats at once */
#define BATCH_MAX  256

/* Prefixes that are scored together. */
struct batch {
    const struct model *model;
    float *rows, *vectors, *scores;
    struct arena arena;
    uint32_t count, capacity, click_count;
    uint32_t starts[BATCH_MAX + 1], truths[BATCH_MAX];
    uint32_t items[BATCH_MAX * MODEL_LENGTH_MAX];
    uint32_t *ranks; /* where the next go */
    size_t total;
    struct progress progress;
    const atomic_bool *stop;
};

static void batch_release(struct batch *batch)
{
    free(batch->rows);
    free(batch->vectors);
    free(batch->scores);
    arena_release(&batch->arena);
}

static struct status batch_open(struct batch *batch, const struct model *model, uint32_t *ranks)
{
    uint32_t items = model_item_count(model), width = model_options(model)->width;
    *batch = (struct batch){.model = model, .ranks = ranks, .capacity = SCORES_MAX / items};
    batch->capacity = batch->capacity < 1 ? 1 : batch->capacity > BATCH_MAX ? BATCH_MAX : batch->capacity;
    batch->rows = malloc((size_t)items * width * sizeof *batch->rows);
    batch->vectors = malloc((size_t)batch->capacity * width * sizeof *batch->vectors);
    batch->scores = malloc((size_t)batch->capacity * items * sizeof *batch->scores);
    if (!batch->rows || !batch->vectors || !batch->scores)
        return FAIL(MEMORY, items, "no memory to rank all items");
    model_item_rows(model, batch->rows);
    return OK;
}

/* The items that score at least as well as the true one, itself among them. */
static uint32_t rank_in(const float *scores, uint32_t count, uint32_t truth)
{
    uint32_t rank = 0;
    float score = scores[truth];
    for (uint32_t i = 0; i < count; i++)
        rank += !(scores[i] < score);
    return rank;
}

static struct status batch_flush(struct batch *batch)
{
    uint32_t items = model_item_count(batch->model);
    const struct model_sessions sessions = {batch->count, batch->starts, batch->items};
    if (batch->count == 0)
        return OK;
    arena_reset(&batch->arena);
    TRY(model_vectors(batch->model, &sessions, &batch->arena, batch->vectors));
    model_score(batch->model, batch->rows, batch->vectors, batch->count, batch->scores);
    for (uint32_t i = 0; i < batch->count; i++)
        *batch->ranks++ = rank_in(batch->scores + (size_t)i * items, items, batch->truths[i]);
    progress_advance(&batch->progress, batch->count, batch->total);
    batch->count = batch->click_count = 0;
    return *batch->stop ? FAIL(INTERRUPTED, 0, "ranking was stopped") : OK;
}

static struct status batch_add(struct batch *batch, const uint32_t *items, uint32_t length, uint32_t truth)
{
    uint32_t seen = length < MODEL_LENGTH_MAX ? length : MODEL_LENGTH_MAX;
    batch->starts[0] = 0;
    memcpy(batch->items + batch->click_count, items + length - seen, seen * sizeof *items);
    batch->click_count += seen;
    batch->truths[batch->count++] = truth;
    batch->starts[batch->count] = batch->click_count;
    return batch->count == batch->capacity ? batch_flush(batch) : OK;
}

static struct status rank_all(struct batch *batch, const struct evaluation_data *data)
{
    for (size_t i = 0; i < data->test_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->test[i]];
        const uint32_t *items = data->log.items + session->start;
        for (uint32_t length = 1; length < session->length; length++)
            TRY(batch_add(batch, items, length, items[length]));
    }
    return batch_flush(batch);
}

struct status model_ranks(const struct model *model, const struct evaluation_data *data, const atomic_bool *stop,
                          uint32_t *ranks)
{
    struct batch *batch = malloc(sizeof *batch);
    if (!batch)
        return FAIL(MEMORY, sizeof *batch, "no memory to rank all items");
    struct status status = batch_open(batch, model, ranks);
    batch->total = data->predictions;
    batch->progress = progress_start("predictions");
    batch->stop = stop;
    if (!failed(status))
        status = rank_all(batch, data);
    progress_end(&batch->progress);
    batch_release(batch);
    free(batch);
    return status;
}
