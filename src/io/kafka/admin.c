// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/client.h"

#include <eddy/io/kafka_topics.h>

#include <stdio.h>
#include <stdlib.h>

struct kafka_admin {
    struct kafka_client client;
    char *bootstrap;
};

/* What all brokers refuse for so long, or one for what is configured, is not waited for any longer. One name may be
 * several addresses (localhost), of which librdkafka takes one after the other. */
#define REFUSED_MS 1000
#define SLICE_MS   500 /* of waiting, at first; it doubles, for the answer of a slow cluster */

static const struct kafka_property none[] = {{NULL, NULL}};

struct status kafka_admin_open(const struct kafka_options *options, struct kafka_admin **ret_admin,
                               struct complaint *complaint)
{
    /* A consumer, as those do not create topics by asking for them. */
    const struct kafka_setup setup = {RD_KAFKA_CONSUMER, "admin", none, none};
    struct kafka_admin *admin = calloc(1, sizeof *admin);
    if (!admin)
        return FAIL(MEMORY, 0, "no memory for a Kafka client");
    admin->bootstrap = strdup(options->bootstrap);
    rd_kafka_conf_t *conf;
    struct status status = kafka_client_configure(&admin->client, options, &setup, &conf, complaint);
    if (!failed(status))
        status = kafka_client_start(&admin->client, RD_KAFKA_CONSUMER, conf, complaint);
    if (failed(status)) {
        kafka_admin_close(admin);
        return status;
    }
    *ret_admin = admin;
    return OK;
}

void kafka_admin_close(struct kafka_admin *admin)
{
    if (!admin)
        return;
    kafka_client_stop(&admin->client);
    free(admin->bootstrap);
    free(admin);
}

static struct status unreachable(struct kafka_admin *admin, rd_kafka_resp_err_t error, int timeout_ms,
                                 struct complaint *complaint)
{
    char last[512];
    rd_kafka_poll(admin->client.handle, 0); /* brings the connection errors in */
    kafka_client_last_error(&admin->client, last, sizeof last);
    return complain(complaint, FAIL(UNAVAILABLE, error, "no broker answers"),
                    "no broker of %s (kafka.bootstrap.servers) answered within %d ms: %s",
                    admin->bootstrap ? admin->bootstrap : "?", timeout_ms, last[0] ? last : rd_kafka_err2str(error));
}

/* Errors about the topic, not about reaching a broker. */
static struct status topic_refused(const char *topic, rd_kafka_resp_err_t error, struct complaint *complaint)
{
    return complain(complaint, FAIL(IO, error, "the cluster refuses"), "topic %s: %s", topic, rd_kafka_err2str(error));
}

static const struct rd_kafka_metadata_topic *find_topic(const struct rd_kafka_metadata *metadata, const char *topic)
{
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (!strcmp(metadata->topics[i].topic, topic))
            return &metadata->topics[i];
    return NULL;
}

/* Metadata of all topics, because asking for one by name may create it; fails as unreachable(). */
static struct status ask_metadata(struct kafka_admin *admin, bool topics, int timeout_ms,
                                  const struct rd_kafka_metadata **ret_metadata, struct complaint *complaint)
{
    int waited_ms = 0;
    for (int slice_ms = SLICE_MS;; slice_ms = waited_ms) {
        slice_ms = slice_ms < timeout_ms - waited_ms ? slice_ms : timeout_ms - waited_ms;
        rd_kafka_resp_err_t error = rd_kafka_metadata(admin->client.handle, topics, NULL, ret_metadata, slice_ms);
        if (!error)
            return OK;
        waited_ms += slice_ms;
        rd_kafka_poll(admin->client.handle, 0); /* brings the connection errors in */
        bool hopeless = admin->client.all_down || admin->client.refused;
        if (waited_ms >= timeout_ms || (hopeless && waited_ms >= REFUSED_MS))
            return unreachable(admin, error, waited_ms, complaint);
    }
}

