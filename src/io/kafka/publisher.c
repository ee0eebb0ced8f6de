// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/kafka_publisher.h>

#include "io/kafka/sink.h"

#include <eddy/io/system.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SLICE_MS   500
#define PAUSE_MS   5
#define PUT_US     60000000 /* for the queue to have room again */
#define ABORT_MS   1000
#define RECORD_MAX 1000 /* in the queue: bytes are its limit */

/* A large model takes a while to be written, and nobody but readers of this topic waits for its end. A cluster that
 * allows less needs the user's word. */
#define TRANSACTION_MS   "300000"
#define TRANSACTION_US   300000000
#define TRANSACTION_NAME "transaction.timeout.ms"

struct kafka_publisher {
    struct kafka_sink sink;
    bool open; /* a transaction is */
    const _Atomic bool *stop;
};

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

/* ---- failures */

static bool says_fenced(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

static bool says_refused(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_POLICY_VIOLATION || code == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT ||
           code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
}

/* What the producer is broken of, for good, is the reason, whatever call finds it. */
static struct status judge(struct kafka_publisher *publisher, rd_kafka_resp_err_t code, const char *text,
                           struct complaint *complaint)
{
    char fatal_text[512] = "", last[512];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(publisher->sink.client.handle, fatal_text, sizeof fatal_text);
    const char *topic = publisher->sink.names[OUTPUT_MODELS];
    kafka_client_last_error(&publisher->sink.client, last, sizeof last);
    const char *why = fatal ? fatal_text : text;
    if (says_fenced(code) || says_fenced(fatal))
        return complain(complaint, FAIL(FENCED, code, "another publisher has taken over"),
                        "topic %s: another publisher has taken over: %s", topic, why);
    if (publisher->sink.failures || says_refused(code) || says_refused(fatal))
        return complain(complaint, FAIL(IO, code, "the brokers refuse records"), "topic %s: the brokers refuse: %s",
                        topic, publisher->sink.failures && last[0] ? last : why);
    return complain(complaint, FAIL(UNAVAILABLE, code, "a transaction was not committed"), "topic %s: %s%s%s", topic,
                    why, last[0] ? "; last heard of the brokers: " : "", last);
}

static bool is_stopped(const struct kafka_publisher *publisher)
{
    return publisher->stop && atomic_load(publisher->stop);
}

/* Takes `error`. */
static struct status mind_error(struct kafka_publisher *publisher, rd_kafka_error_t *error, struct complaint *complaint)
{
    bool gave_up = rd_kafka_error_is_retriable(error) && is_stopped(publisher);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    char text[512];
    snprintf(text, sizeof text, "%s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return gave_up ? FAIL(INTERRUPTED, code, "stopped while publishing") : judge(publisher, code, text, complaint);
}

/* Calls until it is done, time is up, or it fails for good. librdkafka waits meanwhile for refusals to be taken in. */
static rd_kafka_error_t *insist(struct kafka_publisher *publisher, rd_kafka_error_t *(*call)(rd_kafka_t *, int),
                                int64_t patience_us)
{
    for (int64_t end_us = now_us() + patience_us;;) {
        rd_kafka_error_t *error = call(publisher->sink.client.handle, SLICE_MS);
        kafka_sink_serve(&publisher->sink);
        if (!error || !rd_kafka_error_is_retriable(error) || now_us() >= end_us || is_stopped(publisher))
            return error;
        rd_kafka_error_destroy(error);
    }
}

/* ---- life */

static bool is_set(const struct kafka_options *options, const char *name)
{
    for (size_t i = 0; i < options->property_count; i++)
        if (!strcmp(options->properties[i].name, name))
            return true;
    return false;
}

static struct status start(struct kafka_publisher *publisher, const struct kafka_publisher_options *options,
                           struct complaint *complaint)
{
    const struct kafka_property fixed[] = {{"transactional.id", options->transactional_id}, {NULL, NULL}};
    const struct kafka_sink_options sink = {.kafka = options->kafka,
                                            .topics = {[OUTPUT_MODELS] = options->topic},
                                            .queue_records_max = RECORD_MAX,
                                            .queue_bytes_max = options->queue_bytes_max};
    rd_kafka_conf_t *conf;
    char text[256];
    publisher->sink.transactional = true;
    publisher->stop = options->stop;
    TRY(kafka_sink_configure(&publisher->sink, &sink, fixed, &conf, complaint));
    if (!is_set(options->kafka, TRANSACTION_NAME) &&
        rd_kafka_conf_set(conf, TRANSACTION_NAME, TRANSACTION_MS, text, sizeof text) != RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(conf);
        return complain(complaint, FAIL(CONFIG, 0, "a time-out is refused"), "kafka: %s", text);
    }
    return kafka_sink_start(&publisher->sink, conf, complaint);
}

struct status kafka_publisher_open(const struct kafka_publisher_options *options, int timeout_ms,
                                   struct kafka_publisher **ret_publisher, struct complaint *complaint)
{
    struct kafka_publisher *publisher = calloc(1, sizeof *publisher);
    if (!publisher)
        return FAIL(MEMORY, 0, "no memory for a publisher");
    struct status status = start(publisher, options, complaint);
    if (!failed(status)) {
        rd_kafka_error_t *error = insist(publisher, rd_kafka_init_transactions, (int64_t)timeout_ms * 1000);
        if (error)
            status = mind_error(publisher, error, complaint);
    }
    if (failed(status)) {
        kafka_publisher_close(publisher);
        return status;
    }
    *ret_publisher = publisher;
    return OK;
}

void kafka_publisher_close(struct kafka_publisher *publisher)
{
    if (!publisher)
        return;
    publisher->stop = NULL; /* aborting has an end of its own */
    if (publisher->open) {
        rd_kafka_purge(publisher->sink.client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_error_destroy(insist(publisher, rd_kafka_abort_transaction, ABORT_MS * 1000));
    }
    kafka_sink_end(&publisher->sink);
    kafka_sink_release(&publisher->sink);
    free(publisher);
}

/* ---- transactions */

struct status kafka_publisher_begin(struct kafka_publisher *publisher, struct complaint *complaint)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(publisher->sink.client.handle);
    if (error)
        return mind_error(publisher, error, complaint);
    publisher->open = true;
    return OK;
}

struct status kafka_publisher_put(struct kafka_publisher *publisher, struct bytes key, struct bytes value,
                                  struct complaint *complaint)
{
    const struct output_record record = {.output = OUTPUT_MODELS, .partition = 0, .key = key, .value = value};
    for (int64_t end_us = now_us() + PUT_US;;) {
        struct status status = kafka_sink_produce(&publisher->sink, &record, RD_KAFKA_MSG_F_COPY);
        if (!failed(status))
            return OK;
        if (!failed_as(status, FAULT_LIMIT))
            return judge(publisher, (rd_kafka_resp_err_t)status.detail, status.fault->what, complaint);
        kafka_sink_serve(&publisher->sink);
        if (is_stopped(publisher))
            return FAIL(INTERRUPTED, 0, "stopped while publishing");
        if (publisher->sink.failures || now_us() >= end_us)
            return judge(publisher, RD_KAFKA_RESP_ERR__TIMED_OUT, "records are not acknowledged", complaint);
        system_wait_ms(PAUSE_MS);
    }
}

struct status kafka_publisher_commit(struct kafka_publisher *publisher, struct complaint *complaint)
{
    rd_kafka_error_t *error = insist(publisher, rd_kafka_commit_transaction, TRANSACTION_US);
    if (error)
        return mind_error(publisher, error, complaint);
    publisher->open = false;
    return OK;
}
