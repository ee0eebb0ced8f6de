// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/client.h"
#include "io/kafka/offsets.h"

#include <stdlib.h>
#include <syslog.h>

#define METADATA_TIMEOUT_MS 5000
#define TIMES_TIMEOUT_MS    10000

/* Partitions are started one by one into one queue: that needs no group, and so no rights on one. */
struct kafka_reader {
    struct kafka_client client;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    int32_t partition_count, started;
    int64_t *positions; /* by partition: next to deliver; -1: nothing came yet */
    int64_t *ends;      /* by partition: the end to reach; INT64_MAX: not known */
    rd_kafka_message_t **held;
    size_t held_count, held_capacity;
};

static const struct kafka_property fixed_properties[] = {
    {"enable.auto.commit", "false"},   {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "earliest"}, /* what retention took is not coming back; the rest is wanted */
    {"enable.partition.eof", "true"},  {NULL, NULL},
};

static const struct kafka_property default_properties[] = {
    {"check.crcs", "true"},
    {"queued.max.messages.kbytes", "8192"},
    {"fetch.wait.max.ms", "100"}, /* the end of a topic shows only in the answer to a fetch that waited for more */
    {NULL, NULL},
};

static struct status find_starts(struct kafka_reader *reader, const struct kafka_reader_options *options,
                                 rd_kafka_topic_partition_list_t *list, struct complaint *complaint)
{
    bool by_time = options->start.kind == KAFKA_START_TIME;
    int64_t logical = options->start.kind == KAFKA_START_LATEST ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    for (int32_t p = 0; p < options->partition_count; p++)
        rd_kafka_topic_partition_list_add(list, options->topic, p)->offset = by_time ? options->start.time_ms : logical;
    if (!by_time)
        return OK;
    rd_kafka_resp_err_t error = kafka_ask_offsets(reader->client.handle, list, TIMES_TIMEOUT_MS);
    if (error)
        return complain(complaint, FAIL(UNAVAILABLE, error, "offsets by time cannot be read"),
                        "topic %s: the offsets at the start time cannot be read: %s", options->topic,
                        rd_kafka_err2str(error));
    return OK;
}

static void set_known(const struct kafka_reader_options *options, rd_kafka_topic_partition_list_t *list)
{
    for (int32_t p = 0; p < options->offset_count && p < options->partition_count; p++)
        if (options->offsets[p] >= 0)
            list->elems[p].offset = options->offsets[p];
}

/* With the leaders known the partitions start at once, and not after librdkafka's next look at the metadata. */
static struct status find_leaders(struct kafka_reader *reader, struct complaint *complaint)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(reader->client.handle, 0, reader->topic, &metadata, METADATA_TIMEOUT_MS);
    if (error)
        return complain(complaint, FAIL(UNAVAILABLE, error, "no broker answers"), "topic %s: no broker answers: %s",
                        rd_kafka_topic_name(reader->topic), rd_kafka_err2str(error));
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

