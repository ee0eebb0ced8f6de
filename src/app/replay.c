// SPDX-License-Identifier: Apache-2.0
#include "app/replay.h"

#include "app/click_files.h"
#include "app/driver.h"
#include "app/list_dump.h"
#include "app/progress.h"
#include "app/run/decoders.h"
#include "app/schemas.h"
#include "app/snapshot.h"
#include "app/topics.h"

#include <eddy/base/timestamp.h>
#include <eddy/core/judge.h>
#include <eddy/io/file.h>
#include <eddy/io/log_writer.h>
#include <eddy/io/system.h>

#define TOPIC_TIMEOUT_MS 10000

struct replay {
    const struct replay_options *options;
    const struct config *config;
    struct driver *driver;
    struct registry *registry; /* of a topic's schemas; NULL: none */
    struct judge *judge;
    struct log_writer *output;
    struct list_dump *dump;
    struct encoding encoding;
    struct buffer encoded;
    struct complaint *complaint;
    struct replay_result *result;
    struct progress progress;
};

/* ---- what becomes of effects */

static bool is_judged(const struct replay_options *options, int64_t time_ms)
{
    return !options->judged_only || (time_ms >= options->judged_from_ms && time_ms < options->judged_before_ms);
}

static struct status judge_one(struct replay *replay, const struct recommendation *recommendation)
{
    bool judged;
    uint32_t rank;
    TRY(judge_answer(replay->judge, recommendation, &judged, &rank));
    if (!judged || !is_judged(replay->options, recommendation->click_time_ms))
        return OK;
    replay->result->judged++;
    replay->result->rank_counts[rank]++;
    timeline_add(&replay->result->timeline, recommendation->click_time_ms, rank);
    return OK;
}

static struct status dump_one(const struct replay *replay, const struct recommendation *recommendation)
{
    struct list_line line = {.session_id = recommendation->session_id,
                             .position = recommendation->position,
                             .item = recommendation->click_item,
                             .list = recommendation->items,
                             .count = recommendation->count};
    return list_dump_write(replay->dump, &line, replay->complaint);
}

static struct status write_one(struct replay *replay, const struct recommendation *recommendation)
{
    const char *topic = replay->options->topic ? replay->options->topic : config_topic(replay->config, TOPIC_CLICKS);
    buffer_clear(&replay->encoded);
    encode_recommendation(replay->encoding, recommendation, bytes_of_text(topic), driver_catalogue(replay->driver),
                          &replay->encoded);
    TRY(buffer_check(&replay->encoded));
    return log_writer_record(replay->output, buffer_bytes(&replay->encoded), replay->complaint);
}

static struct status perform(void *context, const struct effects *effects)
{
    struct replay *replay = context;
    struct replay_result *result = replay->result;
    for (size_t i = 0; i < effects->closed_count; i++)
        judge_forget(replay->judge, effects->closed[i].session.view.session_id);
    for (size_t i = 0; i < effects->recommendation_count; i++) {
        const struct recommendation *recommendation = &effects->recommendations[i];
        result->empty += recommendation->count == 0;
        TRY(judge_one(replay, recommendation));
        if (replay->dump)
            TRY(dump_one(replay, recommendation));
        if (replay->output)
            TRY(write_one(replay, recommendation));
    }
    result->answered += effects->counts.answered;
    result->duplicates += effects->counts.duplicates;
    result->out_of_order += effects->counts.out_of_order;
    result->opened += effects->counts.opened;
    result->evicted += effects->counts.evicted;
    result->late += effects->late_count;
    result->closed += effects->closed_count;
    return OK;
}

/* ---- clicks in */

/* *ret_room: as driver_click() says. */
static struct status run_click(struct replay *replay, const struct driver_click *click, bool *ret_room)
{
    struct replay_result *result = replay->result;
    int64_t time_ms = click->click.time_ms, start_ns = system_thread_cpu_ns();
    TRY(driver_click(replay->driver, click, ret_room));
    int64_t took_ns = system_thread_cpu_ns() - start_ns;
    if (!*ret_room)
        return OK;
    bool first = result->latency_ns.total == 0;
    histogram_record(&result->latency_ns, (uint64_t)(took_ns > 0 ? took_ns : 0));
    result->cpu_ns += took_ns;
    result->first_ms = first || time_ms < result->first_ms ? time_ms : result->first_ms;
    result->last_ms = first || time_ms > result->last_ms ? time_ms : result->last_ms;
    progress_tick(&replay->progress, time_ms);
    return OK;
}

