// SPDX-License-Identifier: Apache-2.0
#include "chaos/history.h"

#include "app/run/decoders.h"
#include "chaos/model.h"

#include <inttypes.h>
#include <stdlib.h>

#define PARTITIONS_MAX 1000

static const char *const story_texts[STORY_COUNT] = {
    [STORY_RECOMMENDATIONS] = "recommendations",
    [STORY_SESSIONS] = "closed sessions",
    [STORY_LATE] = "late clicks",
    [STORY_DEAD] = "dead letters",
    [STORY_OPEN] = "open sessions",
    [STORY_POSITIONS] = "positions",
};

void history_release(struct history *history)
{
    for (int i = 0; i < STORY_COUNT; i++) {
        facts_release(&history->told[i]);
        facts_release(&history->bytes[i]);
    }
}

/* ---- what is expected */

struct expecting {
    const struct config *config;
    struct decoder *decoder;
    struct naive_run *models[PARTITIONS_MAX];
    struct history *history;
};

static void describe_answer(struct bytes session_id, struct bytes item_id, int64_t time_ms, uint32_t position,
                            struct buffer *out)
{
    buffer_format(out, "session " BYTES_FORMAT " item " BYTES_FORMAT " time %" PRId64 " position %u",
                  BYTES_ARGS(session_id), BYTES_ARGS(item_id), time_ms, position);
}

static struct bytes describe_message(const struct message *message, struct buffer *out)
{
    buffer_format(out, "%" PRId64 " %zu ", message->timestamp_ms, message->key.size);
    buffer_append_bytes(out, message->key);
    buffer_append_text(out, message->value.data ? " " : " none");
    buffer_append_bytes(out, message->value);
    return buffer_bytes(out);
}

static struct status expect_dead(struct expecting *expecting, const struct message *message)
{
    AUTO(buffer) content = {0};
    naive_run_pass(expecting->models[message->partition], message->offset);
    return facts_add(&expecting->history->told[STORY_DEAD],
                     (struct fact){message->partition, message->offset, 0, describe_message(message, &content)});
}

static struct status expect_click(struct expecting *expecting, const struct message *message, const struct click *click)
{
    struct history *history = expecting->history;
    enum verdict verdict;
    uint32_t position;
    TRY(naive_run_take(expecting->models[message->partition], click, message->offset, message->timestamp_ms,
                       &history->told[STORY_SESSIONS], &verdict, &position));
    AUTO(buffer) content = {0};
    history->duplicates += verdict == VERDICT_DUPLICATE;
    if (verdict == VERDICT_LATE)
        return facts_add_content(&history->told[STORY_LATE], message->partition, describe_message(message, &content));
    if (verdict == VERDICT_DUPLICATE)
        return OK;
    describe_answer(click->session_id, click->item_id, click->time_ms, position, &content);
    return facts_add(&history->told[STORY_RECOMMENDATIONS],
                     (struct fact){message->partition, message->offset, 0, buffer_bytes(&content)});
}

static struct status expect(struct expecting *expecting, const struct message *message, struct complaint *complaint)
{
    if (message->partition < 0 || message->partition >= PARTITIONS_MAX)
        return FAIL(LIMIT, message->partition, "too many partitions");
    struct naive_run **model = &expecting->models[message->partition];
    if (!*model)
        TRY(naive_run_open(&expecting->config->engine.session, message->partition, model));
    struct click click;
    struct complaint why = {0};
    struct status status = message->value.data ? decode_click(expecting->decoder, message->value, &click, &why)
                                               : FAIL(BAD_INPUT, 0, "a click without a value");
    if (!failed(status))
        status = click_check(&click, message->timestamp_ms, &expecting->config->clicks, &why);
    expecting->history->clicks++;
    if (!failed(status))
        return expect_click(expecting, message, &click);
    if (failed_as(status, FAULT_BAD_INPUT))
        return expect_dead(expecting, message);
    return complain(complaint, status, "%s", why.text);
}

static struct status expect_state(struct expecting *expecting)
{
    struct history *history = expecting->history;
    for (int i = 0; i < PARTITIONS_MAX; i++) {
        const struct naive_run *model = expecting->models[i];
        if (!model)
            continue;
        TRY(naive_run_state(model, &history->told[STORY_OPEN], &history->told[STORY_POSITIONS]));
        history->cut += naive_run_cut(model);
        if (naive_run_longest(model) > history->longest)
            history->longest = naive_run_longest(model);
    }
    return OK;
}

struct status history_expect(const struct config *config, const struct dump *clicks, struct history *history,
                             struct complaint *complaint)
{
    struct expecting *expecting = calloc(1, sizeof *expecting);
    if (!expecting)
        return FAIL(MEMORY, 0, "no memory for models");
    expecting->config = config;
    expecting->history = history;
    struct status status = decoder_open_configured(config, RECORD_CLICK, &expecting->decoder, complaint);
    for (size_t i = 0; i < clicks->count && !failed(status); i++)
        status = expect(expecting, &clicks->records[i].message, complaint);
    if (!failed(status))
        status = expect_state(expecting);
    for (int i = 0; i < PARTITIONS_MAX; i++)
        naive_run_close(expecting->models[i]);
    decoder_close(expecting->decoder);
    free(expecting);
    return status;
}

/* ---- what is found in topics */

struct reading {
    const struct config *config;
    struct decoder *decoder;
    struct arena batch;
    struct history *history;
};

