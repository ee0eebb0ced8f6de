// SPDX-License-Identifier: Apache-2.0
#pragma once
/* The trainer's state: what lasts, what an epoch has, and what a step works in. */
#include "core/model/item_gradients.h"
#include "core/model/model.h"
#include "core/model/parts.h"
#include "core/model/sampler.h"

#include <eddy/core/trainer.h>

struct trainer {
    struct trainer_options options;
    struct training_sessions sessions;
    struct training_samples chosen; /* of an epoch; none: every click but the first of its session, once */
    struct model *model;
    uint64_t steps, steps_total;
    uint64_t steps_before; /* of those whose moments it goes on with */
    struct random random;  /* of the steps: draws and dropout */

    uint16_t *places;  /* (clicks) how many clicks of its session are before it, at most UINT16_MAX */
    uint32_t *samples; /* (sample_count) their targets' clicks, in the epoch's order */
    uint32_t sample_count, epoch_ordered; /* whose order it is; UINT32_MAX: none yet */

    uint32_t newest;    /* session that has a sample, with options.half_life */
    double weight_unit; /* of trainer_weight() */

    struct sampler sampler; /* of negatives; not with all items as candidates */
    float *log_q;           /* (item_count) logarithm of how often a step's candidates have it, on average */
    float *mean, *square;   /* (model_rows(), width) Adam's, of the items */
    struct item_gradients gradients;
    struct parallel parallel;
    struct arena arena;                  /* of a step, */
    struct arena part_arenas[PARTS_MAX]; /* and of its sessions' parts */
};

/* What a sample counts, with options.half_life. */
float trainer_weight(const struct trainer *trainer, uint32_t click);

/* The loss of the samples, and the gradients of all that they touch: in trainer->gradients and in those of the model's
 * parameters, which were zero. On failure they are not to be used. */
MUST_CHECK struct status trainer_gradients(struct trainer *trainer, const uint32_t *samples, uint32_t count,
                                           double *ret_loss);

/* What the optimiser knows of a model's numbers, for the next trainer of the same model or of one with more items. */
struct moments {
    uint64_t steps;     /* that it comes from */
    size_t item_values; /* of each of the first two */
    float *items_mean, *items_square;
    float *mean, *square; /* of the parameters */
};

void moments_release(struct moments *moments);
/* A trainer that has made no step goes on with these; they are empty then, if they were not before: it begins with
 * none. Items that they do not know begin with zeros. */
void trainer_go_on(struct trainer *trainer, struct moments *moments);
/* Takes them from a trainer that makes no step any more. ret_moments was empty. */
void trainer_hand_over(struct trainer *trainer, struct moments *ret_moments);
