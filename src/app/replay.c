// SPDX-License-Identifier: Apache-2.0
#include "app/replay.h"

#include "app/driver.h"
#include "app/progress.h"
#include "app/text_file.h"

#include <eddy/core/judge.h>
#include <eddy/io/log_writer.h>
#include <eddy/io/system.h>

#include <errno.h>

struct replay {
    const struct replay_options *options;
    const struct config *config;
    struct driver *driver;
    struct judge *judge;
    struct log_writer *output;
    FILE *dump;
    struct encoding encoding;
    struct buffer encoded;
    struct complaint *complaint;
    struct replay_result *result;
    int64_t offset;
};

/* ---- what becomes of effects */

static struct status judge_one(struct replay *replay, const struct recommendation *recommendation)
{
    bool judged;
    uint32_t rank;
    TRY(judge_answer(replay->judge, recommendation, &judged, &rank));
    if (!judged)
        return OK;
    replay->result->judged++;
    replay->result->rank_counts[rank]++;
    timeline_add(&replay->result->timeline, recommendation->click_time_ms, rank);
    return OK;
}

static void dump_one(const struct replay *replay, const struct recommendation *recommendation)
{
    const struct catalogue *catalogue = driver_catalogue(replay->driver);
    struct bytes id = catalogue_id(catalogue, recommendation->click_item);
    fprintf(replay->dump, BYTES_FORMAT "\t%u\t" BYTES_FORMAT "\t", BYTES_ARGS(recommendation->session_id),
            recommendation->position, BYTES_ARGS(id));
    for (uint32_t i = 0; i < recommendation->count; i++) {
        id = catalogue_id(catalogue, recommendation->items[i].item);
        fprintf(replay->dump, "%s" BYTES_FORMAT, i ? "," : "", BYTES_ARGS(id));
    }
    fputc('\n', replay->dump);
}

static struct status write_one(struct replay *replay, const struct recommendation *recommendation)
{
    buffer_clear(&replay->encoded);
    encode_recommendation(replay->encoding, recommendation, bytes_of_text(config_topic(replay->config, TOPIC_CLICKS)),
                          driver_catalogue(replay->driver), &replay->encoded);
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
            dump_one(replay, recommendation);
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

/* What a click must have to be kept by session or by user; the reader has checked the rest. */
static struct status check(struct replay *replay, const struct log_file *log, const struct click *click)
{
    struct complaint reason = {{0}};
    struct status status = click_check(click, click->time_ms, &replay->config->clicks, &reason);
    if (!failed(status))
        return OK;
    return complain(replay->complaint, status, "%s: record %llu: %s", log_file_name(log),
                    (unsigned long long)log_file_number(log), reason.text);
}

static struct status run_click(struct replay *replay, const struct click *click)
{
    struct replay_result *result = replay->result;
    struct driver_click step = {.click = *click, .offset = replay->offset, .record_time_ms = click->time_ms};
    int64_t start_ns = system_thread_cpu_ns();
    struct status status = driver_click(replay->driver, &step);
    int64_t took_ns = system_thread_cpu_ns() - start_ns;
    if (failed_as(status, FAULT_LIMIT))
        return complain(replay->complaint, status, "the catalogue is full (items.max, items.memory_max_bytes)");
    TRY(status);
    histogram_record(&result->latency_ns, (uint64_t)(took_ns > 0 ? took_ns : 0));
    result->cpu_ns += took_ns;
    result->first_ms = replay->offset == 0 || click->time_ms < result->first_ms ? click->time_ms : result->first_ms;
    result->last_ms = replay->offset == 0 || click->time_ms > result->last_ms ? click->time_ms : result->last_ms;
    replay->offset++;
    return OK;
}

static struct status run_log(struct replay *replay, struct log_file *log, struct progress *progress)
{
    struct log_reading *reading = &replay->result->reading;
    for (;;) {
        struct click click;
        bool found;
        TRY(log_reading_click(reading, log, &click, &found, replay->complaint));
        if (!found)
            return OK;
        struct status status = check(replay, log, &click);
        if (failed(status)) {
            reading->records--;
            TRY(log_reading_skip(reading, status, replay->complaint));
            continue;
        }
        TRY(run_click(replay, &click));
        progress_tick(progress, click.time_ms);
    }
}

static struct status run_files(struct replay *replay)
{
    struct progress progress = progress_start("clicks");
    struct status status = OK;
    for (size_t i = 0; i < replay->options->file_count && !failed(status); i++) {
        struct log_file *log;
        status = log_file_open(replay->options->files[i], LOG_FILE_CLICKS, &log, replay->complaint);
        if (failed(status))
            break;
        status = run_log(replay, log, &progress);
        log_file_close(log);
    }
    progress_end(&progress);
    replay->result->wall_s = progress_seconds(&progress);
    log_reading_report(&replay->result->reading);
    return status;
}

/* ---- the whole */

static struct status open_outputs(struct replay *replay)
{
    const struct replay_options *options = replay->options;
    struct judge_options judge = {REPLAY_PLACES, 2 * replay->config->engine.session.open_max};
    bool json = replay->config->encodings[RECORD_RECOMMENDATION].format == RECORD_JSON;
    replay->encoding = (struct encoding){.format = json ? RECORD_JSON : RECORD_AVRO};
    TRY(judge_open(&judge, &replay->judge));
    TRY(driver_open(replay->config, (struct performer){perform, replay}, &replay->driver));
    if (options->output)
        TRY(log_writer_open(options->output, RECORD_RECOMMENDATION, json ? LOG_FILE_JSON : LOG_FILE_AVRO,
                            &replay->output, replay->complaint));
    if (options->dump && !(replay->dump = fopen(options->dump, "w")))
        return complain(replay->complaint, FAIL(IO, errno, "a file cannot be written"), "%s: %s", options->dump,
                        strerror(errno));
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
    struct status status = OK;
    if (replay->dump) {
        bool broken = ferror(replay->dump) | fclose(replay->dump);
        replay->dump = NULL;
        if (broken)
            status = complain(replay->complaint, FAIL(IO, errno, "a file cannot be written"), "%s: %s",
                              replay->options->dump, strerror(errno));
    }
    if (replay->output && !failed(status)) {
        status = log_writer_close(replay->output, replay->complaint);
        replay->output = NULL;
    }
    return status;
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
    if (replay->dump)
        fclose(replay->dump);
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
    *result = (struct replay_result){.reading.strict = options->strict};
    TRY(open_outputs(&replay));
    TRY(read_items(&replay));
    TRY(run_files(&replay));
    take_state(&replay);
    return close_outputs(&replay);
}

double replay_mean(const struct replay_result *result, const struct measure *measure, uint32_t cutoff)
{
    double sum = 0;
    for (uint32_t rank = 1; rank <= REPLAY_PLACES; rank++)
        sum += (double)result->rank_counts[rank] * measure->value(rank, cutoff);
    return result->judged ? sum / (double)result->judged : 0;
}
