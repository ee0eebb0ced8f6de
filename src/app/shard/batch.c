// SPDX-License-Identifier: Apache-2.0
#include "app/shard/shard.h"

#include "app/dead_letter.h"
#include "app/log.h"
#include "app/schemas.h"

#include <stdio.h>

/* Of one value or key in a dead letter; what is longer is cut, because the broker would refuse the record. */
#define DEAD_LETTER_BYTES_MAX (400 * 1024)

/* Between two tries to get a schema. */
#define ASK_PAUSE_FIRST_MS 200
#define ASK_PAUSE_MAX_MS   5000

static struct bytes number_text(char *text, size_t size, int64_t number)
{
    int length = snprintf(text, size, "%lld", (long long)number);
    return bytes_of(text, (size_t)length);
}

static struct bytes cut(struct bytes bytes)
{
    return bytes_of(bytes.data, bytes.size < DEAD_LETTER_BYTES_MAX ? bytes.size : DEAD_LETTER_BYTES_MAX);
}

struct status shard_publish_dead_letter(struct shard *shard, const struct message *message, struct status reason,
                                        const struct complaint *complaint)
{
    char partition[24], offset[24], size[24], attempt[24];
    const char *kind = fault_kind_text(reason.fault->kind);
    const char *text = complaint->text[0] ? complaint->text : reason.fault->what;
    struct bytes value = cut(message->value), key = cut(message->key);
    struct header headers[8] = {
        {ORIGIN_TOPIC_HEADER, shard->options.topic},
        {ORIGIN_PARTITION_HEADER, number_text(partition, sizeof partition, message->partition)},
        {ORIGIN_OFFSET_HEADER, number_text(offset, sizeof offset, message->offset)},
        {REASON_CLASS_HEADER, bytes_of_text(kind)},
        {REASON_HEADER, bytes_of_text(text)},
    };
    size_t count = 5;
    if (value.size < message->value.size || key.size < message->key.size)
        headers[count++] = (struct header){
            CUT_HEADER, number_text(size, sizeof size, (int64_t)(message->value.size + message->key.size))};
    if (message->attempt)
        headers[count++] = (struct header){ATTEMPT_HEADER, number_text(attempt, sizeof attempt, message->attempt)};
    if (message->schema_header.size > 0)
        headers[count++] = (struct header){SCHEMA_HEADER, cut(message->schema_header)};
    const struct output_record record = {.output = OUTPUT_DEAD_LETTERS,
                                         .partition = -1,
                                         .timestamp_ms = message->timestamp_ms,
                                         .key = key,
                                         .value = value,
                                         .headers = headers,
                                         .header_count = count};
    metric_add(shard->ports.metrics, METRIC_CLICKS_DEAD, 1);
    dead_watch_letter(shard->ports.dead_watch, shard_monotonic_us(shard), message, reason, text);
    log_event(LOG_WARN, "dead_letter", "partition=%d offset=%lld reason=%s", message->partition,
              (long long)message->offset, text);
    return shard_publish(shard, &record);
}

/* The record is done with, without reaching the engine, unless *ret_wait is set. */
static struct status pass_over(struct shard *shard, struct task *task, const struct message *message,
                               struct status reason, const struct complaint *complaint, bool *ret_wait)
{
    bool done, silent = task->catching_up;
    TRY(shard_answer_run(shard, &done)); /* positions go up in order */
    *ret_wait = !done;
    if (!done)
        return OK;
    if (!silent)
        dead_watch_click(shard->ports.dead_watch);
    engine_pass(task->engine, message->offset);
    task->next_offset = message->offset + 1;
    task->changed = true;
    return silent ? task_mind_catching_up(shard, task) : shard_publish_dead_letter(shard, message, reason, complaint);
}

/* Bytes that a decoder may have put into its own memory, which its next call reuses. */
static struct status keep(struct shard *shard, struct bytes record, struct bytes *bytes)
{
    bool borrowed = bytes->data >= record.data && bytes->data < record.data + record.size;
    if (bytes->size == 0 || borrowed)
        return OK;
    *bytes = arena_copy(&shard->batch, *bytes);
    return bytes->data ? OK : FAIL(MEMORY, bytes->size, "no memory for a click");
}

static struct status keep_all(struct shard *shard, struct bytes record, struct click *click)
{
    TRY(keep(shard, record, &click->session_id));
    TRY(keep(shard, record, &click->user_id));
    TRY(keep(shard, record, &click->item_id));
    return keep(shard, record, &click->event_id);
}

static struct status decode(struct shard *shard, const struct message *message, struct engine_click *ret_click,
                            struct complaint *complaint)
{
    struct engine_click click = {.item = ITEM_NONE, .offset = message->offset};
    if (!message->value.data)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a click without a value"), "the record has no value");
    decoder_set_header(shard->ports.decoder, message->schema_header);
    TRY(decode_click(shard->ports.decoder, message->value, &click.click, complaint));
    /* Brokers older than 0.10 give no timestamp. */
    click.record_time_ms = message->timestamp_ms >= 0 ? message->timestamp_ms : click.click.time_ms;
    TRY(click_check(&click.click, click.record_time_ms, &shard->options.limits, complaint));
    *ret_click = click;
    return OK;
}

