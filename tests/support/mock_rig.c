// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/mock_rig.h"

#include <eddy/io/system.h>

int64_t mock_rig_now_ms(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self) / 1000;
}

/* What librdkafka and the adapters say of faults that tests make is no news. */
static void ignore(void *context, int level, const char *facility, const char *text)
{
    (void)context, (void)level, (void)facility, (void)text;
}

struct kafka_options mock_rig_options(const char *bootstrap)
{
    /* The mock cluster notices that a member left only when its session times out. */
    static const struct kafka_property properties[] = {{"session.timeout.ms", "6000"}};
    return (struct kafka_options){.bootstrap = bootstrap,
                                  .client_id = "test",
                                  .properties = properties,
                                  .property_count = 1,
                                  .listener = {.log = ignore, .context = NULL}};
}

struct kafka_mock *mock_rig_open(void)
{
    struct kafka_mock *mock;
    assert_ok(kafka_mock_open(1, &mock));
    assert_ok(kafka_mock_create_topic(mock, "clicks", 4));
    assert_ok(kafka_mock_create_topic(mock, "recommendations", 1));
    assert_ok(kafka_mock_create_topic(mock, "sessions", 2));
    assert_ok(kafka_mock_create_topic(mock, "items", 3));
    return mock;
}

struct kafka_sink *mock_rig_sink(const struct kafka_options *kafka, const char *first_topic)
{
    struct kafka_sink_options options = {.kafka = kafka,
                                         .topics = {first_topic, "sessions"},
                                         .partitions = {[OUTPUT_SESSIONS] = 2},
                                         .queue_records_max = 1000,
                                         .queue_bytes_max = 1 << 20};
    struct kafka_sink *sink;
    struct complaint complaint = {0};
    assert_ok(kafka_sink_open(&options, &sink, &complaint));
    return sink;
}

void mock_rig_publish(struct record_sink sink, enum output output, int32_t partition, int number)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    struct output_record record = {
        .output = output, .partition = partition, .key = BYTES("k"), .value = bytes_of_text(text)};
    assert_ok(sink.ops->publish(sink.self, &record));
}

int mock_rig_make(void **state)
{
    *state = mock_rig_open();
    return 0;
}

int mock_rig_drop(void **state)
{
    kafka_mock_close(*state);
    return 0;
}
