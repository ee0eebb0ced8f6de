// SPDX-License-Identifier: Apache-2.0
#include "app/learning_fused.h"

#include <eddy/core/neural.h>

#include <stdlib.h>

struct learning_fused {
    const struct learning_data *data;
    struct fusion_options options;
    struct neural_options neural_options;
    uint32_t mix_every;
    uint64_t asked;
    struct catalogue *catalogue; /* numbers are the model's rows */
    struct learned *learned;
    struct scoring_scratch *scratch;
    struct neural *neural; /* NULL: none */
    struct arena arena;
    struct recommended_item *list;
};

/* All items of the log, learned or not: nothing is listed that has neither been learned nor has a row. */
static struct status intern_items(struct learning_fused *fused)
{
    const struct learning_data *data = fused->data;
    for (uint32_t i = 0; i < data->items; i++) {
        uint32_t number;
        TRY(catalogue_intern(fused->catalogue, interner_get(data->log.item_ids, data->names[i]), &number));
        assert(number == i);
    }
    return OK;
}

static struct status open_parts(struct learning_fused *fused, const struct config *config)
{
    if (fused->options.list_size < cutoffs[CUTOFF_COUNT - 1])
        fused->options.list_size = cutoffs[CUTOFF_COUNT - 1];
    fused->list = malloc(fused->options.list_size * sizeof *fused->list);
    if (!fused->list)
        return FAIL(MEMORY, fused->options.list_size, "no memory for a list");
    TRY(catalogue_open(&config->catalogue, &fused->catalogue));
    TRY(learned_open(&config->learned, &fused->learned));
    TRY(scoring_scratch_open(&fused->scratch));
    return intern_items(fused);
}

struct status learning_fused_open(const struct learning_data *data, const struct config *config,
                                  struct learning_fused **ret_fused)
{
    struct learning_fused *fused = calloc(1, sizeof *fused);
    if (!fused)
        return FAIL(MEMORY, sizeof *fused, "no memory for a fusion");
    fused->data = data;
    fused->options = config->engine.fusion;
    fused->neural_options = config->engine.neural;
    fused->mix_every = config->learner.mix_every;
    struct status status = open_parts(fused, config);
    if (failed(status)) {
        learning_fused_close(fused);
        return status;
    }
    *ret_fused = fused;
    return OK;
}

void learning_fused_close(struct learning_fused *fused)
{
    if (!fused)
        return;
    neural_close(fused->neural);
    learned_close(fused->learned);
    scoring_scratch_close(fused->scratch);
    catalogue_close(fused->catalogue);
    arena_release(&fused->arena);
    free(fused->list);
    free(fused);
}

struct status learning_fused_learn(struct learning_fused *fused, size_t number)
{
    const struct learning_data *data = fused->data;
    const struct whole_session *session = &data->log.sessions[data->closing[number]];
    struct bytes name = interner_get(data->log.session_ids, session->name);
    const struct closed_session closed = {
        .view = {.key = name,
                 .session_id = name,
                 .items = data->log.items + session->start,
                 .times_ms = data->log.times_ms + session->start,
                 .types = data->log.types + session->start,
                 .length = session->length,
                 .total = session->length},
        .close_ms = session->last_ms + data->gap_ms,
    };
    return learned_learn(fused->learned, &closed);
}

struct status learning_fused_model(struct learning_fused *fused, const struct model *model)
{
    neural_close(fused->neural);
    fused->neural = NULL;
    if (!model)
        return OK;
    uint32_t count = model_item_count(model), *numbers = malloc(count * sizeof *numbers);
    if (!numbers)
        return FAIL(MEMORY, count, "no memory for a model's items");
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = i;
    struct status status = neural_open(model, numbers, count, &fused->neural);
    free(numbers);
    return status;
}

struct status learning_fused_ask(struct learning_fused *fused, const struct learning_question *question,
                                 uint32_t *ret_rank)
{
    const struct session_log *log = &fused->data->log;
    size_t start = log->sessions[question->session].start;
    struct query query = {.items = log->items + start,
                          .times_ms = log->times_ms + start,
                          .types = log->types + start,
                          .length = question->length,
                          .now_ms = log->times_ms[start + question->length - 1]};
    uint32_t next = log->items[start + question->length], count, rank = 0;
    arena_reset(&fused->arena);
    if (fused->neural)
        TRY(neural_ask(fused->neural, &query, 1, &fused->neural_options, &fused->arena));
    TRY(fuse(fused->learned, fused->catalogue, &query, &fused->options, fused->scratch, fused->list, &count));
    for (uint32_t i = 0; i < count && rank == 0; i++)
        rank = fused->list[i].item == next ? i + 1 : 0;
    *ret_rank = rank;
    /* Whatever model there is was trained on sessions that had closed before. */
    if (fused->mix_every && fused->asked++ % fused->mix_every == 0)
        TRY(fuse_learn(fused->learned, &query, next, &fused->options, fused->scratch));
    return OK;
}
