// SPDX-License-Identifier: Apache-2.0
/* At least once: what was published is acknowledged before the offsets are committed, so a crash in between answers
 * clicks again. */
#include "io/kafka/group.h"
#include "io/kafka/sink.h"

#include <stdlib.h>

#define FLUSH_SLICE_MS    500
#define COMMIT_TIMEOUT_MS 10000

/* Points without their metadata would make a new owner begin the open sessions anew. */
struct status kafka_group_points(const struct kafka_consumer *consumer, const struct commit_point *points, size_t count,
                                 rd_kafka_topic_partition_list_t **ret_list)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *entry =
            rd_kafka_topic_partition_list_add(list, consumer->topic, points[i].partition);
        entry->offset = points[i].offset;
        if (!points[i].metadata)
            continue;
        entry->metadata = strdup(points[i].metadata); /* freed with the list */
        if (!entry->metadata) {
            rd_kafka_topic_partition_list_destroy(list);
            return FAIL(MEMORY, 0, "no memory for a commit");
        }
        entry->metadata_size = strlen(points[i].metadata);
    }
    *ret_list = list;
    return OK;
}

static struct status commit_status(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; list && i < list->cnt && !error; i++)
        error = list->elems[i].err;
    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return OK;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
        return FAIL(FENCED, error, "the partition has another owner");
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
        return FAIL(IO, error, "the commit was refused");
    default:
        return FAIL(UNAVAILABLE, error, "the commit failed for now");
    }
}

/* With a queue of its own per commit, an answer that comes too late is dropped with it. */
static struct status commit_list(rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_queue_t *answers = rd_kafka_queue_new(handle);
    rd_kafka_resp_err_t error = rd_kafka_commit_queue(handle, list, answers, NULL, NULL);
    rd_kafka_event_t *answer = error ? NULL : rd_kafka_queue_poll(answers, COMMIT_TIMEOUT_MS);
    struct status status = error ? commit_status(error, NULL) : FAIL(UNAVAILABLE, 0, "the commit was not answered");
    if (answer) {
        status = commit_status(rd_kafka_event_error(answer), rd_kafka_event_topic_partition_list(answer));
        rd_kafka_event_destroy(answer);
    }
    rd_kafka_queue_destroy(answers);
    return status;
}

static struct status commit(void *self, const struct commit_point *points, size_t count)
{
    struct kafka_sink *sink = self;
    TRY(kafka_sink_flush(sink, FLUSH_SLICE_MS));
    rd_kafka_topic_partition_list_t *list;
    TRY(kafka_group_points(sink->consumer, points, count, &list));
    struct status status = commit_list(sink->consumer->client.handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

static void drop(void *self)
{
    (void)self; /* what is published stays so */
}

struct committer kafka_sink_committer(struct kafka_sink *sink, struct kafka_consumer *consumer)
{
    static const struct committer_ops ops = {commit, drop};
    sink->consumer = consumer;
    return (struct committer){&ops, sink, false};
}
