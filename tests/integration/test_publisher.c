// SPDX-License-Identifier: Apache-2.0
/* A publisher's transactions on librdkafka's mock cluster, with the faults that it can make. */
#include "support/support.h"

#include "support/mock_rig.h"

#include <eddy/io/kafka_publisher.h>
#include <eddy/io/system.h>

/* Of Kafka's protocol. */
#define INVALID_PRODUCER_EPOCH                47
#define INVALID_TXN_STATE                     48
#define TRANSACTIONAL_ID_AUTHORIZATION_FAILED 53
#define PRODUCER_FENCED                       90
#define TOPIC_AUTHORIZATION_FAILED            29

static struct kafka_publisher *open_publisher(struct kafka_mock *mock)
{
    const struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
    const struct kafka_publisher_options options = {
        .kafka = &kafka, .topic = "recommendations", .transactional_id = "test", .queue_bytes_max = 1 << 20};
    struct kafka_publisher *publisher;
    struct complaint complaint = {""};
    if (failed(kafka_publisher_open(&options, 10000, &publisher, &complaint)))
        fail_msg("%s", complaint.text);
    return publisher;
}

static size_t count_records(struct kafka_mock *mock, size_t wanted)
{
    const struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
    const struct kafka_reader_options options = {
        .kafka = &kafka, .topic = "recommendations", .partition_count = 1, .committed = true};
    struct kafka_reader *reader;
    struct message messages[16];
    size_t count, sum = 0;
    assert_ok(kafka_reader_open(&options, &reader, NULL));
    for (int64_t end = mock_rig_now_ms() + 10000; sum < wanted && mock_rig_now_ms() < end; sum += count)
        assert_ok(kafka_reader_poll(reader, 50, messages, 16, &count));
    kafka_reader_close(reader);
    return sum;
}

static void more_than_the_queue_holds_is_written(void **state)
{
    struct kafka_mock *mock = *state;
    struct kafka_publisher *publisher = open_publisher(mock);
    static uint8_t value[100000];
    assert_ok(kafka_publisher_begin(publisher, NULL));
    for (int i = 0; i < 40; i++) /* four times the queue, and less than the mock cluster keeps */
        assert_ok(kafka_publisher_put(publisher, BYTES("k"), bytes_of(value, sizeof value), NULL));
    assert_ok(kafka_publisher_put(publisher, BYTES("k"), (struct bytes){0}, NULL));
    assert_ok(kafka_publisher_commit(publisher, NULL));
    kafka_publisher_close(publisher);
    assert_int_equal(count_records(mock, 41), 41);
}

static void a_publisher_writes_more_than_one_transaction(void **state)
{
    struct kafka_mock *mock = *state;
    struct kafka_publisher *publisher = open_publisher(mock);
    for (int i = 0; i < 3; i++) {
        assert_ok(kafka_publisher_begin(publisher, NULL));
        assert_ok(kafka_publisher_put(publisher, BYTES("k"), BYTES("v"), NULL));
        assert_ok(kafka_publisher_commit(publisher, NULL));
    }
    kafka_publisher_close(publisher);
    assert_int_equal(count_records(mock, 3), 3);
}

static void a_record_that_is_too_large_is_refused(void **state)
{
    struct kafka_publisher *publisher = open_publisher(*state);
    struct complaint complaint = {""};
    uint8_t *value = calloc(9 << 20, 1);
    assert_ok(kafka_publisher_begin(publisher, NULL));
    assert_fails(IO, kafka_publisher_put(publisher, BYTES("k"), bytes_of(value, 9 << 20), &complaint));
    assert_non_null(strstr(complaint.text, "recommendations"));
    kafka_publisher_close(publisher);
    free(value);
}

/* What publishing one record comes to when brokers answer `request` with that error. */
static struct status publish_with(struct kafka_mock *mock, enum kafka_mock_request request, int error,
                                  struct complaint *complaint)
{
    struct kafka_publisher *publisher = open_publisher(mock);
    kafka_mock_fail_requests(mock, request, error, 1);
    struct status status = kafka_publisher_begin(publisher, complaint);
    if (!failed(status))
        status = kafka_publisher_put(publisher, BYTES("k"), BYTES("v"), complaint);
    if (!failed(status))
        status = kafka_publisher_commit(publisher, complaint);
    kafka_mock_fail_requests(mock, request, 0, 0);
    kafka_publisher_close(publisher);
    return status;
}

