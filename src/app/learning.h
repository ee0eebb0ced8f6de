// SPDX-License-Identifier: Apache-2.0
#pragma once
/* learning: a session model's whole life on a log with real times, one way of learning beside the other.
 *
 *   sessions that close before `from`  -> the first model, which all systems begin with
 *   sessions that begin from there on, before `before` -> each next click is predicted by the model of its moment
 *
 *   static      that model, for ever
 *   retrained   another one every so often, from nothing, on all sessions that have closed by then
 *   continuous  core/updater.h: updated every so often by the sessions that have closed since
 *
 * A session closes session.gap_ms after its last click, and is learned from by nobody before. All systems have the same
 * questions. A next click on an item that a system's model has no row for is a miss of it, as is one of which it knows
 * no click before; items are ranked among all that the model has, ties against it.
 *
 * With `fused` the lists are those of the fusion with the retrieval scorers, which learn each session as it closes in
 * all systems alike; a further system, `retrieval`, has them alone.
 * The log is read as session_log.h says; sessions of one click are left out. */
#include "app/config.h"
#include "app/session_log.h"
#include "app/timeline.h"

struct learning_question {
    int64_t time_ms;
    uint32_t session, length; /* in log.sessions; clicks before the one that is asked for */
    uint32_t place;           /* of its rank: session by session in the order of `tested`, then by position */
};

struct learning_data {
    struct session_log log; /* items have become rows, in the order in which they can be learned */
    int64_t from_ms, before_ms, gap_ms;
    uint32_t *closing; /* sessions of two clicks or more, in the order of closing */
    uint32_t *tested;  /* those that are predicted, by their first clicks */
    size_t closing_count, tested_count, predictions;
    size_t first_sessions, first_clicks; /* of the first model */
    uint32_t items;
    uint32_t *names;                     /* (items) in log.item_ids */
    struct learning_question *questions; /* (predictions) in the order of time */
};

struct learning_split {
    int64_t from_ms;   /* INT64_MIN: the middle of the log's time */
    int64_t before_ms; /* INT64_MAX: no end */
};

/* BAD_INPUT: nothing to learn from first, or nothing to predict; what session_log_read() fails with. */
MUST_CHECK struct status learning_data_open(const char *const *paths, size_t path_count,
                                            const struct learning_split *split, int64_t gap_ms,
                                            struct log_reading *reading, struct learning_data *ret_data,
                                            struct complaint *complaint);
void learning_data_release(struct learning_data *data);

enum learning_kind { LEARNING_RETRIEVAL, LEARNING_STATIC, LEARNING_RETRAINED, LEARNING_CONTINUOUS };

struct learning_result {
    uint32_t *ranks;              /* (predictions) by place; 0: a miss */
    size_t unknown;               /* next clicks on items that the model had no row for */
    uint32_t models, refused;     /* that were published after the first; updates that were not */
    int64_t learn_ns, longest_ns; /* thread CPU time, after the first model; of the longest update */
    uint64_t samples;             /* that were trained in it */
    struct timeline timeline;
};

struct learning_way {
    enum learning_kind kind;
    const struct config *config;
    int64_t every_ms; /* RETRAINED */
    bool fused;       /* always with RETRIEVAL */
};

/* Trains what all begin with. Shows its progress. What updater_step() fails with. */
MUST_CHECK struct status learning_first(const struct learning_data *data, const struct config *config,
                                        struct model **ret_model);
MUST_CHECK struct status learning_run(const struct learning_data *data, const struct model *first,
                                      const struct learning_way *way, struct learning_result *ret_result);
void learning_result_release(struct learning_result *result);

/* As evaluation_session_sums(), over data->tested. */
void learning_session_sums(const struct learning_data *data, const struct learning_result *result,
                           const struct learning_result *base, const struct measure *measure,
                           struct session_sums *ret_sums);
