// SPDX-License-Identifier: Apache-2.0
#include "app/train/role.h"

#include "app/follower.h"
#include "app/log.h"
#include "app/run/decoders.h"
#include "app/train/intake.h"

#include <eddy/io/system.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BATCH            1024
#define WAIT_MS          100
#define LOOK_EVERY_US    200000 /* while an update runs: for the group, and for a stop */
#define PAUSE_FIRST_MS   1000
#define PAUSE_MAX_MS     600000
#define PAUSE_SLICE_MS   50
#define COUNT_TIMEOUT_MS 10000
#define COUNT_EVERY_US   10000000 /* the sessions topic may get more partitions */
#define COUNT_AGAIN_MS   1000
#define ANOTHER_MS       2000 /* between two looks for another version */

/* What the trainer has while it is the trainer. */
struct lesson {
    struct model_publisher *publisher;
    struct updater *updater;
    struct intake *intake;
    struct kafka_reader *sessions;
    int32_t partition_count; /* of the topic of sessions */
    bool begun;              /* the sessions there were have been passed on */
    int64_t last_ms;         /* event time of the last update; INT64_MIN: none yet, and no session */
    int64_t counted_us;
    bool has_model;
    bool stuck; /* the version in use is `unusable`: there is nothing but the publisher, to see another one by */
    struct model_identity unusable;
};

struct train_role {
    struct train_role_options options;
    struct decoder *decoder;
    struct kafka_consumer *member; /* of the group of trainers */
    struct click_source models;    /* what it would read: paused, as only the ownership is wanted */
    struct lesson lesson;
    struct arena batch;
    struct message messages[BATCH];
    bool owner;
    int64_t looked_us;
    int pause_ms;
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
};

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

static int64_t wall_ms(void)
{
    struct time_source time = system_time();
    return time.ops->wall_ms(time.self);
}

static void lesson_release(struct lesson *lesson)
{
    kafka_reader_close(lesson->sessions);
    intake_close(lesson->intake);
    updater_close(lesson->updater);
    model_publisher_close(lesson->publisher);
    *lesson = (struct lesson){0};
}

static void lesson_end(struct train_role *role)
{
    lesson_release(&role->lesson);
    metric_set(role->options.metrics, METRIC_TRAINING_UNUSABLE, 0);
}

/* ---- whose turn it is */

static struct status on_assigned(void *context, struct assignment *assignments, size_t count,
                                 struct complaint *complaint)
{
    struct train_role *role = context;
    (void)complaint;
    for (size_t i = 0; i < count; i++)
        TRY(role->models.ops->pause(role->models.self, assignments[i].partition, true));
    role->owner = role->owner || count > 0;
    if (count > 0)
        log_always(LOG_INFO, "trainer", "note=%s", "this process trains the session model");
    return OK;
}

static void on_revoked(void *context, const int32_t *partitions, size_t count, bool lost)
{
    struct train_role *role = context;
    (void)partitions;
    (void)lost;
    if (count > 0)
        role->owner = false;
}

/* False when the trainer is to stop what it does. */
static bool may_go_on(struct train_role *role)
{
    struct complaint why = {""};
    if (now_us() - role->looked_us >= LOOK_EVERY_US) {
        struct status status = kafka_consumer_poll(role->member, 0, &why);
        role->looked_us = now_us();
        role->owner = role->owner && !failed(status);
    }
    return role->owner && !atomic_load(&role->stopping);
}

/* ---- beginning */

static struct status open_sessions(struct train_role *role, struct lesson *lesson, struct complaint *complaint)
{
    const struct config *config = role->options.config;
    struct kafka_reader_options options = {.kafka = role->options.kafka, .topic = config_topic(config, TOPIC_SESSIONS)};
    TRY(topic_count_partitions(role->options.kafka, options.topic, COUNT_TIMEOUT_MS, &options.partition_count,
                               complaint));
    lesson->partition_count = options.partition_count;
    if (config->learn_history_ms > 0)
        options.start = (struct kafka_start){KAFKA_START_TIME, wall_ms() - config->learn_history_ms};
    return kafka_reader_open(&options, &lesson->sessions, complaint);
}

static const struct model_manifest *current_of(const struct lesson *lesson)
{
    return model_directory_current(model_publisher_directory(lesson->publisher));
}

