// SPDX-License-Identifier: Apache-2.0
/* The Kafka adapters against librdkafka's mock cluster in this process. */
#include "support/support.h"

#include <eddy/io/kafka.h>
#include <eddy/io/kafka_mock.h>
#include <eddy/io/kafka_topics.h>
#include <eddy/io/system.h>

#include <pthread.h>
#include <time.h>

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What librdkafka and the adapters said; printed when a test fails is too late, so only counted. */
static _Atomic int errors_heard;

static void hear(void *context, int level, const char *facility, const char *text)
{
    (void)context;
    (void)facility;
    (void)text;
    if (level <= 3)
        errors_heard++;
}

static struct kafka_options options_of(const char *bootstrap)
{
    /* The mock cluster notices that a member left only when its session times out. */
    static const struct kafka_property properties[] = {{"session.timeout.ms", "6000"}};
    return (struct kafka_options){.bootstrap = bootstrap,
                                  .client_id = "test",
                                  .properties = properties,
                                  .property_count = 1,
                                  .listener = {.log = hear, .context = NULL}};
}

static struct kafka_mock *open_mock(void)
{
    struct kafka_mock *mock;
    assert_ok(kafka_mock_open(1, &mock));
    assert_ok(kafka_mock_create_topic(mock, "clicks", 4));
    assert_ok(kafka_mock_create_topic(mock, "recommendations", 1));
    assert_ok(kafka_mock_create_topic(mock, "sessions", 2));
    assert_ok(kafka_mock_create_topic(mock, "items", 3));
    return mock;
}

static struct kafka_sink *open_sink(const struct kafka_options *kafka, const char *first_topic)
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

static void publish_number(struct record_sink sink, enum output output, int32_t partition, int number)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    struct output_record record = {
        .output = output, .partition = partition, .key = BYTES("k"), .value = bytes_of_text(text)};
    assert_ok(sink.ops->publish(sink.self, &record));
}

/* ---- sink and reader */

static size_t read_all(struct kafka_reader *reader, struct message *messages, size_t capacity, size_t wanted)
{
    size_t total = 0;
    for (int64_t end = now_ms() + 20000; total < wanted && now_ms() < end;) {
        size_t count = 0;
        assert_ok(kafka_reader_poll(reader, 100, messages, capacity, &count));
        total += count;
    }
    return total;
}

static struct kafka_reader *open_reader(const struct kafka_options *kafka, const char *topic, int32_t partitions)
{
    struct kafka_reader_options options = {.kafka = kafka, .topic = topic, .partition_count = partitions};
    struct kafka_reader *reader;
    struct complaint complaint = {0};
    assert_ok(kafka_reader_open(&options, &reader, &complaint));
    return reader;
}

static void what_is_flushed_can_be_read_with_its_headers_absent_and_key_kept(void **state)
{
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    struct kafka_sink *sink = open_sink(&kafka, "recommendations");
    struct record_sink port = kafka_sink_port(sink);
    for (int i = 0; i < 100; i++)
        publish_number(port, OUTPUT_RECOMMENDATIONS, -1, i);
    assert_ok(port.ops->flush(port.self, 10000));
    assert_true(port.ops->fill(port.self) == 0);
    struct kafka_reader *reader = open_reader(&kafka, "recommendations", 1);
    struct message messages[100];
    size_t count = 0;
    while (!count)
        assert_ok(kafka_reader_poll(reader, 1000, messages, 1, &count));
    assert_bytes(messages[0].key, "k");
    assert_bytes(messages[0].value, "0");
    assert_true(messages[0].timestamp_ms > 1600000000000);
    assert_false(kafka_reader_caught_up(reader));
    assert_int_equal(read_all(reader, messages, 100, 99), 99);
    for (int64_t end = now_ms() + 5000; !kafka_reader_caught_up(reader) && now_ms() < end;)
        assert_ok(kafka_reader_poll(reader, 10, messages, 100, &count));
    assert_true(kafka_reader_caught_up(reader));
    kafka_reader_close(reader);
    kafka_sink_close(sink);
}

