// SPDX-License-Identifier: Apache-2.0
#include "core/learn/learner.h"

#define TOGETHER 64 /* sessions of one product */

void learner_set_model(struct learner *learner, const struct neural *neural, int64_t trained_to_ms)
{
    learner->neural = neural;
    learner->trained_to_ms = trained_to_ms;
}

uint32_t learner_asked(const struct learner *learner, const struct place *place, uint32_t length)
{
    uint32_t every = learner->options.mix_every;
    int64_t identity[] = {place->close_ms, place->origin.partition, place->origin.offset, place->origin.sequence};
    if (!every || length < 2)
        return 0;
    uint32_t choices = length - 1 > every ? length - 1 : every;
    uint32_t choice = (uint32_t)(bytes_hash(bytes_of(identity, sizeof identity)) % choices);
    return choice < length - 1 ? choice + 1 : 0;
}

static bool is_judged(const struct learner *learner, const struct pending *pending)
{
    const struct session_view *view = &pending->session.view;
    return pending->asked && !(learner->neural && view->times_ms[view->length - 1] <= learner->trained_to_ms);
}

static struct query query_of(const struct pending *pending)
{
    const struct session_view *view = &pending->session.view;
    return (struct query){.items = view->items,
                          .times_ms = view->times_ms,
                          .types = view->types,
                          .length = pending->asked,
                          .now_ms = view->times_ms[pending->asked - 1],
                          .neural = pending->neural,
                          .neural_count = pending->neural_count};
}

struct batch {
    struct pending *sessions[TOGETHER];
    struct query queries[TOGETHER];
    uint32_t count;
};

static struct status ask(struct learner *learner, struct batch *batch)
{
    TRY(neural_ask(learner->neural, batch->queries, batch->count, learner->options.neural_candidates, &learner->arena));
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->sessions[i]->neural = batch->queries[i].neural;
        batch->sessions[i]->neural_count = batch->queries[i].neural_count;
    }
    batch->count = 0;
    return OK;
}

/* Those of the heap at and below `at` that are due; what is below one that is not due is not due either. */
static struct status ask_below(struct learner *learner, uint32_t at, int64_t due_ms, struct batch *batch)
{
    if (at >= learner->count || learner->heap[at]->place.close_ms > due_ms)
        return OK;
    struct pending *pending = learner->heap[at];
    pending->neural_count = 0;
    if (is_judged(learner, pending)) {
        batch->sessions[batch->count] = pending;
        batch->queries[batch->count++] = query_of(pending);
    }
    if (batch->count == TOGETHER)
        TRY(ask(learner, batch));
    TRY(ask_below(learner, 2 * at + 1, due_ms, batch));
    return ask_below(learner, 2 * at + 2, due_ms, batch);
}

struct status learner_ask_model(struct learner *learner, int64_t due_ms)
{
    struct batch batch = {.count = 0};
    arena_reset(&learner->arena);
    if (!learner->neural)
        return OK;
    TRY(ask_below(learner, 0, due_ms, &batch));
    return ask(learner, &batch);
}

struct status learner_mix(struct learner *learner, const struct pending *pending)
{
    if (!is_judged(learner, pending))
        return OK;
    struct query query = query_of(pending);
    return fuse_learn(learner->learned, &query, query.items[query.length], &learner->options.fusion, learner->scratch);
}
