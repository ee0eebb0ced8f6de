// SPDX-License-Identifier: Apache-2.0
#pragma once
/* The updater's state: what is past, and the update that runs. */
#include "core/model/past.h"
#include "core/model/trainer.h"

#include <eddy/core/ranking.h>
#include <eddy/core/updater.h>

/* Sessions are in the order of time: older ones, from `window` on what is new, from `held` on what judges it. */
struct update {
    enum { UPDATE_NONE, UPDATE_TRAINS, UPDATE_RANKS_OLD, UPDATE_RANKS_NEW } phase;
    struct model *copy;
    struct trainer *trainer;
    struct ranking *ranking;
    struct random random;
    uint32_t count, window, held; /* sessions; places of the first */
    uint32_t *starts, *items;     /* (count + 1), (starts[count]) */
    int64_t *times_ms;            /* (count) */
    uint32_t *samples, sample_count;
    struct training_sessions learned; /* those before `held`, for the trainer */
    uint32_t *ranks[2];               /* (predictions) by the model and by the copy */
    uint32_t asked;                   /* sessions, from 0 among all, that have been ranked by one of the two */
    double loss;
    uint64_t held_number; /* of session `held` among all that ever came */
    struct updater_result result;
};

struct updater {
    struct updater_options options;
    struct model *model;
    struct moments moments; /* none before the first update, and where one failed */
    struct past past;
    uint64_t window_number; /* of the first session that is new */
    uint64_t updates;       /* that began */
    int64_t anew_period;    /* in which the last one was made from nothing; INT64_MIN: none was here */
    struct update update;
};

/* The gate: what the ranks of both models come to, and whether the copy is accepted. */
void update_judge(const struct updater *updater, struct updater_result *result);
