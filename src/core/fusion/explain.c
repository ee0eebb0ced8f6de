// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/kernels.h"
#include "core/fusion/list.h"

/* The weight of a rule of a row to `entry`; 0 when there is none. */
static float rule_weight(const struct learned *learned, uint32_t from, uint32_t to, float backward_weight,
                         uint32_t rules_max)
{
    const struct successor_row *row = &learned->successors.rows[from];
    float total = row->forward_total + backward_weight * row->backward_total;
    if (!row->count || !(total > 0))
        return 0;
    struct successor_view view = successor_view(&learned->successors, row);
    uint32_t count = row->count < rules_max ? row->count : rules_max;
    uint32_t i = kernel_find(view.items, count, to);
    return i < count ? (view.forward[i] + backward_weight * view.backward[i]) / total : 0;
}

/* The session's item that gave the entry most of its transition mass. */
static struct reason follows(const struct list *list, uint32_t entry)
{
    const struct scoring_scratch *scratch = list->scratch;
    const struct transition_options *options = &list->options->transition;
    struct reason reason = {REASON_FOLLOWS, ITEM_NONE, 0};
    float most = 0;
    for (uint32_t rank = 0; rank < scratch->recent.count && rank < options->query_items_max; rank++) {
        if (scratch->entries[rank] == ENTRY_NONE)
            continue;
        float mass = scratch->tables.transition_decay[rank] * scratch->weights[rank] *
                     rule_weight(list->learned, scratch->entries[rank], entry, options->backward_weight, UINT32_MAX);
        if (mass > most) {
            most = mass;
            reason.item = scratch->recent.items[rank];
        }
    }
    return reason;
}

/* The candidate that led the walk to the entry. */
static struct reason near(const struct list *list, uint32_t entry)
{
    const struct scoring_scratch *scratch = list->scratch;
    const struct walk_options *options = &list->options->walk;
    struct reason reason = {REASON_NEAR, ITEM_NONE, 0};
    float most = 0;
    for (uint32_t i = 0; i < scratch->start_count; i++) {
        uint32_t place = scratch->starts[i], start = scratch->touched[place];
        float mass = (scratch->knn[place] + scratch->transition[place]) *
                     rule_weight(list->learned, start, entry, options->backward_weight, options->rules_max);
        if (mass > most) {
            most = mass;
            reason.item = list->learned->items[start];
        }
    }
    return reason;
}

static const enum scorer_id scorer_of[NAMER_COUNT] = {SCORER_NEURAL, SCORER_SEMANTIC, SCORER_AGENT};

/* The reason of a scorer that has no more to say for itself. */
static struct reason reason_of(enum scorer_id scorer)
{
    enum reason_kind kind = scorer == SCORER_NEURAL     ? REASON_MODEL
                            : scorer == SCORER_SEMANTIC ? REASON_TEXT
                            : scorer == SCORER_AGENT    ? REASON_AGENT
                                                        : REASON_POPULAR;
    return (struct reason){kind, ITEM_NONE, 0};
}

static enum scorer_id strongest_of(const float shares[SCORER_COUNT])
{
    enum scorer_id strongest = 0;
    for (enum scorer_id i = 0; i < SCORER_COUNT; i++)
        if (shares[i] > shares[strongest])
            strongest = i;
    return strongest;
}

static void explain_new(const struct list *list, uint32_t place, struct recommended_item *item)
{
    const struct scoring_scratch *scratch = list->scratch;
    uint32_t entry = scratch->touched[place];
    float *shares = item->shares;
    const struct popularity *popularity = &list->learned->popularity;
    float popular = scratch->popular_unit * popularity->values[entry];
    float sum = scratch->knn[place] + scratch->transition[place] + scratch->walk[place] + popular;
    for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
        sum += scratch->named_units[namer] > 0 ? scratch->named[namer][place] : 0;
    if (!(sum > 0)) {
        shares[SCORER_POPULAR] = 1;
        item->reason = (struct reason){REASON_POPULAR, ITEM_NONE, 0};
        return;
    }
    shares[SCORER_KNN] = scratch->knn[place] / sum;
    shares[SCORER_TRANSITION] = scratch->transition[place] / sum;
    shares[SCORER_WALK] = scratch->walk[place] / sum;
    shares[SCORER_POPULAR] = popular / sum;
    for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
        shares[scorer_of[namer]] = scratch->named_units[namer] > 0 ? scratch->named[namer][place] / sum : 0;
    enum scorer_id strongest = strongest_of(shares);
    uint32_t sessions = (uint32_t)scratch->sessions[place]; /* 0: they had it out of the vote's reach, too */
    if (strongest == SCORER_KNN)
        item->reason = (struct reason){REASON_SIMILAR_SESSIONS, ITEM_NONE, sessions ? sessions : 1};
    else if (strongest == SCORER_TRANSITION)
        item->reason = follows(list, entry);
    else if (strongest == SCORER_WALK)
        item->reason = near(list, entry);
    else
        item->reason = reason_of(strongest);
}

static void explain_outsider(const struct scoring_scratch *scratch, const struct outsider *outsider,
                             struct recommended_item *item)
{
    float sum = 0;
    for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
        sum += scratch->named_units[namer] * outsider->named[namer];
    for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
        item->shares[scorer_of[namer]] = scratch->named_units[namer] * outsider->named[namer] / sum;
    item->reason = reason_of(strongest_of(item->shares));
}

void list_explain(struct list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct recommended_item *item = &list->items[i];
        uint32_t place = list->places[i];
        if (place == PLACE_FILLED) {
            item->shares[SCORER_POPULAR] = 1;
            item->reason = (struct reason){REASON_POPULAR, ITEM_NONE, 0};
        } else if (place & PLACE_STRANGER || place < list->scratch->seen_count) {
            item->shares[SCORER_REPEAT] = 1;
            item->reason = (struct reason){REASON_REPEAT, item->item, 0};
        } else if (place & PLACE_OUTSIDER) {
            explain_outsider(list->scratch, &list->scratch->outsiders[place & ~PLACE_OUTSIDER], item);
        } else {
            explain_new(list, place, item);
        }
    }
}
