// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/kafka_range.h>

#include "io/kafka/client.h"
#include "io/kafka/offsets.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <syslog.h>

#define ASK_TIMEOUT_MS  10000
#define WAIT_SLICE_MS   500
#define WAIT_SLICES_MAX 60

struct part {
    int64_t end; /* the first offset that is not read */
    rd_kafka_message_t *head;
    bool started, done;
};

struct kafka_range {
    struct kafka_client client;
    rd_kafka_topic_t *topic;
    int32_t part_count;
    int64_t size;
    const _Atomic bool *stop;
    struct part *parts; /* by partition */
    rd_kafka_message_t *handed_out;
};

static const struct kafka_property fixed_properties[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "earliest"},
    {"enable.partition.eof", "true"},
    {NULL, NULL},
};

static const struct kafka_property default_properties[] = {
    {"check.crcs", "true"},
    {"queued.max.messages.kbytes", "8192"},
    {NULL, NULL},
};

static struct status unavailable(struct kafka_range *range, const char *what, int64_t error,
                                 struct complaint *complaint)
{
    char last[512];
    kafka_client_last_error(&range->client, last, sizeof last);
    return complain(complaint, FAIL(UNAVAILABLE, error, "a topic cannot be read"), "topic %s: %s: %s",
                    rd_kafka_topic_name(range->topic), what,
                    last[0] ? last : rd_kafka_err2str((rd_kafka_resp_err_t)error));
}

/* ---- bounds */

static struct status offset_at_time(struct kafka_range *range, int32_t partition, int64_t time_ms, int64_t high,
                                    int64_t *ret_offset, struct complaint *complaint)
{
    int64_t offset;
    rd_kafka_resp_err_t error = kafka_ask_offset(range->client.handle, rd_kafka_topic_name(range->topic), partition,
                                                 time_ms, ASK_TIMEOUT_MS, &offset);
    if (error)
        return unavailable(range, "offsets by time cannot be read", error, complaint);
    *ret_offset = offset < 0 ? high : offset; /* negative: no record is that new */
    return OK;
}

struct log_extent {
    int64_t low, high; /* the first offset, and the one after the last */
};

static struct status resolve(struct kafka_range *range, int32_t partition, struct kafka_bound bound,
                             struct log_extent log, int64_t *ret_offset, struct complaint *complaint)
{
    int64_t offset = bound.value;
    if (bound.kind == KAFKA_BOUND_NONE)
        return OK;
    if (bound.kind == KAFKA_BOUND_TIME)
        TRY(offset_at_time(range, partition, bound.value, log.high, &offset, complaint));
    offset = offset > log.low ? offset : log.low;
    *ret_offset = offset < log.high ? offset : log.high;
    return OK;
}

static struct status start_part(struct kafka_range *range, int32_t partition, const struct kafka_range_options *options,
                                struct complaint *complaint)
{
    struct part *part = &range->parts[partition];
    struct log_extent log;
    rd_kafka_resp_err_t error = kafka_ask_offset(range->client.handle, options->topic, partition,
                                                 RD_KAFKA_OFFSET_BEGINNING, ASK_TIMEOUT_MS, &log.low);
    if (!error)
        error = kafka_ask_offset(range->client.handle, options->topic, partition, RD_KAFKA_OFFSET_END, ASK_TIMEOUT_MS,
                                 &log.high);
    if (error)
        return unavailable(range, "its offsets cannot be read", error, complaint);
    int64_t from = log.low;
    part->end = log.high;
    TRY(resolve(range, partition, options->from, log, &from, complaint));
    TRY(resolve(range, partition, options->to, log, &part->end, complaint));
    part->done = from >= part->end;
    if (part->done)
        return OK;
    range->size += part->end - from;
    if (rd_kafka_consume_start(range->topic, partition, from))
        return unavailable(range, "it cannot be read", rd_kafka_last_error(), complaint);
    part->started = true;
    return OK;
}

static struct status start(struct kafka_range *range, const struct kafka_range_options *options,
                           struct complaint *complaint)
{
    const struct kafka_setup setup = {RD_KAFKA_CONSUMER, "range", default_properties, fixed_properties};
    rd_kafka_conf_t *conf;
    TRY(kafka_client_configure(&range->client, options->kafka, &setup, &conf, complaint));
    if (options->committed)
        kafka_client_read_committed(conf);
    TRY(kafka_client_start(&range->client, RD_KAFKA_CONSUMER, conf, complaint));
    range->topic = rd_kafka_topic_new(range->client.handle, options->topic, NULL);
    range->parts = calloc((size_t)options->partition_count, sizeof *range->parts);
    if (!range->topic || !range->parts)
        return FAIL(MEMORY, 0, "no memory for a topic's range");
    range->part_count = options->partition_count;
    range->stop = options->stop;
    for (int32_t p = 0; p < range->part_count; p++)
        TRY(start_part(range, p, options, complaint));
    return OK;
}

