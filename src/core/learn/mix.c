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

void learner_unsay(struct pending *pending)
{
    pending->neural.count = 0;
    pending->vector = (struct session_vector){0};
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
                          .named = {[NAMER_NEURAL] = pending->neural},
                          .vector = pending->vector};
}

struct batch {
    struct pending *sessions[TOGETHER];
    struct query queries[TOGETHER];
    uint32_t count;
};

static struct status ask(struct learner *learner, struct batch *batch)
{
    TRY(neural_ask(learner->neural, batch->queries, batch->count, &learner->options.neural, &learner->arena));
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->sessions[i]->neural = batch->queries[i].named[NAMER_NEURAL];
        batch->sessions[i]->vector = batch->queries[i].vector;
    }
    batch->count = 0;
    return OK;
}

static struct status ask_about(struct learner *learner, struct pending *pending, struct batch *batch)
{
    learner_unsay(pending);
    if (!learner->neural || !is_judged(learner, pending))
        return OK;
    batch->sessions[batch->count] = pending;
    batch->queries[batch->count++] = query_of(pending);
    return batch->count == TOGETHER ? ask(learner, batch) : OK;
}

/* A heap of places in the learner's heap: what may be the next one. */
struct front {
    uint32_t places[LEARNER_SLICE + 1];
    uint32_t count;
};

static bool is_before(const struct learner *learner, uint32_t one, uint32_t other)
{
    return learner_compare(&learner->heap[one]->place, &learner->heap[other]->place) < 0;
}

static void front_push(const struct learner *learner, struct front *front, uint32_t place, int64_t due_ms)
{
    if (place >= learner->count || learner->heap[place]->place.close_ms > due_ms)
        return;
    uint32_t i = front->count++;
    for (; i && is_before(learner, place, front->places[(i - 1) / 2]); i = (i - 1) / 2)
        front->places[i] = front->places[(i - 1) / 2];
    front->places[i] = place;
}

static uint32_t front_pop(const struct learner *learner, struct front *front)
{
    uint32_t first = front->places[0], last = front->places[--front->count], i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= front->count)
            break;
        child += child + 1 < front->count && is_before(learner, front->places[child + 1], front->places[child]);
        if (!is_before(learner, front->places[child], last))
            break;
        front->places[i] = front->places[child];
        i = child;
    }
    front->places[i] = last;
    return first;
}

struct status learner_ask_model(struct learner *learner, int64_t due_ms, uint32_t *ret_count)
{
    struct batch batch = {.count = 0};
    struct front front = {.count = 0};
    arena_reset(&learner->arena);
    front_push(learner, &front, 0, due_ms);
    for (*ret_count = 0; front.count > 0 && *ret_count < LEARNER_SLICE; ++*ret_count) {
        uint32_t place = front_pop(learner, &front);
        TRY(ask_about(learner, learner->heap[place], &batch));
        front_push(learner, &front, 2 * place + 1, due_ms);
        front_push(learner, &front, 2 * place + 2, due_ms);
    }
    return batch.count > 0 ? ask(learner, &batch) : OK;
}

struct status learner_mix(struct learner *learner, const struct pending *pending)
{
    if (!is_judged(learner, pending))
        return OK;
    struct query query = query_of(pending);
    return fuse_learn(learner->learned, &query, query.items[query.length], &learner->options.fusion, learner->scratch);
}
