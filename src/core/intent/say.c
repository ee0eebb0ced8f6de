// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/intent.h>

/* Items with what they have been given so far; each once. */
struct tally {
    struct scored_item *items;
    uint32_t count;
    float sum;
};

static void give(struct tally *tally, uint32_t item, float score)
{
    uint32_t at = 0;
    if (!(score > 0))
        return;
    while (at < tally->count && tally->items[at].item != item)
        at++;
    if (at == tally->count)
        tally->items[tally->count++] = (struct scored_item){item, 0};
    tally->items[at].score += score;
    tally->sum += score;
}

static struct named named_of(const struct tally *tally, float sum)
{
    for (uint32_t i = 0; i < tally->count; i++)
        tally->items[i].score *= sum;
    return (struct named){tally->items, tally->count};
}

static float share_of(const struct intent_options *options, enum answer_view view)
{
    return view == VIEW_SHORT ? options->short_share : 1 - options->short_share;
}

static struct status open(struct arena *arena, uint32_t capacity, struct tally *tally)
{
    *tally = (struct tally){.items = ARENA_ARRAY(arena, struct scored_item, capacity + 1)};
    return tally->items ? OK : FAIL(MEMORY, capacity, "no memory for an intent's items");
}

static struct status say_titles(const struct localized_intent *intent, const struct intent_options *options,
                                struct arena *arena, struct query *query)
{
    struct tally tally;
    TRY(open(arena, intent->views[VIEW_LONG].named_count + intent->views[VIEW_SHORT].named_count, &tally));
    for (enum answer_view view = 0; view < VIEW_COUNT; view++) {
        const struct localized_view *said = &intent->views[view];
        float share = share_of(options, view);
        for (uint32_t i = 0; i < said->named_count; i++, share *= options->rank_decay)
            give(&tally, said->named[i].item, share * said->named[i].score);
    }
    query->named[NAMER_AGENT] = named_of(&tally, tally.sum > 0 ? 1 / tally.sum : 0);
    return OK;
}

static struct status say_texts(const struct localized_intent *intent, const struct intent_options *options,
                               struct arena *arena, struct query *query)
{
    const struct named *titles = &query->named[NAMER_SEMANTIC];
    struct tally tally;
    float texts = 0;
    for (enum answer_view view = 0; view < VIEW_COUNT; view++)
        texts += intent->views[view].near_count ? share_of(options, view) : 0;
    if (!(texts > 0) || !(options->text_share > 0))
        return OK;
    TRY(open(arena, titles->count + intent->views[VIEW_LONG].near_count + intent->views[VIEW_SHORT].near_count,
             &tally));
    float text_share = titles->count ? options->text_share : 1;
    for (uint32_t i = 0; i < titles->count; i++)
        give(&tally, titles->items[i].item, (1 - text_share) * titles->items[i].score);
    for (enum answer_view view = 0; view < VIEW_COUNT; view++) {
        const struct localized_view *said = &intent->views[view];
        for (uint32_t i = 0; i < said->near_count; i++)
            give(&tally, said->near[i].item, text_share * share_of(options, view) / texts * said->near[i].score);
    }
    query->named[NAMER_SEMANTIC] = named_of(&tally, 1);
    return OK;
}

struct status intent_say(const struct localized_intent *intent, const struct intent_options *options,
                         struct arena *arena, struct query *query)
{
    TRY(say_titles(intent, options, arena, query));
    return say_texts(intent, options, arena, query);
}
