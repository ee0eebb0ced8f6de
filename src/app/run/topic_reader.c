// SPDX-License-Identifier: Apache-2.0
#include "app/run/topic_reader.h"

#include "app/log.h"
#include "app/run/decoders.h"

#include <eddy/io/system.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BATCH           1024
#define WAIT_MS         50
#define MARK_TIMEOUT_MS 1000
#define REFRESH_LOOK_MS 10

/* Between two tries to get a schema. */
#define ASK_PAUSE_FIRST_MS 200
#define ASK_PAUSE_MAX_MS   5000

struct topic_reader {
    struct decoder *item_decoder, *session_decoder;
    struct follower *follower;
    struct kafka_reader *items, *sessions; /* items: NULL when not read */
    struct message messages[BATCH];
    struct knowledge *knowledge;
    char *saved; /* path; NULL: nothing is saved */
    int64_t save_interval_us, saved_us;
    int64_t *positions; /* of the sessions topic */
    int32_t position_count;
    pthread_t thread;
    bool started;
    _Atomic bool stopping, caught_up;
    _Atomic unsigned wanted, refreshed; /* refreshes: the last one asked for, the last one done */
    _Atomic(const struct fault *) fault;
};

static void wait_to_ask(const struct topic_reader *reader, int *pause_ms)
{
    for (int left_ms = *pause_ms; left_ms > 0 && !atomic_load(&reader->stopping); left_ms -= REFRESH_LOOK_MS)
        system_wait_ms(REFRESH_LOOK_MS);
    *pause_ms = *pause_ms * 2 < ASK_PAUSE_MAX_MS ? *pause_ms * 2 : ASK_PAUSE_MAX_MS;
}

/* Takes all, however long a schema cannot be had, or until the reader is stopped. */
static struct status take_all(struct topic_reader *reader, size_t count,
                              struct status (*take)(struct follower *, const struct message *, size_t))
{
    int pause_ms = ASK_PAUSE_FIRST_MS;
    size_t taken = 0;
    struct status status;
    while (failed_as(status = take(reader->follower, reader->messages + taken, count - taken), FAULT_UNAVAILABLE)) {
        if (atomic_load(&reader->stopping))
            return OK;
        pause_ms = status.detail > 0 ? ASK_PAUSE_FIRST_MS : pause_ms;
        taken += (size_t)status.detail;
        wait_to_ask(reader, &pause_ms);
    }
    return status;
}

/* One portion of a topic; *ret_count says how much. */
static struct status read_some(struct topic_reader *reader, struct kafka_reader *from, int wait_ms,
                               struct status (*take)(struct follower *, const struct message *, size_t),
                               size_t *ret_count)
{
    TRY(kafka_reader_poll(from, wait_ms, reader->messages, BATCH, ret_count));
    return take_all(reader, *ret_count, take);
}

static struct status read_both(struct topic_reader *reader, int wait_ms, size_t *ret_count)
{
    size_t items = 0, sessions = 0;
    if (reader->items)
        TRY(read_some(reader, reader->items, wait_ms, follower_take_items, &items));
    TRY(read_some(reader, reader->sessions, wait_ms, follower_take_sessions, &sessions));
    *ret_count = items + sessions;
    return OK;
}

static void note_progress(struct topic_reader *reader, unsigned marked)
{
    if (!kafka_reader_caught_up(reader->sessions))
        return;
    atomic_store(&reader->refreshed, marked);
    if (!reader->items || kafka_reader_caught_up(reader->items))
        atomic_store(&reader->caught_up, true);
}

/* A failure is none of the process: what cannot be saved is read again. */
static void save(struct topic_reader *reader)
{
    struct complaint complaint = {0};
    for (int32_t p = 0; p < reader->position_count; p++) {
        int64_t position = kafka_reader_position(reader->sessions, p);
        if (position >= 0)
            reader->positions[p] = position;
    }
    struct status status =
        knowledge_save(reader->knowledge, reader->saved, reader->positions, reader->position_count, &complaint);
    struct time_source time = system_time();
    reader->saved_us = time.ops->monotonic_us(time.self);
    if (failed(status))
        log_always(LOG_WARN, "learned_state_not_saved", "reason=%s",
                   complaint.text[0] ? complaint.text : status.fault->what);
    else
        log_event(LOG_INFO, "learned_state_saved", "path=%s", reader->saved);
}

static bool save_is_due(const struct topic_reader *reader)
{
    struct time_source time = system_time();
    return reader->saved && atomic_load(&reader->caught_up) &&
           time.ops->monotonic_us(time.self) - reader->saved_us >= reader->save_interval_us;
}

static void *read_on(void *context)
{
    struct topic_reader *reader = context;
    struct status status = OK;
    size_t count = 0;
    unsigned marked = 0;
    while (!atomic_load(&reader->stopping) && !failed(status)) {
        unsigned wanted = atomic_load(&reader->wanted);
        if (wanted != marked && !failed(kafka_reader_mark_end(reader->sessions, MARK_TIMEOUT_MS)))
            marked = wanted;
        status = read_both(reader, count ? 0 : WAIT_MS, &count);
        note_progress(reader, marked);
        if (!failed(status) && save_is_due(reader))
            save(reader);
    }
    if (!failed(status) && reader->saved && atomic_load(&reader->caught_up))
        save(reader);
    if (failed(status)) {
        char text[256];
        log_always(LOG_ERROR, "topic_reader_failed", "reason=%s", status_text(status, text, sizeof text));
        atomic_store(&reader->fault, status.fault);
    }
    return NULL;
}