struct status kafka_topic_describe(struct kafka_admin *admin, const char *topic, int timeout_ms,
                                   struct kafka_topic_info *ret_info, struct complaint *complaint)
{
    const struct rd_kafka_metadata *metadata;
    TRY(ask_metadata(admin, true, timeout_ms, &metadata, complaint));
    const struct rd_kafka_metadata_topic *found = find_topic(metadata, topic);
    struct kafka_topic_info info = {.partition_count = found ? found->partition_cnt : 0};
    rd_kafka_resp_err_t error = found ? found->err : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_metadata_destroy(metadata);
    if (error && error != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        return topic_refused(topic, error, complaint);
    *ret_info = info;
    return OK;
}

/* Waits for the answer of an admin request, which the caller destroys; fails when there is none. */
static struct status wait_answer(struct kafka_admin *admin, rd_kafka_queue_t *queue, int timeout_ms,
                                 rd_kafka_event_t **ret_answer, struct complaint *complaint)
{
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, timeout_ms + 1000);
    if (!answer)
        return unreachable(admin, RD_KAFKA_RESP_ERR__TIMED_OUT, timeout_ms, complaint);
    rd_kafka_resp_err_t error = rd_kafka_event_error(answer);
    if (!error) {
        *ret_answer = answer;
        return OK;
    }
    struct status status = FAIL(IO, error, "the cluster refuses");
    if (error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT)
        status = unreachable(admin, error, timeout_ms, complaint);
    else
        complain(complaint, status, "the cluster refuses: %s", rd_kafka_event_error_string(answer));
    rd_kafka_event_destroy(answer);
    return status;
}

static rd_kafka_AdminOptions_t *request_options(struct kafka_admin *admin, rd_kafka_admin_op_t operation,
                                                int timeout_ms)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client.handle, operation);
    char text[128];
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text, sizeof text);
    if (operation != RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) /* return when the brokers know it */
        rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, text, sizeof text);
    return options;
}

static struct status created(rd_kafka_event_t *answer, const char *topic, bool *ret_created,
                             struct complaint *complaint)
{
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), &count);
    assert(count == 1);
    rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[0]);
    const char *text = rd_kafka_topic_result_error_string(results[0]);
    if (error && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return complain(complaint, FAIL(IO, error, "the cluster refuses a topic"), "topic %s: %s", topic,
                        text ? text : rd_kafka_err2str(error));
    *ret_created = !error;
    return OK;
}

static struct status set_settings(rd_kafka_NewTopic_t *request, const struct kafka_new_topic *topic)
{
    rd_kafka_resp_err_t error =
        rd_kafka_NewTopic_set_config(request, "cleanup.policy", topic->compacted ? "compact" : "delete");
    for (size_t i = 0; i < topic->property_count && !error; i++)
        error = rd_kafka_NewTopic_set_config(request, topic->properties[i].name, topic->properties[i].value);
    return error ? FAIL(CONFIG, error, "a topic setting is impossible") : OK;
}

struct status kafka_topic_create(struct kafka_admin *admin, const struct kafka_new_topic *topic, int timeout_ms,
                                 bool *ret_created, struct complaint *complaint)
{
    char text[256];
    rd_kafka_NewTopic_t *request =
        rd_kafka_NewTopic_new(topic->name, topic->partition_count, topic->replication, text, sizeof text);
    if (!request)
        return complain(complaint, FAIL(CONFIG, 0, "an impossible topic"), "topic %s: %s", topic->name, text);
    struct status status = set_settings(request, topic);
    rd_kafka_AdminOptions_t *options = request_options(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client.handle);
    rd_kafka_event_t *answer = NULL;
    if (!failed(status)) {
        rd_kafka_CreateTopics(admin->client.handle, &request, 1, options, queue);
        status = wait_answer(admin, queue, timeout_ms, &answer, complaint);
    }
    if (!failed(status)) {
        status = created(answer, topic->name, ret_created, complaint);
        rd_kafka_event_destroy(answer);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(request);
    return status;
}

static struct status grown(rd_kafka_event_t *answer, const char *topic, struct complaint *complaint)
{
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(answer), &count);
    assert(count == 1);
    rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[0]);
    const char *text = rd_kafka_topic_result_error_string(results[0]);
    return error ? complain(complaint, FAIL(IO, error, "the cluster refuses partitions"), "topic %s: %s", topic,
                            text ? text : rd_kafka_err2str(error))
                 : OK;
}

