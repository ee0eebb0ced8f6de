// SPDX-License-Identifier: Apache-2.0
#include "app/training_state.h"

#include "app/model_file.h"

#include <eddy/core/frame.h>
#include <eddy/io/file.h>

#include <math.h>

#define VERSION 1

static const char magic[FRAME_MAGIC_SIZE] = "eddytst";

#define PUT(out, value)    frame_writer_put((out), &(value), sizeof(value))
#define GET(rest, to)      frame_take((rest), &(to), sizeof(to))

#define ADD(hasher, value) bytes_hasher_add((hasher), bytes_of(&(value), sizeof(value)))

struct status training_purpose(const struct evaluation_data *data, uint64_t *ret_purpose)
{
    struct bytes_hasher *hasher;
    TRY(bytes_hasher_open(&hasher));
    for (uint32_t i = 0; i < data->train_items; i++) {
        struct bytes id = catalogue_id(data->catalogue, i);
        ADD(hasher, id.size);
        bytes_hasher_add(hasher, id);
    }
    ADD(hasher, data->predictions);
    for (size_t i = 0; i < data->test_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->test[i]];
        ADD(hasher, session->length);
        bytes_hasher_add(hasher, bytes_of(data->log.items + session->start, session->length * sizeof(uint32_t)));
    }
    *ret_purpose = bytes_hasher_value(hasher);
    bytes_hasher_close(hasher);
    return OK;
}

struct status training_open_trainer(struct training *training, struct complaint *complaint)
{
    const struct trainer_options *options = &training->config->train.options;
    const struct training_sessions sessions = {(uint32_t)training->data->train_count, training->starts,
                                               training->items};
    struct status status = trainer_open(options, &sessions, training->model, &training->trainer);
    if (!failed(status))
        trainer_run_on(training->trainer, training->parallel);
    return failed_as(status, FAULT_LIMIT)
               ? complain(complaint, status, "train.batch %u is too large for model.length_max %u and model.width %u",
                          options->batch, model_options(training->model)->length_max,
                          model_options(training->model)->width)
               : status;
}

/* ---- writing */

static struct status write_state(void *context, struct byte_sink sink)
{
    const struct training *training = context;
    const struct training_result *result = &training->result;
    struct frame_writer *out;
    uint64_t size = 0;
    TRY(model_encode(training->model, counting_sink(&size)));
    TRY(frame_writer_open(sink, magic, VERSION, &out));
    PUT(out, training->purpose);
    PUT(out, result->model_hash);
    PUT(out, result->epoch_count);
    PUT(out, result->best);
    frame_writer_put(out, result->epochs, result->epoch_count * sizeof *result->epochs);
    PUT(out, training->loss);
    PUT(out, training->samples);
    PUT(out, size);
    struct status status = model_encode(training->model, frame_sink(out));
    if (!failed(status))
        status = trainer_encode(training->trainer, frame_sink(out));
    struct status closed = frame_writer_close(out);
    return failed(status) ? status : closed;
}

struct status training_state_write(const struct training *training, const char *path, struct complaint *complaint)
{
    struct training copy = *training;
    return file_write_by(path, write_state, &copy, complaint);
}

/* ---- reading */

static struct status get_history(struct training *training, struct bytes *rest)
{
    struct training_result *result = &training->result;
    uint64_t purpose;
    uint32_t count, best;
    TRY(GET(rest, purpose));
    TRY(GET(rest, result->model_hash));
    TRY(GET(rest, count));
    TRY(GET(rest, best));
    if (purpose != training->purpose)
        return FAIL(CONFIG, 0, "the state is of other clicks, or of another validation");
    if (count > training->config->train.options.epochs)
        return FAIL(CONFIG, count, "more epochs are done than train.epochs");
    if (best >= (count ? count : 1))
        return FAIL(CORRUPT, best, "the best epoch is none of those that are done");
    TRY(frame_take(rest, result->epochs, count * sizeof *result->epochs));
    TRY(GET(rest, training->loss));
    TRY(GET(rest, training->samples));
    bool finite = isfinite(training->loss);
    for (uint32_t i = 0; i < count; i++)
        finite = finite && isfinite(result->epochs[i].loss) && isfinite(result->epochs[i].hit_rate) &&
                 isfinite(result->epochs[i].reciprocal_rank);
    result->epoch_count = count;
    result->best = best;
    return finite ? OK : FAIL(CORRUPT, 0, "a loss or a measure is no number");
}

/* The trainer compares what it was told; the model came with the state. */
static struct status check_model(const struct training *training)
{
    const struct model_options *is = model_options(training->model), *wanted = &training->config->model.options;
    bool same = is->backbone == wanted->backbone && is->width == wanted->width &&
                is->length_max == wanted->length_max && is->normalise == wanted->normalise &&
                !(is->temperature < wanted->temperature) && !(is->temperature > wanted->temperature) &&
                is->directed == wanted->directed && model_item_count(training->model) == training->data->train_items;
    return same ? OK : FAIL(CONFIG, 0, "the state is of another kind of model");
}

/* The steps that are done are those of the epochs and samples that are: also when an epoch's steps are done and it is
 * not looked at yet. */
static struct status check_steps(const struct training *training)
{
    struct trainer_progress progress = trainer_progress(training->trainer);
    uint64_t of_epoch = progress.steps_total / training->config->train.options.epochs, done = training->samples;
    uint64_t steps = training->result.epoch_count * of_epoch;
    if (done >= progress.samples_epoch)
        steps += of_epoch;
    else
        steps += done / training->config->train.options.batch;
    bool whole = done == progress.samples_epoch || done % training->config->train.options.batch == 0;
    return steps == progress.steps && done <= progress.samples_epoch && whole
               ? OK
               : FAIL(CORRUPT, progress.steps, "the steps are not those of the epochs that are done");
}

/* The best model is there. A process that was killed when the steps of an epoch were done may have written that epoch's
 * already: it is written again, or not, as then. */
static struct status check_output(const struct training *training)
{
    uint64_t is, next;
    if (training->result.epoch_count == 0)
        return OK;
    TRY(model_file_hash(training->model, training->data->catalogue, &next));
    bool there = !failed(model_file_hash_of(training->output, &is, NULL));
    bool ended = training->samples == trainer_progress(training->trainer).samples_epoch;
    return there && (is == training->result.model_hash || (ended && is == next))
               ? OK
               : FAIL(CONFIG, 0, "the model beside it is gone, or is not the one that it speaks of");
}

static struct status get_model(struct training *training, struct bytes *rest)
{
    uint64_t size;
    struct bytes model;
    TRY(GET(rest, size));
    TRY(frame_take_bytes(rest, size, &model));
    struct status status = model_decode(model, &training->model);
    return failed_as(status, FAULT_NOT_FOUND) ? FAIL(NEWER, 0, "its backbone is not known") : status;
}

static struct status decode(struct training *training, struct bytes content, struct complaint *complaint)
{
    TRY(frame_open(&content, magic, VERSION));
    TRY(get_history(training, &content));
    TRY(get_model(training, &content));
    TRY(check_model(training));
    TRY(training_open_trainer(training, complaint));
    TRY(trainer_restore(training->trainer, content));
    TRY(check_steps(training));
    return check_output(training);
}

struct status training_state_read(struct training *training, const char *path, struct complaint *complaint)
{
    struct bytes content;
    TRY(file_map(path, &content, complaint));
    struct status status = decode(training, content, complaint);
    file_unmap(content);
    return failed(status) ? complain(complaint, status, "%s: %s; --restart begins anew, and so does removing the file",
                                     path, status.fault->what)
                          : OK;
}
