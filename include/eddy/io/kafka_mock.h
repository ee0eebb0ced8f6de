// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kafka_mock: librdkafka's mock cluster in this process, on ephemeral loopback ports that any Kafka client of this
 * machine can use. For a first look and for tests: it keeps about 5 MiB a partition, forgets everything when closed,
 * compacts nothing, and its transactions are a stub. Calls are thread-safe. */
#include <eddy/base/status.h>

struct kafka_mock;

MUST_CHECK struct status kafka_mock_open(int broker_count, struct kafka_mock **ret_mock);
void kafka_mock_close(struct kafka_mock *mock);
/* "127.0.0.1:port,..."; lives as long as the cluster. */
const char *kafka_mock_bootstrap(const struct kafka_mock *mock);
MUST_CHECK struct status kafka_mock_create_topic(struct kafka_mock *mock, const char *topic, int partition_count);

/* Faults, for tests. */
/* `broker` counts from 1. */
MUST_CHECK struct status kafka_mock_set_leader(struct kafka_mock *mock, const char *topic, int32_t partition,
                                               int32_t broker);
MUST_CHECK struct status kafka_mock_set_down(struct kafka_mock *mock, bool down); /* all brokers refuse connections */

/* As Kafka's protocol numbers them. */
enum kafka_mock_request {
    KAFKA_MOCK_PRODUCE = 0,
    KAFKA_MOCK_FETCH = 1,
    KAFKA_MOCK_LIST_OFFSETS = 2, /* where a log begins or ends */
    KAFKA_MOCK_OFFSET_FETCH = 9, /* where a group stands */
    KAFKA_MOCK_FIND_COORDINATOR = 10,
    KAFKA_MOCK_HEARTBEAT = 12, /* of a group's members */
    KAFKA_MOCK_INIT_PRODUCER_ID = 22,
    KAFKA_MOCK_ADD_PARTITIONS = 24, /* to a transaction, as the three below */
    KAFKA_MOCK_ADD_OFFSETS = 25,
    KAFKA_MOCK_END_TRANSACTION = 26,
    KAFKA_MOCK_COMMIT_OFFSETS = 28,
};

/* The next `count` requests of that kind are answered with that Kafka error code, and what an earlier call asked for is
 * forgotten. */
void kafka_mock_fail_requests(struct kafka_mock *mock, enum kafka_mock_request request, int error_code, int count);
