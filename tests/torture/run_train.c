// SPDX-License-Identifier: Apache-2.0
/* What the trainer does between two topics: closed sessions are taken in, a first model is made of them and an update
 * of that, and it says how far it has learned. A try that fails begins again with the model that came last and the
 * sessions from the beginning, as the next trainer would. */
#include "support/support.h"

#include "app/train/intake.h"
#include "torture/torture.h"

#define FIRST    60 /* sessions of the first model */
#define SESSIONS 120
#define LENGTH   4
#define ITEMS    25

struct self {
    struct config config;
    struct buffer model; /* the last one, as published; empty: none */
    int64_t learned;     /* the offset before which it has learned */
};

static void *begin(enum sabotage sabotage)
{
    (void)sabotage;
    static const char *const sets[] = {"model.width=4",         "train.epochs=1",         "train.negatives=5",
                                       "train.batch=32",        "update.held_share=0.2",  "update.noise=100",
                                       "update.clicks_max=400", "update.half_life_ms=1h", "items.max=100"};
    struct self *self = calloc(1, sizeof *self);
    struct complaint complaint = {""};
    assert_non_null(self);
    if (failed(config_make(&self->config, NULL, sets, sizeof sets / sizeof *sets, &complaint)))
        fail_msg("%s", complaint.text);
    return self;
}

struct lesson {
    struct self *self;
    struct model_file file;
    struct intake *intake;
    struct updater *updater;
};

static struct status take(struct lesson *lesson, int from, int to)
{
    for (int number = from; number < to; number++) {
        char texts[LENGTH][16];
        struct bytes ids[LENGTH];
        int64_t times_ms[LENGTH], close_ms = 1700000000000 + number * 1000;
        for (int i = 0; i < LENGTH; i++) {
            ids[i] = bytes_of(texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "i%d", (number + i * i) % ITEMS));
            times_ms[i] = close_ms - 1000 + i;
        }
        const struct closed_record record = {
            .close_ms = close_ms, .length = LENGTH, .item_ids = ids, .times_ms = times_ms};
        TRY(intake_take(lesson->intake, &record, &(struct message){.offset = number}));
    }
    return OK;
}

static struct status update(struct lesson *lesson, struct updater_result *ret_result)
{
    bool begun, done = false;
    TRY(updater_begin(lesson->updater, &begun));
    if (!begun)
        return FAIL(CORRUPT, 0, "there is nothing to learn");
    while (!done)
        TRY(updater_step(lesson->updater, &done, ret_result));
    return OK;
}

/* What is kept is whole: it changes at once or not at all. */
static struct status keep(struct lesson *lesson, const struct updater_result *result)
{
    struct self *self = lesson->self;
    struct buffer bytes = {0};
    uint32_t count;
    const struct sessions_read *read = intake_learned(lesson->intake, result->held_sessions, &count);
    struct status status = model_file_encode(updater_model(lesson->updater), intake_items(lesson->intake),
                                             MODEL_FLOAT32, buffer_sink(&bytes));
    if (!failed(status))
        status = buffer_check(&bytes);
    if (failed(status)) {
        buffer_release(&bytes);
        return status;
    }
    buffer_release(&self->model);
    self->model = bytes;
    self->learned = count == 1 ? read[0].offset : -1;
    return OK;
}

static struct status work(struct lesson *lesson, int sessions)
{
    struct self *self = lesson->self;
    const struct sessions_read read = {0, self->learned};
    const struct model_manifest manifest = {.sessions = &read, .session_count = 1};
    struct updater_result result = {0};
    if (self->model.size > 0)
        TRY(model_file_decode(buffer_bytes(&self->model), &lesson->file));
    TRY(updater_open(&self->config.update.options, lesson->file.model, &lesson->updater));
    TRY(intake_open(&self->config, lesson->file.item_ids, 1, &lesson->intake));
    TRY(take(lesson, 0, sessions));
    TRY(intake_pass(lesson->intake, self->model.size > 0 ? &manifest : NULL, lesson->updater));
    TRY(update(lesson, &result));
    if (!result.accepted)
        return FAIL(CORRUPT, 0, "an update is refused");
    return keep(lesson, &result);
}

static struct status learn(struct self *self, int sessions)
{
    struct lesson lesson = {.self = self};
    struct status status = work(&lesson, sessions);
    intake_close(lesson.intake);
    updater_close(lesson.updater);
    model_file_release(&lesson.file);
    return status;
}

static struct status once(void *context)
{
    struct self *self = context;
    if (self->model.size == 0)
        TRY(learn(self, FIRST));
    return learn(self, SESSIONS);
}

static uint64_t result(void *context)
{
    const struct self *self = context;
    return result_with((uint64_t)self->learned, buffer_bytes(&self->model));
}

static void end(void *context)
{
    struct self *self = context;
    buffer_release(&self->model);
    config_release(&self->config);
    free(self);
}

const struct run run_train = {"train", 1u << FAULTS_MEMORY, false, begin, once, result, end};