static struct status run_file_clicks(struct replay *replay, struct click_files *files)
{
    for (int64_t offset = 0;; offset++) {
        struct click click;
        bool found, room;
        TRY(click_files_next(files, &click, &found, replay->complaint));
        if (!found)
            return OK;
        struct driver_click step = {.click = click, .offset = offset, .record_time_ms = click.time_ms};
        TRY(run_click(replay, &step, &room));
        if (!room)
            TRY(log_reading_no_room(&replay->result->reading, click_files_place(files), replay->complaint));
    }
}

static struct status run_files(struct replay *replay)
{
    const struct session_options *session = &replay->config->engine.session;
    const struct click_files_options options = {.paths = replay->options->files,
                                                .count = replay->options->file_count,
                                                .limits = replay->config->clicks,
                                                .ahead_max_ms = session->gap_ms + session->grace_ms};
    struct click_files *files;
    TRY(click_files_open(&options, &replay->result->reading, &files));
    struct status status = run_file_clicks(replay, files);
    click_files_close(files);
    return status;
}

static struct status decode(struct replay *replay, struct decoder *decoder, const struct message *message,
                            struct driver_click *ret_click, struct complaint *complaint)
{
    struct driver_click click = {.partition = message->partition, .offset = message->offset};
    if (!message->value.data)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a click without a value"), "the record has no value");
    decoder_set_header(decoder, message->schema_header);
    struct status status = decode_click(decoder, message->value, &click.click, complaint);
    if (failed_as(status, FAULT_NOT_FOUND)) {
        TRY(schemas_resolve(schemas_source(replay->registry), decoder, complaint));
        decoder_set_header(decoder, message->schema_header);
        status = decode_click(decoder, message->value, &click.click, complaint);
    }
    TRY(status);
    click.record_time_ms = message->timestamp_ms >= 0 ? message->timestamp_ms : click.click.time_ms;
    TRY(click_check(&click.click, click.record_time_ms, &replay->config->clicks, complaint));
    *ret_click = click;
    return OK;
}

static void message_place(const struct replay *replay, const struct message *message, struct buffer *out)
{
    buffer_format(out, "topic %s, partition %d, offset %lld", replay->options->topic, message->partition,
                  (long long)message->offset);
}

static struct status run_message(struct replay *replay, struct decoder *decoder, const struct message *message)
{
    struct log_reading *reading = &replay->result->reading;
    struct complaint reason = {{0}};
    struct driver_click click;
    AUTO(buffer) place = {0};
    struct status status = decode(replay, decoder, message, &click, &reason);
    if (failed(status)) {
        /* An unknown schema id is a broken record too. */
        if (failed_as(status, FAULT_NOT_FOUND))
            status = FAIL(BAD_INPUT, status.detail, "a click in an unknown schema");
        message_place(replay, message, &place);
        complain(replay->complaint, status, "%s: %s", buffer_text(&place), reason.text);
        if (failed_as(status, FAULT_UNAVAILABLE)) /* the schema registry */
            return status;
        return log_reading_skip(reading, status, 1, replay->complaint);
    }
    log_reading_took(reading, &click.click);
    bool room;
    TRY(run_click(replay, &click, &room));
    if (room)
        return OK;
    message_place(replay, message, &place);
    return log_reading_no_room(reading, buffer_text(&place), replay->complaint);
}

static struct status run_range(struct replay *replay, struct kafka_range *range, struct decoder *decoder)
{
    for (;;) {
        struct message message;
        bool found;
        TRY(kafka_range_next(range, &message, &found, replay->complaint));
        if (!found)
            return OK;
        TRY(run_message(replay, decoder, &message));
    }
}

static struct status run_topic(struct replay *replay)
{
    const struct replay_options *options = replay->options;
    struct kafka_options kafka;
    struct kafka_range *range = NULL;
    struct decoder *decoder = NULL;
    struct kafka_range_options wanted = {
        .kafka = &kafka, .topic = options->topic, .from = options->from, .to = options->to};
    TRY(config_kafka_options(replay->config, &kafka, replay->complaint));
    TRY(topic_count_partitions(&kafka, options->topic, TOPIC_TIMEOUT_MS, &wanted.partition_count, replay->complaint));
    struct status status = decoder_open_configured(replay->config, RECORD_CLICK, &decoder, replay->complaint);
    if (!failed(status))
        status = schemas_open_registry(replay->config, replay->config->registry.retries, &replay->registry,
                                       replay->complaint);
    if (!failed(status))
        status = kafka_range_open(&wanted, &range, replay->complaint);
    if (!failed(status))
        status = run_range(replay, range, decoder);
    kafka_range_close(range);
    decoder_close(decoder);
    registry_close(replay->registry);
    replay->registry = NULL;
    return status;
}