static void closed_sessions_keep_to_one_partition_of_their_source(void **state)
{
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    struct kafka_sink *sink = open_sink(&kafka, "recommendations");
    struct record_sink port = kafka_sink_port(sink);
    for (int i = 0; i < 40; i++)
        publish_number(port, OUTPUT_SESSIONS, i % 4, i);
    assert_ok(port.ops->flush(port.self, 10000));
    struct kafka_reader *reader = open_reader(&kafka, "sessions", 2);
    struct message messages[100];
    size_t total = 0, count;
    for (int64_t end = now_ms() + 20000; total < 40 && now_ms() < end; total += count) {
        assert_ok(kafka_reader_poll(reader, 100, messages, 100, &count));
        for (size_t i = 0; i < count; i++) {
            int64_t number;
            assert_true(bytes_to_int64(messages[i].value, &number));
            assert_int_equal(number % 2, messages[i].partition);
        }
    }
    assert_int_equal(total, 40);
    kafka_reader_close(reader);
    kafka_sink_close(sink);
}

static void a_topic_that_has_more_partitions_than_was_known_gets_to_use_them(void **state)
{
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    const struct kafka_sink_options options = {.kafka = &kafka,
                                               .topics = {[OUTPUT_LATE_CLICKS] = "items"},
                                               .partitions = {[OUTPUT_LATE_CLICKS] = 2},
                                               .queue_records_max = 10,
                                               .queue_bytes_max = 1 << 20};
    struct kafka_sink *sink;
    int32_t now;
    assert_ok(kafka_sink_open(&options, &sink, NULL));
    struct record_sink port = kafka_sink_port(sink);
    publish_number(port, OUTPUT_LATE_CLICKS, 2, 0);
    assert_ok(kafka_sink_count_partitions(sink, OUTPUT_LATE_CLICKS, 10000, &now));
    assert_int_equal(now, 3);
    publish_number(port, OUTPUT_LATE_CLICKS, 2, 2);
    assert_ok(port.ops->flush(port.self, 10000));
    struct kafka_reader *reader = open_reader(&kafka, "items", 3);
    struct message messages[2];
    size_t total = 0, count;
    for (int64_t end = now_ms() + 20000; total < 2 && now_ms() < end; total += count) {
        assert_ok(kafka_reader_poll(reader, 100, messages, 2, &count));
        for (size_t i = 0; i < count; i++)
            assert_int_equal(messages[i].partition, messages[i].value.data[0] - '0');
    }
    assert_int_equal(total, 2);
    kafka_reader_close(reader);
    kafka_sink_close(sink);
}

static void a_full_queue_is_a_limit_and_empties_again(void **state)
{
    struct kafka_mock *mock = *state;
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(mock));
    assert_ok(kafka_mock_set_down(mock, true));
    struct kafka_sink *sink = open_sink(&kafka, "recommendations");
    struct record_sink port = kafka_sink_port(sink);
    struct output_record record = {.output = OUTPUT_RECOMMENDATIONS, .partition = 0, .value = BYTES("v")};
    struct status status = OK;
    int accepted = 0;
    while (!failed(status = port.ops->publish(port.self, &record)))
        accepted++;
    assert_fails(LIMIT, status);
    assert_int_equal(accepted, 1000);
    assert_true(port.ops->fill(port.self) >= 1);
    assert_fails(UNAVAILABLE, port.ops->flush(port.self, 50));
    assert_ok(kafka_mock_set_down(mock, false));
    assert_ok(port.ops->flush(port.self, 30000));
    assert_true(port.ops->fill(port.self) == 0);
    kafka_sink_close(sink);
}

static void a_refused_record_makes_every_later_flush_fail(void **state)
{
    struct kafka_mock *mock = *state;
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(mock));
    struct kafka_sink *sink = open_sink(&kafka, "recommendations");
    struct record_sink port = kafka_sink_port(sink);
    publish_number(port, OUTPUT_RECOMMENDATIONS, 0, 1);
    assert_ok(port.ops->flush(port.self, 10000));
    kafka_mock_fail_requests(mock, KAFKA_MOCK_PRODUCE, 10 /* MSG_SIZE_TOO_LARGE */, 1);
    publish_number(port, OUTPUT_RECOMMENDATIONS, 0, 2);
    assert_fails(IO, port.ops->flush(port.self, 10000));
    assert_fails(IO, port.ops->flush(port.self, 10000));
    assert_int_equal(kafka_sink_failures(sink), 1);
    kafka_sink_close(sink);
}

/* ---- properties */

