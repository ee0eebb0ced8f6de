// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/group.h"
#include "io/kafka/offsets.h"

#include <eddy/io/system.h>
#include <stdlib.h>
#include <syslog.h>

/* Before 2.10, librdkafka's cooperative rebalancing can hang, loop or lose an assignment by committing. */
#define COOPERATIVE_SINCE 0x020a0000

/* What may be fetched ahead. librdkafka measures the queue that a partition's own is forwarded to, so these are of a
 * shard, however many partitions it has. librdkafka 2.0 looks for room only now and then, up to a second apart: less
 * than what a shard consumes in that time would make it wait with nothing to do. */
#define PREFETCH_RECORDS   "100000"
#define PREFETCH_KILOBYTES "65536"

#define STATIC_TIMEOUT_MS  "15000"
#define END_TIMEOUT_MS     1500

static struct status check_strategy(const struct kafka_options *options, struct complaint *complaint)
{
    for (size_t i = 0; i < options->property_count; i++) {
        const struct kafka_property *property = &options->properties[i];
        if (!strcmp(property->name, "partition.assignment.strategy") && strstr(property->value, "cooperative") &&
            rd_kafka_version() < COOPERATIVE_SINCE)
            return complain(complaint, FAIL(CONFIG, rd_kafka_version(), "cooperative rebalancing is not safe"),
                            "kafka.partition.assignment.strategy: cooperative rebalancing needs librdkafka 2.10 or "
                            "later, this is %s; leave it out, or use range",
                            rd_kafka_version_str());
    }
    return OK;
}

/* ---- rebalancing: the callback runs inside kafka_consumer_poll() and kafka_consumer_leave() */

/* Takes `error`. Without an answer to the group nothing is delivered any more, so that is the consumer's end, unless
 * what was assigned is lost: then it is given out anew. */
