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
/* The next `count` produce requests are answered with that Kafka error code. */
void kafka_mock_fail_produce(struct kafka_mock *mock, int error_code, int count);
/* The same of requests for where a log begins or ends. */
void kafka_mock_fail_list_offsets(struct kafka_mock *mock, int error_code, int count);
/* And of what the members of a group say now and then. */
void kafka_mock_fail_heartbeat(struct kafka_mock *mock, int error_code, int count);