/* From `current`, or from nothing. */
static struct status open_updater(struct train_role *role, const struct model_manifest *current, struct lesson *lesson,
                                  struct complaint *complaint)
{
    const struct config *config = role->options.config;
    struct model_file file = {0};
    if (current)
        TRY(model_publisher_fetch(lesson->publisher, current, &file, complaint));
    struct status status = updater_open(&config->update.options, file.model, &lesson->updater);
    if (!failed(status))
        status = intake_open(config, file.item_ids, lesson->partition_count, &lesson->intake);
    lesson->has_model = file.model;
    model_file_release(&file);
    if (!failed(status))
        log_always(LOG_INFO, "training_begins", "from_version=%lld", current ? (long long)current->version : 0LL);
    return status;
}

/* Keeps the publisher alone. */
static void get_stuck(struct train_role *role, const struct model_manifest *current, struct lesson *lesson,
                      struct status status, const struct complaint *complaint)
{
    struct lesson stuck = {.publisher = lesson->publisher, .stuck = true, .unusable = model_identity_of(current)};
    lesson->publisher = NULL;
    metric_set(role->options.metrics, METRIC_TRAINING_UNUSABLE, current->version);
    log_always(
        LOG_ERROR, "training_stuck", "version=%lld reason=%s note=%s", (long long)current->version,
        complaint->text[0] ? complaint->text : status.fault->what,
        "the version in use cannot be learned on from; another one is waited for: 'eddy model rollback' makes one so");
    lesson_release(lesson);
    *lesson = stuck;
}

static struct status open_parts(struct train_role *role, struct lesson *lesson, struct complaint *complaint)
{
    TRY(model_publisher_open(role->options.config, role->options.kafka, &role->stopping, &lesson->publisher,
                             complaint));
    TRY(open_sessions(role, lesson, complaint));
    TRY(model_publisher_read(lesson->publisher, complaint));
    const struct model_manifest *current = current_of(lesson);
    struct status status = open_updater(role, current, lesson, complaint);
    if (!current || !model_assembly_refuses(status))
        return status;
    get_stuck(role, current, lesson, status, complaint);
    return OK;
}

static struct status lesson_begin(struct train_role *role, struct complaint *complaint)
{
    struct lesson lesson = {.last_ms = INT64_MIN, .counted_us = now_us()};
    struct status status = open_parts(role, &lesson, complaint);
    if (failed(status))
        lesson_release(&lesson);
    else
        role->lesson = lesson;
    return status;
}

/* Looks, a while later, whether another version is in use. */
static struct status wait_for_another(struct train_role *role, struct complaint *complaint)
{
    struct lesson *lesson = &role->lesson;
    for (int left_ms = ANOTHER_MS; left_ms > 0 && may_go_on(role); left_ms -= PAUSE_SLICE_MS)
        system_wait_ms(PAUSE_SLICE_MS);
    TRY(model_publisher_read(lesson->publisher, complaint));
    const struct model_manifest *current = current_of(lesson);
    struct model_identity identity = current ? model_identity_of(current) : (struct model_identity){0};
    if (!model_identity_same(&identity, &lesson->unusable))
        lesson_end(role);
    return OK;
}

/* Partitions that the sessions topic got since: those of a reader are fixed, so it begins again. */
static bool has_grown(struct train_role *role)
{
    struct lesson *lesson = &role->lesson;
    int32_t count;
    if (now_us() - lesson->counted_us < COUNT_EVERY_US)
        return false;
    lesson->counted_us = now_us();
    if (failed(kafka_reader_count_partitions(lesson->sessions, COUNT_AGAIN_MS, &count)) ||
        count <= lesson->partition_count)
        return false;
    log_always(LOG_INFO, "sessions_have_grown", "partitions_before=%d partitions=%d", lesson->partition_count, count);
    return true;
}

/* ---- sessions */

static struct status decode(struct train_role *role, const struct message *message, struct closed_record *ret_record,
                            struct complaint *complaint)
{
    decoder_set_header(role->decoder, message->schema_header);
    struct status status = decode_closed_session(role->decoder, message->value, &role->batch, ret_record, complaint);
    if (!failed_as(status, FAULT_NOT_FOUND) || !role->options.schemas.ops)
        return status;
    TRY(schemas_resolve(role->options.schemas, role->decoder, complaint));
    return decode_closed_session(role->decoder, message->value, &role->batch, ret_record, complaint);
}

