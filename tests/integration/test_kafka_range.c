// SPDX-License-Identifier: Apache-2.0
/* Ranges of a topic on librdkafka's mock cluster in this process. */
#include "support/support.h"

#include <eddy/io/kafka_mock.h>
#include <eddy/io/kafka_range.h>

#define T          INT64_C(1600000000000)
#define PARTITIONS 3
#define PER_PART   40

/* Record n of partition p has the timestamp T + 10 * n + p, so that the order of all is known. */
static struct kafka_mock *make_topic(struct kafka_options *ret_options)
{
    struct kafka_mock *mock;
    assert_ok(kafka_mock_open(1, &mock));
    assert_ok(kafka_mock_create_topic(mock, "clicks", PARTITIONS));
    assert_ok(kafka_mock_create_topic(mock, "empty", 1));
    *ret_options = (struct kafka_options){.bootstrap = kafka_mock_bootstrap(mock), .client_id = "test"};
    struct kafka_sink_options options = {.kafka = ret_options,
                                         .topics = {"clicks", NULL, NULL, NULL},
                                         .queue_records_max = 1000,
                                         .queue_bytes_max = 1 << 20};
    struct kafka_sink *sink;
    assert_ok(kafka_sink_open(&options, &sink, NULL));
    struct record_sink port = kafka_sink_port(sink);
    for (int p = 0; p < PARTITIONS; p++)
        for (int n = 0; n < PER_PART; n++) {
            char text[32];
            snprintf(text, sizeof text, "%d", n * PARTITIONS + p);
            struct output_record record = {.output = OUTPUT_RECOMMENDATIONS,
                                           .partition = p,
                                           .timestamp_ms = T + 10 * n + p,
                                           .key = BYTES("k"),
                                           .value = bytes_of_text(text)};
            assert_ok(port.ops->publish(port.self, &record));
        }
    assert_ok(port.ops->flush(port.self, 10000));
    kafka_sink_close(sink);
    return mock;
}

