// SPDX-License-Identifier: Apache-2.0
#include "app/demo/watch.h"

#include <stdlib.h>

struct status watch_open(const struct catalogue *catalogue, bool by_user, struct watch *ret_watch)
{
    static const struct judge_options options = {.places = WATCH_LIST, .sessions_max = WATCH_SESSIONS};
    struct watch watch = {
        .catalogue = catalogue, .by_user = by_user, .sessions = calloc(WATCH_SESSIONS, sizeof *watch.sessions)};
    if (!watch.sessions)
        return FAIL(MEMORY, WATCH_SESSIONS, "no memory for the sessions to show");
    struct status status = judge_open(&options, &watch.judge);
    if (failed(status)) {
        watch_release(&watch);
        return status;
    }
    *ret_watch = watch;
    return OK;
}

void watch_release(struct watch *watch)
{
    judge_close(watch->judge);
    free(watch->sessions);
    *watch = (struct watch){0};
}

void watch_restart(struct watch *watch)
{
    *watch = (struct watch){
        .catalogue = watch->catalogue, .by_user = watch->by_user, .judge = watch->judge, .sessions = watch->sessions};
}

double watch_hit_rate(const struct watch *watch)
{
    return watch->judged ? (double)watch->hits / (double)watch->judged : 0;
}

double watch_reciprocal_rank(const struct watch *watch)
{
    return watch->judged ? watch->reciprocal_ranks / (double)watch->judged : 0;
}

static uint64_t hash_of(struct bytes key)
{
    return bytes_hash(key) | 1;
}

static struct watched_session *place_of(const struct watch *watch, uint64_t hash)
{
    return &watch->sessions[(hash >> 32) % WATCH_SESSIONS];
}

static struct watched_click *ring(struct watched_session *session, uint32_t number)
{
    return &session->clicks[(number - 1) % WATCH_CLICKS];
}

const struct watched_click *watched_click_at(const struct watched_session *session, uint32_t number)
{
    bool kept = number >= 1 && number <= session->click_count && number + WATCH_CLICKS > session->click_count;
    return kept ? &session->clicks[(number - 1) % WATCH_CLICKS] : NULL;
}

static void place_take(struct watch *watch, struct watched_session *place, uint64_t hash, struct bytes key)
{
    if (place->hash)
        judge_forget(watch->judge, bytes_of_text(place->key));
    *place = (struct watched_session){.hash = hash};
    assert(key.size < sizeof place->key);
    memcpy(place->key, key.data, key.size);
}

void watch_click(struct watch *watch, const struct click *click, int64_t now_us)
{
    struct bytes key = watch->by_user ? click->user_id : click->session_id;
    uint64_t hash = hash_of(key);
    struct watched_session *session = place_of(watch, hash);
    if (session->hash != hash)
        place_take(watch, session, hash, key);
    session->active_us = now_us;
    session->click_count++;
    *ring(session, session->click_count) = (struct watched_click){
        .time_ms = click->time_ms, .sent_us = now_us, .item = catalogue_find(watch->catalogue, click->item_id)};
    watch->clicks++;
}

/* The number of the click that is answered, 0 when it is not known. */
static uint32_t answered_click(const struct watched_session *session, const struct recommendation_record *record,
                               uint32_t item)
{
    for (uint32_t number = session->click_count; number > 0; number--) {
        const struct watched_click *click = watched_click_at(session, number);
        if (!click)
            break;
        if (click->time_ms == record->click_time_ms && click->item == item && !click->answered)
            return number;
    }
    return 0;
}

static struct status judge_list(struct watch *watch, const struct recommendation_record *record,
                                struct watched_click *click)
{
    struct recommended_item items[WATCH_LIST] = {0};
    struct recommendation recommendation = {
        .session_id = watch->by_user ? record->user_id : record->session_id,
        .position = record->position,
        .click_item = click->item,
        .items = items,
        .count = record->count < WATCH_LIST ? record->count : WATCH_LIST,
    };
    for (uint32_t i = 0; i < recommendation.count; i++)
        items[i].item = catalogue_find(watch->catalogue, record->item_ids[i]);
    bool judged;
    uint32_t rank;
    TRY(judge_answer(watch->judge, &recommendation, &judged, &rank));
    if (!judged)
        return OK;
    rank = click->item == ITEM_NONE ? 0 : rank; /* two items that are not in the catalogue need not be the same */
    watch->judged++;
    watch->hits += rank > 0;
    watch->reciprocal_ranks += rank > 0 ? 1.0 / rank : 0;
    click->rank = rank;
    return OK;
}

static void take_list(const struct watch *watch, const struct recommendation_record *record, uint32_t number,
                      struct watched_list *list)
{
    *list = (struct watched_list){number, record->count < WATCH_SHOWN ? record->count : WATCH_SHOWN, {0}, {0}, {{0}}};
    for (uint32_t i = 0; i < list->count; i++) {
        struct bytes reason = bytes_utf8_prefix(record->reasons[i], WATCH_TEXT_BYTES - 1);
        list->items[i] = catalogue_find(watch->catalogue, record->item_ids[i]);
        list->scores[i] = record->scores[i];
        memcpy(list->reasons[i], reason.data, reason.size);
    }
}

struct status watch_answer(struct watch *watch, const struct recommendation_record *record, int64_t now_us,
                           const struct watched_session **ret_session)
{
    uint64_t hash = hash_of(watch->by_user ? record->user_id : record->session_id);
    struct watched_session *session = place_of(watch, hash);
    uint32_t item = catalogue_find(watch->catalogue, record->click_item_id);
    uint32_t number = session->hash == hash ? answered_click(session, record, item) : 0;
    if (!number) {
        *ret_session = NULL;
        return OK;
    }
    struct watched_click *click = ring(session, number);
    TRY(judge_list(watch, record, click));
    click->answered = true;
    session->answered_us = now_us;
    watch->answers++;
    histogram_record(&watch->latency_us, now_us > click->sent_us ? (uint64_t)(now_us - click->sent_us) : 0);
    if (number > session->list.click)
        take_list(watch, record, number, &session->list);
    *ret_session = session;
    return OK;
}

static bool later(const struct watched_session *a, const struct watched_session *b)
{
    return a->answered_us != b->answered_us ? a->answered_us > b->answered_us : a->active_us > b->active_us;
}

size_t watch_latest(const struct watch *watch, const struct watched_session **ret_sessions, size_t capacity)
{
    assert(capacity > 0);
    size_t count = 0;
    for (size_t i = 0; i < WATCH_SESSIONS; i++) {
        const struct watched_session *session = &watch->sessions[i];
        if (!session->hash || (count == capacity && !later(session, ret_sessions[count - 1])))
            continue;
        size_t place = count < capacity ? count++ : count - 1;
        for (; place > 0 && later(session, ret_sessions[place - 1]); place--)
            ret_sessions[place] = ret_sessions[place - 1];
        ret_sessions[place] = session;
    }
    return count;
}
