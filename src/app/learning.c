// SPDX-License-Identifier: Apache-2.0
#include "app/learning_fused.h"
#include "app/progress.h"

#include <eddy/core/ranking.h>
#include <eddy/io/system.h>

#include <stdlib.h>

#define NEVER INT64_MAX

/* One system on its way through the log. */
struct walk {
    const struct learning_data *data;
    const struct learning_way *way;
    struct updater *updater;
    struct ranking *ranking;      /* by the updater's model; NULL: none yet */
    struct learning_fused *fused; /* in its place */
    bool model_is_new;            /* to what ranks */
    size_t closed;                /* sessions, that have been learned or wait in the updater */
    int64_t next_ms;              /* when time makes something due */
    struct learning_result *result;
    struct progress progress;
};

static void walk_release(struct walk *walk)
{
    ranking_close(walk->ranking); /* before the model that it ranks by */
    learning_fused_close(walk->fused);
    updater_close(walk->updater);
}

static int64_t close_ms(const struct learning_data *data, size_t number)
{
    return number < data->closing_count ? data->log.sessions[data->closing[number]].last_ms + data->gap_ms : NEVER;
}

static struct status add_session(const struct learning_data *data, size_t number, struct updater *updater)
{
    const struct whole_session *session = &data->log.sessions[data->closing[number]];
    return updater_add(updater, data->log.items + session->start, session->length, session->last_ms);
}

/* ---- learning */

static struct status update(struct updater *updater, bool *ret_done, struct updater_result *ret_result)
{
    bool begun;
    TRY(updater_begin(updater, &begun));
    *ret_done = !begun;
    *ret_result = (struct updater_result){0};
    while (!*ret_done)
        TRY(updater_step(updater, ret_done, ret_result));
    *ret_done = begun;
    return OK;
}

/* From nothing, on the first `count` sessions that closed. */
static struct status train_from_nothing(const struct learning_data *data, const struct config *config, size_t count,
                                        struct updater **ret_updater, struct updater_result *ret_result)
{
    struct updater_options options = config->update.options;
    bool done;
    options.clicks_max = data->log.click_count > options.clicks_max ? (uint32_t)data->log.click_count
                                                                    : options.clicks_max; /* all so far */
    struct updater *updater;
    TRY(updater_open(&options, NULL, &updater));
    struct status status = OK;
    for (size_t i = 0; i < count && !failed(status); i++)
        status = add_session(data, i, updater);
    if (!failed(status))
        status = update(updater, &done, ret_result);
    if (failed(status)) {
        updater_close(updater);
        return status;
    }
    *ret_updater = updater;
    return OK;
}

struct status learning_first(const struct learning_data *data, const struct config *config, struct model **ret_model)
{
    struct updater *updater;
    struct updater_result result;
    TRY(train_from_nothing(data, config, data->first_sessions, &updater, &result));
    struct status status = model_copy(updater_model(updater), ret_model);
    updater_close(updater);
    return status;
}

static struct status retrain(struct walk *walk, bool *ret_done, struct updater_result *ret_result)
{
    struct updater *updater;
    TRY(train_from_nothing(walk->data, walk->way->config, walk->closed, &updater, ret_result));
    updater_close(walk->updater);
    walk->updater = updater;
    *ret_done = true;
    return OK;
}

/* The model may be gone after this. */
static struct status stop_ranking(struct walk *walk)
{
    walk->model_is_new = true;
    if (walk->fused)
        return learning_fused_model(walk->fused, NULL);
    if (!walk->ranking)
        return OK;
    TRY(ranking_flush(walk->ranking));
    ranking_close(walk->ranking);
    walk->ranking = NULL;
    return OK;
}

static struct status learn(struct walk *walk)
{
    struct learning_result *result = walk->result;
    struct updater_result updated;
    bool done;
    TRY(stop_ranking(walk));
    int64_t start_ns = system_thread_cpu_ns();
    TRY(walk->way->kind == LEARNING_RETRAINED ? retrain(walk, &done, &updated)
                                              : update(walk->updater, &done, &updated));
    int64_t took_ns = system_thread_cpu_ns() - start_ns;
    if (!done)
        return OK;
    result->models += updated.accepted;
    result->refused += !updated.accepted;
    result->samples += updated.samples;
    result->learn_ns += took_ns;
    result->longest_ns = took_ns > result->longest_ns ? took_ns : result->longest_ns;
    return OK;
}

static struct status take_closed(struct walk *walk)
{
    const struct config *config = walk->way->config;
    size_t number = walk->closed++;
    if (walk->fused)
        TRY(learning_fused_learn(walk->fused, number));
    if (walk->way->kind != LEARNING_CONTINUOUS)
        return OK;
    TRY(add_session(walk->data, number, walk->updater));
    bool due = config->update.clicks > 0 && updater_waiting(walk->updater) >= config->update.clicks;
    return due ? learn(walk) : OK;
}

