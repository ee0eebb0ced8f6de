// SPDX-License-Identifier: Apache-2.0
#pragma once
/* search_run: trial after trial, each a training (app/training.h) with other settings, judged on the validation
 * sessions; what begins with `test_before_ms` of the split is never looked at.
 *
 *   the configuration as given, then what search_suggest() says
 *   -> training into search_trial_path() -> a line in "<output>.search" -> the model becomes `output` if it is the best
 *
 * Killed at any point, a search goes on from these: no ended trial is repeated, the one under way goes on from its own
 * state, and what comes out is the same. "<output>.lock" is there while it runs. */
#include "app/search/trials.h"

struct search_task {
    const char *output;
    uint32_t trials_max; /* ended ones, of all processes; at most TRIALS_MAX */
    double seconds_max;  /* no trial begins when the ended ones took so long */
    bool restart;        /* anew, whatever is there */
    const atomic_bool *stop;
};

/* The configuration has the best trial's settings at the end; on failure any. Says what it does on stderr. What
 * training_run() fails with, though settings that cannot be trained (LIMIT) end the search only where they are the
 * given ones; CONFIG: "<output>.search" is of another search, or its best model is gone. *ret_trials is for the caller
 * to release. */
MUST_CHECK struct status search_run(const struct search_task *task, struct config *config,
                                    const struct evaluation_data *data, const struct trial_space *space,
                                    struct trials *ret_trials, struct complaint *complaint);
