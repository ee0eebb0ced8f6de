// SPDX-License-Identifier: Apache-2.0
#include "app/training.h"

#include "app/model_file.h"
#include "app/model_ranks.h"
#include "app/progress.h"
#include "app/training_state.h"

#include <eddy/io/system.h>
#include <eddy/io/team.h>

#include <stdio.h>
#include <stdlib.h>

#define KEEP_EVERY_US 60000000
#define KEEP_SHARE    10 /* writing takes at most one part of so many of the time */
#define CUTOFF        20

struct run {
    struct training training;
    struct buffer state_path;
    const struct training_task *task;
    struct complaint *complaint;
    uint32_t *ranks;
    struct team *team;
    struct file_lock lock;
    bool locked;
    int64_t kept_us, keep_every_us; /* when it was last kept, and how long after that it is kept again */
};

static void run_release(struct run *run)
{
    trainer_close(run->training.trainer);
    model_close(run->training.model);
    training_result_release(&run->training.result);
    team_close(run->team);
    free(run->training.starts);
    free(run->training.items);
    free(run->ranks);
    if (run->locked)
        file_lock_give(&run->lock);
    buffer_release(&run->state_path);
}

void training_result_release(struct training_result *result)
{
    free(result->epochs);
    result->epochs = NULL;
}

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

static bool validates(const struct run *run)
{
    return run->training.data->predictions > 0;
}

/* The training sessions one behind the other, in the order of learning. */
static struct status lay_out_sessions(struct training *training)
{
    const struct evaluation_data *data = training->data;
    uint32_t at = 0;
    training->starts = malloc((data->train_count + 1) * sizeof *training->starts);
    training->items = malloc((data->train_clicks + 1) * sizeof *training->items);
    if (!training->starts || !training->items)
        return FAIL(MEMORY, data->train_clicks, "no memory for the training sessions");
    for (size_t i = 0; i < data->train_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->train[i]];
        memcpy(training->items + at, data->log.items + session->start, session->length * sizeof *training->items);
        training->starts[i] = at;
        at += session->length;
    }
    training->starts[data->train_count] = at;
    return OK;
}

static int64_t last_click_ms(const struct evaluation_data *data)
{
    int64_t last_ms = INT64_MIN;
    for (size_t i = 0; i < data->train_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->train[i]];
        last_ms = session->last_ms > last_ms ? session->last_ms : last_ms;
    }
    return last_ms;
}

static struct status begin(struct run *run)
{
    struct training *training = &run->training;
    const struct config *config = training->config;
    training->result.epochs = calloc(config->train.options.epochs, sizeof *training->result.epochs);
    run->ranks = calloc(training->data->predictions + 1, sizeof *run->ranks);
    if (!training->result.epochs || !run->ranks)
        return FAIL(MEMORY, training->data->predictions, "no memory for the validation");
    TRY(lay_out_sessions(training));
    if (!run->task->restart) {
        struct status status = training_state_read(training, buffer_text(&run->state_path), run->complaint);
        training->result.resumed = !failed(status);
        if (!failed_as(status, FAULT_NOT_FOUND))
            return status;
        run->complaint->text[0] = 0;
    }
    TRY(model_open(&config->model.options, training->data->train_items, config->train.options.seed, &training->model));
    model_set_trained_to(training->model, last_click_ms(training->data));
    return training_open_trainer(training, run->complaint);
}

static struct status keep(struct run *run)
{
    int64_t start_us = now_us();
    TRY(training_state_write(&run->training, buffer_text(&run->state_path), run->complaint));
    run->kept_us = now_us();
    int64_t took_us = run->kept_us - start_us;
    run->keep_every_us = KEEP_SHARE * took_us > KEEP_EVERY_US ? KEEP_SHARE * took_us : KEEP_EVERY_US;
    return OK;
}

/* ---- epochs */

static void say_epoch(const struct run *run, double seconds)
{
    const struct training_result *result = &run->training.result;
    const struct trained_epoch *epoch = &result->epochs[result->epoch_count - 1];
    fprintf(stderr, "epoch %u of %u: loss %.4f", result->epoch_count, run->training.config->train.options.epochs,
            epoch->loss);
    if (validates(run))
        fprintf(stderr, ", validation HR@%d %.4f MRR@%d %.4f%s", CUTOFF, epoch->hit_rate, CUTOFF,
                epoch->reciprocal_rank, result->best + 1 == result->epoch_count ? " (best)" : "");
    fprintf(stderr, ", %.0f s\n", seconds);
}

static struct status look(struct run *run, struct trained_epoch *epoch)
{
    const struct training *training = &run->training;
    int64_t start_ns = system_process_cpu_ns();
    TRY(model_ranks(training->model, training->data, training->parallel, run->task->stop, run->ranks));
    run->training.result.rank_ns += system_process_cpu_ns() - start_ns;
    epoch->hit_rate = measure_mean(&measures[MEASURE_HIT_RATE], run->ranks, training->data->predictions, CUTOFF);
    epoch->reciprocal_rank =
        measure_mean(&measures[MEASURE_RECIPROCAL_RANK], run->ranks, training->data->predictions, CUTOFF);
    return OK;
}

static struct status write_model(struct run *run)
{
    struct training *training = &run->training;
    const struct catalogue *catalogue = training->data->catalogue;
    TRY(model_file_hash(training->model, catalogue, &training->result.model_hash));
    return model_file_write(run->task->output, training->model, catalogue, run->complaint);
}