static void properties_that_eddy_owns_or_nobody_knows_are_refused_without_their_value(void **state)
{
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    const struct kafka_property refused[] = {
        {"acks", "hunter2"}, {"no.such.thing", "hunter2"}, {"linger.ms", "hunter2"}};
    for (size_t i = 0; i < 3; i++) {
        kafka.properties = &refused[i];
        kafka.property_count = 1;
        struct kafka_sink_options options = {
            .kafka = &kafka, .topics = {"recommendations"}, .queue_records_max = 10, .queue_bytes_max = 1 << 20};
        struct kafka_sink *sink;
        struct complaint complaint = {0};
        assert_fails(CONFIG, kafka_sink_open(&options, &sink, &complaint));
        assert_non_null(strstr(complaint.text, refused[i].name));
        assert_null(strstr(complaint.text, "hunter2"));
    }
}

/* ---- topics */

static void a_missing_topic_is_told_from_an_unreachable_broker(void **state)
{
    struct kafka_mock *mock = *state;
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(mock));
    struct kafka_admin *admin;
    struct complaint complaint = {0};
    assert_ok(kafka_admin_open(&kafka, &admin, &complaint));
    struct kafka_topic_info info;
    assert_ok(kafka_topic_describe(admin, "clicks", 10000, &info, &complaint));
    assert_int_equal(info.partition_count, 4);
    assert_ok(kafka_topic_describe(admin, "no-such-topic", 10000, &info, &complaint));
    assert_int_equal(info.partition_count, 0);
    kafka_admin_close(admin);

    kafka = options_of("127.0.0.1:1");
    assert_ok(kafka_admin_open(&kafka, &admin, &complaint));
    int64_t began_ms = now_ms();
    assert_fails(UNAVAILABLE, kafka_topic_describe(admin, "clicks", 60000, &info, &complaint));
    assert_true(now_ms() - began_ms < 30000); /* refused by all, so not waited for to the end */
    assert_non_null(strstr(complaint.text, "127.0.0.1:1"));
    assert_non_null(strstr(complaint.text, "refused"));
    kafka_admin_close(admin);
}

struct news { /* of one broker */
    int lost, reached;
};

static void take_news(void *context, int level, const char *facility, const char *text)
{
    (void)level;
    struct news *news = context;
    struct kafka_broker_report report;
    if (kafka_read_broker_report(facility, text, &report)) {
        news->lost += !report.reachable;
        news->reached += report.reachable;
    }
}

static void poll_until(struct kafka_reader *reader, const int *number)
{
    struct message messages[10];
    size_t count;
    for (int64_t end = now_ms() + 20000; !*number && now_ms() < end;)
        assert_ok(kafka_reader_poll(reader, 10, messages, 10, &count));
    assert_true(*number > 0);
}

static void a_broker_that_goes_and_comes_back_is_reported(void **state)
{
    struct kafka_mock *mock = *state;
    struct news news = {0};
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(mock));
    kafka.listener = (struct kafka_listener){take_news, &news};
    struct kafka_reader *reader = open_reader(&kafka, "items", 3);
    poll_until(reader, &news.reached);
    assert_int_equal(news.lost, 0);
    assert_ok(kafka_mock_set_down(mock, true));
    poll_until(reader, &news.lost);
    news.reached = 0;
    assert_ok(kafka_mock_set_down(mock, false));
    poll_until(reader, &news.reached);
    kafka_reader_close(reader);
}

static void what_a_producer_says_of_brokers_is_heard(void **state)
{
    struct kafka_mock *mock = *state;
    struct news news = {0};
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(mock));
    kafka.listener = (struct kafka_listener){take_news, &news};
    struct kafka_sink *sink = open_sink(&kafka, "recommendations");
    struct record_sink port = kafka_sink_port(sink);
    publish_number(port, OUTPUT_RECOMMENDATIONS, 0, 1);
    assert_ok(port.ops->flush(port.self, 10000));
    assert_true(news.reached > 0);
    assert_int_equal(news.lost, 0);
    assert_ok(kafka_mock_set_down(mock, true));
    for (int64_t end = now_ms() + 10000; !news.lost && now_ms() < end; system_wait_ms(10))
        port.ops->fill(port.self);
    assert_true(news.lost > 0);
    kafka_sink_close(sink);
}

