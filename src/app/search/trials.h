// SPDX-License-Identifier: Apache-2.0
#pragma once
/* trials: what a search has tried, and how that is kept: JSON Lines, one trial a line, with hashes of what it was tried
 * on, so that nobody goes on with another search's. A trial in memory is always what its line says: a search that goes
 * on from the file knows the same, to the bit. */
#include "app/json_writer.h"
#include "app/search/space.h"
#include "app/training.h"

#define TRIALS_MAX 10000

struct trial {
    struct search_point point;
    struct trained_epoch *epochs; /* (epoch_count) */
    double *scores;               /* (epoch_count) their MRR@20 once more, in a row */
    uint32_t epoch_count, best;   /* 0 epochs: it could not be trained */
    bool cut;                     /* short, by the median rule */
    uint64_t model_hash;          /* model_file_hash() of its best epoch's */
    double seconds;               /* of the process that ended it */
};

/* Hashes. */
struct trials_purpose {
    uint64_t clicks, options, space;
};

struct trials {
    const struct trial_space *space; /* borrowed */
    struct trials_purpose purpose;
    uint32_t count;
    struct trial *list;                      /* (count), as all of these */
    struct search_observation *observations; /* points and scores */
    struct search_curve *curves;             /* MRR by epoch */
    struct buffer text;                      /* what the file holds */
};

/* None yet. MEMORY. */
MUST_CHECK struct status trials_open(const struct trial_space *space, struct trials_purpose purpose,
                                     struct trials *ret_trials);
void trials_release(struct trials *trials);

/* The trial is copied; not beyond TRIALS_MAX. MEMORY, LIMIT. */
MUST_CHECK struct status trials_add(struct trials *trials, const struct trial *trial);
/* Adds what a file holds. `name` stands for it in complaints. CORRUPT: a line is not one that trials_add() writes;
 * CONFIG: it is of another search; MEMORY. */
MUST_CHECK struct status trials_decode(struct trials *trials, struct bytes content, const char *name,
                                       struct complaint *complaint);
/* The same from a file; one that is not there holds none. What file_read() fails with. */
MUST_CHECK struct status trials_read(struct trials *trials, const char *path, struct complaint *complaint);

/* The first of the best, by MRR@20 at the best epoch; some trial has an epoch. */
uint32_t trials_best(const struct trials *trials);
const struct trained_epoch *trial_best_epoch(const struct trial *trial);
/* That all took together. */
double trials_seconds(const struct trials *trials);
/* Members of an object: settings, epochs and what came of it. */
void trial_write_json(const struct trial_space *space, const struct trial *trial, struct json_writer *json);

/* ---- line.c: one line as a trial, which owns its epochs; `why` says what is wrong with it */
MUST_CHECK struct status trial_decode(const struct trials *trials, struct bytes line, struct trial *ret_trial,
                                      struct complaint *why);