static struct kafka_range *open_range(const struct kafka_options *kafka, const char *topic, struct kafka_bound from,
                                      struct kafka_bound to)
{
    struct kafka_range_options options = {.kafka = kafka,
                                          .topic = topic,
                                          .partition_count = strcmp(topic, "empty") ? PARTITIONS : 1,
                                          .from = from,
                                          .to = to};
    struct kafka_range *range;
    struct complaint complaint = {{0}};
    struct status status = kafka_range_open(&options, &range, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
    return range;
}

static void expect(struct kafka_range *range, int number)
{
    struct message message;
    bool found;
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    assert_ok(kafka_range_next(range, &message, &found, NULL));
    assert_true(found);
    assert_bytes(message.value, text);
    assert_int_equal(message.partition, number % PARTITIONS);
    assert_int_equal(message.offset, number / PARTITIONS);
    assert_int_equal(message.timestamp_ms, T + number / PARTITIONS * 10 + number % PARTITIONS);
}

static void expect_end(struct kafka_range *range)
{
    struct message message;
    bool found;
    for (int i = 0; i < 2; i++) {
        assert_ok(kafka_range_next(range, &message, &found, NULL));
        assert_false(found);
    }
    kafka_range_close(range);
}

static const struct kafka_bound none = {KAFKA_BOUND_NONE, 0};

static void range_merges_partitions_by_record_time_up_to_the_end(void **state)
{
    (void)state;
    struct kafka_options kafka;
    struct kafka_mock *mock = make_topic(&kafka);
    for (int again = 0; again < 2; again++) {
        struct kafka_range *range = open_range(&kafka, "clicks", none, none);
        assert_int_equal(kafka_range_size(range), PARTITIONS * PER_PART);
        for (int i = 0; i < PARTITIONS * PER_PART; i++)
            expect(range, i);
        expect_end(range);
    }
    expect_end(open_range(&kafka, "empty", none, none));
    kafka_mock_close(mock);
}

static void range_keeps_to_its_offsets(void **state)
{
    (void)state;
    struct kafka_options kafka;
    struct kafka_mock *mock = make_topic(&kafka);
    struct kafka_range *range = open_range(&kafka, "clicks", (struct kafka_bound){KAFKA_BOUND_OFFSET, 5},
                                           (struct kafka_bound){KAFKA_BOUND_OFFSET, 8});
    assert_int_equal(kafka_range_size(range), PARTITIONS * 3);
    for (int i = 5 * PARTITIONS; i < 8 * PARTITIONS; i++)
        expect(range, i);
    expect_end(range);
    range = open_range(&kafka, "clicks", (struct kafka_bound){KAFKA_BOUND_OFFSET, PER_PART - 1},
                       (struct kafka_bound){KAFKA_BOUND_OFFSET, 10 * PER_PART}); /* past the log's end */
    for (int i = (PER_PART - 1) * PARTITIONS; i < PER_PART * PARTITIONS; i++)
        expect(range, i);
    expect_end(range);
    expect_end(open_range(&kafka, "clicks", (struct kafka_bound){KAFKA_BOUND_OFFSET, 8},
                          (struct kafka_bound){KAFKA_BOUND_OFFSET, 8}));
    kafka_mock_close(mock);
}

static void range_gives_the_headers_of_its_last_record(void **state)
{
    (void)state;
    struct kafka_options kafka;
    struct kafka_mock *mock = make_topic(&kafka);
    assert_ok(kafka_mock_create_topic(mock, "letters", PARTITIONS));
    struct kafka_sink_options options = {
        .kafka = &kafka, .topics = {"letters"}, .queue_records_max = 10, .queue_bytes_max = 1 << 20};
    struct kafka_sink *sink;
    assert_ok(kafka_sink_open(&options, &sink, NULL));
    struct record_sink port = kafka_sink_port(sink);
    const char *const attempts[] = {"2", "-1", "99999999999", "two"};
    for (int i = 0; i < 4; i++) {
        const struct header headers[] = {{"a", BYTES("1")}, {ATTEMPT_HEADER, bytes_of_text(attempts[i])}, {"a", {0}}};
        const struct output_record record = {.output = OUTPUT_RECOMMENDATIONS,
                                             .timestamp_ms = T + i,
                                             .headers = headers,
                                             .header_count = i == 3 ? 0 : 3};
        assert_ok(port.ops->publish(port.self, &record));
    }
    assert_ok(port.ops->flush(port.self, 10000));
    kafka_sink_close(sink);
    struct kafka_range *range = open_range(&kafka, "letters", none, none);
    for (int i = 0; i < 4; i++) {
        struct message message;
        struct header headers[4];
        bool found;
        assert_ok(kafka_range_next(range, &message, &found, NULL));
        assert_true(found);
        assert_int_equal(message.attempt, i == 0 ? 2 : 0);
        assert_int_equal(kafka_range_headers(range, headers, 1), i == 3 ? 0 : 1);
        assert_int_equal(kafka_range_headers(range, headers, 4), i == 3 ? 0 : 3);
        assert_true(i == 3 || (!strcmp(headers[2].name, "a") && headers[2].value.size == 0));
        assert_true(i == 3 || bytes_equal_text(headers[1].value, attempts[i]));
    }
    expect_end(range);
    kafka_mock_close(mock);
}

static void range_says_when_no_broker_answers(void **state)
{
    (void)state;
    struct kafka_options kafka = {.bootstrap = "127.0.0.1:1", .client_id = "test"};
    struct kafka_range_options options = {.kafka = &kafka, .topic = "clicks", .partition_count = 1};
    struct kafka_range *range;
    struct complaint complaint = {{0}};
    assert_fails(UNAVAILABLE, kafka_range_open(&options, &range, &complaint));
    assert_non_null(strstr(complaint.text, "topic clicks: its offsets cannot be read: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_merges_partitions_by_record_time_up_to_the_end),
        cmocka_unit_test(range_keeps_to_its_offsets),
        cmocka_unit_test(range_gives_the_headers_of_its_last_record),
        cmocka_unit_test(range_says_when_no_broker_answers),
    };
    return cmocka_run_group_tests_name("kafka_range", tests, NULL, NULL);
}