/* ---- consumer */

struct group_test {
    struct kafka_consumer *consumer;
    struct kafka_sink *sink;
    int64_t starts[4]; /* where `assigned` makes each begin; -1: as proposed */
    struct assignment seen[4];
    _Atomic int assigned, revoked;
    struct status refusal;
};

static struct status on_assigned(void *context, struct assignment *partitions, size_t count,
                                 struct complaint *complaint)
{
    (void)complaint;
    struct group_test *test = context;
    for (size_t i = 0; i < count; i++) {
        int32_t p = partitions[i].partition;
        test->seen[p] = partitions[i];
        test->seen[p].metadata = bytes_equal_text(partitions[i].metadata, "w=1") ? BYTES("w=1") : BYTES("");
        if (test->starts[p] >= 0)
            partitions[i].start = test->starts[p];
    }
    test->assigned += (int)count;
    return test->refusal;
}

/* Commits from within, as shards do. */
static void on_revoked(void *context, const int32_t *partitions, size_t count, bool lost)
{
    struct group_test *test = context;
    assert_false(lost);
    for (size_t i = 0; i < count; i++) {
        struct committer committer = kafka_sink_committer(test->sink, test->consumer);
        const struct commit_point point = {partitions[i], 10, "w=1"};
        assert_ok(committer.ops->commit(committer.self, &point, 1));
    }
    test->revoked += (int)count;
}

static void subscribe(struct group_test *test, const struct kafka_options *kafka, const char *group)
{
    struct kafka_consumer_options options = {.instance_id = "",
                                             .kafka = kafka,
                                             .group_id = group,
                                             .topic = "clicks",
                                             .shard_count = 2,
                                             .rebalance = {on_assigned, on_revoked, test}};
    struct complaint complaint = {0};
    test->sink = open_sink(kafka, "clicks");
    assert_ok(kafka_consumer_open(&options, &test->consumer, &complaint));
}

static void await_partitions(struct group_test *test)
{
    struct complaint complaint = {0};
    for (int64_t end = now_ms() + 30000; test->assigned < 4 && now_ms() < end;)
        assert_ok(kafka_consumer_poll(test->consumer, 100, &complaint));
    assert_int_equal(test->assigned, 4);
}

static void join(struct group_test *test, const struct kafka_options *kafka, const char *group)
{
    subscribe(test, kafka, group);
    await_partitions(test);
}

static void fill_clicks(const struct kafka_options *kafka, int per_partition)
{
    struct kafka_sink *sink = open_sink(kafka, "clicks");
    struct record_sink port = kafka_sink_port(sink);
    for (int i = 0; i < per_partition; i++)
        for (int p = 0; p < 4; p++)
            publish_number(port, OUTPUT_RECOMMENDATIONS, p, i);
    assert_ok(port.ops->flush(port.self, 10000));
    kafka_sink_close(sink);
}

/* Reads shard 0 (partitions 0 and 2) until `wanted` messages came, checking that each partition is gapless. */
static void read_shard(struct group_test *test, int64_t next[4], size_t wanted)
{
    struct click_source source = kafka_consumer_source(test->consumer, 0);
    struct message messages[7];
    size_t total = 0, count = 0;
    struct complaint complaint;
    for (int64_t end = now_ms() + 20000; total < wanted && now_ms() < end; total += count) {
        assert_ok(kafka_consumer_poll(test->consumer, 0, &complaint));
        size_t capacity = wanted - total < 7 ? wanted - total : 7;
        assert_ok(source.ops->poll(source.self, 100, messages, capacity, &count));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(messages[i].partition % 2, 0);
            assert_int_equal(messages[i].offset, next[messages[i].partition]++);
        }
    }
    assert_int_equal(total, wanted);
}

