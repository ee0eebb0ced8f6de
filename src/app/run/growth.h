// SPDX-License-Identifier: Apache-2.0
#pragma once
/* growth: partitions are added to the clicks topic while eddy runs. What it is, the group tells by a rebalance. */
#include "app/run/lanes.h"
#include "app/topics.h"

struct growth {
    const struct config *config;
    struct kafka_consumer *consumer;
    struct metrics *metrics;
    struct topic_counts *counts; /* kept up to date */
    struct lanes *lanes;
};

/* Before partitions are taken up. Late clicks keep their partition as long as their topic has it; a warning when it
 * does not. */
void growth_mind_late_clicks(const struct growth *growth, const struct assignment *assignments, size_t count);
/* After that, unless it is the first time: keys hash anew, so visitors go on in other partitions. Counts those whose
 * sessions are open. */
void growth_mind_sessions(const struct growth *growth);
