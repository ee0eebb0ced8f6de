// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/group.h"
#include "io/kafka/offsets.h"

#include <eddy/io/system.h>
#include <stdlib.h>
#include <syslog.h>

#define OFFSET_AT_TIMEOUT_MS  10000
#define OFFSET_AT_PATIENCE_US 30000000
#define OFFSET_AT_PAUSE_MS    500 /* a leader that is being replaced refuses at once */
#define BORDER_TIMEOUT_MS     1500

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

/* The next offset was not where librdkafka looked, so it went to the log's first: goes back. Should that be undone, as
 * it is when librdkafka waits for an offset just then, it is noticed again. */
static struct status go_to_next(struct kafka_source *source, int32_t partition)
{
    rd_kafka_resp_err_t error =
        rd_kafka_seek(source->consumer->known, partition, kafka_ends_next(&source->ends, partition), 0);
    return error ? FAIL(IO, error, "cannot go to an offset of a log") : OK;
}

static struct status mind_early_end(struct kafka_source *source, int32_t partition, int64_t high, int64_t now_us)
{
    struct kafka_client *client = &source->consumer->client;
    const char *topic = source->consumer->topic;
    long long next = (long long)kafka_ends_next(&source->ends, partition);
    switch (kafka_ends_note_behind(&source->ends, partition, now_us)) {
    case KAFKA_BEHIND_FIRST:
        kafka_client_report(client, LOG_ERR, "LOG_BEHIND",
                            "topic %s, partition %d was read up to offset %lld, but a broker says that its log ends at "
                            "%lld; it may not know yet that it leads the partition no more, so it is asked again",
                            topic, partition, next, (long long)high);
        return OK;
    case KAFKA_BEHIND_STILL:
        return OK;
    default:
        kafka_client_report(client, LOG_ERR, "LOG_CUT",
                            "topic %s, partition %d was read up to offset %lld, but its log ends at %lld, and has for "
                            "%d s. Was the topic made anew, or did it lose records?",
                            topic, partition, next, (long long)high, KAFKA_BEHIND_US / 1000000);
        return FAIL(CONFIG, high, "a log ends before what was read of it");
    }
}

/* A broker did not have the next offset. It may be a leader of old (ends.h), so nothing is concluded at once. */
static struct status go_back(struct kafka_source *source, int32_t partition)
{
    struct kafka_client *client = &source->consumer->client;
    struct time_source time = system_time();
    int64_t now_us = time.ops->monotonic_us(time.self), high;
    TRY(go_to_next(source, partition));
    if (!kafka_ends_may_ask(&source->ends, partition, now_us) ||
        kafka_ask_offset(client->handle, source->consumer->topic, partition, RD_KAFKA_OFFSET_END, BORDER_TIMEOUT_MS,
                         &high))
        return OK;
    if (high < kafka_ends_next(&source->ends, partition))
        return mind_early_end(source, partition, high, now_us);
    if (kafka_ends_note_ahead(&source->ends, partition))
        kafka_client_report(
            client, LOG_WARNING, "LOG_AHEAD",
            "topic %s, partition %d is read on from offset %lld: its log goes beyond that again. If the "
            "topic was made anew meanwhile, what is before that is not read",
            source->consumer->topic, partition, (long long)kafka_ends_next(&source->ends, partition));
    return OK;
}

/* Nothing was delivered from `next` to `offset`. Records may be missing where a transaction ended, say; or retention
 * took them unread. */
static void mind_gap(struct kafka_source *source, int32_t partition, int64_t next, int64_t offset)
{
    struct kafka_client *client = &source->consumer->client;
    int64_t low, high;
    if (offset <= next ||
        rd_kafka_get_watermark_offsets(client->handle, source->consumer->topic, partition, &low, &high) ||
        low <= next || low > offset) /* this was fetched before retention came so far */
        return;
    kafka_client_report(client, LOG_ERR, "OFFSET_GONE",
                        "topic %s, partition %d: offsets %lld to %lld are no longer in the log; going on at its first",
                        source->consumer->topic, partition, (long long)next, (long long)low - 1);
}

/* What came in a message's place. */
static struct status note_event(struct kafka_source *source, const rd_kafka_message_t *event)
{
    if (event->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        kafka_client_report(&source->consumer->client, LOG_ERR, rd_kafka_err2name(event->err),
                            "topic %s, partition %d: %s", source->consumer->topic, event->partition,
                            rd_kafka_message_errstr(event));
        return OK; /* librdkafka tries again */
    }
    int64_t next = kafka_ends_next(&source->ends, event->partition);
    if (event->offset < next)
        return go_back(source, event->partition);
    mind_gap(source, event->partition, next, event->offset);
    kafka_ends_note(&source->ends, event->partition, event->offset);
    return OK;
}

/* Takes `message`; false when it is not one to be delivered, and worth returning for. */
static bool take(struct kafka_source *source, rd_kafka_message_t *message, struct message *messages,
                 struct status *ret_status)
{
    int64_t next = message->err ? -1 : kafka_ends_next(&source->ends, message->partition);
    if (message->err || message->offset < next) {
        *ret_status = message->err ? note_event(source, message) : go_back(source, message->partition);
        rd_kafka_message_destroy(message);
        return false;
    }
    mind_gap(source, message->partition, next, message->offset);
    kafka_ends_pass(&source->ends, message->partition, message->offset);
    kafka_message_view(message, &messages[source->held_count]);
    source->held[source->held_count++] = message;
    return true;
}

static struct status poll(void *self, int timeout_ms, struct message *messages, size_t capacity, size_t *ret_count)
{
    struct kafka_source *source = self;
    drop_held(source);
    TRY(reserve_held(source, capacity));
    struct status status = OK;
    while (source->held_count < capacity && !failed(status)) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(source->queue, source->held_count ? 0 : timeout_ms);
        if (!message || !take(source, message, messages, &status))
            break;
    }
    TRY(status);
    *ret_count = source->held_count;
    return OK;
}

static rd_kafka_topic_partition_list_t *one_partition(const struct kafka_source *source, int32_t partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, source->consumer->topic, partition);
    return list;
}

static struct status begin(void *self, int32_t partition, int64_t offset, int64_t end)
{
    struct kafka_source *source = self;
    return kafka_ends_begin(&source->ends, partition, offset, end);
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