static void end_change(struct kafka_consumer *consumer, const char *change, rd_kafka_error_t *error)
{
    if (error)
        kafka_client_report(&consumer->client, LOG_ERR, "REBALANCE", "%s: %s", change, rd_kafka_error_string(error));
    if (error && !failed(consumer->failure) && !rd_kafka_assignment_lost(consumer->client.handle))
        consumer->failure = complain(&consumer->complaint, FAIL(IO, rd_kafka_error_code(error), "no rebalance"),
                                     "topic %s: %s: %s", consumer->topic, change, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

static rd_kafka_error_t *assign(struct kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t error = rd_kafka_assign(consumer->client.handle, list);
    return error ? rd_kafka_error_new(error, "%s", rd_kafka_err2str(error)) : NULL;
}

static void take_up(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    end_change(consumer, "taking up partitions",
               consumer->cooperative ? rd_kafka_incremental_assign(consumer->client.handle, list)
                                     : assign(consumer, list));
}

static void give_up(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    end_change(consumer, "giving up partitions",
               consumer->cooperative ? rd_kafka_incremental_unassign(consumer->client.handle, list)
                                     : assign(consumer, NULL));
}

static struct status reserve_going(struct kafka_consumer *consumer, size_t count)
{
    if (count <= consumer->going_capacity)
        return OK;
    int32_t *going = realloc(consumer->going, count * sizeof *going);
    if (!going)
        return FAIL(MEMORY, count, "no memory for an assignment");
    consumer->going = going;
    consumer->going_capacity = count;
    return OK;
}

/* Asks the handler where each partition begins and puts that into the list. */
static struct status start_offsets(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    size_t count = (size_t)list->cnt;
    TRY(reserve_going(consumer, consumer->taken + count));
    struct assignment *partitions = calloc(count + 1, sizeof *partitions);
    if (!partitions)
        return FAIL(MEMORY, list->cnt, "no memory for an assignment");
    for (size_t i = 0; i < count; i++)
        partitions[i].partition = list->elems[i].partition;
    rd_kafka_topic_partition_list_t *positions = NULL;
    struct status status = kafka_group_positions(consumer, partitions, count, &positions, &consumer->complaint);
    if (!failed(status))
        status = consumer->rebalance.assigned(consumer->rebalance.context, partitions, count, &consumer->complaint);
    for (size_t i = 0; i < count && !failed(status); i++)
        list->elems[i].offset = partitions[i].start;
    if (positions)
        rd_kafka_topic_partition_list_destroy(positions);
    free(partitions);
    return status;
}

static void on_assigned(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    consumer->cooperative = !strcmp(rd_kafka_rebalance_protocol(consumer->client.handle), "COOPERATIVE");
    struct status status = failed(consumer->failure) ? consumer->failure : start_offsets(consumer, list);
    if (failed(status)) {
        /* What was lost meanwhile is given to somebody, perhaps to us again. */
        if (!failed_as(status, FAULT_UNAVAILABLE) || !rd_kafka_assignment_lost(consumer->client.handle))
            consumer->failure = status;
        give_up(consumer, list);
        return;
    }
    for (int i = 0; i < list->cnt; i++) {
        int32_t partition = list->elems[i].partition;
        kafka_source_take(&consumer->sources[(uint32_t)partition % consumer->shard_count], partition);
    }
    consumer->taken += (size_t)list->cnt;
    take_up(consumer, list);
}

static void on_revoked(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(consumer->client.handle);
    size_t count = (size_t)list->cnt;
    for (size_t i = 0; i < count && count <= consumer->taken; i++)
        consumer->going[i] = list->elems[i].partition;
    if (count > 0 && count <= consumer->taken) { /* or the handler was never told that they came */
        consumer->taken -= count;
        consumer->rebalance.revoked(consumer->rebalance.context, consumer->going, count, lost);
    }
    give_up(consumer, list);
}

static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t *list,
                         void *opaque)
{
    (void)handle;
    struct kafka_consumer *consumer = opaque;
    if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        on_assigned(consumer, list);
    else
        on_revoked(consumer, list);
}

/* ---- life */

static struct status subscribe(struct kafka_consumer *consumer)
{
    rd_kafka_poll_set_consumer(consumer->client.handle);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, consumer->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer->client.handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return error ? FAIL(IO, error, "cannot subscribe") : OK;
}

static struct status start(struct kafka_consumer *consumer, const struct kafka_consumer_options *options,
                           struct complaint *complaint)
{
    const struct kafka_property defaults[] = {
        {"check.crcs", "true"},
        {"partition.assignment.strategy", rd_kafka_version() < COOPERATIVE_SINCE ? "range" : "cooperative-sticky"},
        {"queued.min.messages", PREFETCH_RECORDS},
        {"queued.max.messages.kbytes", PREFETCH_KILOBYTES},
        {*options->instance_id ? "group.instance.id" : NULL, options->instance_id}, /* none: the list ends here */
        {"session.timeout.ms", STATIC_TIMEOUT_MS}, /* such a member does not say that it goes */
        {NULL, NULL},
    };
    const struct kafka_property fixed[] = {
        {"group.id", options->group_id},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "earliest"}, /* source.c minds; after "error" a partition could not be begun again */
        {"enable.partition.eof", "true"},
        {NULL, NULL},
    };
    const struct kafka_setup setup = {RD_KAFKA_CONSUMER, "clicks", defaults, fixed};
    rd_kafka_conf_t *conf;
    TRY(kafka_client_configure(&consumer->client, options->kafka, &setup, &conf, complaint));
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    TRY(kafka_client_start(&consumer->client, RD_KAFKA_CONSUMER, conf, complaint));
    consumer->known = rd_kafka_topic_new(consumer->client.handle, consumer->topic, NULL);
    if (!consumer->known)
        return FAIL(MEMORY, 0, "no memory for a topic");
    for (uint32_t i = 0; i < consumer->shard_count; i++)
        TRY(kafka_source_open(consumer, &consumer->sources[i]));
    return subscribe(consumer);
}

struct status kafka_consumer_open(const struct kafka_consumer_options *options, struct kafka_consumer **ret_consumer,
                                  struct complaint *complaint)
{
    assert(options->shard_count > 0);
    TRY(check_strategy(options->kafka, complaint));
    struct kafka_consumer *consumer = calloc(1, sizeof *consumer);
    if (!consumer)
        return FAIL(MEMORY, 0, "no memory for the consumer");
    consumer->topic = strdup(options->topic);
    consumer->sources = calloc(options->shard_count, sizeof *consumer->sources);
    consumer->shard_count = options->shard_count;
    for (uint32_t i = 0; consumer->sources && i < consumer->shard_count; i++)
        kafka_ends_open(&consumer->sources[i].ends);
    consumer->start = options->start;
    consumer->rebalance = options->rebalance;
    struct status status = consumer->topic && consumer->sources ? start(consumer, options, complaint)
                                                                : FAIL(MEMORY, 0, "no memory for the consumer");
    if (failed(status)) {
        kafka_consumer_close(consumer);
        return status;
    }
    *ret_consumer = consumer;
    return OK;
}