struct status kafka_topic_grow(struct kafka_admin *admin, const char *topic, int32_t partition_count, int timeout_ms,
                               struct complaint *complaint)
{
    char text[256];
    rd_kafka_NewPartitions_t *request = rd_kafka_NewPartitions_new(topic, (size_t)partition_count, text, sizeof text);
    if (!request)
        return complain(complaint, FAIL(CONFIG, 0, "an impossible topic"), "topic %s: %s", topic, text);
    rd_kafka_AdminOptions_t *options = request_options(admin, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout_ms);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client.handle);
    rd_kafka_event_t *answer = NULL;
    rd_kafka_CreatePartitions(admin->client.handle, &request, 1, options, queue);
    struct status status = wait_answer(admin, queue, timeout_ms, &answer, complaint);
    if (!failed(status)) {
        status = grown(answer, topic, complaint);
        rd_kafka_event_destroy(answer);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewPartitions_destroy(request);
    return status;
}

static void take_setting(const char *name, const char *value, struct kafka_topic_settings *settings)
{
    if (!strcmp(name, "cleanup.policy"))
        snprintf(settings->cleanup_policy, sizeof settings->cleanup_policy, "%s", value);
    else if (!strcmp(name, "max.message.bytes"))
        snprintf(settings->max_message_bytes, sizeof settings->max_message_bytes, "%s", value);
    else if (!strcmp(name, "message.timestamp.type"))
        settings->stamped_by_broker = !strcmp(value, "LogAppendTime");
}

static struct status take_settings(rd_kafka_event_t *answer, const char *topic,
                                   struct kafka_topic_settings *ret_settings, struct complaint *complaint)
{
    size_t count;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(answer), &count);
    assert(count == 1);
    rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(resources[0]);
    if (error)
        return topic_refused(topic, error, complaint);
    struct kafka_topic_settings settings = {0};
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resources[0], &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        take_setting(rd_kafka_ConfigEntry_name(entries[i]), value ? value : "", &settings);
    }
    *ret_settings = settings;
    return OK;
}

/* Any broker knows the settings of topics; librdkafka would ask the controller, which the embedded broker has not. */
static struct status ask_any_broker(struct kafka_admin *admin, rd_kafka_AdminOptions_t *options, int timeout_ms,
                                    struct complaint *complaint)
{
    const struct rd_kafka_metadata *metadata;
    TRY(ask_metadata(admin, false, timeout_ms, &metadata, complaint));
    char text[128];
    rd_kafka_AdminOptions_set_broker(options, metadata->orig_broker_id, text, sizeof text);
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

struct status kafka_topic_read_settings(struct kafka_admin *admin, const char *topic, int timeout_ms,
                                        struct kafka_topic_settings *ret_settings, struct complaint *complaint)
{
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_AdminOptions_t *options = request_options(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client.handle);
    rd_kafka_event_t *answer = NULL;
    struct status status = ask_any_broker(admin, options, timeout_ms, complaint);
    if (!failed(status)) {
        rd_kafka_DescribeConfigs(admin->client.handle, &resource, 1, options, queue);
        status = wait_answer(admin, queue, timeout_ms, &answer, complaint);
    }
    if (!failed(status)) {
        status = take_settings(answer, topic, ret_settings, complaint);
        rd_kafka_event_destroy(answer);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
    return status;
}
