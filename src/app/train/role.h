// SPDX-License-Identifier: Apache-2.0
#pragma once
/* train_role: the thread that keeps the session model learning, beside or without the shards.
 *
 *   group GROUP-train on the models topic --> this process is the trainer
 *   models: current version --> updater <-- intake <-- sessions topic
 *   due: so much event time, or so many clicks, since the last update --> updater_step... --> gate --> publish
 *
 * One process at a time is the trainer, whoever has the only partition of the models topic in that group; its producer
 * fences the one before. A rollback by a person fences it, too: it begins anew then, from what is current. What goes
 * wrong is logged and tried again after a pause; clicks are answered meanwhile. It computes with one CPU. */
#include "app/config.h"
#include "app/schemas.h"
#include "app/topics.h"

#include <eddy/base/metrics.h>

struct train_role;

struct train_role_options {
    const struct config *config; /* outlives the role, as do the rest */
    const struct kafka_options *kafka;
    struct schema_source schemas;
    struct metrics *metrics;
};

/* CONFIG when a schema cannot be used; MEMORY. */
MUST_CHECK struct status train_role_open(const struct train_role_options *options, struct train_role **ret_role,
                                         struct complaint *complaint);
/* Ends an update that runs; waits for that. NULL is fine. */
void train_role_close(struct train_role *role);
