// SPDX-License-Identifier: Apache-2.0
#include "core/model/updater.h"

#include "core/model/growth.h"
#include "core/model/model.h"
#include "core/model/rehearsal.h"

#include <stdlib.h>
#include <string.h>

#define JUDGES_MIN 20 /* predictions that a model from nothing is judged by */

/* ---- life */

static void update_release(struct update *update)
{
    trainer_close(update->trainer); /* before the model that it trains */
    ranking_close(update->ranking);
    model_close(update->copy);
    free(update->starts);
    free(update->items);
    free(update->times_ms);
    free(update->samples);
    free(update->ranks[0]);
    free(update->ranks[1]);
    *update = (struct update){0};
}

struct status updater_open(const struct updater_options *options, const struct model *model,
                           struct updater **ret_updater)
{
    assert(options->clicks_max >= 2 && options->items_max >= 1 && options->passes >= 1 && options->replay >= 0);
    assert(options->held_share >= 0 && options->held_share < 0.5f && options->noise >= 0);
    struct updater *updater = calloc(1, sizeof *updater);
    if (!updater)
        return FAIL(MEMORY, sizeof *updater, "no memory for an updater");
    updater->options = *options;
    updater->past.clicks_max = options->clicks_max;
    updater->anew_period = INT64_MIN;
    struct status status = model ? model_copy(model, &updater->model) : OK;
    if (failed(status)) {
        updater_close(updater);
        return status;
    }
    *ret_updater = updater;
    return OK;
}

void updater_close(struct updater *updater)
{
    if (!updater)
        return;
    update_release(&updater->update);
    past_release(&updater->past);
    moments_release(&updater->moments);
    model_close(updater->model);
    free(updater);
}

const struct model *updater_model(const struct updater *updater)
{
    return updater->model;
}

/* ---- sessions in */

struct status updater_add(struct updater *updater, const uint32_t *items, uint32_t length, int64_t time_ms)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < length; i++)
        known += items[i] < updater->options.items_max;
    if (known < 2)
        return OK;
    if (known == length)
        return past_add(&updater->past, items, length, time_ms);
    uint32_t *kept = malloc(known * sizeof *kept), count = 0;
    if (!kept)
        return FAIL(MEMORY, known, "no memory for a session");
    for (uint32_t i = 0; i < length; i++)
        if (items[i] < updater->options.items_max)
            kept[count++] = items[i];
    struct status status = past_add(&updater->past, kept, count, time_ms);
    free(kept);
    return status;
}

void updater_mark_learned(struct updater *updater)
{
    updater->window_number = updater->past.left + updater->past.session_count;
}

uint32_t updater_waiting(const struct updater *updater)
{
    const struct past *past = &updater->past;
    uint32_t first = past_place(past, updater->window_number);
    return first < past->session_count ? past->click_count - past->sessions[first].start : 0;
}

/* ---- an update begins */

/* The past as it is now: what closes while the update runs changes nothing in it. */
static struct status copy_past(struct updater *updater)
{
    struct update *update = &updater->update;
    const struct past *past = &updater->past;
    uint32_t count = past->session_count;
    update->starts = malloc((count + 1) * sizeof *update->starts);
    update->times_ms = malloc((count + 1) * sizeof *update->times_ms);
    update->items = malloc((past->click_count + 1) * sizeof *update->items);
    if (!update->starts || !update->times_ms || !update->items)
        return FAIL(MEMORY, past->click_count, "no memory for an update's sessions");
    memcpy(update->items, past->items, past->click_count * sizeof *update->items);
    for (uint32_t i = 0; i < count; i++) {
        update->starts[i] = past->sessions[i].start;
        update->times_ms[i] = past->sessions[i].time_ms;
    }
    update->starts[count] = past->click_count;
    update->count = count;
    update->window = updater->model ? past_place(past, updater->window_number) : 0;
    return OK;
}

/* Holds back the newest sessions, as many as make no more predictions than the options say. */
static struct status hold_back(struct updater *updater)
{
    struct update *update = &updater->update;
    const struct updater_options *options = &updater->options;
    uint32_t waiting = update->starts[update->count] - update->starts[update->window], predictions = 0;
    double most = (double)options->held_share * waiting;
    most = !updater->model ? 0 : most < options->held_max ? most : options->held_max;
    for (update->held = update->count; update->held > update->window; update->held--) {
        uint32_t more = update->starts[update->held] - update->starts[update->held - 1] - 1;
        if (predictions + more > most)
            break;
        predictions += more;
    }
    update->held_number = updater->past.left + update->held;
    update->learned = (struct training_sessions){update->held, update->starts, update->items};
    update->result.held_sessions = update->count - update->held;
    update->result.predictions = predictions;
    for (int i = 0; i < 2; i++) {
        update->ranks[i] = calloc((size_t)predictions + 1, sizeof *update->ranks[i]);
        if (!update->ranks[i])
            return FAIL(MEMORY, predictions, "no memory for an update's gate");
    }
    return OK;
}

