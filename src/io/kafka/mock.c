// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/kafka_mock.h>

#include <librdkafka/rdkafka.h>

#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct kafka_mock {
    rd_kafka_t *handle; /* librdkafka wants one to hang the cluster on */
    rd_kafka_mock_cluster_t *cluster;
    int broker_count;
};

/* The handle's own messages, about connections it never makes, are of no use to anybody. */
static void ignore_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

/* librdkafka blocks all signals in its threads but the cluster's: there a handler's return ends poll(), and with it the
 * thread (2.0.2, rd_kafka_mock_cluster_io_poll), so that nobody answers any more and destroying it waits for ever. A
 * thread begins with its maker's mask. */
static rd_kafka_mock_cluster_t *open_cluster(rd_kafka_t *handle, int broker_count)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(handle, broker_count);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return cluster;
}

struct status kafka_mock_open(int broker_count, struct kafka_mock **ret_mock)
{
    assert(broker_count > 0);
    struct kafka_mock *mock = calloc(1, sizeof *mock);
    if (!mock)
        return FAIL(MEMORY, 0, "no memory for the embedded broker");
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, ignore_log);
    char text[256];
    mock->broker_count = broker_count;
    mock->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!mock->handle)
        rd_kafka_conf_destroy(conf);
    else
        mock->cluster = open_cluster(mock->handle, broker_count);
    if (!mock->cluster) {
        kafka_mock_close(mock);
        return FAIL(IO, broker_count, "the embedded broker does not start");
    }
    *ret_mock = mock;
    return OK;
}

void kafka_mock_close(struct kafka_mock *mock)
{
    if (!mock)
        return;
    if (mock->cluster)
        rd_kafka_mock_cluster_destroy(mock->cluster);
    if (mock->handle)
        rd_kafka_destroy(mock->handle);
    free(mock);
}

const char *kafka_mock_bootstrap(const struct kafka_mock *mock)
{
    return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

struct status kafka_mock_create_topic(struct kafka_mock *mock, const char *topic, int partition_count)
{
    rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(mock->cluster, topic, partition_count, 1);
    return error ? FAIL(IO, error, "the embedded broker does not create the topic") : OK;
}

struct status kafka_mock_set_down(struct kafka_mock *mock, bool down)
{
    for (int broker = 1; broker <= mock->broker_count; broker++) {
        rd_kafka_resp_err_t error = down ? rd_kafka_mock_broker_set_down(mock->cluster, broker)
                                         : rd_kafka_mock_broker_set_up(mock->cluster, broker);
        if (error)
            return FAIL(IO, error, "the embedded broker does not obey");
    }
    return OK;
}

struct status kafka_mock_set_leader(struct kafka_mock *mock, const char *topic, int32_t partition, int32_t broker)
{
    rd_kafka_resp_err_t error = rd_kafka_mock_partition_set_leader(mock->cluster, topic, partition, broker);
    return error ? FAIL(IO, error, "the embedded brokers do not obey") : OK;
}

void kafka_mock_fail_requests(struct kafka_mock *mock, enum kafka_mock_request request, int error_code, int count)
{
    rd_kafka_mock_clear_request_errors(mock->cluster, (int16_t)request);
    for (int i = 0; i < count; i++)
        rd_kafka_mock_push_request_errors(mock->cluster, (int16_t)request, 1, (rd_kafka_resp_err_t)error_code);
}
