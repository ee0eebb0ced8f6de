// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/intent.h>

#include <stdlib.h>

/* Texts of which a vector is wanted. */
struct wanted {
    struct bytes *texts;
    size_t count, capacity;
};

struct localizing {
    const struct semantic *semantic;
    const struct localize_options *options;
    struct arena *arena;
    struct arena scratch; /* of one text: what it is found by takes far more room than what is found */
    struct wanted wanted;
    const float *vectors; /* of those, once they are there */
    size_t taken;         /* of these */
    struct localized_titles titles;
};

static struct status want(struct localizing *localizing, struct bytes text)
{
    struct wanted *wanted = &localizing->wanted;
    if (wanted->count == wanted->capacity) {
        size_t capacity = wanted->capacity ? 2 * wanted->capacity : 64;
        struct bytes *texts = realloc(wanted->texts, capacity * sizeof *texts);
        if (!texts)
            return FAIL(MEMORY, capacity, "no memory for texts");
        wanted->texts = texts;
        wanted->capacity = capacity;
    }
    wanted->texts[wanted->count++] = text;
    return OK;
}

static const float *next_vector(struct localizing *localizing)
{
    return localizing->vectors + localizing->taken++ * semantic_width(localizing->semantic);
}

static struct status find(struct localizing *localizing, struct bytes title, const float *vector,
                          struct scored_item *ret_item, enum localized *ret_how)
{
    arena_reset(&localizing->scratch);
    return localize_title(localizing->semantic, title, vector, localizing->options, &localizing->scratch, ret_item,
                          ret_how);
}

/* One that has a fault says nothing. */
static const struct answered_view *view_of(const struct answered_session *answer, uint32_t view)
{
    static const struct answered_view nothing;
    return answer->fault == ANSWER_NONE ? &answer->views[view] : &nothing;
}

/* The texts of a view that need a vector, in the order in which localize_view() takes these. */
static struct status want_view(struct localizing *localizing, const struct answered_view *view)
{
    if (view->intent.size)
        TRY(want(localizing, view->intent));
    for (uint32_t i = 0; i < view->title_count; i++) {
        struct scored_item item;
        enum localized how;
        TRY(find(localizing, view->titles[i], NULL, &item, &how));
        if (how != LOCALIZED_FOUND)
            TRY(want(localizing, view->titles[i]));
    }
    return OK;
}

static bool has(const struct scored_item *items, uint32_t count, uint32_t item)
{
    while (count > 0 && items[count - 1].item != item)
        count--;
    return count > 0;
}

static struct status localize_titles(struct localizing *localizing, const struct answered_view *view,
                                     struct localized_view *ret_view)
{
    struct scored_item *named = ARENA_ARRAY(localizing->arena, struct scored_item, view->title_count + 1);
    if (!named)
        return FAIL(MEMORY, view->title_count, "no memory for a view's items");
    for (uint32_t i = 0; i < view->title_count; i++) {
        struct scored_item item;
        enum localized how;
        TRY(find(localizing, view->titles[i], NULL, &item, &how));
        if (how != LOCALIZED_FOUND)
            TRY(find(localizing, view->titles[i], next_vector(localizing), &item, &how));
        localizing->titles.counts[how]++;
        if (how != LOCALIZED_REJECTED && !has(named, ret_view->named_count, item.item))
            named[ret_view->named_count++] = item;
    }
    ret_view->named = named;
    return OK;
}

static struct status localize_view(struct localizing *localizing, const struct answered_view *view,
                                   struct localized_view *ret_view)
{
    *ret_view = (struct localized_view){0};
    if (view->intent.size) {
        struct scored_item *near = ARENA_ARRAY(localizing->arena, struct scored_item, localizing->options->nearest);
        if (!near)
            return FAIL(MEMORY, localizing->options->nearest, "no memory for a view's items");
        ret_view->near = near;
        arena_reset(&localizing->scratch);
        TRY(localize_text(localizing->semantic, next_vector(localizing), localizing->options, &localizing->scratch,
                          near, &ret_view->near_count));
    }
    return localize_titles(localizing, view, ret_view);
}

static struct status embed(struct localizing *localizing, const struct embedder *embedder, float **ret_vectors,
                           struct complaint *complaint)
{
    const struct wanted *wanted = &localizing->wanted;
    *ret_vectors = malloc((wanted->count * embedder->width + 1) * sizeof **ret_vectors);
    if (!*ret_vectors)
        return FAIL(MEMORY, wanted->count, "no memory for texts' vectors");
    localizing->vectors = *ret_vectors;
    return wanted->count ? embedder_embed(embedder, wanted->texts, wanted->count, *ret_vectors, complaint) : OK;
}

struct status localize_answers(const struct semantic *semantic, const struct embedder *embedder,
                               const struct answered_session *answers, uint32_t count,
                               const struct localize_options *options, struct arena *arena,
                               struct localized_intent *ret_intents, struct localized_titles *titles,
                               struct complaint *complaint)
{
    struct localizing localizing = {.semantic = semantic, .options = options, .arena = arena};
    struct status status = OK;
    float *vectors = NULL;
    assert(embedder->width == semantic_width(semantic));
    for (uint32_t i = 0; i < count * VIEW_COUNT && !failed(status); i++)
        status = want_view(&localizing, view_of(&answers[i / VIEW_COUNT], i % VIEW_COUNT));
    if (!failed(status))
        status = embed(&localizing, embedder, &vectors, complaint);
    for (uint32_t i = 0; i < count * VIEW_COUNT && !failed(status); i++)
        status = localize_view(&localizing, view_of(&answers[i / VIEW_COUNT], i % VIEW_COUNT),
                               &ret_intents[i / VIEW_COUNT].views[i % VIEW_COUNT]);
    free(vectors);
    free(localizing.wanted.texts);
    arena_release(&localizing.scratch);
    for (int how = 0; how <= LOCALIZED_REJECTED && !failed(status); how++)
        titles->counts[how] += localizing.titles.counts[how];
    return status;
}
