// SPDX-License-Identifier: Apache-2.0
#include "torture/faults.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>

#define WRAP(type, name, failure, parameters, arguments)                                                               \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return faults_strike(FAULTS_KAFKA, #name) ? failure : __real_##name arguments;                                 \
    }

#define REFUSES(name, parameters, arguments)                                                                           \
    WRAP(rd_kafka_resp_err_t, name, RD_KAFKA_RESP_ERR__TRANSPORT, parameters, arguments)

REFUSES(rd_kafka_subscribe, (rd_kafka_t * handle, const rd_kafka_topic_partition_list_t *list), (handle, list))
REFUSES(rd_kafka_committed, (rd_kafka_t * handle, rd_kafka_topic_partition_list_t *list, int timeout_ms),
        (handle, list, timeout_ms))
REFUSES(rd_kafka_offsets_for_times, (rd_kafka_t * handle, rd_kafka_topic_partition_list_t *list, int timeout_ms),
        (handle, list, timeout_ms))
REFUSES(rd_kafka_metadata,
        (rd_kafka_t * handle, int all, rd_kafka_topic_t *only, const struct rd_kafka_metadata **metadata,
         int timeout_ms),
        (handle, all, only, metadata, timeout_ms))
REFUSES(rd_kafka_pause_partitions, (rd_kafka_t * handle, rd_kafka_topic_partition_list_t *list), (handle, list))
REFUSES(rd_kafka_resume_partitions, (rd_kafka_t * handle, rd_kafka_topic_partition_list_t *list), (handle, list))
REFUSES(rd_kafka_flush, (rd_kafka_t * handle, int timeout_ms), (handle, timeout_ms))
REFUSES(rd_kafka_commit_queue,
        (rd_kafka_t * handle, const rd_kafka_topic_partition_list_t *list, rd_kafka_queue_t *queue,
         void (*callback)(rd_kafka_t *, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t *, void *), void *opaque),
        (handle, list, queue, callback, opaque))
WRAP(int, rd_kafka_consume_start_queue, -1,
     (rd_kafka_topic_t * topic, int32_t partition, int64_t offset, rd_kafka_queue_t *queue),
     (topic, partition, offset, queue))
WRAP(rd_kafka_topic_t *, rd_kafka_topic_new, NULL, (rd_kafka_t * handle, const char *name, rd_kafka_topic_conf_t *conf),
     (handle, name, conf))
WRAP(int, rd_kafka_consume_start, -1, (rd_kafka_topic_t * topic, int32_t partition, int64_t offset),
     (topic, partition, offset))
WRAP(rd_kafka_message_t *, rd_kafka_consume, NULL, (rd_kafka_topic_t * topic, int32_t partition, int timeout_ms),
     (topic, partition, timeout_ms))
WRAP(rd_kafka_message_t *, rd_kafka_consume_queue, NULL, (rd_kafka_queue_t * queue, int timeout_ms),
     (queue, timeout_ms))
WRAP(rd_kafka_error_t *, rd_kafka_init_transactions, rd_kafka_error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer"),
     (rd_kafka_t * handle, int timeout_ms), (handle, timeout_ms))
WRAP(rd_kafka_error_t *, rd_kafka_begin_transaction, rd_kafka_error_new(RD_KAFKA_RESP_ERR__STATE, "not now"),
     (rd_kafka_t * handle), (handle))
WRAP(rd_kafka_error_t *, rd_kafka_abort_transaction, rd_kafka_error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer"),
     (rd_kafka_t * handle, int timeout_ms), (handle, timeout_ms))
/* A full queue is no end; nor is no event within the time. */
WRAP(rd_kafka_error_t *, rd_kafka_produceva, rd_kafka_error_new(RD_KAFKA_RESP_ERR__QUEUE_FULL, "full"),
     (rd_kafka_t * handle, const rd_kafka_vu_t *arguments, size_t count), (handle, arguments, count))
WRAP(rd_kafka_event_t *, rd_kafka_queue_poll, NULL, (rd_kafka_queue_t * queue, int timeout_ms), (queue, timeout_ms))

/* It is done, and the answer lost: what a producer cannot tell from not done. */
rd_kafka_error_t *__real_rd_kafka_commit_transaction(rd_kafka_t *handle, int timeout_ms);
rd_kafka_error_t *__wrap_rd_kafka_commit_transaction(rd_kafka_t *handle, int timeout_ms);
rd_kafka_error_t *__wrap_rd_kafka_commit_transaction(rd_kafka_t *handle, int timeout_ms)
{
    bool fails = faults_strike(FAULTS_KAFKA, "rd_kafka_commit_transaction");
    rd_kafka_error_t *error = __real_rd_kafka_commit_transaction(handle, timeout_ms);
    return fails && !error ? rd_kafka_error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer") : error;
}

rd_kafka_t *__real_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *text, size_t size);
rd_kafka_t *__wrap_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *text, size_t size);
rd_kafka_t *__wrap_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *text, size_t size)
{
    if (!faults_strike(FAULTS_KAFKA, "rd_kafka_new"))
        return __real_rd_kafka_new(type, conf, text, size);
    snprintf(text, size, "there are no threads left");
    return NULL;
}

/* Of giving up it is known that it cannot fail, and closing a consumer waits for it. */
rd_kafka_resp_err_t __real_rd_kafka_assign(rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *list);
rd_kafka_resp_err_t __wrap_rd_kafka_assign(rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *list);
rd_kafka_resp_err_t __wrap_rd_kafka_assign(rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *list)
{
    bool fails = list && faults_strike(FAULTS_KAFKA, "rd_kafka_assign");
    return fails ? RD_KAFKA_RESP_ERR__TRANSPORT : __real_rd_kafka_assign(handle, list);
}