/* How many items a model of `before` items needs to have so that it has those of the first `clicks` clicks. */
static uint32_t items_among(const struct update *update, uint32_t clicks, uint32_t before)
{
    for (uint32_t i = 0; i < clicks; i++)
        before = update->items[i] >= before ? update->items[i] + 1 : before;
    return before;
}

/* Rows for the items of the first `clicks` clicks; `sessions` say where new ones begin. */
static struct status grow(struct update *update, uint32_t clicks, const struct training_sessions *sessions)
{
    uint32_t before = update->copy->item_count, after = items_among(update, clicks, before);
    TRY(model_grow(update->copy, after, random_u64(&update->random)));
    update->result.new_items += after - before;
    return growth_begin_rows(update->copy, before, sessions);
}

/* One from nothing, which is trained as any other. It has all rows of the model in use. */
static struct status begin_anew(struct updater *updater)
{
    struct update *update = &updater->update;
    const struct updater_options *options = &updater->options;
    uint32_t before = updater->model ? updater->model->item_count : 0;
    uint32_t items = items_among(update, update->starts[update->held], before > 1 ? before : 1);
    moments_release(&updater->moments); /* before there are others */
    TRY(model_open(&options->model, items, options->training.seed, &update->copy));
    update->result.new_items = items - before;
    return trainer_open(&options->training, &update->learned, update->copy, &update->trainer);
}

static struct status begin_next(struct updater *updater)
{
    struct update *update = &updater->update;
    const struct updater_options *options = &updater->options;
    const struct rehearsal rehearsal = {.sessions = &update->learned,
                                        .times_ms = update->times_ms,
                                        .window = update->window,
                                        .passes = options->passes,
                                        .replay = options->replay,
                                        .samples_max = options->samples_max,
                                        .half_life_ms = options->half_life_ms};
    struct trainer_options training = options->training;
    training.epochs = 1; /* the passes are in the samples */
    training.rate = options->rate;
    training.half_life = 0; /* what is old has been drawn by its age */
    training.seed = (uint32_t)random_u64(&update->random);
    TRY(rehearsal_choose(&rehearsal, &update->random, &update->samples, &update->sample_count));
    TRY(model_copy(updater->model, &update->copy));
    TRY(grow(update, update->starts[update->held], &update->learned));
    const struct training_samples samples = {update->sample_count, update->samples};
    TRY(trainer_open_samples(&training, &update->learned, &samples, update->copy, &update->trainer));
    trainer_go_on(update->trainer, &updater->moments);
    return OK;
}

/* Of what the update learns. */
static int64_t newest_ms(const struct update *update)
{
    int64_t newest = INT64_MIN;
    for (uint32_t i = 0; i < update->held; i++)
        newest = update->times_ms[i] > newest ? update->times_ms[i] : newest;
    return newest;
}

static int64_t period_of(const struct updater *updater, int64_t time_ms)
{
    return time_ms / updater->options.anew_ms;
}

/* Not where too few are held back to judge it: it is no small step from a model that was judged. */
static bool begins_anew(const struct updater *updater)
{
    const struct update *update = &updater->update;
    if (!updater->model)
        return true;
    if (updater->options.anew_ms == 0 || (updater->options.held_share > 0 && update->result.predictions < JUDGES_MIN))
        return false;
    int64_t period = period_of(updater, newest_ms(update));
    return period > period_of(updater, model_trained_to(updater->model)) && period > updater->anew_period;
}

static struct status begin(struct updater *updater, bool *ret_begun)
{
    struct update *update = &updater->update;
    *ret_begun = false;
    if (updater->past.session_count == 0)
        return OK;
    random_seed(&update->random, updater->options.training.seed + 0x9e3779b97f4a7c15 * (updater->updates + 1));
    TRY(copy_past(updater));
    TRY(hold_back(updater));
    *ret_begun = update->held > update->window;
    if (!*ret_begun)
        return OK;
    update->result.window_sessions = update->held - update->window;
    update->result.window_clicks = update->starts[update->held] - update->starts[update->window];
    update->result.anew = begins_anew(updater);
    TRY(update->result.anew ? begin_anew(updater) : begin_next(updater));
    update->phase = UPDATE_TRAINS;
    updater->updates++;
    return OK;
}