/* An empty range of a topic is nothing wrong. */
static struct status check_clicks(const struct replay *replay)
{
    const struct replay_result *result = replay->result;
    char from[TIMESTAMP_TEXT_MAX], first[TIMESTAMP_TEXT_MAX], last[TIMESTAMP_TEXT_MAX];
    if (!replay->options->topic && result->reading.records == 0)
        return complain(replay->complaint, FAIL(BAD_INPUT, 0, "no clicks"),
                        "there is not one click in the files that can be used");
    if (replay->options->judged_only && result->judged == 0)
        return complain(replay->complaint, FAIL(BAD_INPUT, 0, "nothing to judge"),
                        "no session has a second click in the time that is judged, from %s on (the log goes from %s "
                        "to %s)",
                        timestamp_text(replay->options->judged_from_ms, from), timestamp_text(result->first_ms, first),
                        timestamp_text(result->last_ms, last));
    return OK;
}

static struct status run_clicks(struct replay *replay)
{
    replay->progress = progress_start("clicks");
    struct status status = replay->options->topic ? run_topic(replay) : run_files(replay);
    progress_end(&replay->progress);
    replay->result->wall_s = progress_seconds(&replay->progress);
    log_reading_report(&replay->result->reading);
    return failed(status) ? status : check_clicks(replay);
}

/* ---- the whole */

static struct status open_outputs(struct replay *replay)
{
    const struct replay_options *options = replay->options;
    struct judge_options judge = {REPLAY_PLACES, 2 * replay->config->engine.session.open_max};
    bool json = replay->config->encodings[RECORD_RECOMMENDATION].format == RECORD_JSON;
    replay->encoding = (struct encoding){.format = json ? RECORD_JSON : RECORD_AVRO};
    TRY(file_try(options->state, replay->complaint));
    TRY(judge_open(&judge, &replay->judge));
    TRY(driver_open(replay->config, (struct performer){perform, replay}, &replay->driver, replay->complaint));
    if (options->output)
        TRY(log_writer_open(options->output, RECORD_RECOMMENDATION, json ? LOG_FILE_JSON : LOG_FILE_AVRO,
                            &replay->output, replay->complaint));
    if (options->dump)
        TRY(list_dump_open(options->dump, driver_catalogue(replay->driver), &replay->dump, replay->complaint));
    return OK;
}

static struct status read_items(struct replay *replay)
{
    struct log_reading reading = {.strict = replay->options->strict};
    if (!replay->options->items)
        return OK;
    struct status status =
        log_reading_catalogue(&reading, replay->options->items, driver_catalogue(replay->driver), replay->complaint);
    log_reading_report(&reading);
    return status;
}

static struct status close_outputs(struct replay *replay)
{
    struct list_dump *dump = replay->dump;
    struct log_writer *output = replay->output;
    replay->dump = NULL;
    TRY(list_dump_close(dump, replay->complaint));
    replay->output = NULL;
    return output ? log_writer_close(output, replay->complaint) : OK;
}

static void take_state(struct replay *replay)
{
    struct replay_result *result = replay->result;
    const struct learned *learned = driver_learned(replay->driver);
    result->unfollowed = judge_refused(replay->judge);
    result->learner = driver_learner_counts(replay->driver);
    result->learned_version = learned_version(learned);
    result->learned_bytes = learned_memory(learned);
    result->items = catalogue_count(driver_catalogue(replay->driver));
}

static void replay_release(struct replay *replay)
{
    list_dump_abandon(replay->dump);
    log_writer_abandon(replay->output);
    judge_close(replay->judge);
    driver_close(replay->driver);
    buffer_release(&replay->encoded);
}

struct status replay_run(const struct replay_options *options, const struct config *config,
                         struct replay_result *result, struct complaint *complaint)
{
    AUTO(replay) replay = {0};
    replay.options = options;
    replay.config = config;
    replay.complaint = complaint;
    replay.result = result;
    *result = (struct replay_result){.reading = log_reading_begin(options->strict)};
    TRY(open_outputs(&replay));
    TRY(read_items(&replay));
    TRY(run_clicks(&replay));
    if (options->state)
        TRY(driver_finish(replay.driver));
    take_state(&replay);
    TRY(close_outputs(&replay));
    return options->state ? snapshot_write(options->state, driver_learned(replay.driver),
                                           driver_catalogue(replay.driver), complaint)
                          : OK;
}

double replay_mean(const struct replay_result *result, const struct measure *measure, uint32_t cutoff)
{
    double sum = 0;
    for (uint32_t rank = 1; rank <= REPLAY_PLACES; rank++)
        sum += (double)result->rank_counts[rank] * measure->value(rank, cutoff);
    return result->judged ? sum / (double)result->judged : 0;
}
