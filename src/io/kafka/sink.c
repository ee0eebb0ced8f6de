// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/sink.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#define FLUSH_SLICE_MS 100
#define HEADERS_MAX    8
#define FIXED_MAX      16

static const struct kafka_property defaults[] = {
    {"transaction.timeout.ms", "15000"}, /* readers of committed records wait so long for a process that is gone */
    {"linger.ms", "0"},                  /* half a millisecond would cost two; batches form by themselves under load */
    {"message.max.bytes", "8000000"},
    {NULL, NULL},
};

/* ---- life */

static void append(struct kafka_property *properties, size_t *count, const struct kafka_property *more)
{
    for (; more->name; more++) {
        assert(*count + 1 < FIXED_MAX);
        properties[(*count)++] = *more;
    }
    properties[*count] = (struct kafka_property){NULL, NULL};
}

struct status kafka_sink_configure(struct kafka_sink *sink, const struct kafka_sink_options *options,
                                   const struct kafka_property *more, rd_kafka_conf_t **ret_conf,
                                   struct complaint *complaint)
{
    char records[16], kilobytes[16];
    snprintf(records, sizeof records, "%u", options->queue_records_max);
    snprintf(kilobytes, sizeof kilobytes, "%u", options->queue_bytes_max / 1024);
    const struct kafka_property own[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"partitioner", "murmur2_random"}, /* as Java's clients: records co-partition with theirs */
        {"delivery.report.only.error", "true"},
        {"queue.buffering.max.messages", records},
        {"queue.buffering.max.kbytes", kilobytes},
        {NULL, NULL},
    };
    struct kafka_property fixed[FIXED_MAX];
    size_t fixed_count = 0;
    append(fixed, &fixed_count, own);
    append(fixed, &fixed_count, more);
    const struct kafka_setup setup = {RD_KAFKA_PRODUCER, "output", defaults, fixed};
    sink->records_max = options->queue_records_max;
    sink->bytes_max = options->queue_bytes_max;
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        atomic_init(&sink->partitions[i], options->partitions[i]);
        if (options->topics[i] && !(sink->names[i] = strdup(options->topics[i])))
            return FAIL(MEMORY, 0, "no memory for a topic's name");
    }
    TRY(kafka_client_configure(&sink->client, options->kafka, &setup, ret_conf, complaint));
    rd_kafka_conf_set_events(*ret_conf, RD_KAFKA_EVENT_DR);
    return OK;
}

struct status kafka_sink_start(struct kafka_sink *sink, rd_kafka_conf_t *conf, struct complaint *complaint)
{
    TRY(kafka_client_start(&sink->client, RD_KAFKA_PRODUCER, conf, complaint));
    sink->events = rd_kafka_queue_get_main(sink->client.handle);
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        if (!sink->names[i])
            continue;
        sink->topics[i] = rd_kafka_topic_new(sink->client.handle, sink->names[i], NULL);
        if (!sink->topics[i])
            return complain(complaint, FAIL(CONFIG, rd_kafka_last_error(), "librdkafka refuses a topic"),
                            "topic %s: librdkafka refuses it: %s", sink->names[i],
                            rd_kafka_err2str(rd_kafka_last_error()));
    }
    return OK;
}

void kafka_sink_end(struct kafka_sink *sink)
{
    if (!sink->client.handle)
        return;
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        if (sink->topics[i])
            rd_kafka_topic_destroy(sink->topics[i]);
        sink->topics[i] = NULL;
    }
    rd_kafka_queue_destroy(sink->events);
    rd_kafka_purge(sink->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    kafka_client_destroy(&sink->client);
}

void kafka_sink_release(struct kafka_sink *sink)
{
    kafka_client_stop(&sink->client);
    for (int i = 0; i < OUTPUT_COUNT; i++)
        free(sink->names[i]);
}

struct status kafka_sink_open(const struct kafka_sink_options *options, struct kafka_sink **ret_sink,
                              struct complaint *complaint)
{
    /* A broker that is away is waited for: backpressure bounds what piles up. */
    static const struct kafka_property patient[] = {{"message.timeout.ms", "0"}, {NULL, NULL}};
    struct kafka_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return FAIL(MEMORY, 0, "no memory for a producer");
    rd_kafka_conf_t *conf;
    struct status status = kafka_sink_configure(sink, options, patient, &conf, complaint);
    if (!failed(status))
        status = kafka_sink_start(sink, conf, complaint);
    if (failed(status)) {
        kafka_sink_close(sink);
        return status;
    }
    *ret_sink = sink;
    return OK;
}

void kafka_sink_close(struct kafka_sink *sink)
{
    if (!sink)
        return;
    kafka_sink_end(sink);
    kafka_sink_release(sink);
    free(sink);
}

/* ---- refusals */

/* Of a record for good: it will be no better in another transaction. */
static bool is_refusal(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return true;
    default:
        return false;
    }
}