struct status updater_begin(struct updater *updater, bool *ret_begun)
{
    bool begun = false;
    assert(updater->update.phase == UPDATE_NONE);
    struct status status = begin(updater, &begun);
    if (failed(status) || !begun)
        update_release(&updater->update);
    if (!failed(status))
        *ret_begun = begun;
    return status;
}

/* ---- a step */

static struct status train(struct updater *updater)
{
    struct update *update = &updater->update;
    struct trained_step step;
    TRY(trainer_step(update->trainer, &step));
    update->loss += step.loss;
    update->result.samples += step.samples;
    struct trainer_progress progress = trainer_progress(update->trainer);
    if (progress.steps < progress.steps_total)
        return OK;
    trainer_hand_over(update->trainer, &updater->moments);
    trainer_close(update->trainer);
    update->trainer = NULL;
    update->result.loss = update->loss / (double)update->result.samples;
    update->asked = update->held;
    update->phase = UPDATE_RANKS_OLD;
    return OK;
}

/* Asks after about as many clicks as are answered together. */
static struct status ask(struct update *update, uint32_t *ranks)
{
    for (uint32_t asked = 0; update->asked < update->count && asked < RANKING_BATCH; update->asked++) {
        uint32_t start = update->starts[update->asked], end = update->starts[update->asked + 1];
        /* each session before this one has a prediction less than it has clicks */
        uint32_t *to = ranks + (start - update->starts[update->held]) - (update->asked - update->held);
        for (uint32_t click = start + 1; click < end; click++, asked++)
            TRY(ranking_ask(update->ranking, update->items + start, click - start, update->items[click], to++));
    }
    return update->asked == update->count ? ranking_flush(update->ranking) : OK;
}

/* *ret_done: all have been ranked by the model. */
static struct status rank(struct update *update, const struct model *model, uint32_t *ranks, bool *ret_done)
{
    if (!update->ranking)
        TRY(ranking_open(model, &update->ranking));
    TRY(ask(update, ranks));
    *ret_done = update->asked == update->count;
    if (!*ret_done)
        return OK;
    ranking_close(update->ranking);
    update->ranking = NULL;
    update->asked = update->held;
    return OK;
}

/* Items that only the sessions held back have begin now: these judge the copy, and so must not have shaped it. */
static struct status publish(struct updater *updater)
{
    struct update *update = &updater->update;
    const struct training_sessions judges = {update->count - update->held, update->starts + update->held,
                                             update->items};
    TRY(grow(update, update->starts[update->count], &judges));
    for (uint32_t i = 0; i < update->held; i++)
        if (update->times_ms[i] > model_trained_to(update->copy))
            model_set_trained_to(update->copy, update->times_ms[i]);
    model_close(updater->model);
    updater->model = update->copy;
    update->copy = NULL;
    return OK;
}

static struct status end(struct updater *updater, struct updater_result *ret_result)
{
    struct update *update = &updater->update;
    update_judge(updater, &update->result);
    if (update->result.accepted)
        TRY(publish(updater));
    else if (update->result.anew)
        moments_release(&updater->moments); /* of a model that is not in use */
    if (update->result.anew && updater->options.anew_ms > 0)
        updater->anew_period = period_of(updater, newest_ms(update));
    updater->window_number = update->held_number;
    *ret_result = update->result;
    update_release(update);
    return OK;
}

static struct status step(struct updater *updater, bool *ret_done, struct updater_result *ret_result)
{
    struct update *update = &updater->update;
    bool ranked = false;
    switch (update->phase) {
    case UPDATE_TRAINS:
        TRY(train(updater));
        if (update->phase == UPDATE_TRAINS || update->result.predictions > 0)
            return OK;
        break;
    case UPDATE_RANKS_OLD:
        TRY(rank(update, updater->model, update->ranks[0], &ranked));
        update->phase = ranked ? UPDATE_RANKS_NEW : UPDATE_RANKS_OLD;
        return OK;
    case UPDATE_RANKS_NEW:
        TRY(rank(update, update->copy, update->ranks[1], &ranked));
        if (!ranked)
            return OK;
        break;
    case UPDATE_NONE: /* updater_step() has seen to that */
        return OK;
    }
    TRY(end(updater, ret_result));
    *ret_done = true;
    return OK;
}

struct status updater_step(struct updater *updater, bool *ret_done, struct updater_result *ret_result)
{
    assert(updater->update.phase != UPDATE_NONE);
    *ret_done = false;
    struct status status = step(updater, ret_done, ret_result);
    if (failed(status))
        update_release(&updater->update);
    return status;
}
