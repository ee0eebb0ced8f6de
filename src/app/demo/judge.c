// SPDX-License-Identifier: Apache-2.0
#include "app/demo/judge.h"

#include <stdio.h>
#include <stdlib.h>

struct status judge_open(const struct catalogue *catalogue, struct judge *ret_judge)
{
    struct judged_session *sessions = calloc(JUDGE_SESSIONS, sizeof *sessions);
    if (!sessions)
        return FAIL(MEMORY, JUDGE_SESSIONS, "no memory for the sessions to show");
    *ret_judge = (struct judge){.catalogue = catalogue, .sessions = sessions};
    return OK;
}

void judge_release(struct judge *judge)
{
    free(judge->sessions);
    *judge = (struct judge){0};
}

void judge_restart(struct judge *judge)
{
    *judge = (struct judge){.catalogue = judge->catalogue, .sessions = judge->sessions};
}

double judge_hit_rate(const struct judge *judge)
{
    return judge->judged ? (double)judge->hits / (double)judge->judged : 0;
}

double judge_reciprocal_rank(const struct judge *judge)
{
    return judge->judged ? judge->reciprocal_ranks / (double)judge->judged : 0;
}

static uint64_t name_hash(struct bytes session_id)
{
    return bytes_hash(session_id) | 1;
}

static struct judged_session *place_of(const struct judge *judge, uint64_t hash)
{
    return &judge->sessions[(hash >> 32) % JUDGE_SESSIONS];
}

/* The click's place in the ring; the caller knows that it is still there. */
static struct judged_click *ring(struct judged_session *session, uint32_t number)
{
    return &session->clicks[(number - 1) % JUDGE_CLICKS];
}

const struct judged_click *judged_click_at(const struct judged_session *session, uint32_t number)
{
    bool kept = number >= 1 && number <= session->click_count && number + JUDGE_CLICKS > session->click_count;
    return kept ? &session->clicks[(number - 1) % JUDGE_CLICKS] : NULL;
}

/* Click `number` judges the list of the click before it. */
static void judge_list(struct judge *judge, struct judged_session *session, uint32_t number)
{
    struct judged_click *click = ring(session, number);
    if (click->judged)
        return;
    click->judged = true;
    judge->judged++;
    for (uint32_t i = 0; i < session->list.count && !click->rank; i++)
        if (session->list.items[i] == click->item)
            click->rank = i + 1;
    if (click->rank) {
        judge->hits++;
        judge->reciprocal_ranks += 1.0 / click->rank;
    }
}

void judge_click(struct judge *judge, const struct click *click, int64_t now_us)
{
    uint64_t hash = name_hash(click->session_id);
    struct judged_session *session = place_of(judge, hash);
    if (session->hash != hash) {
        *session = (struct judged_session){.hash = hash};
        snprintf(session->name, sizeof session->name, BYTES_FORMAT, BYTES_ARGS(click->session_id));
    }
    uint32_t number = ++session->click_count;
    session->active_us = now_us;
    *ring(session, number) = (struct judged_click){
        .time_ms = click->time_ms, .sent_us = now_us, .item = catalogue_find(judge->catalogue, click->item_id)};
    judge->clicks++;
    if (session->list_click && session->list_click == number - 1)
        judge_list(judge, session, number);
}

/* The number of the click that was answered, 0 when it is not known. */
static uint32_t answered_click(const struct judged_session *session, const struct recommendation_record *record,
                               uint32_t item)
{
    for (uint32_t number = session->click_count; number > 0; number--) {
        const struct judged_click *click = judged_click_at(session, number);
        if (!click)
            break;
        if (click->time_ms == record->click_time_ms && click->item == item && !click->answered)
            return number;
    }
    return 0;
}

static void take_list(const struct judge *judge, const struct recommendation_record *record, struct judged_list *list)
{
    *list = (struct judged_list){.count = record->count < JUDGE_LIST ? record->count : JUDGE_LIST};
    for (uint32_t i = 0; i < list->count; i++)
        list->items[i] = catalogue_find(judge->catalogue, record->item_ids[i]);
    for (uint32_t i = 0; i < list->count && i < JUDGE_REASONS; i++) {
        list->scores[i] = record->scores[i];
        struct bytes reason = bytes_utf8_prefix(record->reasons[i], JUDGE_TEXT_BYTES - 1);
        snprintf(list->reasons[i], JUDGE_TEXT_BYTES, BYTES_FORMAT, BYTES_ARGS(reason));
    }
}

const struct judged_session *judge_answer(struct judge *judge, const struct recommendation_record *record,
                                          int64_t now_us)
{
    uint64_t hash = name_hash(record->session_id);
    struct judged_session *session = place_of(judge, hash);
    uint32_t item = catalogue_find(judge->catalogue, record->click_item_id);
    uint32_t number = session->hash == hash ? answered_click(session, record, item) : 0;
    if (!number)
        return NULL;
    struct judged_click *click = ring(session, number);
    click->answered = true;
    judge->answers++;
    histogram_record(&judge->latency_us, now_us > click->sent_us ? (uint64_t)(now_us - click->sent_us) : 0);
    if (number > session->list_click) {
        take_list(judge, record, &session->list);
        session->list_click = number;
        if (number < session->click_count)
            judge_list(judge, session, number + 1);
    }
    return session;
}

size_t judge_latest(const struct judge *judge, const struct judged_session **ret_sessions, size_t capacity)
{
    assert(capacity > 0);
    size_t count = 0;
    for (size_t i = 0; i < JUDGE_SESSIONS; i++) {
        const struct judged_session *session = &judge->sessions[i];
        if (!session->hash || (count == capacity && session->active_us <= ret_sessions[count - 1]->active_us))
            continue;
        size_t place = count < capacity ? count++ : count - 1;
        for (; place > 0 && ret_sessions[place - 1]->active_us < session->active_us; place--)
            ret_sessions[place] = ret_sessions[place - 1];
        ret_sessions[place] = session;
    }
    return count;
}
