// SPDX-License-Identifier: Apache-2.0
#pragma once
/* Where training stands, and how that is kept: in a frame (core/frame.h), little-endian: u64 what it is made for, u64
 * XXH3 of the best model's file (uncompressed), u32 epochs done, u32 the best of them, f64 x 3 of each, f64 loss and
 * u64 samples of the epoch under way, u64 size and the model, then the trainer. */
#include "app/training.h"

struct training {
    const struct config *config;
    const struct evaluation_data *data;
    const char *output;
    uint64_t purpose;         /* of items, validation sessions and how they are used: training_purpose() */
    uint32_t *starts, *items; /* what the trainer borrows */
    struct parallel parallel; /* what computes; not part of what is kept */
    struct model *model;
    struct trainer *trainer;
    struct training_result result;
    double loss; /* of the epoch under way */
    uint64_t samples;
};

/* A hash of what the trainer's own check does not see. MEMORY. */
MUST_CHECK struct status training_purpose(const struct evaluation_data *data, uint64_t *ret_purpose);
/* A trainer for the model and the sessions. */
MUST_CHECK struct status training_open_trainer(struct training *training, struct complaint *complaint);

MUST_CHECK struct status training_state_write(const struct training *training, const char *path,
                                              struct complaint *complaint);
/* Replaces the model and opens a trainer for it. NOT_FOUND: there is no such file, and nothing has changed. Else after
 * a failure the training is of no use. CONFIG: the state is of other data or options, or `output` is not the model that
 * it speaks of; CORRUPT, NEWER (also: no such backbone), IO, MEMORY. */
MUST_CHECK struct status training_state_read(struct training *training, const char *path, struct complaint *complaint);
