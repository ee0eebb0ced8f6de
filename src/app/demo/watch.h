// SPDX-License-Identifier: Apache-2.0
#pragma once
/* watch: keeps what the demo shows. It sees each click as it is sent and each recommendation as it comes back from the
 * topic, where the core's judge says what the list before it was worth: HR@20 and MRR@20.
 *
 * A session goes by what sessions are kept by: session_id, or user_id (all visits of a user are one here). A
 * recommendation is matched to its click by session, time and item. Memory is fixed: WATCH_SESSIONS places, where a
 * session that hashes to a taken place pushes out the one there, and the last WATCH_CLICKS clicks of each. */
#include <eddy/base/histogram.h>
#include <eddy/core/codec.h>
#include <eddy/core/judge.h>

#define WATCH_SESSIONS   4096
#define WATCH_CLICKS     8
#define WATCH_LIST       20 /* first places of a list, of which one is a hit */
#define WATCH_SHOWN      5  /* of those, how many are kept to be shown */
#define WATCH_TEXT_BYTES 64

struct watched_click {
    int64_t time_ms, sent_us;
    uint32_t item; /* catalogue number; ITEM_NONE: not in it */
    uint32_t rank; /* in the list before it, from 1; 0: not in it, or there was none */
    bool answered;
};

struct watched_list {
    uint32_t click; /* the number in its session of the click it answers, from 1; 0: none yet */
    uint32_t count; /* at most WATCH_SHOWN */
    uint32_t items[WATCH_SHOWN];
    float scores[WATCH_SHOWN];
    char reasons[WATCH_SHOWN][WATCH_TEXT_BYTES];
};

struct watched_session {
    uint64_t hash; /* 0: the place is free */
    char key[CLICK_ID_MAX + 1];
    int64_t active_us, answered_us;            /* when its last click was sent, and answered; 0: never */
    uint32_t click_count;                      /* ever */
    struct watched_click clicks[WATCH_CLICKS]; /* a ring: click number n at (n - 1) % WATCH_CLICKS */
    struct watched_list list;                  /* the newest */
};

struct watch {
    const struct catalogue *catalogue;
    bool by_user;
    struct judge *judge;
    struct watched_session *sessions; /* (WATCH_SESSIONS) */
    uint64_t clicks, answers, judged, hits;
    double reciprocal_ranks; /* their sum */
    struct histogram latency_us;
};

MUST_CHECK struct status watch_open(const struct catalogue *catalogue, bool by_user, struct watch *ret_watch);
void watch_release(struct watch *watch);

/* A click is being sent at `now_us`. */
void watch_click(struct watch *watch, const struct click *click, int64_t now_us);
/* A recommendation has come back. *ret_session: the session it belongs to, NULL when its click is not known (any
 * more) or was answered before. */
MUST_CHECK struct status watch_answer(struct watch *watch, const struct recommendation_record *record, int64_t now_us,
                                      const struct watched_session **ret_session);
/* Counts from zero, but sessions go on: what came before was rehearsal. */
void watch_restart(struct watch *watch);

double watch_hit_rate(const struct watch *watch);
double watch_reciprocal_rank(const struct watch *watch);

/* Click number `number` (from 1) of the session; NULL when it is too long ago. */
const struct watched_click *watched_click_at(const struct watched_session *session, uint32_t number);

/* The sessions that were answered last, latest first, then of those that were not the ones that clicked last; returns
 * how many, at most `capacity` > 0. */
size_t watch_latest(const struct watch *watch, const struct watched_session **ret_sessions, size_t capacity);