struct status kafka_range_open(const struct kafka_range_options *options, struct kafka_range **ret_range,
                               struct complaint *complaint)
{
    assert(options->partition_count > 0);
    struct kafka_range *range = calloc(1, sizeof *range);
    if (!range)
        return FAIL(MEMORY, 0, "no memory for a topic's range");
    struct status status = start(range, options, complaint);
    if (failed(status)) {
        kafka_range_close(range);
        return status;
    }
    *ret_range = range;
    return OK;
}

static void drop(rd_kafka_message_t **message)
{
    if (*message)
        rd_kafka_message_destroy(*message);
    *message = NULL;
}

static void stop_part(struct kafka_range *range, int32_t partition)
{
    struct part *part = &range->parts[partition];
    drop(&part->head);
    if (part->started)
        rd_kafka_consume_stop(range->topic, partition);
    part->started = false;
    part->done = true;
}

void kafka_range_close(struct kafka_range *range)
{
    if (!range)
        return;
    drop(&range->handed_out);
    for (int32_t p = 0; p < range->part_count; p++)
        stop_part(range, p);
    free(range->parts);
    if (range->topic)
        rd_kafka_topic_destroy(range->topic);
    kafka_client_stop(&range->client);
    free(range);
}

int64_t kafka_range_size(const struct kafka_range *range)
{
    return range->size;
}

/* ---- reading */

/* Takes what came for a partition: its next record, its end, or an error that librdkafka gets over by itself. */
static void take(struct kafka_range *range, int32_t partition, rd_kafka_message_t *message)
{
    struct part *part = &range->parts[partition];
    bool end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || !message->err;
    if (end && message->offset >= part->end) {
        rd_kafka_message_destroy(message);
        stop_part(range, partition);
    } else if (!message->err) {
        part->head = message;
    } else {
        if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            kafka_client_report(&range->client, LOG_ERR, rd_kafka_err2name(message->err), "topic %s, partition %d: %s",
                                rd_kafka_topic_name(range->topic), partition, rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
    }
}

/* Waits until the partition's next record is there, or its end. */
static struct status fetch(struct kafka_range *range, int32_t partition, struct complaint *complaint)
{
    struct part *part = &range->parts[partition];
    for (int slices = 0; !part->done && !part->head;) {
        if (range->stop && atomic_load(range->stop))
            return FAIL(INTERRUPTED, 0, "stopped while reading a topic");
        rd_kafka_message_t *message = rd_kafka_consume(range->topic, partition, WAIT_SLICE_MS);
        rd_kafka_poll(range->client.handle, 0);
        if (message)
            take(range, partition, message);
        else if (++slices == WAIT_SLICES_MAX)
            return unavailable(range, "nothing came for 30 s", 0, complaint);
    }
    return OK;
}

static int64_t timestamp_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    return rd_kafka_message_timestamp(message, &type);
}

struct status kafka_range_next(struct kafka_range *range, struct message *ret_message, bool *ret_found,
                               struct complaint *complaint)
{
    struct part *earliest = NULL;
    drop(&range->handed_out);
    for (int32_t p = 0; p < range->part_count; p++) {
        struct part *part = &range->parts[p];
        TRY(fetch(range, p, complaint));
        if (part->head && (!earliest || timestamp_of(part->head) < timestamp_of(earliest->head)))
            earliest = part;
    }
    *ret_found = earliest != NULL;
    if (!earliest)
        return OK;
    range->handed_out = earliest->head;
    earliest->head = NULL;
    kafka_message_view(range->handed_out, ret_message);
    /* The last one of a range within the log is followed by no end-of-partition event. */
    if (range->handed_out->offset + 1 >= earliest->end)
        stop_part(range, range->handed_out->partition);
    return OK;
}

size_t kafka_range_headers(const struct kafka_range *range, struct header *headers, size_t capacity)
{
    rd_kafka_headers_t *all;
    size_t count = 0;
    if (!range->handed_out || rd_kafka_message_headers(range->handed_out, &all))
        return 0;
    while (count < capacity) {
        const char *name;
        const void *value;
        size_t size;
        if (rd_kafka_header_get_all(all, count, &name, &value, &size))
            break;
        headers[count++] = (struct header){name, bytes_of(value, size)};
    }
    return count;
}
