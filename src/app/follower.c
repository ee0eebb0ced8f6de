// SPDX-License-Identifier: Apache-2.0
#include "app/follower.h"

#include "app/log.h"
#include "app/schemas.h"

#include <stdlib.h>

#define LOCKED_MAX 64 /* records applied under one writer lock, which the shards wait for */

struct follower {
    struct decoder *items, *sessions;
    struct knowledge *knowledge;
    struct metrics *metrics;
    struct schema_source schemas;
    struct decoder *asks; /* the one that misses a schema; NULL: none */
    struct arena batch;
    int64_t latest_close_ms;
};

/* One of the two topics. */
struct followed {
    struct status (*apply)(struct follower *follower, const struct message *message);
    void (*is_bad)(struct follower *follower, const struct message *message, const char *reason);
};

struct status follower_open(struct decoder *items, struct decoder *sessions, struct knowledge *knowledge,
                            struct metrics *metrics, struct follower **ret_follower)
{
    struct follower *follower = calloc(1, sizeof *follower);
    if (!follower)
        return FAIL(MEMORY, 0, "no memory for the reader of items and sessions");
    *follower = (struct follower){
        .items = items, .sessions = sessions, .knowledge = knowledge, .metrics = metrics, .latest_close_ms = INT64_MIN};
    *ret_follower = follower;
    return OK;
}

void follower_close(struct follower *follower)
{
    if (!follower)
        return;
    arena_release(&follower->batch);
    free(follower);
}

void follower_set_schemas(struct follower *follower, struct schema_source schemas)
{
    follower->schemas = schemas;
}

/* Applies messages one by one, under the writer lock for some at a time; *at: how far it came. */
static struct status apply_locked(struct follower *follower, const struct message *messages, size_t count,
                                  const struct followed *followed, size_t *at)
{
    struct status status = OK;
    size_t end = *at + LOCKED_MAX < count ? *at + LOCKED_MAX : count;
    follower->asks = NULL;
    knowledge_lock_write(follower->knowledge);
    while (*at < end && !failed(status)) {
        status = followed->apply(follower, &messages[*at]);
        *at += !failed(status);
    }
    knowledge_unlock(follower->knowledge);
    arena_reset(&follower->batch);
    return status;
}

/* Without the lock, as a registry may be slow: the record is decodable then, or a bad one. */
static struct status ask_schema(struct follower *follower, const struct message *message,
                                const struct followed *followed, size_t *at)
{
    struct complaint complaint = {""};
    struct status status = schemas_resolve(follower->schemas, follower->asks, &complaint);
    if (failed_as(status, FAULT_UNAVAILABLE)) {
        metric_add(follower->metrics, METRIC_SCHEMA_WAITS, 1);
        log_event(LOG_WARN, "waiting_for_schema", "reason=%s", complaint.text);
        return FAIL(UNAVAILABLE, *at, "a schema cannot be had now");
    }
    if (!failed(status) || failed_as(status, FAULT_MEMORY))
        return status;
    followed->is_bad(follower, message, complaint.text);
    ++*at;
    return OK;
}

static struct status apply_all(struct follower *follower, const struct message *messages, size_t count,
                               const struct followed *followed)
{
    for (size_t at = 0; at < count;) {
        struct status status = apply_locked(follower, messages, count, followed, &at);
        if (follower->asks)
            status = ask_schema(follower, &messages[at], followed, &at);
        TRY(status);
    }
    return OK;
}

/* True when a record is to be tried again with another schema. */
static bool misses_schema(struct follower *follower, struct decoder *decoder, struct status status)
{
    bool misses = failed_as(status, FAULT_NOT_FOUND) && follower->schemas.ops;
    follower->asks = misses ? decoder : NULL;
    return misses;
}

/* ---- items */

static void item_is_bad(struct follower *follower, const struct message *message, const char *reason)
{
    metric_add(follower->metrics, METRIC_ITEMS_BAD, 1);
    log_event(LOG_WARN, "bad_item", "partition=%d offset=%lld reason=%s", message->partition,
              (long long)message->offset, reason);
}

