// SPDX-License-Identifier: Apache-2.0
#pragma once
/* evaluation: the train and test protocol on recorded sessions.
 *
 *   sessions that begin before `train_before`  -> learned, in the order of their last clicks
 *   sessions that begin from there on, before `test_before` -> tested
 *
 * All training sessions are closed and learned before the first test click; test clicks teach nothing. Test clicks on
 * items unknown to training are dropped, then test sessions of fewer than two clicks. Every prefix of a test session
 * is asked for the click that follows it: full ranking, nothing left out that the configuration does not leave out.
 *
 * With cold items, test clicks on what training does not know and the catalogue has stay: only texts can name those.
 *
 * A file of prefixes says which of these are asked. Recorded answers
 * of a language model are known where they were given, in training, where they teach what they are worth, as in the
 * test. */
#include "app/config.h"
#include "app/list_dump.h"
#include "app/recorded_intents.h"
#include "app/semantics.h"
#include "app/session_log.h"

#include <eddy/base/histogram.h>
#include <eddy/core/evaluate.h>

#include <stdio.h>

struct evaluation_split {
    int64_t train_before_ms, test_before_ms; /* INT64_MAX: no end */
    bool train_only;                         /* nothing need be left to test on */
};

/* A prefix of a test session, and what is asked about it: the click behind. */
struct evaluation_question {
    uint32_t test;   /* place of the session in `test` */
    uint32_t length; /* clicks of the prefix */
};

/* The data of one split; the items of the log have become catalogue numbers, those of training first. */
struct evaluation_data {
    struct session_log log;
    struct evaluation_split split;
    struct catalogue *catalogue;
    uint32_t *train, *test; /* sessions: training in learning order, test by first click, both in log.sessions */
    size_t train_count, test_count, train_clicks, predictions;
    struct evaluation_question *questions; /* (predictions) by session, within it by length */
    uint32_t *positions;                   /* by click of the log: its place in its session as it was in the file,
                                              from 1 */
    struct recorded_intents intents;
    size_t train_intents, test_intents;      /* of these: about prefixes that are learned from, or asked */
    uint32_t train_items;                    /* their numbers are 0..train_items-1 */
    uint32_t items;                          /* that may be listed: these, and with cold ones all of the catalogue */
    double *percentiles;                     /* popularity in training, by item */
    size_t dropped_clicks, dropped_sessions; /* of the test */
};

struct evaluation_files {
    const char *const *clicks;
    size_t click_count;
    const char *items; /* NULL: none */
    const char *intents, *prefixes;
    bool cold;    /* test clicks on items that training does not know stay, if `items` has them with a title */
    bool shuffle; /* intents change their prefixes, within training and within the test */
};

/* Reads the files and splits them; test sessions are shortened in place. BAD_INPUT when there is nothing to train or
 * to test on; what log_file_open() fails with. Training clicks on items that the catalogue has no
 * room for are left out and counted; with `strict` that is LIMIT. */
MUST_CHECK struct status evaluation_data_open(const struct evaluation_files *files,
                                              const struct evaluation_split *split,
                                              const struct catalogue_options *options, struct log_reading *reading,
                                              struct evaluation_data *ret_data, struct complaint *complaint);
void evaluation_data_release(struct evaluation_data *data);

/* What one configuration did. Predictions are in the order of data->test, within a session by position. */
struct evaluation_result {
    uint32_t *ranks;              /* (predictions) 0: not in the list */
    uint64_t *exposure;           /* (train_items) how often each stood in a list's first 20 */
    struct histogram latency_ns;  /* thread CPU time per prediction */
    int64_t learn_ns, predict_ns; /* thread CPU time */
    uint64_t learned_sessions;
    size_t learned_bytes;
    struct mixing mixing;           /* as it stood at the end */
    struct localized_titles titles; /* that were named in what was recorded */
};

/* texts: as the configuration says, of the items of training; NULL: none. Writes a line per prediction to `dump` unless
 * NULL, with position and item of the click that was predicted. tune: after each prediction the mixing weights learn
 * from it (for validation, where a model's word can be judged). */
MUST_CHECK struct status evaluation_run(const struct evaluation_data *data, const struct config *config,
                                        const struct semantics *texts, bool tune, struct list_dump *dump,
                                        struct evaluation_result *ret_result, struct complaint *complaint);
void evaluation_result_release(struct evaluation_result *result);

/* The line of a dump for the click at `position` (from 1) of a test session. */
struct list_line evaluation_line(const struct evaluation_data *data, const struct whole_session *session,
                                 uint32_t position, const struct recommended_item *list, uint32_t count);

/* What was recorded about the first `length` clicks of a session; NULL: nothing. */
const struct recorded_intent *evaluation_intent(const struct evaluation_data *data, const struct whole_session *session,
                                                uint32_t length);

/* Per test session the sum of a measure and the number of predictions, for bootstrap_interval(); with `base` not NULL
 * of the difference of the two results. ret_sums: (test_count). */
void evaluation_session_sums(const struct evaluation_data *data, const struct evaluation_result *result,
                             const struct evaluation_result *base, const struct measure *measure,
                             struct session_sums *ret_sums);