static void a_shard_gets_its_own_partitions_from_where_the_handler_said(void **state)
{
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    fill_clicks(&kafka, 50);
    struct group_test test = {.starts = {-1, -1, 30, -1}};
    join(&test, &kafka, "shards");
    assert_int_equal(test.seen[0].committed, -1);
    assert_int_equal(test.seen[0].start, 0);
    assert_int_equal(test.seen[0].high, 50);
    int64_t next[4] = {0, 0, 30, 0};
    read_shard(&test, next, 70);
    struct click_source source = kafka_consumer_source(test.consumer, 0);
    struct message messages[1];
    struct complaint complaint = {0};
    size_t count;
    bool ended = false;
    for (int64_t end = now_ms() + 5000; !ended && now_ms() < end; ended = source.ops->at_end(source.self, 2)) {
        assert_ok(source.ops->poll(source.self, 10, messages, 1, &count));
        assert_ok(kafka_consumer_poll(test.consumer, 0, &complaint));
    }
    assert_true(ended);
    source.ops->begin(source.self, 2);
    assert_false(source.ops->at_end(source.self, 2));

    kafka_consumer_leave(test.consumer);
    assert_int_equal(test.revoked, 4);
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
}

/* After a broker was lost its partitions have no leader for some seconds, or those asked are not it any more. */
static void a_leader_that_is_being_replaced_is_waited_for(void **state)
{
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    fill_clicks(&kafka, 5);
    kafka_mock_fail_requests(*state, KAFKA_MOCK_LIST_OFFSETS, 6 /* not leader for partition */, 30);
    struct group_test test = {.starts = {-1, -1, -1, -1}};
    join(&test, &kafka, "patient");
    assert_int_equal(test.seen[3].high, 5);

    int64_t offset = 0;
    struct click_source source = kafka_consumer_source(test.consumer, 1);
    kafka_mock_fail_requests(*state, KAFKA_MOCK_LIST_OFFSETS, 6, 5);
    assert_ok(source.ops->offset_at(source.self, 1, 0, &offset));
    assert_int_equal(offset, -1); /* the mock cluster knows of no times */
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
}

/* All partitions get another leader when the group has assigned them, before the consumer asks where they begin. */
struct move {
    struct kafka_mock *mock;
    struct status status;
    int moved, refused;
};

static void move_leaders(void *context, int level, const char *facility, const char *text)
{
    (void)level;
    struct move *move = context;
    if (!strcmp(facility, "ASSIGN") && strstr(text, "delegating assign")) {
        for (int32_t p = 0; p < 4 && !failed(move->status); p++)
            move->status = kafka_mock_set_leader(move->mock, "clicks", p, 2);
        move->moved++;
    }
    move->refused += !strcmp(facility, "POSITIONS");
}

/* The new leader has to be asked for: without a topic that librdkafka knows it would keep to the old one until its next
 * look at all metadata, minutes later. */
static void a_leader_that_changed_before_the_partitions_were_assigned_is_found(void **state)
{
    (void)state;
    static const struct kafka_property properties[] = {{"debug", "cgrp"}}; /* tells what the group has assigned */
    struct move move = {.status = OK};
    assert_ok(kafka_mock_open(2, &move.mock));
    assert_ok(kafka_mock_create_topic(move.mock, "clicks", 4));
    for (int32_t p = 0; p < 4; p++)
        assert_ok(kafka_mock_set_leader(move.mock, "clicks", p, 1));
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(move.mock));
    kafka.properties = properties;
    kafka.listener = (struct kafka_listener){move_leaders, &move};
    struct group_test test = {.starts = {-1, -1, -1, -1}};
    join(&test, &kafka, "followers");
    assert_ok(move.status);
    assert_int_equal(move.moved, 1);
    assert_true(move.refused > 0); /* by the leader that was */
    assert_int_equal(test.seen[3].high, 0);
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
    kafka_mock_close(move.mock);
}

