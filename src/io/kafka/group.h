// SPDX-License-Identifier: Apache-2.0
#pragma once
/* group: the consumer of the clicks topic and its sources, one per shard.
 *
 *   group protocol -> consumer (main thread) -> rebalance handler
 *   partition queue --forwarded--> source's queue -> shard thread */
#include "io/kafka/client.h"
#include "io/kafka/ends.h"

struct kafka_source {
    struct kafka_consumer *consumer;
    rd_kafka_queue_t *queue;
    rd_kafka_message_t **held; /* handed out by the last poll */
    size_t held_count, held_capacity;
    struct kafka_ends ends;
};

struct kafka_consumer {
    struct kafka_client client;
    char *topic;
    rd_kafka_topic_t *known; /* the same: kafka_ask_offsets() needs it before partitions are assigned */
    struct kafka_start start;
    struct kafka_rebalance rebalance;
    struct kafka_source *sources;
    uint32_t shard_count;
    int32_t *going; /* room for all that may be revoked: then it is too late to have no memory */
    size_t going_capacity, taken;
    bool cooperative, left;
    struct status failure; /* of an assignment; the consumer is done for */
    struct complaint complaint;
};

MUST_CHECK struct status kafka_source_open(struct kafka_consumer *consumer, struct kafka_source *source);
void kafka_source_close(struct kafka_source *source);
/* Sends a partition's messages to the source. Before librdkafka is told to fetch it, so that none go astray. */
void kafka_source_take(struct kafka_source *source, int32_t partition);

/* Fills in committed, metadata, low, high and start. `metadata` lives as long as *ret_positions, which the caller
 * destroys. */
MUST_CHECK struct status kafka_group_positions(struct kafka_consumer *consumer, struct assignment *partitions,
                                               size_t count, rd_kafka_topic_partition_list_t **ret_positions,
                                               struct complaint *complaint);

/* As a list for librdkafka, with metadata; the caller destroys it. MEMORY. */
MUST_CHECK struct status kafka_group_points(const struct kafka_consumer *consumer, const struct commit_point *points,
                                            size_t count, rd_kafka_topic_partition_list_t **ret_list);
