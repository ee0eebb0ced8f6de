// SPDX-License-Identifier: Apache-2.0
#pragma once
/* training: a model fitted to recorded sessions, with a look at sessions kept back after each epoch.
 *
 * The best model so far, by MRR@20 on these (the last one without any), is in the file `output`. Where training stands
 * is kept in "<output>.training", after each epoch and now and then within; when it is killed, the same command goes on
 * from there and ends with the same model as if nothing had happened. training_forget() removes the file.
 * "<output>.lock" is there while it is trained. */
#include "app/config.h"
#include "app/evaluation.h"

#include <eddy/io/file.h>
#include <stdatomic.h>

struct trained_epoch {
    double loss;                      /* mean over the epoch's samples */
    double hit_rate, reciprocal_rank; /* @20 on the validation sessions */
};

struct training_result {
    struct trained_epoch *epochs;
    uint32_t epoch_count, best; /* best: 0 without validation, as is what follows from it */
    uint64_t model_hash;        /* model_file_hash() of what is in `output`, when there is an epoch */
    uint64_t samples;           /* trained by this process, */
    int64_t train_ns, rank_ns;  /* in so much CPU time of all its threads, and ranked in so much */
    int64_t train_us;           /* the first by the clock */
    size_t parameters;
    bool resumed;
    bool cut; /* short, by `goes_on` */
};

struct training_task {
    const char *output;
    bool restart;
    const atomic_bool *stop;
    /* Asked when an epoch has ended and another one is due: whether to train that. NULL: yes. A training that goes on
     * asks again, and must be told the same. */
    bool (*goes_on)(const void *context, const struct training_result *so_far);
    const void *context;
};

/* Says what it does on stderr. BAD_INPUT: no session has two clicks; LIMIT: the rate is too large, or a step; MEMORY;
 * what file_write() fails with; LOCKED: another process trains into the same file; INTERRUPTED: `stop` was set, and
 * where it stands is kept. With `restart` a kept state is not taken; without it one of other data or options is CONFIG,
 * a damaged one CORRUPT, and one of a later version NEWER. */
MUST_CHECK struct status training_run(const struct config *config, const struct evaluation_data *data,
                                      const struct training_task *task, struct training_result *ret_result,
                                      struct complaint *complaint);
void training_result_release(struct training_result *result);
/* Removes the state of a training that has ended, when what was to be told of it is told. IO. */
MUST_CHECK struct status training_forget(const char *output, struct complaint *complaint);
/* "<output>.lock", for who trains into a file in several parts. LOCKED with a sentence, IO. */
MUST_CHECK struct status training_lock(const char *output, struct file_lock *ret_lock, struct complaint *complaint);
