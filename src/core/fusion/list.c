// SPDX-License-Identifier: Apache-2.0
#include "core/fusion/list.h"

/* Candidates ranked when categories are limited: so many per place of the list, but not too many to sort. */
#define CATEGORY_POOL     8
#define CATEGORY_POOL_MAX 1000

#define SUM_MOST          (1 - 1e-5f) /* so that rounding never makes the scores of a list sum to more than 1 */

uint32_t list_ranked_max(const struct fusion_options *options)
{
    uint32_t size = options->list_size;
    if (!options->filters.per_category_max || size >= CATEGORY_POOL_MAX)
        return size;
    return size * CATEGORY_POOL < CATEGORY_POOL_MAX ? size * CATEGORY_POOL : CATEGORY_POOL_MAX;
}

/* Whether the filters let the item in, the limit per category aside. */
static bool passes(const struct list *list, uint32_t item)
{
    const struct fusion_filters *filters = &list->options->filters;
    const struct catalogue *catalogue = list->catalogue;
    if (filters->available_only && !catalogue_available(catalogue, item))
        return false;
    if (filters->catalogue_only && !catalogue_has_record(catalogue, item))
        return false;
    for (uint32_t i = 0; i < filters->category_count; i++)
        if (catalogue_in_category(catalogue, item, filters->categories_excluded[i]))
            return false;
    return true;
}

static bool category_has_room(const struct list *list, uint32_t item)
{
    uint32_t most = list->options->filters.per_category_max;
    uint32_t category = most ? catalogue_category(list->catalogue, item) : INTERNER_NONE;
    if (category == INTERNER_NONE)
        return true;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < list->count; i++)
        taken += catalogue_category(list->catalogue, list->items[i].item) == category;
    return taken < most;
}

static uint32_t item_at(const struct list *list, uint32_t place)
{
    const struct scoring_scratch *scratch = list->scratch;
    if (place & PLACE_STRANGER)
        return scratch->recent.items[place & ~PLACE_STRANGER];
    if (place & PLACE_OUTSIDER)
        return scratch->outsiders[place & ~PLACE_OUTSIDER].item;
    return list->learned->items[scratch->touched[place]];
}

/* Entries order ties; items never learned come after all that were. */
static uint32_t entry_at(const struct list *list, uint32_t place)
{
    return place & (PLACE_STRANGER | PLACE_OUTSIDER) ? place : list->scratch->touched[place];
}

/* ---- ranking: an insertion sort of the best, which few candidates get past the end of */

struct ranking {
    struct ranked *best; /* best first */
    uint32_t count, capacity;
};

static void rank(const struct list *list, struct ranking *ranking, float score, uint32_t place)
{
    struct ranked *best = ranking->best;
    if (ranking->count == ranking->capacity) {
        const struct ranked *last = &best[ranking->count - 1];
        if (score < last->score || (score == last->score && entry_at(list, place) > entry_at(list, last->place)))
            return;
    }
    if (!passes(list, item_at(list, place)))
        return;
    uint32_t at = ranking->count < ranking->capacity ? ranking->count++ : ranking->count - 1;
    uint32_t entry = entry_at(list, place);
    for (; at; at--) {
        const struct ranked *before = &best[at - 1];
        if (before->score > score || (before->score == score && entry_at(list, before->place) < entry))
            break;
        best[at] = *before;
    }
    best[at] = (struct ranked){score, place};
}

static void rank_outsiders(const struct list *list, struct ranking *ranking)
{
    const struct scoring_scratch *scratch = list->scratch;
    for (uint32_t i = 0; i < scratch->outsider_count; i++) {
        float score = 0;
        for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
            score += scratch->named_units[namer] * scratch->outsiders[i].named[namer];
        if (score > 0)
            rank(list, ranking, score, PLACE_OUTSIDER | i);
    }
}

static void rank_all(const struct list *list, struct ranking *ranking)
{
    const struct scoring_scratch *scratch = list->scratch;
    const float *scores = scratch->scores;
    if (list->options->filters.seen == SEEN_LEARNED)
        for (uint32_t i = 0, place = 0; i < scratch->recent.count; i++)
            rank(list, ranking, scratch->probabilities[i],
                 scratch->entries[i] == ENTRY_NONE ? PLACE_STRANGER | i : place++);
    for (uint32_t i = scratch->seen_count; i < scratch->touched_count; i++) {
        if (ranking->count == ranking->capacity && scores[i] < ranking->best[ranking->count - 1].score)
            continue;
        rank(list, ranking, scores[i], i);
    }
    rank_outsiders(list, ranking);
}

/* ---- the list */

static void take(struct list *list, uint32_t item, float score, uint32_t place)
{
    list->places[list->count] = place;
    list->items[list->count++] = (struct recommended_item){.item = item, .score = score};
}

static bool full(const struct list *list)
{
    return list->count == list->options->list_size;
}

/* Whether the item is in the list, or in the session and left out or judged already. Slow, but only asked when a list
 * has to be filled. */
static bool is_used(const struct list *list, uint32_t item)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].item == item)
            return true;
    return query_has_item(list->query, item);
}

static bool may_fill(const struct list *list, uint32_t item)
{
    return passes(list, item) && category_has_room(list, item) && !is_used(list, item);
}

static void fill_popular(struct list *list)
{
    const struct popularity *popularity = &list->learned->popularity;
    float unit = SUM_MOST * list->scratch->popular_unit;
    for (uint32_t i = 0; i < popularity->top_count && !full(list); i++) {
        uint32_t entry = popularity->top[i], item = list->learned->items[entry];
        if (!may_fill(list, item))
            continue;
        float score = unit * popularity->values[entry];
        float last = list->count ? list->items[list->count - 1].score : score;
        take(list, item, score < last ? score : last, PLACE_FILLED);
    }
}

void list_make(struct list *list)
{
    struct scoring_scratch *scratch = list->scratch;
    struct ranking ranking = {.best = scratch->ranked, .capacity = list_ranked_max(list->options)};
    rank_all(list, &ranking);
    for (uint32_t i = 0; i < ranking.count && !full(list); i++) {
        uint32_t place = ranking.best[i].place, item = item_at(list, place);
        if (!category_has_room(list, item))
            continue;
        take(list, item, ranking.best[i].score * SUM_MOST, place);
    }
    if (!full(list))
        fill_popular(list);
}
