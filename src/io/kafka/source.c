// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/group.h"
#include "io/kafka/offsets.h"

#include <eddy/io/system.h>
#include <stdlib.h>
#include <syslog.h>

#define OFFSET_AT_TIMEOUT_MS  10000
#define OFFSET_AT_PATIENCE_US 30000000
#define OFFSET_AT_PAUSE_MS    500 /* a leader that is being replaced refuses at once */
#define CUT_TIMEOUT_MS        1500

struct status kafka_source_open(struct kafka_consumer *consumer, struct kafka_source *source)
{
    source->consumer = consumer;
    source->queue = rd_kafka_queue_new(consumer->client.handle);
    return source->queue ? OK : FAIL(MEMORY, 0, "no memory for a queue");
}

static void drop_held(struct kafka_source *source)
{
    for (size_t i = 0; i < source->held_count; i++)
        rd_kafka_message_destroy(source->held[i]);
    source->held_count = 0;
}

void kafka_source_close(struct kafka_source *source)
{
    drop_held(source);
    if (source->queue)
        rd_kafka_queue_destroy(source->queue);
    free(source->held);
    kafka_ends_close(&source->ends);
}

void kafka_source_take(struct kafka_source *source, int32_t partition)
{
    struct kafka_consumer *consumer = source->consumer;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(consumer->client.handle, consumer->topic, partition);
    assert(queue);
    rd_kafka_queue_forward(queue, source->queue);
    rd_kafka_queue_destroy(queue);
}

static struct status reserve_held(struct kafka_source *source, size_t capacity)
{
    if (capacity <= source->held_capacity)
        return OK;
    rd_kafka_message_t **held = realloc(source->held, capacity * sizeof *held);
    if (!held)
        return FAIL(MEMORY, capacity, "no memory for a batch");
    source->held = held;
    source->held_capacity = capacity;
    return OK;
}

/* The offset to be read next is not in the log. */
static struct status go_on_where_possible(struct kafka_source *source, const rd_kafka_message_t *event)
{
    struct kafka_client *client = &source->consumer->client;
    int64_t high;
    if (!kafka_ask_offset(client->handle, source->consumer->topic, event->partition, RD_KAFKA_OFFSET_END,
                          CUT_TIMEOUT_MS, &high) &&
        high < event->offset) {
        kafka_client_report(client, LOG_ERR, "LOG_CUT",
                            "topic %s, partition %d was read up to offset %lld, but its log now ends at %lld. Was the "
                            "topic made anew, or did it lose records?",
                            source->consumer->topic, event->partition, (long long)event->offset, (long long)high);
        return FAIL(CONFIG, high, "a log ends before what was read of it");
    }
    kafka_client_report(client, LOG_ERR, "OFFSET_GONE",
                        "topic %s, partition %d: offset %lld is no longer in the log; going on at the log's first",
                        source->consumer->topic, event->partition, (long long)event->offset);
    rd_kafka_resp_err_t error = rd_kafka_seek(event->rkt, event->partition, RD_KAFKA_OFFSET_BEGINNING, 0);
    return error ? FAIL(IO, error, "cannot go to the log's first offset") : OK;
}

/* What came in a message's place. */
static struct status note_event(struct kafka_source *source, const rd_kafka_message_t *event)
{
    struct kafka_client *client = &source->consumer->client;
    if (event->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return kafka_ends_note(&source->ends, event->partition, event->offset);
    kafka_client_report(client, LOG_ERR, rd_kafka_err2name(event->err), "topic %s, partition %d: %s",
                        source->consumer->topic, event->partition, rd_kafka_message_errstr(event));
    if (event->err != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || !event->rkt)
        return OK; /* librdkafka tries again */
    return go_on_where_possible(source, event);
}

static struct status poll(void *self, int timeout_ms, struct message *messages, size_t capacity, size_t *ret_count)
{
    struct kafka_source *source = self;
    drop_held(source);
    TRY(reserve_held(source, capacity));
    while (source->held_count < capacity) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(source->queue, source->held_count ? 0 : timeout_ms);
        if (!message)
            break;
        if (message->err) {
            struct status status = note_event(source, message);
            rd_kafka_message_destroy(message);
            TRY(status);
            timeout_ms = 0; /* the end of a partition is worth returning for */
            continue;
        }
        kafka_ends_forget(&source->ends, message->partition);
        kafka_message_view(message, &messages[source->held_count]);
        source->held[source->held_count++] = message;
    }
    *ret_count = source->held_count;
    return OK;
}

static rd_kafka_topic_partition_list_t *one_partition(const struct kafka_source *source, int32_t partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, source->consumer->topic, partition);
    return list;
}

static void begin(void *self, int32_t partition)
{
    struct kafka_source *source = self;
    kafka_ends_forget(&source->ends, partition);
}

static struct status pause_partition(void *self, int32_t partition, bool paused)
{
    struct kafka_source *source = self;
    rd_kafka_t *handle = source->consumer->client.handle;
    rd_kafka_topic_partition_list_t *list = one_partition(source, partition);
    rd_kafka_resp_err_t error =
        paused ? rd_kafka_pause_partitions(handle, list) : rd_kafka_resume_partitions(handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error ? FAIL(IO, error, "cannot pause or resume") : OK;
}

/* A log whose broker is away seems to have ended too, so the broker is asked. */
static bool at_end(void *self, int32_t partition)
{
    struct kafka_source *source = self;
    struct time_source time = system_time();
    return kafka_ends_reached(&source->ends, partition, time.ops->monotonic_us(time.self));
}

static struct status offset_at(void *self, int32_t partition, int64_t time_ms, int64_t *ret_offset)
{
    const struct kafka_source *source = self;
    struct time_source time = system_time();
    int64_t end_us = time.ops->monotonic_us(time.self) + OFFSET_AT_PATIENCE_US, offset;
    rd_kafka_resp_err_t error;
    while ((error = kafka_ask_offset(source->consumer->client.handle, source->consumer->topic, partition, time_ms,
                                     OFFSET_AT_TIMEOUT_MS, &offset)) &&
           time.ops->monotonic_us(time.self) < end_us)
        system_wait_ms(OFFSET_AT_PAUSE_MS);
    if (error)
        return FAIL(UNAVAILABLE, error, "the brokers do not say where a time begins");
    *ret_offset = offset >= 0 ? offset : -1;
    return OK;
}

struct click_source kafka_consumer_source(struct kafka_consumer *consumer, uint32_t shard)
{
    static const struct click_source_ops ops = {poll, begin, pause_partition, at_end, offset_at};
    assert(shard < consumer->shard_count);
    return (struct click_source){&ops, &consumer->sources[shard]};
}
