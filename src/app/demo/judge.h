// SPDX-License-Identifier: Apache-2.0
#pragma once
/* judge: keeps what the demo shows. It sees each click as it is sent and each recommendation as it comes back from the
 * topic, and lets the next click of a session judge the list before it: HR@20 and MRR@20.
 *
 * A recommendation is matched to its click by session, time and item. Memory is fixed: JUDGE_SESSIONS places, where a
 * session that hashes to a taken place pushes out the one there, and the last JUDGE_CLICKS clicks of each. */
#include <eddy/base/histogram.h>
#include <eddy/core/catalogue.h>
#include <eddy/core/click.h>
#include <eddy/core/codec.h>

#define JUDGE_SESSIONS   4096
#define JUDGE_CLICKS     8
#define JUDGE_LIST       20 /* items that count as a hit */
#define JUDGE_REASONS    5  /* items whose score and reason are kept, for showing */
#define JUDGE_NAME_BYTES 40
#define JUDGE_TEXT_BYTES 64

struct judged_list {
    uint32_t count;
    uint32_t items[JUDGE_LIST]; /* catalogue numbers, ITEM_NONE: not in it */
    float scores[JUDGE_REASONS];
    char reasons[JUDGE_REASONS][JUDGE_TEXT_BYTES];
};

struct judged_click {
    int64_t time_ms, sent_us;
    uint32_t item;
    uint32_t rank; /* in the list before it, from 1; 0: not in it, or there was none yet */
    bool answered, judged;
};

struct judged_session {
    uint64_t hash; /* 0: the place is free */
    char name[JUDGE_NAME_BYTES];
    int64_t active_us;    /* when its last click was sent */
    uint32_t click_count; /* ever; the last is clicks[(click_count - 1) % JUDGE_CLICKS] */
    struct judged_click clicks[JUDGE_CLICKS];
    struct judged_list list; /* the newest answered click's */
    uint32_t list_click;     /* the number of that click, from 1; 0: none */
};

struct judge {
    const struct catalogue *catalogue;
    struct judged_session *sessions; /* (JUDGE_SESSIONS) */
    uint64_t clicks, answers, judged, hits;
    double reciprocal_ranks;
    struct histogram latency_us;
};

MUST_CHECK struct status judge_open(const struct catalogue *catalogue, struct judge *ret_judge);
void judge_release(struct judge *judge);

/* A click is being sent at `now_us`. */
void judge_click(struct judge *judge, const struct click *click, int64_t now_us);
/* A recommendation has come back; the session it belongs to, NULL when its click is not known (any more). */
const struct judged_session *judge_answer(struct judge *judge, const struct recommendation_record *record,
                                          int64_t now_us);
/* Forgets the counts, not the sessions: from here on it is live. */
void judge_restart(struct judge *judge);

double judge_hit_rate(const struct judge *judge);
double judge_reciprocal_rank(const struct judge *judge);

/* Click number `number` (from 1) of the session; NULL when it is too long ago. */
const struct judged_click *judged_click_at(const struct judged_session *session, uint32_t number);

/* The sessions that clicked last, latest first; the number of those there are, at most `capacity`. */
size_t judge_latest(const struct judge *judge, const struct judged_session **ret_sessions, size_t capacity);