static struct status open_parts(struct topic_reader *reader, const struct topic_reader_options *options,
                                struct complaint *complaint)
{
    const struct config *config = options->config;
    const struct topic_counts *counts = options->counts;
    struct kafka_reader_options sessions = {.kafka = options->kafka,
                                            .topic = config_topic(config, TOPIC_SESSIONS),
                                            .partition_count = counts->partitions[TOPIC_SESSIONS]};
    struct kafka_reader_options items = {.kafka = options->kafka,
                                         .topic = config_topic(config, TOPIC_ITEMS),
                                         .partition_count = counts->partitions[TOPIC_ITEMS]};
    sessions.offsets = knowledge_positions(options->knowledge, &sessions.offset_count);
    if (config->learn_history_ms > 0)
        sessions.start = (struct kafka_start){KAFKA_START_TIME, options->wall_ms - config->learn_history_ms};
    if (config->items_enabled)
        TRY(kafka_reader_open(&items, &reader->items, complaint));
    return kafka_reader_open(&sessions, &reader->sessions, complaint);
}

static struct status open_follower(struct topic_reader *reader, const struct topic_reader_options *options,
                                   struct complaint *complaint)
{
    const struct config *config = options->config;
    if (config->items_enabled)
        TRY(decoder_open_configured(config, RECORD_ITEM, &reader->item_decoder, complaint));
    TRY(decoder_open_configured(config, RECORD_CLOSED_SESSION, &reader->session_decoder, complaint));
    TRY(follower_open(reader->item_decoder, reader->session_decoder, options->knowledge, options->metrics,
                      &reader->follower));
    follower_set_schemas(reader->follower, options->schemas);
    return OK;
}

static struct status prepare_saving(struct topic_reader *reader, const struct topic_reader_options *options)
{
    int32_t known_count, count = options->counts->partitions[TOPIC_SESSIONS];
    const int64_t *known = knowledge_positions(options->knowledge, &known_count);
    struct time_source time = system_time();
    reader->knowledge = options->knowledge;
    reader->save_interval_us = options->config->learn_save_interval_ms * 1000;
    reader->saved_us = time.ops->monotonic_us(time.self);
    if (!options->saved[0] || !reader->save_interval_us)
        return OK;
    reader->saved = strdup(options->saved);
    reader->positions = calloc((size_t)count, sizeof *reader->positions);
    if (!reader->saved || !reader->positions)
        return FAIL(MEMORY, count, "no memory for positions");
    for (int32_t p = 0; p < count; p++)
        reader->positions[p] = p < known_count ? known[p] : -1;
    reader->position_count = count;
    return OK;
}

static struct status start_thread(struct topic_reader *reader)
{
    int error = pthread_create(&reader->thread, NULL, read_on, reader);
    reader->started = !error;
    return error ? FAIL(MEMORY, error, "a thread cannot be made") : OK;
}

struct status topic_reader_open(const struct topic_reader_options *options, struct topic_reader **ret_reader,
                                struct complaint *complaint)
{
    struct topic_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return FAIL(MEMORY, 0, "no memory for a reader");
    struct status status = open_follower(reader, options, complaint);
    if (!failed(status))
        status = open_parts(reader, options, complaint);
    if (!failed(status))
        status = prepare_saving(reader, options);
    if (!failed(status))
        status = start_thread(reader);
    if (failed(status)) {
        topic_reader_close(reader);
        return status;
    }
    *ret_reader = reader;
    return OK;
}

void topic_reader_close(struct topic_reader *reader)
{
    if (!reader)
        return;
    atomic_store(&reader->stopping, true);
    if (reader->started)
        pthread_join(reader->thread, NULL);
    kafka_reader_close(reader->items);
    kafka_reader_close(reader->sessions);
    follower_close(reader->follower);
    decoder_close(reader->item_decoder);
    decoder_close(reader->session_decoder);
    free(reader->positions);
    free(reader->saved);
    free(reader);
}

bool topic_reader_caught_up(const struct topic_reader *reader)
{
    return atomic_load(&reader->caught_up);
}

bool topic_reader_refresh(struct topic_reader *reader, int timeout_ms, const _Atomic bool *stop)
{
    unsigned wanted = atomic_fetch_add(&reader->wanted, 1) + 1;
    for (; timeout_ms > 0 && !atomic_load(stop); timeout_ms -= REFRESH_LOOK_MS) {
        if (atomic_load(&reader->refreshed) == wanted)
            return true;
        system_wait_ms(REFRESH_LOOK_MS);
    }
    return false;
}

struct status topic_reader_failure(const struct topic_reader *reader)
{
    return (struct status){.fault = atomic_load(&reader->fault)};
}