static void a_partition_without_a_leader_does_not_keep_the_ends_of_others_from_being_known(void **state)
{
    (void)state;
    struct kafka_mock *mock;
    assert_ok(kafka_mock_open(2, &mock));
    assert_ok(kafka_mock_create_topic(mock, "clicks", 4));
    for (int32_t p = 0; p < 4; p++)
        assert_ok(kafka_mock_set_leader(mock, "clicks", p, 1 + p % 2));
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(mock));
    struct group_test test = {.starts = {-1, -1, -1, -1}};
    join(&test, &kafka, "leaderless");
    struct click_source sources[2] = {kafka_consumer_source(test.consumer, 0), kafka_consumer_source(test.consumer, 1)};
    struct complaint complaint = {0};
    struct message messages[1];
    size_t count;
    bool ended[4] = {false};
    for (int64_t end = now_ms() + 10000; now_ms() < end && !(ended[0] && ended[1] && ended[2] && ended[3]);)
        for (int32_t p = 0; p < 4; p++) {
            assert_ok(sources[p % 2].ops->poll(sources[p % 2].self, 10, messages, 1, &count));
            assert_ok(kafka_consumer_poll(test.consumer, 0, &complaint));
            ended[p] = sources[p % 2].ops->at_end(sources[p % 2].self, p);
        }
    assert_true(ended[0] && ended[1] && ended[2] && ended[3]);
    assert_ok(kafka_mock_set_leader(mock, "clicks", 2, -1));
    system_wait_ms(6000); /* what was said of their ends is too old now */
    bool known[4] = {false};
    for (int64_t end = now_ms() + 15000; now_ms() < end && !(known[0] && known[1] && known[3]);)
        for (int32_t p = 0; p < 4; p++) {
            assert_ok(kafka_consumer_poll(test.consumer, 10, &complaint));
            known[p] = sources[p % 2].ops->at_end(sources[p % 2].self, p);
        }
    assert_true(known[0] && known[1] && known[3]);
    assert_false(known[2]);
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
    kafka_mock_close(mock);
}

static void what_is_committed_in_a_revocation_is_where_the_next_owner_begins(void **state)
{
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    fill_clicks(&kafka, 20);
    struct group_test first = {.starts = {-1, -1, -1, -1}}, second = {.starts = {-1, -1, -1, -1}};
    join(&first, &kafka, "heirs");
    kafka_consumer_close(first.consumer);
    kafka_sink_close(first.sink);
    assert_int_equal(first.revoked, 4);
    join(&second, &kafka, "heirs");
    for (int p = 0; p < 4; p++) {
        assert_int_equal(second.seen[p].committed, 10);
        assert_int_equal(second.seen[p].start, 10);
        assert_bytes(second.seen[p].metadata, "w=1");
    }
    kafka_consumer_close(second.consumer);
    kafka_sink_close(second.sink);
}

static void a_paused_partition_waits_and_goes_on_without_a_gap(void **state)
{
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    fill_clicks(&kafka, 100);
    struct group_test test = {.starts = {-1, -1, -1, -1}};
    join(&test, &kafka, "pausing");
    struct click_source source = kafka_consumer_source(test.consumer, 0);
    int64_t next[4] = {0};
    read_shard(&test, next, 50);
    for (int32_t p = 0; p <= 2; p += 2)
        assert_ok(source.ops->pause(source.self, p, true));
    struct message messages[10];
    size_t count = 1;
    assert_ok(source.ops->poll(source.self, 300, messages, 10, &count));
    assert_int_equal(count, 0);
    for (int32_t p = 0; p <= 2; p += 2)
        assert_ok(source.ops->pause(source.self, p, false));
    read_shard(&test, next, 150);
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
}

static void a_handler_that_refuses_partitions_ends_the_consumer(void **state)
{
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    fill_clicks(&kafka, 5);
    struct group_test test = {.starts = {-1, -1, -1, -1}, .refusal = FAIL(LOCKED, 0, "no")};
    struct kafka_consumer_options options = {.instance_id = "",
                                             .kafka = &kafka,
                                             .group_id = "refusing",
                                             .topic = "clicks",
                                             .shard_count = 2,
                                             .rebalance = {on_assigned, on_revoked, &test}};
    struct complaint complaint = {0};
    assert_ok(kafka_consumer_open(&options, &test.consumer, &complaint));
    struct status status = OK;
    for (int64_t end = now_ms() + 20000; !failed(status) && now_ms() < end;)
        status = kafka_consumer_poll(test.consumer, 100, &complaint);
    assert_fails(LOCKED, status);
    struct click_source source = kafka_consumer_source(test.consumer, 0);
    struct message messages[10];
    size_t count = 1;
    assert_ok(source.ops->poll(source.self, 100, messages, 10, &count));
    assert_int_equal(count, 0);
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
    assert_int_equal(test.revoked, 0);
}

static void on_lost(void *context, const int32_t *partitions, size_t count, bool lost)
{
    (void)partitions;
    struct group_test *test = context;
    test->revoked += (int)count;
    assert_true(lost);
}