static struct status take(struct train_role *role, const struct message *message)
{
    struct closed_record record;
    struct complaint why = {""};
    struct status status = FAIL(BAD_INPUT, 0, "the record has no value");
    if (message->value.data)
        status = decode(role, message, &record, &why);
    if (!failed(status))
        status = closed_record_check(&record);
    if (!failed(status))
        status = intake_take(role->lesson.intake, &record, message);
    arena_reset(&role->batch);
    if (!failed(status) || failed_as(status, FAULT_MEMORY) || failed_as(status, FAULT_UNAVAILABLE))
        return status;
    log_event(LOG_WARN, "bad_training_session", "partition=%d offset=%lld reason=%s", message->partition,
              (long long)message->offset, why.text[0] ? why.text : status.fault->what);
    intake_skip(role->lesson.intake, message);
    return OK;
}

static struct status read_sessions(struct train_role *role)
{
    struct lesson *lesson = &role->lesson;
    size_t count;
    TRY(kafka_reader_poll(lesson->sessions, WAIT_MS, role->messages, BATCH, &count));
    for (size_t i = 0; i < count; i++)
        TRY(take(role, &role->messages[i]));
    if (!lesson->begun && kafka_reader_caught_up(lesson->sessions)) {
        TRY(intake_pass(lesson->intake, lesson->has_model ? current_of(lesson) : NULL, lesson->updater));
        lesson->begun = true;
        lesson->last_ms = intake_learned_ms(lesson->intake);
    }
    if (lesson->begun && lesson->last_ms == INT64_MIN) /* nothing learned yet: from what is there now on */
        lesson->last_ms = intake_newest_ms(lesson->intake);
    return OK;
}

/* ---- an update */

static bool is_due(const struct train_role *role)
{
    const struct lesson *lesson = &role->lesson;
    const struct config *config = role->options.config;
    uint64_t clicks = intake_waiting(lesson->intake) + updater_waiting(lesson->updater);
    int64_t newest_ms = intake_newest_ms(lesson->intake);
    if (!lesson->begun || clicks == 0)
        return false;
    if (!lesson->has_model)
        return clicks >= config->update.first_clicks;
    if (config->update.clicks > 0 && clicks >= config->update.clicks)
        return true;
    return config->update.interval_ms > 0 && newest_ms - lesson->last_ms >= config->update.interval_ms;
}

static struct status publish(struct train_role *role, const struct updater_result *result,
                             const struct sessions_read *read, uint32_t count, int64_t took_ms,
                             struct complaint *complaint)
{
    struct lesson *lesson = &role->lesson;
    const struct model_publication publication = {
        .model = updater_model(lesson->updater),
        .items = intake_items(lesson->intake),
        .created_ms = wall_ms(),
        .sessions = read,
        .session_count = count,
        .gate = {.predictions = result->predictions,
                 .cutoff = 20,
                 .mrr = result->predictions ? result->reciprocal_rank_new : 0,
                 .mrr_before = result->predictions ? result->reciprocal_rank_old : 0,
                 .hit_rate = result->predictions ? result->hit_rate_new : 0,
                 .hit_rate_before = result->predictions ? result->hit_rate_old : 0},
        .training = {.sessions = result->window_sessions,
                     .clicks = (int64_t)result->samples,
                     .ms = took_ms,
                     .loss = result->loss},
        .note = "",
    };
    TRY(model_publisher_publish(lesson->publisher, &publication, complaint));
    lesson->has_model = true;
    metric_add(role->options.metrics, METRIC_TRAINING_PUBLISHED, 1);
    return OK;
}

static void tell(struct train_role *role, const struct updater_result *result, int64_t took_ms)
{
    metric_add(role->options.metrics, METRIC_TRAINING_UPDATES, 1);
    metric_add(role->options.metrics, METRIC_TRAINING_REFUSED, !result->accepted);
    metric_add(role->options.metrics, METRIC_TRAINING_MILLISECONDS, took_ms);
    log_always(LOG_INFO, "model_updated",
               "accepted=%s anew=%s sessions=%u clicks=%u samples=%llu new_items=%u loss=%.4f mrr_before=%.4f mrr=%.4f "
               "judged=%u ms=%lld",
               result->accepted ? "yes" : "no", result->anew ? "yes" : "no", result->window_sessions,
               result->window_clicks, (unsigned long long)result->samples, result->new_items, result->loss,
               result->reciprocal_rank_old, result->reciprocal_rank_new, result->predictions, (long long)took_ms);
}

