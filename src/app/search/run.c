// SPDX-License-Identifier: Apache-2.0
#include "app/search/run.h"

#include "app/search/files.h"
#include "app/training_state.h"

#include <eddy/io/system.h>

#include <stdlib.h>

struct search {
    const struct search_task *task;
    struct config *config;
    const struct evaluation_data *data;
    struct trials trials;
    uint32_t seed;
    struct file_lock lock;
    bool locked;
    struct complaint *complaint;
};

static void search_release(struct search *search)
{
    trials_release(&search->trials);
    if (search->locked)
        file_lock_give(&search->lock);
}

/* ---- what a search is of */

static struct status hash_clicks(const struct evaluation_data *data, uint64_t *ret_hash)
{
    struct bytes_hasher *hasher;
    uint64_t purpose;
    TRY(training_purpose(data, &purpose));
    TRY(bytes_hasher_open(&hasher));
    bytes_hasher_add(hasher, bytes_of(&purpose, sizeof purpose));
    for (size_t i = 0; i < data->train_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->train[i]];
        bytes_hasher_add(hasher, bytes_of(&session->length, sizeof session->length));
        bytes_hasher_add(hasher, bytes_of(data->log.items + session->start, session->length * sizeof(uint32_t)));
    }
    *ret_hash = bytes_hasher_value(hasher);
    bytes_hasher_close(hasher);
    return OK;
}

/* Of all options that a trial follows from; the number of threads is none of them. */
static struct status hash_options(struct config *config, uint64_t *ret_hash)
{
    AUTO(buffer) options = {0};
    uint32_t threads = config->train.threads;
    config->train.threads = 1;
    config_write_section(config, "model", &options);
    config_write_section(config, "train", &options);
    config->train.threads = threads;
    TRY(buffer_check(&options));
    *ret_hash = bytes_hash(buffer_bytes(&options));
    return OK;
}

static struct status begin(struct search *search, const struct trial_space *space)
{
    struct trials_purpose purpose = {.space = trial_space_hash(space)};
    TRY(hash_options(search->config, &purpose.options));
    TRY(hash_clicks(search->data, &purpose.clicks));
    return trials_open(space, purpose, &search->trials);
}

/* ---- one trial */

/* The median rule. */
static bool goes_on(const void *context, const struct training_result *so_far)
{
    const struct search *search = context;
    return !search_stops(search->trials.curves, search->trials.count, so_far->epoch_count,
                         so_far->epochs[so_far->best].reciprocal_rank);
}

static double now_seconds(void)
{
    struct time_source time = system_time();
    return (double)time.ops->monotonic_us(time.self) / 1e6;
}

static bool is_given(const struct search *search)
{
    return search->trials.count == 0;
}

/* Trains with the point's settings; those that cannot be trained make a trial without an epoch. */
static struct status train(struct search *search, const struct search_point *point, struct trial *trial)
{
    AUTO(buffer) path = {0};
    double start = now_seconds();
    struct training_result result = {0};
    TRY(search_trial_path(search->task->output, search->trials.count + 1, &path));
    const struct training_task task = {buffer_text(&path), false, search->task->stop, goes_on, search};
    TRY(trial_space_set(search->trials.space, point, search->config, search->complaint));
    struct status status = training_run(search->config, search->data, &task, &result, search->complaint);
    if (failed(status) && (is_given(search) || !failed_as(status, FAULT_LIMIT)))
        return status;
    if (failed(status))
        fprintf(stderr, "these settings cannot be trained: %s\n",
                *search->complaint->text ? search->complaint->text : status.fault->what);
    search->complaint->text[0] = 0;
    *trial = (struct trial){.point = *point,
                            .epochs = result.epochs,
                            .epoch_count = result.epoch_count,
                            .best = result.best,
                            .cut = result.cut,
                            .model_hash = result.model_hash,
                            .seconds = now_seconds() - start};
    return OK;
}

