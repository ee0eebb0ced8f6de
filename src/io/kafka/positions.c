// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/group.h"
#include "io/kafka/offsets.h"

#include <eddy/io/system.h>
#include <stdio.h>
#include <syslog.h>

#define TIMEOUT_MS  5000
#define PAUSE_MS    500      /* between attempts: a leader that is being replaced refuses at once */
#define PATIENCE_US 60000000 /* the group's own rebalance time-out is five minutes */

static rd_kafka_topic_partition_list_t *list_of(const struct kafka_consumer *consumer,
                                                const struct assignment *partitions, size_t count, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, consumer->topic, partitions[i].partition)->offset = offset;
    return list;
}

static rd_kafka_resp_err_t read_committed(struct kafka_consumer *consumer, struct assignment *partitions, size_t count,
                                          rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t error = kafka_first_error(rd_kafka_committed(consumer->client.handle, list, TIMEOUT_MS), list);
    for (size_t i = 0; i < count && !error; i++) {
        const rd_kafka_topic_partition_t *committed = &list->elems[i];
        partitions[i].committed = committed->offset >= 0 ? committed->offset : -1;
        partitions[i].metadata = bytes_of(committed->metadata, committed->metadata_size);
    }
    return error;
}

static rd_kafka_resp_err_t read_borders(struct kafka_consumer *consumer, struct assignment *partitions, size_t count)
{
    rd_kafka_topic_partition_list_t *lows = list_of(consumer, partitions, count, RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_topic_partition_list_t *highs = list_of(consumer, partitions, count, RD_KAFKA_OFFSET_END);
    rd_kafka_resp_err_t error = kafka_ask_offsets(consumer->client.handle, lows, TIMEOUT_MS);
    if (!error)
        error = kafka_ask_offsets(consumer->client.handle, highs, TIMEOUT_MS);
    for (size_t i = 0; i < count && !error; i++) {
        partitions[i].low = lows->elems[i].offset;
        partitions[i].high = highs->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(lows);
    rd_kafka_topic_partition_list_destroy(highs);
    return error;
}

static int64_t without_commit(const struct kafka_consumer *consumer, const struct assignment *partition,
                              int64_t by_time)
{
    if (consumer->start.kind == KAFKA_START_EARLIEST)
        return partition->low;
    if (consumer->start.kind == KAFKA_START_LATEST)
        return partition->high;
    return by_time >= 0 ? by_time : partition->high;
}

static rd_kafka_resp_err_t choose_starts(struct kafka_consumer *consumer, struct assignment *partitions, size_t count)
{
    rd_kafka_topic_partition_list_t *times = list_of(consumer, partitions, count, consumer->start.time_ms);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (consumer->start.kind == KAFKA_START_TIME)
        error = kafka_ask_offsets(consumer->client.handle, times, TIMEOUT_MS);
    for (size_t i = 0; i < count && !error; i++) {
        struct assignment *partition = &partitions[i];
        partition->start = partition->committed >= 0 ? partition->committed
                                                     : without_commit(consumer, partition, times->elems[i].offset);
    }
    rd_kafka_topic_partition_list_destroy(times);
    return error;
}

/* That logs end before the group's offsets: a leader of old says so (ends.h), or so it is. */
static bool ends_early(const struct assignment *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (partitions[i].committed > partitions[i].high)
            return true;
    return false;
}

struct status kafka_group_positions(struct kafka_consumer *consumer, struct assignment *partitions, size_t count,
                                    rd_kafka_topic_partition_list_t **ret_positions, struct complaint *complaint)
{
    struct time_source time = system_time();
    int64_t begin_us = time.ops->monotonic_us(time.self), early_us = 0; /* since when they end early */
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (count == 0) { /* more members than partitions; librdkafka refuses to ask about none */
        *ret_positions = rd_kafka_topic_partition_list_new(0);
        return OK;
    }
    for (;;) {
        rd_kafka_topic_partition_list_t *list = list_of(consumer, partitions, count, RD_KAFKA_OFFSET_INVALID);
        error = read_committed(consumer, partitions, count, list);
        if (!error)
            error = read_borders(consumer, partitions, count);
        if (!error)
            error = choose_starts(consumer, partitions, count);
        int64_t now_us = time.ops->monotonic_us(time.self);
        bool early = !error && ends_early(partitions, count);
        early_us = !early ? 0 : early_us ? early_us : now_us;
        if (!error && (!early || now_us - early_us >= KAFKA_BEHIND_US)) {
            *ret_positions = list;
            return OK;
        }
        rd_kafka_topic_partition_list_destroy(list);
        if (rd_kafka_assignment_lost(consumer->client.handle) || (error && now_us - begin_us >= PATIENCE_US))
            break;
        kafka_client_report(&consumer->client, LOG_WARNING, "POSITIONS",
                            "cannot read the group's positions on topic %s: %s; trying again", consumer->topic,
                            early ? "a log seems to end before them" : rd_kafka_err2str(error));
        system_wait_ms(PAUSE_MS);
    }
    return complain(complaint, FAIL(UNAVAILABLE, error, "the group's positions cannot be read"),
                    "cannot read the group's positions on topic %s: %s", consumer->topic, rd_kafka_err2str(error));
}