static struct status end_epoch(struct run *run)
{
    struct training *training = &run->training;
    struct training_result *result = &training->result;
    struct trained_epoch epoch = {.loss = training->loss / (double)training->samples};
    TRY(keep(run)); /* a stop costs no step then, and who comes after it knows the model that is about to be written */
    if (validates(run))
        TRY(look(run, &epoch));
    uint32_t number = result->epoch_count;
    if (!validates(run) || number == 0 || epoch.reciprocal_rank > result->epochs[result->best].reciprocal_rank) {
        TRY(write_model(run));
        result->best = number;
    }
    result->epochs[result->epoch_count++] = epoch;
    training->loss = 0;
    training->samples = 0;
    return keep(run);
}

static struct status step(struct run *run, struct progress *progress, uint64_t left)
{
    struct training *training = &run->training;
    const struct trainer_options *options = &training->config->train.options;
    struct trained_step trained;
    int64_t start_ns = system_process_cpu_ns(), start_us = now_us();
    struct status status = trainer_step(training->trainer, &trained);
    if (failed_as(status, FAULT_MEMORY))
        return complain(run->complaint, FAIL(LIMIT, options->batch, "a step is too large for the memory there is"),
                        "there is no memory for a step of %u clicks against %u drawn items (0: all): make train.batch "
                        "smaller, or train.negatives",
                        options->batch, options->negatives);
    TRY(status);
    training->result.train_ns += system_process_cpu_ns() - start_ns;
    training->result.train_us += now_us() - start_us;
    training->result.samples += trained.samples;
    training->loss += trained.loss;
    training->samples += trained.samples;
    progress_advance(progress, trained.samples, left);
    return now_us() - run->kept_us > run->keep_every_us ? keep(run) : OK;
}

static struct status train_steps(struct run *run, struct progress *progress)
{
    struct training *training = &run->training;
    uint64_t left = trainer_progress(training->trainer).samples_epoch - training->samples;
    while (trainer_progress(training->trainer).epoch == training->result.epoch_count) {
        if (*run->task->stop) {
            TRY(keep(run));
            return FAIL(INTERRUPTED, training->samples, "training was stopped");
        }
        TRY(step(run, progress, left));
    }
    return OK;
}

static struct status train_epoch(struct run *run)
{
    struct progress progress = progress_start("clicks");
    struct status status = train_steps(run, &progress);
    progress_end(&progress);
    TRY(status);
    TRY(end_epoch(run));
    say_epoch(run, progress_seconds(&progress));
    return OK;
}

static bool patient(const struct run *run)
{
    const struct training_result *result = &run->training.result;
    uint32_t patience = run->training.config->train.patience;
    return !validates(run) || patience == 0 || result->epoch_count == 0 ||
           result->epoch_count - 1 - result->best < patience;
}

/* Whether an epoch that is due is trained. */
static bool goes_on(struct run *run)
{
    const struct training_task *task = run->task;
    struct training_result *result = &run->training.result;
    result->cut = result->epoch_count > 0 && task->goes_on && !task->goes_on(task->context, result);
    return !result->cut;
}

static struct status start_threads(struct run *run)
{
    uint32_t threads = run->training.config->train.threads;
    struct status status = team_open(threads, &run->team);
    if (failed_as(status, FAULT_UNAVAILABLE))
        return complain(run->complaint, status, "%u threads cannot be started (%s): make train.threads smaller",
                        threads, strerror((int)status.detail));
    TRY(status);
    run->training.parallel = team_parallel(run->team);
    return OK;
}

static struct status train(struct run *run)
{
    struct training_result *result = &run->training.result;
    TRY(training_lock(run->task->output, &run->lock, run->complaint));
    run->locked = true;
    TRY(start_threads(run));
    TRY(training_purpose(run->training.data, &run->training.purpose));
    TRY(begin(run));
    uint32_t epochs = run->training.config->train.options.epochs;
    result->parameters = model_parameter_count(run->training.model);
    if (result->resumed)
        fprintf(stderr, "going on from %s: %u of %u epochs are done\n", buffer_text(&run->state_path),
                result->epoch_count, epochs);
    run->kept_us = now_us();
    run->keep_every_us = KEEP_EVERY_US;
    while (result->epoch_count < epochs && patient(run) && goes_on(run))
        TRY(train_epoch(run));
    return OK;
}

static struct status state_path(const char *output, struct buffer *path)
{
    buffer_format(path, "%s.training", output);
    return buffer_check(path);
}

struct status training_run(const struct config *config, const struct evaluation_data *data,
                           const struct training_task *task, struct training_result *ret_result,
                           struct complaint *complaint)
{
    AUTO(run)
    run = {.training = {.config = config, .data = data, .output = task->output}, .task = task, .complaint = complaint};
    TRY(state_path(task->output, &run.state_path));
    TRY(train(&run));
    *ret_result = run.training.result;
    run.training.result.epochs = NULL;
    return OK;
}

struct status training_lock(const char *output, struct file_lock *ret_lock, struct complaint *complaint)
{
    AUTO(buffer) path = {0};
    buffer_format(&path, "%s.lock", output);
    TRY(buffer_check(&path));
    struct status status = file_lock_take(buffer_text(&path), ret_lock, complaint);
    return failed_as(status, FAULT_LOCKED) ? complain(complaint, status, "another process trains into %s", output)
                                           : status;
}

struct status training_forget(const char *output, struct complaint *complaint)
{
    AUTO(buffer) path = {0};
    TRY(state_path(output, &path));
    return file_remove(buffer_text(&path), complaint);
}