static void what_brokers_answer_is_told_apart(void **state)
{
    struct kafka_mock *mock = *state;
    static const struct {
        enum kafka_mock_request request;
        int error;
        enum fault_kind wanted;
    } cases[] = {
        {KAFKA_MOCK_END_TRANSACTION, PRODUCER_FENCED, FAULT_FENCED},
        {KAFKA_MOCK_END_TRANSACTION, INVALID_PRODUCER_EPOCH, FAULT_FENCED},
        {KAFKA_MOCK_ADD_PARTITIONS, PRODUCER_FENCED, FAULT_FENCED},
        {KAFKA_MOCK_END_TRANSACTION, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, FAULT_IO},
        {KAFKA_MOCK_ADD_PARTITIONS, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, FAULT_IO},
        {KAFKA_MOCK_PRODUCE, TOPIC_AUTHORIZATION_FAILED, FAULT_IO},
        {KAFKA_MOCK_END_TRANSACTION, INVALID_TXN_STATE, FAULT_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct complaint complaint = {""};
        struct status status = publish_with(mock, cases[i].request, cases[i].error, &complaint);
        if (!failed_as(status, cases[i].wanted))
            fail_msg("case %zu: %s: %s", i, failed(status) ? status.fault->what : "OK", complaint.text);
        assert_non_null(strstr(complaint.text, "recommendations"));
    }
}

static void brokers_that_are_away_are_given_up(void **state)
{
    struct kafka_mock *mock = *state;
    const struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
    const struct kafka_publisher_options options = {
        .kafka = &kafka, .topic = "recommendations", .transactional_id = "test", .queue_bytes_max = 1 << 20};
    struct kafka_publisher *publisher;
    struct complaint complaint = {""};
    assert_ok(kafka_mock_set_down(mock, true));
    assert_fails(UNAVAILABLE, kafka_publisher_open(&options, 1000, &publisher, &complaint));
    assert_true(complaint.text[0]);
    assert_ok(kafka_mock_set_down(mock, false));
}

/* Without the stop, either waits for longer than this test may take, but for the first: that would be UNAVAILABLE. */
static void a_stop_ends_what_waits_for_brokers(void **state)
{
    struct kafka_mock *mock = *state;
    static _Atomic bool stop;
    const struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
    const struct kafka_publisher_options options = {.kafka = &kafka,
                                                    .topic = "recommendations",
                                                    .transactional_id = "test",
                                                    .queue_bytes_max = 1 << 20,
                                                    .stop = &stop};
    static uint8_t value[900000];
    struct kafka_publisher *publisher;
    assert_ok(kafka_mock_set_down(mock, true));
    stop = true;
    assert_fails(INTERRUPTED, kafka_publisher_open(&options, 300000, &publisher, NULL));
    assert_ok(kafka_mock_set_down(mock, false));
    stop = false;
    assert_ok(kafka_publisher_open(&options, 10000, &publisher, NULL));
    assert_ok(kafka_publisher_begin(publisher, NULL));
    assert_ok(kafka_mock_set_down(mock, true));
    assert_ok(kafka_publisher_put(publisher, BYTES("k"), bytes_of(value, sizeof value), NULL));
    stop = true;
    assert_fails(INTERRUPTED, kafka_publisher_put(publisher, BYTES("k"), bytes_of(value, sizeof value), NULL));
    assert_fails(INTERRUPTED, kafka_publisher_commit(publisher, NULL));
    kafka_publisher_close(publisher);
    assert_ok(kafka_mock_set_down(mock, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MOCK(more_than_the_queue_holds_is_written),  WITH_MOCK(a_publisher_writes_more_than_one_transaction),
        WITH_MOCK(a_record_that_is_too_large_is_refused), WITH_MOCK(what_brokers_answer_is_told_apart),
        WITH_MOCK(brokers_that_are_away_are_given_up),    WITH_MOCK(a_stop_ends_what_waits_for_brokers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
