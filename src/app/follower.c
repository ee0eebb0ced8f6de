// SPDX-License-Identifier: Apache-2.0
#include "app/follower.h"

#include "app/log.h"

#include <stdlib.h>

#define LOCKED_MAX 64 /* records applied under one writer lock, which the shards wait for */

struct follower {
    struct decoder *items, *sessions;
    struct knowledge *knowledge;
    struct metrics *metrics;
    struct arena batch;
    int64_t latest_close_ms;
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

/* Applies `messages` one by one, under the writer lock for some at a time. */
static struct status apply_locked(struct follower *follower, const struct message *messages, size_t count,
                                  struct status (*apply)(struct follower *, const struct message *))
{
    struct status status = OK;
    for (size_t from = 0; from < count && !failed(status); from += LOCKED_MAX) {
        size_t to = from + LOCKED_MAX < count ? from + LOCKED_MAX : count;
        knowledge_lock_write(follower->knowledge);
        for (size_t i = from; i < to && !failed(status); i++)
            status = apply(follower, &messages[i]);
        knowledge_unlock(follower->knowledge);
        arena_reset(&follower->batch);
    }
    return status;
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
    struct status status = decode_item(follower->items, message->value, &item, &complaint);
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
    return apply_locked(follower, messages, count, apply_item);
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

/* One that closes past all time would make every later session of its partition a repetition. */
static struct status check_times(const struct closed_record *record)
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
    struct status status =
        decode_closed_session(follower->sessions, message->value, &follower->batch, &record, &complaint);
    if (!failed(status))
        status = check_times(&record);
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
    TRY(apply_locked(follower, messages, count, apply_session));
    if (count == 0 || follower->latest_close_ms == INT64_MIN)
        return OK;
    knowledge_lock_write(follower->knowledge);
    struct status status = knowledge_follow(follower->knowledge, follower->latest_close_ms - FOLLOW_MARGIN_MS);
    knowledge_unlock(follower->knowledge);
    return status;
}