static struct status start_all(struct kafka_reader *reader, const struct kafka_reader_options *options,
                               struct complaint *complaint)
{
    TRY(find_leaders(reader, complaint));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(options->partition_count);
    struct status status = find_starts(reader, options, list, complaint);
    set_known(options, list);
    for (int i = 0; i < list->cnt && !failed(status); i++) {
        if (rd_kafka_consume_start_queue(reader->topic, i, list->elems[i].offset, reader->queue))
            status = complain(complaint, FAIL(IO, rd_kafka_last_error(), "a topic cannot be read"),
                              "topic %s, partition %d cannot be read: %s", options->topic, i,
                              rd_kafka_err2str(rd_kafka_last_error()));
        else
            reader->started++;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

static struct status reader_start(struct kafka_reader *reader, const struct kafka_reader_options *options,
                                  struct complaint *complaint)
{
    const struct kafka_setup setup = {RD_KAFKA_CONSUMER, "reader", default_properties, fixed_properties};
    rd_kafka_conf_t *conf;
    TRY(kafka_client_configure(&reader->client, options->kafka, &setup, &conf, complaint));
    if (options->committed)
        kafka_client_read_committed(conf);
    TRY(kafka_client_start(&reader->client, RD_KAFKA_CONSUMER, conf, complaint));
    reader->partition_count = options->partition_count;
    reader->positions = calloc((size_t)options->partition_count, sizeof *reader->positions);
    reader->ends = calloc((size_t)options->partition_count, sizeof *reader->ends);
    reader->topic = rd_kafka_topic_new(reader->client.handle, options->topic, NULL);
    reader->queue = rd_kafka_queue_new(reader->client.handle);
    if (!reader->positions || !reader->ends || !reader->topic || !reader->queue)
        return FAIL(MEMORY, 0, "no memory for a reader");
    for (int32_t p = 0; p < reader->partition_count; p++) {
        reader->positions[p] = -1;
        reader->ends[p] = INT64_MAX;
    }
    return start_all(reader, options, complaint);
}

struct status kafka_reader_open(const struct kafka_reader_options *options, struct kafka_reader **ret_reader,
                                struct complaint *complaint)
{
    assert(options->partition_count > 0);
    struct kafka_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return FAIL(MEMORY, 0, "no memory for a reader");
    struct status status = reader_start(reader, options, complaint);
    if (failed(status)) {
        kafka_reader_close(reader);
        return status;
    }
    *ret_reader = reader;
    return OK;
}

static void drop_held(struct kafka_reader *reader)
{
    for (size_t i = 0; i < reader->held_count; i++)
        rd_kafka_message_destroy(reader->held[i]);
    reader->held_count = 0;
}

void kafka_reader_close(struct kafka_reader *reader)
{
    if (!reader)
        return;
    for (int32_t p = 0; p < reader->started; p++)
        rd_kafka_consume_stop(reader->topic, p);
    drop_held(reader);
    free(reader->held);
    free(reader->positions);
    free(reader->ends);
    if (reader->queue)
        rd_kafka_queue_destroy(reader->queue);
    if (reader->topic)
        rd_kafka_topic_destroy(reader->topic);
    kafka_client_stop(&reader->client);
    free(reader);
}

static void note_event(struct kafka_reader *reader, const rd_kafka_message_t *event)
{
    if (event->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        kafka_client_report(&reader->client, LOG_ERR, rd_kafka_err2name(event->err), "topic %s, partition %d: %s",
                            rd_kafka_topic_name(reader->topic), event->partition, rd_kafka_message_errstr(event));
        return; /* librdkafka tries again */
    }
    reader->positions[event->partition] = event->offset;
    if (reader->ends[event->partition] == INT64_MAX)
        reader->ends[event->partition] = event->offset;
}

struct status kafka_reader_poll(struct kafka_reader *reader, int timeout_ms, struct message *messages, size_t capacity,
                                size_t *ret_count)
{
    drop_held(reader);
    rd_kafka_poll(reader->client.handle, 0); /* logs and errors */
    if (capacity > reader->held_capacity) {
        rd_kafka_message_t **held = realloc(reader->held, capacity * sizeof *held);
        if (!held)
            return FAIL(MEMORY, capacity, "no memory for a batch");
        reader->held = held;
        reader->held_capacity = capacity;
    }
    while (reader->held_count < capacity) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(reader->queue, reader->held_count ? 0 : timeout_ms);
        if (!message)
            break;
        if (message->err) {
            note_event(reader, message);
            rd_kafka_message_destroy(message);
            timeout_ms = 0;
            continue;
        }
        kafka_message_view(message, &messages[reader->held_count]);
        reader->positions[message->partition] = message->offset + 1;
        reader->held[reader->held_count++] = message;
    }
    *ret_count = reader->held_count;
    return OK;
}

struct status kafka_reader_mark_end(struct kafka_reader *reader, int timeout_ms)
{
    const char *topic = rd_kafka_topic_name(reader->topic);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(reader->partition_count);
    for (int32_t p = 0; p < reader->partition_count; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t error = kafka_ask_offsets(reader->client.handle, list, timeout_ms);
    for (int32_t p = 0; p < reader->partition_count && !error; p++)
        reader->ends[p] = list->elems[p].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return error ? FAIL(UNAVAILABLE, error, "the end of a topic cannot be read") : OK;
}

struct status kafka_reader_count_partitions(struct kafka_reader *reader, int timeout_ms, int32_t *ret_count)
{
    return kafka_client_count_partitions(&reader->client, reader->topic, timeout_ms, ret_count);
}

int64_t kafka_reader_position(const struct kafka_reader *reader, int32_t partition)
{
    return reader->positions[partition];
}

bool kafka_reader_caught_up(const struct kafka_reader *reader)
{
    for (int32_t p = 0; p < reader->partition_count; p++)
        if (reader->positions[p] < reader->ends[p])
            return false;
    return true;
}
