// SPDX-License-Identifier: Apache-2.0
#pragma once
/* driver: the engine and all it needs on one thread, driven click by click: what a process of `eddy run` does, without
 * Kafka, threads and the wall clock. For replay and whatever else runs recorded clicks.
 *
 *   driver_click -> engine_step -> perform(effects) -> learner_offer(closed) -> [boundary: learner_advance] -> again
 *
 * Time comes from the clicks alone, so the same clicks in the same order give the same effects, bit for bit. Each
 * partition has an engine of its own; they share catalogue, learned state and learner (docs/adr/0003). */
#include "app/config.h"

#define DRIVER_PARTITIONS_MAX 1024

struct driver;

/* What becomes of each step's effects, in order; they live until it returns. */
struct performer {
    struct status (*perform)(void *context, const struct effects *effects);
    void *context;
};

/* `config` must outlive the driver. What session_model_open() fails with, when there is one to begin with. */
MUST_CHECK struct status driver_open(const struct config *config, struct performer performer,
                                     struct driver **ret_driver, struct complaint *complaint);
void driver_close(struct driver *driver);

/* For filling it from a file of items before the first click. */
struct catalogue *driver_catalogue(struct driver *driver);
const struct learned *driver_learned(const struct driver *driver);
struct learner_counts driver_learner_counts(const struct driver *driver);
uint32_t driver_sessions_open(const struct driver *driver);

struct driver_click {
    struct click click;
    int32_t partition;
    int64_t offset; /* ascending in the partition */
    int64_t record_time_ms;
};

/* Answers one click; *ret_room is false when its item is new and the catalogue is full, and then it did nothing.
 * BAD_INPUT when the partition is impossible; what perform failed with. */
MUST_CHECK struct status driver_click(struct driver *driver, const struct driver_click *click, bool *ret_room);

/* Closes every open session, as if nothing came any more, and learns all there is. */
MUST_CHECK struct status driver_finish(struct driver *driver);