static struct status commit_transaction(struct committer committer)
{
    const struct commit_point point = {0, 1, "w=1"};
    struct status status;
    do
        status = committer.ops->commit(committer.self, &point, 1);
    while (failed_as(status, FAULT_UNAVAILABLE));
    return status;
}

/* Between the group's word that a member is none and its partitions' being given up; the offsets of somebody without a
 * name are taken as they are. */
static void who_is_no_member_any_more_commits_no_transaction(void **state)
{
    static const struct kafka_property properties[] = {{"heartbeat.interval.ms", "100"}};
    struct kafka_options kafka = options_of(kafka_mock_bootstrap(*state));
    kafka.properties = properties;
    const struct kafka_sink_options outputs = {
        .kafka = &kafka, .topics = {"recommendations"}, .queue_records_max = 1000, .queue_bytes_max = 1 << 20};
    struct group_test test = {.starts = {-1, -1, -1, -1}};
    const struct kafka_consumer_options options = {.instance_id = "",
                                                   .kafka = &kafka,
                                                   .group_id = "members",
                                                   .topic = "clicks",
                                                   .shard_count = 2,
                                                   .rebalance = {on_assigned, on_lost, &test}};
    struct kafka_transactions *transactions;
    struct complaint complaint = {0};
    assert_ok(kafka_transactions_open(&outputs, "test", &transactions, &complaint));
    assert_ok(kafka_consumer_open(&options, &test.consumer, &complaint));
    for (int64_t end = now_ms() + 30000; test.assigned < 4 && now_ms() < end;)
        assert_ok(kafka_consumer_poll(test.consumer, 100, &complaint));
    struct record_sink sink = kafka_transactions_sink(transactions);
    struct committer committer = kafka_transactions_committer(transactions, test.consumer);
    publish_number(sink, OUTPUT_RECOMMENDATIONS, 0, 1);
    assert_ok(commit_transaction(committer));

    kafka_mock_fail_requests(*state, KAFKA_MOCK_HEARTBEAT, 25 /* unknown member */, 1);
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    assert_int_equal(test.revoked, 0);
    publish_number(sink, OUTPUT_RECOMMENDATIONS, 0, 2);
    assert_fails(FENCED, commit_transaction(committer));
    for (int64_t end = now_ms() + 30000; test.revoked < 4 && now_ms() < end;)
        assert_ok(kafka_consumer_poll(test.consumer, 100, &complaint));
    assert_int_equal(test.revoked, 4);
    committer.ops->drop(committer.self);
    kafka_transactions_close(transactions);
    kafka_consumer_close(test.consumer);
}

static int make_mock(void **state)
{
    *state = open_mock();
    return 0;
}

static int drop_mock(void **state)
{
    kafka_mock_close(*state);
    return 0;
}

#define WITH_MOCK(test) cmocka_unit_test_setup_teardown(test, make_mock, drop_mock)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MOCK(what_is_flushed_can_be_read_with_its_headers_absent_and_key_kept),
        WITH_MOCK(closed_sessions_keep_to_one_partition_of_their_source),
        WITH_MOCK(a_topic_that_has_more_partitions_than_was_known_gets_to_use_them),
        WITH_MOCK(a_full_queue_is_a_limit_and_empties_again),
        WITH_MOCK(a_refused_record_makes_every_later_flush_fail),
        WITH_MOCK(properties_that_eddy_owns_or_nobody_knows_are_refused_without_their_value),
        WITH_MOCK(a_broker_that_goes_and_comes_back_is_reported),
        WITH_MOCK(what_a_producer_says_of_brokers_is_heard),
        WITH_MOCK(a_missing_topic_is_told_from_an_unreachable_broker),
        WITH_MOCK(a_shard_gets_its_own_partitions_from_where_the_handler_said),
        WITH_MOCK(a_leader_that_is_being_replaced_is_waited_for),
        cmocka_unit_test(a_leader_that_changed_before_the_partitions_were_assigned_is_found),
        cmocka_unit_test(a_partition_without_a_leader_does_not_keep_the_ends_of_others_from_being_known),
        WITH_MOCK(what_is_committed_in_a_revocation_is_where_the_next_owner_begins),
        WITH_MOCK(a_paused_partition_waits_and_goes_on_without_a_gap),
        WITH_MOCK(a_handler_that_refuses_partitions_ends_the_consumer),
        WITH_MOCK(who_is_no_member_any_more_commits_no_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