/* 0: time makes nothing due. */
static int64_t interval_ms(const struct learning_way *way)
{
    return way->kind == LEARNING_CONTINUOUS  ? way->config->update.interval_ms
           : way->kind == LEARNING_RETRAINED ? way->every_ms
                                             : 0;
}

/* All that closes and becomes due up to a time, in order. What closes when an update is due is in it. */
static struct status learn_until(struct walk *walk, int64_t time_ms)
{
    for (;;) {
        int64_t closes_ms = close_ms(walk->data, walk->closed);
        if (closes_ms > time_ms && walk->next_ms > time_ms)
            return OK;
        if (closes_ms <= walk->next_ms) {
            TRY(take_closed(walk));
            continue;
        }
        TRY(learn(walk));
        walk->next_ms += interval_ms(walk->way);
    }
}

/* ---- predicting */

static struct status begin_ranking(struct walk *walk)
{
    const struct model *model = walk->way->kind == LEARNING_RETRIEVAL ? NULL : updater_model(walk->updater);
    walk->model_is_new = false;
    return walk->fused ? learning_fused_model(walk->fused, model) : ranking_open(model, &walk->ranking);
}

static struct status ask(struct walk *walk, const struct learning_question *question)
{
    const struct learning_data *data = walk->data;
    const uint32_t *items = data->log.items + data->log.sessions[question->session].start;
    uint32_t next = items[question->length], *rank = &walk->result->ranks[question->place];
    walk->result->unknown += next >= model_item_count(updater_model(walk->updater));
    if (walk->model_is_new)
        TRY(begin_ranking(walk));
    return walk->fused ? learning_fused_ask(walk->fused, question, rank)
                       : ranking_ask(walk->ranking, items, question->length, next, rank);
}

static void draw_timeline(struct walk *walk)
{
    const struct learning_data *data = walk->data;
    for (size_t i = 0; i < data->predictions; i++)
        timeline_add(&walk->result->timeline, data->questions[i].time_ms,
                     walk->result->ranks[data->questions[i].place]);
}

/* What the first model has learned from is old to the updater, and is what the retrieval scorers know. */
static struct status add_first(struct walk *walk)
{
    for (; walk->closed < walk->data->first_sessions; walk->closed++) {
        if (walk->way->kind == LEARNING_CONTINUOUS)
            TRY(add_session(walk->data, walk->closed, walk->updater));
        if (walk->fused)
            TRY(learning_fused_learn(walk->fused, walk->closed));
    }
    updater_mark_learned(walk->updater);
    return OK;
}

static struct status begin(struct walk *walk, const struct model *first)
{
    const struct learning_way *way = walk->way;
    walk->result->ranks = calloc(walk->data->predictions, sizeof *walk->result->ranks);
    if (!walk->result->ranks)
        return FAIL(MEMORY, walk->data->predictions, "no memory for ranks");
    TRY(updater_open(&way->config->update.options, first, &walk->updater));
    if (way->fused)
        TRY(learning_fused_open(walk->data, way->config, &walk->fused));
    TRY(add_first(walk));
    int64_t every_ms = interval_ms(way);
    walk->next_ms = every_ms > 0 ? walk->data->from_ms + every_ms : NEVER;
    walk->model_is_new = true;
    return OK;
}

static struct status run(struct walk *walk, const struct model *first)
{
    const struct learning_data *data = walk->data;
    TRY(begin(walk, first));
    for (size_t i = 0; i < data->predictions; i++) {
        TRY(learn_until(walk, data->questions[i].time_ms));
        TRY(ask(walk, &data->questions[i]));
        progress_advance(&walk->progress, 1, data->predictions);
    }
    TRY(walk->ranking ? ranking_flush(walk->ranking) : OK);
    draw_timeline(walk);
    return OK;
}

struct status learning_run(const struct learning_data *data, const struct model *first, const struct learning_way *way,
                           struct learning_result *ret_result)
{
    struct learning_result result = {0};
    AUTO(walk) walk = {.data = data, .way = way, .result = &result, .progress = progress_start("predictions")};
    struct status status = run(&walk, first);
    progress_end(&walk.progress);
    if (failed(status)) {
        learning_result_release(&result);
        return status;
    }
    *ret_result = result;
    return OK;
}

void learning_result_release(struct learning_result *result)
{
    free(result->ranks);
    result->ranks = NULL;
}

void learning_session_sums(const struct learning_data *data, const struct learning_result *result,
                           const struct learning_result *base, const struct measure *measure,
                           struct session_sums *ret_sums)
{
    const uint32_t cutoff = cutoffs[CUTOFF_COUNT - 1];
    size_t place = 0;
    for (size_t i = 0; i < data->tested_count; i++) {
        struct session_sums sums = {.count = data->log.sessions[data->tested[i]].length - 1};
        for (uint32_t j = 0; j < sums.count; j++, place++) {
            sums.sum += measure->value(result->ranks[place], cutoff);
            if (base)
                sums.sum -= measure->value(base->ranks[place], cutoff);
        }
        ret_sums[i] = sums;
    }
}
