// SPDX-License-Identifier: Apache-2.0
#pragma once
/* mock_rig: librdkafka's mock cluster with eddy's topics on it, for tests of the Kafka adapters. */
#include <eddy/io/kafka.h>
#include <eddy/io/kafka_mock.h>

int64_t mock_rig_now_ms(void); /* monotonic */

/* Properties for a broker of the mock cluster. */
struct kafka_options mock_rig_options(const char *bootstrap);

/* Four partitions of clicks, one of recommendations, two of sessions, three of items. */
struct kafka_mock *mock_rig_open(void);
/* Recommendations go to `first_topic`, sessions to theirs. */
struct kafka_sink *mock_rig_sink(const struct kafka_options *kafka, const char *first_topic);
/* Publishes the number as text. */
void mock_rig_publish(struct record_sink sink, enum output output, int32_t partition, int number);

/* As a test's set-up and teardown: *state is the mock cluster. */
int mock_rig_make(void **state);
int mock_rig_drop(void **state);
#define WITH_MOCK(test) cmocka_unit_test_setup_teardown(test, mock_rig_make, mock_rig_drop)
