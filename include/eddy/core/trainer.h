// SPDX-License-Identifier: Apache-2.0
#pragma once
/* trainer: fits a model to recorded sessions, a step of some samples at a time. A sample is a click and the clicks of
 * its session before it; an epoch has every sample once, in an order of its own.
 *
 * A step: vectors of the samples' sessions, scores of the candidates (the samples' targets and items that are drawn, or
 * all items), cross-entropy (core/model/loss.h), backwards, and a move of what was touched: rows of items that were no
 * part of the step stay as they are, Adam's moments too (lazy Adam). Both sides' item vectors pass dropout. The rate
 * goes linearly from `rate` to `rate_end`, which it has at the end of the last epoch.
 *
 * Clicks count in the gradients by how far their session lies back (`half_life`); the mean of all weights is 1, so that
 * the rate means the same. The loss that is told is not weighted.
 *
 * What it does is a function of model, sessions, samples and options; trainer_encode() and trainer_restore() stand
 * between any two steps. One thread, but for the parts of a step (trainer_run_on()); model, sessions and samples are
 * borrowed until trainer_close(). */
#include <eddy/core/model.h>
#include <eddy/core/parallel.h>

struct trainer;

enum optimiser {
    OPTIMISER_ADAM,    /* Kingma & Ba 2015 */
    OPTIMISER_ADAGRAD, /* Duchi et al. 2011, without weight decay */
};

struct trainer_options {
    uint32_t epochs;      /* >= 1 */
    uint32_t batch;       /* >= 1 samples a step */
    uint32_t negatives;   /* draws a step that all its samples share; 0: all items are candidates */
    float negative_power; /* an item is drawn in proportion to its clicks to this power */
    enum optimiser optimiser;
    float rate, rate_end; /* at the start, and at the end */
    float dropout;        /* 0 .. <1 */
    float decay;          /* weight decay (L2) */
    float half_life; /* >= 0, a part of all sessions: a click of one so many places before the last counts half; 0: all
                      * clicks count alike */
    uint32_t seed;
};

struct training_sessions {
    uint32_t count;
    const uint32_t *starts; /* (count + 1) */
    const uint32_t *items;  /* (starts[count]) rows of the model, oldest click first */
};

/* One at a time for a model. BAD_INPUT: no session has two clicks. LIMIT: batch * length_max * width is above 7e8.
 * MEMORY. */
MUST_CHECK struct status trainer_open(const struct trainer_options *options, const struct training_sessions *sessions,
                                      struct model *model, struct trainer **ret_trainer);
/* The same with the samples of an epoch chosen: clicks, none the first of its session, any number of times each. */
struct training_samples {
    uint32_t count;         /* >= 1 */
    const uint32_t *clicks; /* (count) places in the sessions' items */
};
MUST_CHECK struct status trainer_open_samples(const struct trainer_options *options,
                                              const struct training_sessions *sessions,
                                              const struct training_samples *samples, struct model *model,
                                              struct trainer **ret_trainer);
void trainer_close(struct trainer *trainer);

/* From now on steps are shared out so; before, they run in order. May change between any two steps: no bit of what is
 * learned does. Most of a step comes in 16 parts at most. */
void trainer_run_on(struct trainer *trainer, struct parallel parallel);

struct trainer_progress {
    uint64_t steps, steps_total;
    uint32_t epoch; /* that the next step is of, from 0; the number of epochs when all is done */
    uint32_t samples_epoch;
};

struct trainer_progress trainer_progress(const struct trainer *trainer);

struct trained_step {
    uint32_t samples;
    double loss; /* the sum of the samples' */
};

/* Not when all is done. On failure nothing has changed. MEMORY; LIMIT: the loss is no number any more (the rate is too
 * large). */
MUST_CHECK struct status trainer_step(struct trainer *trainer, struct trained_step *ret_step);

/* Where it stands, without the model, as a frame (core/frame.h). MEMORY, what the sink fails with; CONFIG: it was made
 * with other sessions, options or another kind of model. CORRUPT, NEWER. After a failure the trainer is of no use. */
MUST_CHECK struct status trainer_encode(const struct trainer *trainer, struct byte_sink sink);
MUST_CHECK struct status trainer_restore(struct trainer *trainer, struct bytes frame);
