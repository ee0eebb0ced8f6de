// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/neural.h>

#include <string.h>

#define TOGETHER 64 /* more in one product are no sooner done */

static uint32_t seen_of(const struct query *query)
{
    return query->length < MODEL_LENGTH_MAX ? query->length : MODEL_LENGTH_MAX;
}

/* The last clicks of the queries' sessions, one behind the other. */
static struct status gather(const struct query *queries, uint32_t count, struct arena *arena,
                            struct neural_sessions *ret_sessions)
{
    size_t clicks = 0;
    for (uint32_t i = 0; i < count; i++)
        clicks += seen_of(&queries[i]);
    uint32_t *starts = ARENA_ARRAY(arena, uint32_t, count + 1), *items = ARENA_ARRAY(arena, uint32_t, clicks + 1);
    if (!starts || !items)
        return FAIL(MEMORY, clicks, "no memory for a batch of sessions");
    starts[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t seen = seen_of(&queries[i]);
        memcpy(items + starts[i], queries[i].items + queries[i].length - seen, seen * sizeof *items);
        starts[i + 1] = starts[i] + seen;
    }
    *ret_sessions = (struct neural_sessions){count, starts, items};
    return OK;
}

static struct status ask_for_lists(const struct neural *neural, const struct neural_sessions *sessions,
                                   struct query *queries, uint32_t candidates_max, struct arena *arena)
{
    uint32_t count = sessions->count;
    struct scored_item *lists = ARENA_ARRAY(arena, struct scored_item, (size_t)count * candidates_max);
    uint32_t *lengths = ARENA_ARRAY(arena, uint32_t, count);
    if (!lists || !lengths)
        return FAIL(MEMORY, count, "no memory for a batch of candidates");
    TRY(neural_lists(neural, sessions, arena, lists, candidates_max, lengths));
    for (uint32_t i = 0; i < count; i++) {
        queries[i].named[NAMER_NEURAL] = (struct named){lists + (size_t)i * candidates_max, lengths[i]};
        queries[i].vector = (struct session_vector){0};
    }
    return OK;
}

static struct status ask_for_vectors(const struct neural *neural, const struct neural_sessions *sessions,
                                     struct query *queries, struct arena *arena)
{
    const float **vectors = ARENA_ARRAY(arena, const float *, sessions->count);
    if (!vectors)
        return FAIL(MEMORY, sessions->count, "no memory for a batch of vectors");
    TRY(neural_vectors(neural, sessions, arena, vectors));
    for (uint32_t i = 0; i < sessions->count; i++) {
        queries[i].vector = (struct session_vector){vectors[i] ? neural : NULL, vectors[i]};
        queries[i].named[NAMER_NEURAL].count = 0;
    }
    return OK;
}

struct status neural_ask(const struct neural *neural, struct query *queries, uint32_t count,
                         const struct neural_options *options, struct arena *arena)
{
    bool fully = neural_listed(neural) <= options->full_items;
    for (uint32_t from = 0; from < count; from += TOGETHER) {
        uint32_t some = count - from < TOGETHER ? count - from : TOGETHER;
        struct neural_sessions sessions;
        TRY(gather(queries + from, some, arena, &sessions));
        TRY(fully ? ask_for_lists(neural, &sessions, queries + from, options->candidates_max, arena)
                  : ask_for_vectors(neural, &sessions, queries + from, arena));
    }
    return OK;
}
