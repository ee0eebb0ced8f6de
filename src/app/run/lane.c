// SPDX-License-Identifier: Apache-2.0
#include "app/run/lane.h"

#include "app/run/decoders.h"

#include <stdio.h>

#define QUEUE_RECORDS_MAX 100000 /* of a shard's producer */
#define QUEUE_BYTES_MAX   (64u << 20)
#define ID_MAX            512

struct status lane_open_output(struct lane *lane, const struct config *config, const struct kafka_options *kafka,
                               const struct topic_counts *counts, const char *name, uint32_t number,
                               struct complaint *complaint)
{
    const struct kafka_sink_options options = {
        .kafka = kafka,
        .topics = {[OUTPUT_RECOMMENDATIONS] = config_topic(config, TOPIC_RECOMMENDATIONS),
                   [OUTPUT_SESSIONS] = config_topic(config, TOPIC_SESSIONS),
                   [OUTPUT_LATE_CLICKS] = config_topic(config, TOPIC_LATE_CLICKS),
                   [OUTPUT_DEAD_LETTERS] = config_topic(config, TOPIC_DEAD_LETTERS)},
        .partitions = {[OUTPUT_SESSIONS] = counts->partitions[TOPIC_SESSIONS],
                       [OUTPUT_LATE_CLICKS] = counts->partitions[TOPIC_LATE_CLICKS]},
        .queue_records_max = QUEUE_RECORDS_MAX,
        .queue_bytes_max = QUEUE_BYTES_MAX};
    if (config->delivery == DELIVERY_AT_LEAST_ONCE)
        return kafka_sink_open(&options, &lane->sink, complaint);
    char id[ID_MAX];
    snprintf(id, sizeof id, "%s-%s-%u", config->group_id, name, number);
    return kafka_transactions_open(&options, id, &lane->transactions, complaint);
}

struct status lane_start(struct lane *lane, const struct config *config, const struct shard_options *options,
                         struct shard_ports ports, struct kafka_consumer *consumer, uint32_t number,
                         struct complaint *complaint)
{
    TRY(decoder_open_configured(config, RECORD_CLICK, &lane->decoder, complaint));
    ports.source = kafka_consumer_source(consumer, number);
    ports.sink = lane->sink ? kafka_sink_port(lane->sink) : kafka_transactions_sink(lane->transactions);
    ports.committer = lane->sink ? kafka_sink_committer(lane->sink, consumer)
                                 : kafka_transactions_committer(lane->transactions, consumer);
    ports.decoder = lane->decoder;
    struct shard *shard;
    TRY(shard_open(options, &ports, &shard));
    return worker_open(shard, &lane->worker);
}

void lane_close(struct lane *lane)
{
    worker_close(lane->worker);
    kafka_sink_close(lane->sink);
    kafka_transactions_close(lane->transactions);
    decoder_close(lane->decoder);
    *lane = (struct lane){0};
}

struct status lane_count_partitions(struct lane *lane, enum output output, int timeout_ms, int32_t *ret_count)
{
    return lane->sink ? kafka_sink_count_partitions(lane->sink, output, timeout_ms, ret_count)
                      : kafka_transactions_count_partitions(lane->transactions, output, timeout_ms, ret_count);
}

uint64_t lane_failures(const struct lane *lane)
{
    return lane->sink ? kafka_sink_failures(lane->sink) : kafka_transactions_failures(lane->transactions);
}