/* ---- where logs end */

static void tell_end(struct kafka_consumer *consumer, const rd_kafka_topic_partition_t *answer, bool answered,
                     int64_t now_us)
{
    struct kafka_source *source = &consumer->sources[(uint32_t)answer->partition % consumer->shard_count];
    kafka_ends_tell(&source->ends, answer->partition, answered && !answer->err ? answer->offset : -1, now_us);
}

/* One leader that says nothing has left all without an answer: finds it. Rebalances wait meanwhile, so it looks for one
 * at a time; the others are asked for again. */
static void ask_one_by_one(struct kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *list, int64_t now_us)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt && !error; i++) {
        rd_kafka_topic_partition_t one = {.partition = list->elems[i].partition};
        error = kafka_ask_offset(consumer->client.handle, consumer->topic, one.partition, RD_KAFKA_OFFSET_END,
                                 END_TIMEOUT_MS, &one.offset);
        tell_end(consumer, &one, !error, now_us);
    }
}

static void tell_ends(struct kafka_consumer *consumer)
{
    struct time_source time = system_time();
    int64_t now_us = time.ops->monotonic_us(time.self);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    for (uint32_t i = 0; i < consumer->shard_count; i++)
        kafka_ends_wanted(&consumer->sources[i].ends, consumer->topic, now_us, list);
    rd_kafka_resp_err_t error =
        list->cnt ? rd_kafka_offsets_for_times(consumer->client.handle, list, END_TIMEOUT_MS) : 0;
    if (error)
        ask_one_by_one(consumer, list, now_us);
    for (int i = 0; i < list->cnt && !error; i++)
        tell_end(consumer, &list->elems[i], true, now_us);
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- the loop */

/* What came on the main queue, where no click belongs. */
static struct status check_event(struct kafka_consumer *consumer, const rd_kafka_message_t *message,
                                 struct complaint *complaint)
{
    char text[256];
    if (!message->err) /* must not happen: its shard will not see it, so go back to the last commit */
        return complain(complaint, FAIL(IO, message->offset, "a click went astray"),
                        "topic %s, partition %d, offset %lld was delivered outside its shard", consumer->topic,
                        message->partition, (long long)message->offset);
    if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_resp_err_t code = rd_kafka_fatal_error(consumer->client.handle, text, sizeof text);
        if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
            return complain(complaint, FAIL(FENCED, code, "another member has this group.instance.id"),
                            "the group has given this process's group.instance.id to another member. Either a second "
                            "process has it (a copied state.directory?), or the group's broker was lost while this "
                            "one joined; then it need only be started again: %s",
                            text);
        return complain(complaint, FAIL(IO, code, "the consumer cannot go on"), "the consumer cannot go on: %s", text);
    }
    kafka_client_report(&consumer->client, LOG_ERR, rd_kafka_err2name(message->err), "%s",
                        rd_kafka_message_errstr(message));
    return OK;
}

struct status kafka_consumer_poll(struct kafka_consumer *consumer, int timeout_ms, struct complaint *complaint)
{
    struct status status = OK;
    tell_ends(consumer);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->client.handle, timeout_ms);
    if (message) {
        status = check_event(consumer, message, complaint);
        rd_kafka_message_destroy(message);
    }
    if (failed(consumer->failure)) {
        if (complaint)
            *complaint = consumer->complaint;
        return consumer->failure;
    }
    return status;
}

struct status kafka_consumer_count_partitions(struct kafka_consumer *consumer, int timeout_ms, int32_t *ret_count)
{
    return kafka_client_count_partitions(&consumer->client, consumer->known, timeout_ms, ret_count);
}

void kafka_consumer_leave(struct kafka_consumer *consumer)
{
    if (!consumer->left)
        rd_kafka_consumer_close(consumer->client.handle);
    consumer->left = true;
}

void kafka_consumer_close(struct kafka_consumer *consumer)
{
    if (!consumer)
        return;
    if (consumer->client.handle)
        kafka_consumer_leave(consumer);
    for (uint32_t i = 0; consumer->sources && i < consumer->shard_count; i++)
        kafka_source_close(&consumer->sources[i]);
    if (consumer->known)
        rd_kafka_topic_destroy(consumer->known);
    kafka_client_stop(&consumer->client);
    free(consumer->going);
    free(consumer->sources);
    free(consumer->topic);
    free(consumer);
}