/* Decodes, and when the schema is unknown asks for it first. UNAVAILABLE: it cannot be had now. */
static struct status decode_in_any_schema(struct shard *shard, const struct message *message,
                                          struct engine_click *ret_click, struct complaint *complaint)
{
    struct status status = decode(shard, message, ret_click, complaint);
    if (!failed_as(status, FAULT_NOT_FOUND))
        return status;
    TRY(schemas_resolve(shard->ports.schemas, shard->ports.decoder, complaint));
    log_always(LOG_INFO, "schema_fetched", "type=click id=%lld", (long long)status.detail);
    return decode(shard, message, ret_click, complaint);
}

static void check_key(struct shard *shard, const struct message *message, const struct click *click)
{
    struct bytes wanted = shard->options.limits.by_user ? click->user_id : click->session_id;
    if (bytes_equal(message->key, wanted))
        return;
    metric_add(shard->ports.metrics, METRIC_CLICKS_MISKEYED, 1);
    log_event(LOG_WARN, "miskeyed_click", "partition=%d offset=%lld note=%s", message->partition,
              (long long)message->offset,
              "the record's key is not what sessions are kept by; its clicks may reach several partitions");
}

/* The word is the decoder's, and gone with the next record. */
static void check_type(struct shard *shard, const struct message *message, struct click *click)
{
    if (click->unknown_type.size == 0)
        return;
    metric_add(shard->ports.metrics, METRIC_CLICKS_UNKNOWN_TYPE, 1);
    log_event(LOG_WARN, "unknown_click_type", "partition=%d offset=%lld type=%.*s note=%s", message->partition,
              (long long)message->offset, BYTES_ARGS(click->unknown_type),
              "eddy does not know this type and takes the click for a view");
    click->unknown_type = (struct bytes){0};
}

/* The first click that was not answered yet: the silent ones before it are done with. */
static struct status end_silence(struct shard *shard, struct task *task)
{
    bool done;
    TRY(shard_answer_run(shard, &done));
    assert(done); /* silence needs no commit in between */
    if (task->catching_up)
        task->next_offset = task->answered.offset;
    return task_mind_catching_up(shard, task);
}

static void wait_for_schema(struct shard *shard, const struct complaint *complaint)
{
    int pause_ms = shard->ask_pause_ms ? shard->ask_pause_ms * 2 : ASK_PAUSE_FIRST_MS;
    shard->ask_pause_ms = pause_ms < ASK_PAUSE_MAX_MS ? pause_ms : ASK_PAUSE_MAX_MS;
    shard->ask_again_us = shard_monotonic_us(shard) + (int64_t)shard->ask_pause_ms * 1000;
    metric_add(shard->ports.metrics, METRIC_SCHEMA_WAITS, 1);
    log_event(LOG_WARN, "waiting_for_schema", "next_try_ms=%d reason=%s", shard->ask_pause_ms, complaint->text);
}

/* *ret_wait: the click cannot be decoded yet, or those before it have to be committed first. */
static struct status take(struct shard *shard, const struct message *message, bool *ret_wait)
{
    struct task *task = shard_task(shard, message->partition);
    *ret_wait = false;
    if (!task || message->offset < task->next_offset)
        return OK; /* given up in the meantime, or delivered before */
    bool done = true;
    if (shard->run_task != task || shard->run_count == RUN_MAX)
        TRY(shard_answer_run(shard, &done));
    *ret_wait = !done;
    if (!done)
        return OK;
    if (task->catching_up && message->offset >= task->answered.offset)
        TRY(end_silence(shard, task));
    struct complaint complaint = {0};
    struct engine_click *click = &shard->run[shard->run_count];
    struct status status = decode_in_any_schema(shard, message, click, &complaint);
    *ret_wait = failed_as(status, FAULT_UNAVAILABLE);
    if (*ret_wait) {
        wait_for_schema(shard, &complaint);
        return OK;
    }
    shard->ask_pause_ms = 0;
    if (failed_as(status, FAULT_MEMORY))
        return status;
    if (failed(status))
        return pass_over(shard, task, message, status, &complaint, ret_wait);
    check_type(shard, message, &click->click);
    TRY(keep_all(shard, message->value, &click->click));
    check_key(shard, message, &click->click);
    click->silent = task->catching_up;
    if (!click->silent)
        dead_watch_click(shard->ports.dead_watch);
    shard->run_messages[shard->run_count++] = message;
    shard->run_task = task;
    return OK;
}

struct status shard_take(struct shard *shard)
{
    bool wait = shard->ask_pause_ms && shard_monotonic_us(shard) < shard->ask_again_us, done;
    TRY(shard_answer_run(shard, &done)); /* one that waited for a commit */
    while (shard->taken < shard->held && !wait && done) {
        TRY(take(shard, &shard->messages[shard->taken], &wait));
        shard->taken += !wait;
    }
    TRY(shard_answer_run(shard, &done));
    return shard_send(shard);
}

void shard_drop_held(struct shard *shard, int32_t partition)
{
    if (shard->run_task && shard->run_task->partition == partition)
        shard_drop_run(shard);
    size_t kept = shard->taken;
    for (size_t i = shard->taken; i < shard->held; i++)
        if (shard->messages[i].partition != partition)
            shard->messages[kept++] = shard->messages[i];
    shard->held = kept;
}
