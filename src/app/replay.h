// SPDX-License-Identifier: Apache-2.0
#pragma once
/* replay: recorded clicks through the very engine on a virtual clock, prequentially: each click is answered, then
 * learned from, and judges the list recommended before it in its session.
 *
 * Files are run one behind the other, as given: the time of a click's record is its event time, its offset a running
 * number over all files, its partition 0. A range of a topic keeps its partitions, offsets and record times; with
 * several partitions it is run in the order of record times (kafka_range.h). */
#include "app/config.h"
#include "app/log_reading.h"
#include "app/timeline.h"

#include <eddy/base/histogram.h>
#include <eddy/io/kafka_range.h>

#include <stdio.h>

#define REPLAY_PLACES 20 /* of each list that are judged */

struct replay_options {
    const char *const *files;
    size_t file_count;
    const char *topic; /* instead of files; NULL: none */
    struct kafka_bound from, to;
    const char *items;                        /* catalogue, NULL: none */
    const char *output;                       /* encoded recommendations; NULL: none, and so on */
    const char *dump;                         /* session_id, position, item and list of every answer */
    const char *state;                        /* learned state at the end, all sessions closed */
    bool judged_only;                         /* between these two; else all clicks judge */
    int64_t judged_from_ms, judged_before_ms; /* event time; all are answered and learned from all the same */
    bool strict;
};

struct replay_result {
    struct log_reading reading;
    uint64_t answered, empty, late, duplicates, out_of_order, opened, closed, evicted;
    uint64_t judged, unfollowed;
    uint64_t rank_counts[REPLAY_PLACES + 1]; /* [0]: not in the list */
    struct timeline timeline;
    struct histogram latency_ns; /* thread CPU time per click: engine, encoding, learning */
    int64_t cpu_ns;
    double wall_s;
    int64_t first_ms, last_ms; /* event time */
    struct learner_counts learner;
    uint64_t learned_version;
    size_t learned_bytes;
    uint32_t items;
};

/* After a failure the result tells how far it came. */
MUST_CHECK struct status replay_run(const struct replay_options *options, const struct config *config,
                                    struct replay_result *result, struct complaint *complaint);

double replay_mean(const struct replay_result *result, const struct measure *measure, uint32_t cutoff);

/* ---- replay_report.c */
void replay_report_table(const struct replay_options *options, const struct replay_result *result, FILE *out);
void replay_report_json(const struct replay_options *options, const struct replay_result *result, struct buffer *out);
/* timeline.svg and latency.svg. */
MUST_CHECK struct status replay_report_plots(const struct replay_result *result, const char *folder,
                                             struct complaint *complaint);
