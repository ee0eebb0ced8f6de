// SPDX-License-Identifier: Apache-2.0
#pragma once
/* lane: one shard with what belongs to it alone: thread, decoder, and producer, with transactions or without.
 *
 *   lane_open_output -> [the process joins the group] -> lane_start -> ... -> lane_close */
#include "app/config.h"
#include "app/run/worker.h"
#include "app/topics.h"

struct lane {
    struct kafka_sink *sink;                 /* at least once */
    struct kafka_transactions *transactions; /* exactly once */
    struct decoder *decoder;
    struct worker *worker;
};

/* Opens the producer. `name` is the process's, stable across restarts: a shard thereby ends the transaction that it
 * left open when it was killed. UNAVAILABLE: to be called again. */
MUST_CHECK struct status lane_open_output(struct lane *lane, const struct config *config,
                                          const struct kafka_options *kafka, const struct topic_counts *counts,
                                          const char *name, uint32_t number, struct complaint *complaint);
static inline bool lane_has_output(const struct lane *lane)
{
    return lane->sink || lane->transactions;
}
/* Fills in what is the lane's of the ports (source, sink, committer, decoder) and starts the shard's thread. */
MUST_CHECK struct status lane_start(struct lane *lane, const struct config *config, const struct shard_options *options,
                                    struct shard_ports ports, struct kafka_consumer *consumer, uint32_t number,
                                    struct complaint *complaint);
void lane_close(struct lane *lane);

/* As kafka_sink_count_partitions(); any thread. */
MUST_CHECK struct status lane_count_partitions(struct lane *lane, enum output output, int timeout_ms,
                                               int32_t *ret_count);
/* Records refused. Any thread. */
uint64_t lane_failures(const struct lane *lane);