static struct status read_recommendation(struct reading *reading, const struct message *message,
                                         struct complaint *complaint)
{
    struct recommendation_record record;
    TRY(decode_recommendation(reading->decoder, message->value, &reading->batch, &record, complaint));
    AUTO(buffer) content = {0};
    const char *topic = config_topic(reading->config, TOPIC_CLICKS);
    if (!bytes_equal_text(record.topic, topic))
        return complain(complaint, FAIL(BAD_INPUT, message->offset, "an answer to another topic"),
                        "a recommendation for a click of topic " BYTES_FORMAT, BYTES_ARGS(record.topic));
    describe_answer(record.session_id, record.click_item_id, record.click_time_ms, record.position, &content);
    struct fact fact = {record.partition, record.offset, record.revision, buffer_bytes(&content)};
    TRY(facts_add(&reading->history->told[STORY_RECOMMENDATIONS], fact));
    buffer_clear(&content);
    fact.content = describe_message(message, &content);
    return facts_add(&reading->history->bytes[STORY_RECOMMENDATIONS], fact);
}

static struct status read_session(struct reading *reading, const struct message *message, struct complaint *complaint)
{
    struct closed_record record;
    TRY(decode_closed_session(reading->decoder, message->value, &reading->batch, &record, complaint));
    AUTO(buffer) content = {0};
    const struct session_view view = {.session_id = record.session_id,
                                      .user_id = record.user_id,
                                      .times_ms = record.times_ms,
                                      .types = record.types,
                                      .length = record.length,
                                      .total = record.total};
    describe_session(&view, record.item_ids, &content);
    buffer_format(&content, " closed %" PRId64 "%s", record.close_ms, record.evicted ? " evicted" : "");
    struct fact fact = {record.origin.partition, record.origin.offset, record.origin.sequence, buffer_bytes(&content)};
    TRY(facts_add(&reading->history->told[STORY_SESSIONS], fact));
    fact.content = message->value; /* its record's time is that of publishing */
    return facts_add(&reading->history->bytes[STORY_SESSIONS], fact);
}

static struct status read_late(struct reading *reading, const struct message *message)
{
    AUTO(buffer) content = {0};
    return facts_add_content(&reading->history->told[STORY_LATE], message->partition,
                             describe_message(message, &content));
}

static struct status read_dead(struct reading *reading, const struct dump_record *record, struct complaint *complaint)
{
    int64_t partition, offset;
    if (!dump_header(record, "__connect.errors.partition", &partition) ||
        !dump_header(record, "__connect.errors.offset", &offset))
        return complain(complaint, FAIL(BAD_INPUT, record->message.offset, "a dead letter of nowhere"),
                        "a dead letter does not say which record it was");
    AUTO(buffer) content = {0};
    return facts_add(&reading->history->told[STORY_DEAD],
                     (struct fact){(int32_t)partition, offset, 0, describe_message(&record->message, &content)});
}

static struct status read_one(struct reading *reading, enum story story, const struct dump_record *record,
                              struct complaint *complaint)
{
    switch (story) {
    case STORY_RECOMMENDATIONS:
        return read_recommendation(reading, &record->message, complaint);
    case STORY_SESSIONS:
        return read_session(reading, &record->message, complaint);
    case STORY_LATE:
        return read_late(reading, &record->message);
    default:
        return read_dead(reading, record, complaint);
    }
}

struct status history_read(const struct config *config, enum story story, const struct dump *dump,
                           struct history *history, struct complaint *complaint)
{
    struct reading reading = {.config = config, .history = history};
    struct status status = OK;
    if (story == STORY_RECOMMENDATIONS || story == STORY_SESSIONS)
        status =
            decoder_open_configured(config, story == STORY_SESSIONS ? RECORD_CLOSED_SESSION : RECORD_RECOMMENDATION,
                                    &reading.decoder, complaint);
    for (size_t i = 0; i < dump->count && !failed(status); i++) {
        status = read_one(&reading, story, &dump->records[i], complaint);
        arena_reset(&reading.batch);
    }
    arena_release(&reading.batch);
    decoder_close(reading.decoder);
    return status;
}

/* ---- the verdict */

static bool compare(const char *against, enum story story, struct facts *expected, struct facts *found, FILE *out)
{
    char what[64];
    snprintf(what, sizeof what, "%s, %s", story_texts[story], against);
    struct comparison result = facts_compare(what, expected, found, out);
    fprintf(out, "%-40s %8zu: %zu lost, %zu repeated, %zu not expected, %zu different\n", what, result.expected,
            result.lost, result.repeated, result.unexpected, result.different);
    return comparison_holds(&result);
}

bool history_judge(struct history *expected, struct history *found, struct history *calm, FILE *out)
{
    bool holds = true;
    fprintf(out, "%zu clicks: %zu to be answered, %zu late, %zu dead letters, %zu repeats\n", expected->clicks,
            expected->told[STORY_RECOMMENDATIONS].count, expected->told[STORY_LATE].count,
            expected->told[STORY_DEAD].count, expected->duplicates);
    if (expected->cut) {
        fprintf(out, "%zu clicks came when their session was too long: raise session.max_duration_ms\n", expected->cut);
        holds = false;
    }
    for (enum story story = 0; story < STORY_COUNT; story++)
        holds &= compare("by the model", story, &expected->told[story], &found->told[story], out);
    for (enum story story = 0; calm && story < STORY_COUNT; story++)
        if (found->bytes[story].count || calm->bytes[story].count)
            holds &= compare("bytes of a calm run", story, &calm->bytes[story], &found->bytes[story], out);
    return holds;
}