static struct status suggest(const struct search *search, struct search_point *ret_point)
{
    const struct trials *trials = &search->trials;
    if (!is_given(search))
        return search_suggest(&trials->space->search, search->seed, trials->observations, trials->count, ret_point);
    *ret_point = trial_space_given(trials->space);
    return OK;
}

static void say_begin(const struct search *search, const struct search_point *point)
{
    AUTO(buffer) text = {0};
    trial_space_write_point(search->trials.space, point, &text);
    fprintf(stderr, "trial %u: %s%s\n", search->trials.count + 1, buffer_text(&text),
            is_given(search) ? " (as given)" : "");
}

static void say_end(const struct search *search)
{
    const struct trials *trials = &search->trials;
    const struct trial *trial = &trials->list[trials->count - 1], *best = &trials->list[trials_best(trials)];
    if (trial->epoch_count > 0)
        fprintf(stderr, "trial %u: MRR@20 %.4f after epoch %u%s", trials->count,
                trial_best_epoch(trial)->reciprocal_rank, trial->best + 1, trial->cut ? ", cut short" : "");
    else
        fprintf(stderr, "trial %u: none", trials->count);
    if (trial == best)
        fputs(" (best)\n", stderr);
    else
        fprintf(stderr, "; best is trial %u with %.4f\n", trials_best(trials) + 1,
                trial_best_epoch(best)->reciprocal_rank);
}

static struct status run_trial(struct search *search, const struct search_point *point)
{
    AUTO(buffer) path = {0};
    struct trial trial = {0};
    say_begin(search, point);
    TRY(train(search, point, &trial));
    struct status status = trials_add(&search->trials, &trial);
    free(trial.epochs);
    TRY(status);
    TRY(search_file_path(search->task->output, &path));
    TRY(file_write(buffer_text(&path), &search->trials.text, search->complaint));
    TRY(search_settle(search->task->output, &search->trials, search->complaint));
    say_end(search);
    return OK;
}

/* ---- all of them */

static bool is_over(const struct search *search)
{
    return search->trials.count >= search->task->trials_max ||
           (search->trials.count > 0 && trials_seconds(&search->trials) >= search->task->seconds_max);
}

static struct status run_trials(struct search *search)
{
    while (!is_over(search)) {
        struct search_point point;
        if (*search->task->stop)
            return FAIL(INTERRUPTED, search->trials.count, "a search was stopped");
        struct status status = suggest(search, &point);
        if (failed_as(status, FAULT_NOT_FOUND)) {
            fputs("no settings were found that had not been tried\n", stderr);
            return OK;
        }
        TRY(status);
        TRY(run_trial(search, &point));
    }
    return OK;
}

static struct status go_on(struct search *search)
{
    AUTO(buffer) path = {0};
    TRY(search_file_path(search->task->output, &path));
    if (search->task->restart)
        return search_forget(search->task->output, search->complaint);
    TRY(trials_read(&search->trials, buffer_text(&path), search->complaint));
    if (search->trials.count == 0)
        return OK;
    TRY(search_settle(search->task->output, &search->trials, search->complaint));
    fprintf(stderr, "going on from %s: trials that are done: %u\n", buffer_text(&path), search->trials.count);
    return search_check_output(search->task->output, &search->trials, search->complaint);
}

struct status search_run(const struct search_task *task, struct config *config, const struct evaluation_data *data,
                         const struct trial_space *space, struct trials *ret_trials, struct complaint *complaint)
{
    AUTO(search)
    search = {.task = task, .config = config, .data = data, .seed = config->train.options.seed, .complaint = complaint};
    TRY(begin(&search, space));
    TRY(training_lock(task->output, &search.lock, complaint));
    search.locked = true;
    TRY(go_on(&search));
    TRY(run_trials(&search));
    TRY(trial_space_set(space, &search.trials.list[trials_best(&search.trials)].point, config, complaint));
    *ret_trials = search.trials;
    search.trials = (struct trials){0};
    return OK;
}