static struct status update(struct train_role *role, struct complaint *complaint)
{
    struct lesson *lesson = &role->lesson;
    struct updater_result result;
    bool begun, done = false;
    int64_t began_us = now_us();
    TRY(intake_pass(lesson->intake, NULL, lesson->updater));
    lesson->last_ms = intake_newest_ms(lesson->intake);
    TRY(updater_begin(lesson->updater, &begun));
    while (begun && !done) {
        if (!may_go_on(role))
            return OK;
        TRY(updater_step(lesson->updater, &done, &result));
    }
    if (!begun)
        return OK;
    int64_t took_ms = (now_us() - began_us) / 1000;
    uint32_t count;
    const struct sessions_read *read = intake_learned(lesson->intake, result.held_sessions, &count);
    tell(role, &result, took_ms);
    if (result.accepted)
        TRY(publish(role, &result, read, count, took_ms, complaint));
    role->pause_ms = 0; /* what may go wrong has not */
    return OK;
}

/* ---- the thread */

static struct status train_on(struct train_role *role, struct complaint *complaint)
{
    if (!role->lesson.publisher)
        TRY(lesson_begin(role, complaint));
    if (role->lesson.stuck)
        return wait_for_another(role, complaint);
    if (has_grown(role)) {
        lesson_end(role);
        return OK;
    }
    TRY(read_sessions(role));
    return is_due(role) ? update(role, complaint) : OK;
}

static struct status take_part(struct train_role *role, struct complaint *complaint)
{
    const struct config *config = role->options.config;
    AUTO(buffer) group = {0};
    buffer_format(&group, "%s-train", config->group_id);
    TRY(buffer_check(&group));
    const struct kafka_consumer_options options = {.kafka = role->options.kafka,
                                                   .group_id = buffer_text(&group),
                                                   .instance_id = "",
                                                   .topic = config_topic(config, TOPIC_MODELS),
                                                   .start = {KAFKA_START_LATEST, 0},
                                                   .shard_count = 1,
                                                   .rebalance = {on_assigned, on_revoked, role}};
    TRY(kafka_consumer_open(&options, &role->member, complaint));
    role->models = kafka_consumer_source(role->member, 0);
    struct status status = OK;
    while (!failed(status) && !atomic_load(&role->stopping)) {
        status = kafka_consumer_poll(role->member, role->owner ? 0 : WAIT_MS, complaint);
        if (!failed(status) && role->owner)
            status = train_on(role, complaint);
        if (!role->owner)
            lesson_end(role);
    }
    return status;
}

static void leave(struct train_role *role)
{
    lesson_end(role);
    if (role->member) {
        kafka_consumer_leave(role->member);
        kafka_consumer_close(role->member);
    }
    role->member = NULL;
    role->owner = false;
}

static void pause_after(struct train_role *role, struct status status, const struct complaint *complaint)
{
    role->pause_ms = role->pause_ms ? role->pause_ms * 2 : PAUSE_FIRST_MS;
    role->pause_ms = role->pause_ms < PAUSE_MAX_MS ? role->pause_ms : PAUSE_MAX_MS;
    metric_add(role->options.metrics, METRIC_TRAINING_DELAYS, 1);
    log_event(LOG_WARN, "training_delayed", "next_try_ms=%d reason=%s", role->pause_ms,
              complaint->text[0] ? complaint->text : status.fault->what);
    for (int left_ms = role->pause_ms; left_ms > 0 && !atomic_load(&role->stopping); left_ms -= PAUSE_SLICE_MS)
        system_wait_ms(PAUSE_SLICE_MS);
}

static void *work(void *context)
{
    struct train_role *role = context;
    system_thread_give_way();
    while (!atomic_load(&role->stopping)) {
        struct complaint complaint = {""};
        struct status status = take_part(role, &complaint);
        leave(role);
        if (failed(status) && !atomic_load(&role->stopping))
            pause_after(role, status, &complaint);
    }
    return NULL;
}

struct status train_role_open(const struct train_role_options *options, struct train_role **ret_role,
                              struct complaint *complaint)
{
    struct train_role *role = calloc(1, sizeof *role);
    if (!role)
        return FAIL(MEMORY, sizeof *role, "no memory for the trainer");
    role->options = *options;
    struct status status = decoder_open_configured(options->config, RECORD_CLOSED_SESSION, &role->decoder, complaint);
    if (!failed(status)) {
        int error = pthread_create(&role->thread, NULL, work, role);
        role->started = !error;
        if (error)
            status = FAIL(MEMORY, error, "a thread cannot be made");
    }
    if (failed(status)) {
        train_role_close(role);
        return status;
    }
    *ret_role = role;
    return OK;
}

void train_role_close(struct train_role *role)
{
    if (!role)
        return;
    atomic_store(&role->stopping, true);
    if (role->started)
        pthread_join(role->thread, NULL);
    decoder_close(role->decoder);
    arena_release(&role->batch);
    free(role);
}