static void note_failure(struct kafka_sink *sink, const rd_kafka_message_t *message)
{
    if (sink->transactional && !is_refusal(message->err))
        return;
    sink->failures++;
    kafka_client_report(&sink->client, LOG_ERR, rd_kafka_err2name(message->err),
                        "a record of %zu bytes was refused: topic %s: %s", message->len,
                        message->rkt ? rd_kafka_topic_name(message->rkt) : "?", rd_kafka_err2str(message->err));
}

void kafka_sink_serve(struct kafka_sink *sink)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(sink->events, 0))) {
        const rd_kafka_message_t *message;
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
            while ((message = rd_kafka_event_message_next(event)))
                if (message->err)
                    note_failure(sink, message);
        kafka_client_take(&sink->client, event);
        rd_kafka_event_destroy(event);
    }
}

static struct status publish_failure(struct kafka_sink *sink, const struct output_record *record,
                                     rd_kafka_error_t *error)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    bool fatal = rd_kafka_error_is_fatal(error); /* then the code is that of what made it fatal, some time ago */
    char text[256];
    snprintf(text, sizeof text, "%s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return FAIL(LIMIT, 0, "the producer's queue is full");
    kafka_client_report(&sink->client, LOG_ERR, rd_kafka_err2name(code), "cannot produce %zu bytes to topic %s: %s",
                        record->value.size, rd_kafka_topic_name(sink->topics[record->output]), text);
    if (fatal && code == RD_KAFKA_RESP_ERR__FENCED)
        return FAIL(FENCED, code, "another producer has taken over");
    return FAIL(IO, fatal ? RD_KAFKA_RESP_ERR__FATAL : code, "a record cannot be produced");
}

static int32_t partition_of(const struct kafka_sink *sink, const struct output_record *record)
{
    if (record->partition < 0)
        return RD_KAFKA_PARTITION_UA;
    int32_t count = atomic_load(&sink->partitions[record->output]);
    return count > 0 ? record->partition % count : record->partition;
}

struct status kafka_sink_produce(struct kafka_sink *sink, const struct output_record *record, int flags)
{
    assert(sink->topics[record->output] && record->header_count <= HEADERS_MAX);
    rd_kafka_vu_t arguments[6 + HEADERS_MAX] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = sink->topics[record->output]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition_of(sink, record)},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = flags},
        /* librdkafka's types are not const; it only reads. */
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)record->value.data, record->value.size}},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)record->key.data, record->key.size}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms > 0 ? record->timestamp_ms : 0},
    };
    size_t count = 6;
    for (size_t i = 0; i < record->header_count; i++)
        arguments[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADER,
                                             .u.header = {.name = record->headers[i].name,
                                                          .val = record->headers[i].value.data,
                                                          .size = (ssize_t)record->headers[i].value.size}};
    rd_kafka_error_t *error = rd_kafka_produceva(sink->client.handle, arguments, count);
    if (error)
        return publish_failure(sink, record, error);
    sink->records++;
    sink->bytes += record->key.size + record->value.size;
    return OK;
}

struct status kafka_sink_flush(struct kafka_sink *sink, int timeout_ms)
{
    for (;;) {
        int slice_ms = timeout_ms < FLUSH_SLICE_MS ? timeout_ms : FLUSH_SLICE_MS;
        bool done = rd_kafka_flush(sink->client.handle, slice_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
        kafka_sink_serve(sink); /* refused records count as outstanding until they are taken in */
        if (sink->failures)
            return FAIL(IO, sink->failures, "records were refused");
        if (done)
            return OK;
        timeout_ms -= slice_ms;
        if (timeout_ms <= 0)
            return FAIL(UNAVAILABLE, rd_kafka_outq_len(sink->client.handle), "records are not acknowledged yet");
    }
}

double kafka_sink_fill(struct kafka_sink *sink)
{
    kafka_sink_serve(sink);
    double outstanding = rd_kafka_outq_len(sink->client.handle);
    double mean_bytes = sink->records ? (double)sink->bytes / (double)sink->records : 0;
    double by_records = outstanding / sink->records_max, by_bytes = outstanding * mean_bytes / sink->bytes_max;
    return by_records > by_bytes ? by_records : by_bytes;
}

/* ---- the port */

static struct status publish(void *self, const struct output_record *record)
{
    return kafka_sink_produce(self, record, RD_KAFKA_MSG_F_COPY);
}

static struct status flush(void *self, int timeout_ms)
{
    return kafka_sink_flush(self, timeout_ms);
}

static double fill(void *self)
{
    return kafka_sink_fill(self);
}

struct record_sink kafka_sink_port(struct kafka_sink *sink)
{
    static const struct record_sink_ops ops = {publish, flush, fill};
    return (struct record_sink){&ops, sink};
}

/* The producer itself asks: it refuses partitions that it has not heard of yet. */
struct status kafka_sink_count_partitions(struct kafka_sink *sink, enum output output, int timeout_ms,
                                          int32_t *ret_count)
{
    assert(sink->topics[output]);
    TRY(kafka_client_count_partitions(&sink->client, sink->topics[output], timeout_ms, ret_count));
    atomic_store(&sink->partitions[output], *ret_count);
    return OK;
}

uint64_t kafka_sink_failures(const struct kafka_sink *sink)
{
    return sink->failures;
}
