// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/session_model.h"

int64_t model_deadline(const struct model *model, int64_t first_ms, int64_t last_ms)
{
    int64_t a = last_ms + model->options.gap_ms, b = first_ms + model->options.max_duration_ms;
    return (a < b ? a : b) + model->options.grace_ms;
}

static bool model_may_span(const struct model *model, int64_t first_ms, int64_t last_ms, int64_t watermark_ms)
{
    return last_ms - first_ms < model->options.max_duration_ms &&
           model_deadline(model, first_ms, last_ms) > watermark_ms;
}

static int64_t min_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool model_takes(const struct model *model, const struct model_session *session, int64_t time_ms,
                        int64_t watermark_ms)
{
    if (time_ms >= session->first_ms && time_ms <= session->last_ms)
        return true;
    bool near =
        time_ms > session->first_ms - model->options.gap_ms && time_ms < session->last_ms + model->options.gap_ms;
    return near &&
           model_may_span(model, min_of(session->first_ms, time_ms), max_of(session->last_ms, time_ms), watermark_ms);
}

void model_remove(struct model *model, uint32_t index)
{
    memmove(&model->sessions[index], &model->sessions[index + 1],
            (model->count - index - 1) * sizeof model->sessions[0]);
    model->count--;
}

uint32_t model_first_due(const struct model *model)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_session *a = &model->sessions[i], *b = best == UINT32_MAX ? NULL : &model->sessions[best];
        int64_t a_ms = model_deadline(model, a->first_ms, a->last_ms);
        int64_t b_ms = b ? model_deadline(model, b->first_ms, b->last_ms) : INT64_MAX;
        if (!b || a_ms < b_ms || (a_ms == b_ms && a->number < b->number))
            best = i;
    }
    return best;
}

static uint32_t model_insert(struct model *model, struct model_session *session, const struct model_click *click)
{
    uint32_t place = session->length;
    while (place > 0 && session->clicks[place - 1].time_ms > click->time_ms)
        place--;
    uint32_t position = session->total - session->length + place + 1;
    memmove(&session->clicks[place + 1], &session->clicks[place], (session->length - place) * sizeof *click);
    session->clicks[place] = *click;
    session->length++;
    session->total++;
    if (session->length > model->options.clicks_max) {
        session->length = model->options.clicks_max;
        memmove(&session->clicks[0], &session->clicks[1], session->length * sizeof *click);
    }
    session->first_ms = min_of(session->first_ms, click->time_ms);
    session->last_ms = max_of(session->last_ms, click->time_ms);
    return position;
}

static bool model_has(const struct model *model, const struct model_session *session, const struct model_click *click)
{
    for (uint32_t i = 0; i < session->length; i++) {
        const struct model_click *kept = &session->clicks[i];
        if (click->event_id ? kept->event_id == click->event_id
                            : model->options.infer_duplicates && !kept->event_id && kept->time_ms == click->time_ms &&
                                  kept->item == click->item && kept->type == click->type)
            return true;
    }
    return false;
}

static struct model_outcome model_open(struct model *model, uint32_t key, uint32_t user,
                                       const struct model_click *click, int64_t watermark_ms)
{
    struct model_outcome outcome = {.result = SESSION_LATE};
    if (model_deadline(model, click->time_ms, click->time_ms) <= watermark_ms)
        return outcome;
    outcome = (struct model_outcome){.result = SESSION_APPLIED, .position = 1, .opened = true};
    if (model->count >= model->options.open_max) {
        uint32_t due = model_first_due(model);
        outcome.evicted = true;
        outcome.evicted_session = model->sessions[due];
        outcome.evicted_session.close_ms = watermark_ms;
        outcome.evicted_session.evicted = true;
        model_remove(model, due);
    }
    outcome.session = model->count;
    model->sessions[model->count++] = (struct model_session){.number = model->opened++,
                                                             .key = key,
                                                             .user = user,
                                                             .opened_ms = click->time_ms,
                                                             .first_ms = click->time_ms,
                                                             .last_ms = click->time_ms,
                                                             .clicks = {*click},
                                                             .length = 1,
                                                             .total = 1};
    return outcome;
}

static struct model_outcome model_merge(struct model *model, uint32_t before, uint32_t after, uint32_t user,
                                        const struct model_click *click)
{
    struct model_session a = model->sessions[before], b = model->sessions[after], merged = a;
    merged.number = a.number < b.number ? a.number : b.number;
    merged.opened_ms = a.number < b.number ? a.opened_ms : b.opened_ms;
    merged.user = b.user ? b.user : user ? user : a.user;
    uint32_t position = a.total + 1;
    model_insert(model, &merged, click);
    for (uint32_t i = 0; i < b.length; i++)
        model_insert(model, &merged, &b.clicks[i]);
    merged.total = a.total + b.total + 1;
    uint32_t index = before < after ? before : after;
    model_remove(model, before < after ? after : before);
    model->sessions[index] = merged;
    model->merges++;
    return (struct model_outcome){
        .result = SESSION_APPLIED, .position = position, .session = index, .out_of_order = true};
}

struct model_outcome model_apply(struct model *model, uint32_t key, uint32_t user, const struct model_click *click,
                                 int64_t watermark_ms)
{
    uint32_t before = UINT32_MAX, after = UINT32_MAX, takers = 0;
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_session *session = &model->sessions[i];
        if (session->key != key)
            continue;
        takers += model_takes(model, session, click->time_ms, watermark_ms);
        if (session->first_ms <= click->time_ms) {
            if (before == UINT32_MAX || session->first_ms > model->sessions[before].first_ms)
                before = i;
        } else if (after == UINT32_MAX || session->first_ms < model->sessions[after].first_ms) {
            after = i;
        }
    }
    if (before != UINT32_MAX && !model_takes(model, &model->sessions[before], click->time_ms, watermark_ms))
        before = UINT32_MAX;
    if (after != UINT32_MAX && !model_takes(model, &model->sessions[after], click->time_ms, watermark_ms))
        after = UINT32_MAX;
    assert_true(takers == 0 || before != UINT32_MAX || after != UINT32_MAX); /* neighbours are enough to look at */
    for (uint32_t i = 0; i < model->count; i++)
        if ((i == before || i == after) && model_has(model, &model->sessions[i], click))
            return (struct model_outcome){.result = SESSION_DUPLICATE, .session = i};
    if (before != UINT32_MAX && after != UINT32_MAX && !model->never_merges &&
        model_may_span(model, model->sessions[before].first_ms, model->sessions[after].last_ms, watermark_ms))
        return model_merge(model, before, after, user, click);
    uint32_t taker = before != UINT32_MAX ? before : after;
    if (taker == UINT32_MAX)
        return model_open(model, key, user, click, watermark_ms);
    struct model_session *session = &model->sessions[taker];
    struct model_outcome outcome = {
        .result = SESSION_APPLIED, .session = taker, .out_of_order = click->time_ms < session->last_ms};
    if (user && (!outcome.out_of_order || !session->user))
        session->user = user;
    outcome.position = model_insert(model, session, click);
    return outcome;
}