static struct status apply_item(struct follower *follower, const struct message *message)
{
    struct catalogue *catalogue = knowledge_catalogue(follower->knowledge);
    struct complaint complaint = {0};
    struct item item;
    if (!message->value.data) {
        catalogue_remove(catalogue, message->key);
        metric_add(follower->metrics, METRIC_ITEMS_CONSUMED, 1);
        return OK;
    }
    decoder_set_header(follower->items, message->schema_header);
    struct status status = decode_item(follower->items, message->value, &item, &complaint);
    if (misses_schema(follower, follower->items, status))
        return status;
    if (failed(status)) {
        item_is_bad(follower, message, complaint.text[0] ? complaint.text : status.fault->what);
        return failed_as(status, FAULT_MEMORY) ? status : OK;
    }
    status = catalogue_put(catalogue, &item, NULL);
    if (failed_as(status, FAULT_LIMIT)) {
        metric_add(follower->metrics, METRIC_ITEMS_REFUSED, 1);
        log_event(LOG_WARN, "item_refused", "partition=%d offset=%lld reason=%s", message->partition,
                  (long long)message->offset, "the catalogue is full (items.max, items.memory_max_bytes)");
        return OK;
    }
    metric_add(follower->metrics, METRIC_ITEMS_CONSUMED, !failed(status));
    return status;
}

struct status follower_take_items(struct follower *follower, const struct message *messages, size_t count)
{
    assert(follower->items || count == 0);
    static const struct followed followed = {apply_item, item_is_bad};
    return apply_all(follower, messages, count, &followed);
}

/* ---- sessions */

static void session_is_bad(struct follower *follower, const struct message *message, const char *reason)
{
    metric_add(follower->metrics, METRIC_SESSIONS_BAD, 1);
    log_event(LOG_WARN, "bad_session", "partition=%d offset=%lld reason=%s", message->partition,
              (long long)message->offset, reason);
}

static bool time_is_absurd(int64_t time_ms)
{
    return time_ms < CLICK_TIME_MIN_MS || time_ms > CLICK_TIME_MAX_MS;
}

struct status closed_record_check(const struct closed_record *record)
{
    bool absurd = time_is_absurd(record->close_ms);
    for (uint32_t i = 0; i < record->length; i++)
        absurd |= time_is_absurd(record->times_ms[i]);
    return absurd ? FAIL(BAD_INPUT, record->close_ms, "a time is not between the years 1990 and 9999") : OK;
}

/* The record with its items as numbers. LIMIT: the catalogue has no room for one of them. */
static struct status number_items(struct follower *follower, const struct closed_record *record,
                                  struct closed_session *ret_session)
{
    uint32_t *items = ARENA_ARRAY(&follower->batch, uint32_t, record->length + 1);
    if (!items)
        return FAIL(MEMORY, record->length, "no memory for a session");
    for (uint32_t i = 0; i < record->length; i++)
        TRY(catalogue_intern(knowledge_catalogue(follower->knowledge), record->item_ids[i], &items[i]));
    *ret_session = (struct closed_session){.view = {.session_id = record->session_id,
                                                    .user_id = record->user_id,
                                                    .items = items,
                                                    .times_ms = record->times_ms,
                                                    .types = record->types,
                                                    .length = record->length,
                                                    .total = record->total},
                                           .close_ms = record->close_ms,
                                           .evicted = record->evicted};
    return OK;
}

static struct status apply_session(struct follower *follower, const struct message *message)
{
    struct complaint complaint = {0};
    struct closed_record record;
    struct closed_session session;
    if (!message->value.data) {
        session_is_bad(follower, message, "the record has no value");
        return OK;
    }
    decoder_set_header(follower->sessions, message->schema_header);
    struct status status =
        decode_closed_session(follower->sessions, message->value, &follower->batch, &record, &complaint);
    if (misses_schema(follower, follower->sessions, status))
        return status;
    if (!failed(status))
        status = closed_record_check(&record);
    if (!failed(status))
        status = number_items(follower, &record, &session);
    if (!failed(status)) {
        if (record.close_ms > follower->latest_close_ms)
            follower->latest_close_ms = record.close_ms;
        status = learner_offer(knowledge_learner(follower->knowledge), &session, record.origin, NULL);
    }
    if (failed(status) && !failed_as(status, FAULT_MEMORY)) {
        session_is_bad(follower, message, complaint.text[0] ? complaint.text : status.fault->what);
        return OK;
    }
    return status;
}

struct status follower_take_sessions(struct follower *follower, const struct message *messages, size_t count)
{
    static const struct followed followed = {apply_session, session_is_bad};
    TRY(apply_all(follower, messages, count, &followed));
    if (count == 0 || follower->latest_close_ms == INT64_MIN)
        return OK;
    knowledge_lock_write(follower->knowledge);
    struct status status = knowledge_follow(follower->knowledge, follower->latest_close_ms - FOLLOW_MARGIN_MS);
    knowledge_unlock(follower->knowledge);
    return status;
}
