// SPDX-License-Identifier: Apache-2.0
/* The Kafka adapters against librdkafka's mock cluster in this process; the consumer has its own, test_consumer.c. */
#include "support/support.h"

#include "support/mock_rig.h"

#include <eddy/io/kafka_topics.h>
#include <eddy/io/system.h>

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- sink and reader */

static size_t read_all(struct kafka_reader *reader, struct message *messages, size_t capacity, size_t wanted)
{
    size_t total = 0;
    for (int64_t end = mock_rig_now_ms() + 20000; total < wanted && mock_rig_now_ms() < end;) {
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
    struct kafka_sink *sink = mock_rig_sink(&kafka, "recommendations");
    struct record_sink port = kafka_sink_port(sink);
    for (int i = 0; i < 100; i++)
        mock_rig_publish(port, OUTPUT_RECOMMENDATIONS, -1, i);
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
    for (int64_t end = mock_rig_now_ms() + 5000; !kafka_reader_caught_up(reader) && mock_rig_now_ms() < end;)
        assert_ok(kafka_reader_poll(reader, 10, messages, 100, &count));
    assert_true(kafka_reader_caught_up(reader));
    kafka_reader_close(reader);
    kafka_sink_close(sink);
}

static void closed_sessions_keep_to_one_partition_of_their_source(void **state)
{
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
    struct kafka_sink *sink = mock_rig_sink(&kafka, "recommendations");
    struct record_sink port = kafka_sink_port(sink);
    for (int i = 0; i < 40; i++)
        mock_rig_publish(port, OUTPUT_SESSIONS, i % 4, i);
    assert_ok(port.ops->flush(port.self, 10000));
    struct kafka_reader *reader = open_reader(&kafka, "sessions", 2);
    struct message messages[100];
    size_t total = 0, count;
    for (int64_t end = mock_rig_now_ms() + 20000; total < 40 && mock_rig_now_ms() < end; total += count) {
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
    const struct kafka_sink_options options = {.kafka = &kafka,
                                               .topics = {[OUTPUT_LATE_CLICKS] = "items"},
                                               .partitions = {[OUTPUT_LATE_CLICKS] = 2},
                                               .queue_records_max = 10,
                                               .queue_bytes_max = 1 << 20};
    struct kafka_sink *sink;
    int32_t now;
    assert_ok(kafka_sink_open(&options, &sink, NULL));
    struct record_sink port = kafka_sink_port(sink);
    mock_rig_publish(port, OUTPUT_LATE_CLICKS, 2, 0);
    assert_ok(kafka_sink_count_partitions(sink, OUTPUT_LATE_CLICKS, 10000, &now));
    assert_int_equal(now, 3);
    mock_rig_publish(port, OUTPUT_LATE_CLICKS, 2, 2);
    assert_ok(port.ops->flush(port.self, 10000));
    struct kafka_reader *reader = open_reader(&kafka, "items", 3);
    struct message messages[2];
    size_t total = 0, count;
    for (int64_t end = mock_rig_now_ms() + 20000; total < 2 && mock_rig_now_ms() < end; total += count) {
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
    assert_ok(kafka_mock_set_down(mock, true));
    struct kafka_sink *sink = mock_rig_sink(&kafka, "recommendations");
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
    struct kafka_sink *sink = mock_rig_sink(&kafka, "recommendations");
    struct record_sink port = kafka_sink_port(sink);
    mock_rig_publish(port, OUTPUT_RECOMMENDATIONS, 0, 1);
    assert_ok(port.ops->flush(port.self, 10000));
    kafka_mock_fail_requests(mock, KAFKA_MOCK_PRODUCE, 10 /* MSG_SIZE_TOO_LARGE */, 1);
    mock_rig_publish(port, OUTPUT_RECOMMENDATIONS, 0, 2);
    assert_fails(IO, port.ops->flush(port.self, 10000));
    assert_fails(IO, port.ops->flush(port.self, 10000));
    assert_int_equal(kafka_sink_failures(sink), 1);
    kafka_sink_close(sink);
}

/* ---- properties */

static void properties_that_eddy_owns_or_nobody_knows_are_refused_without_their_value(void **state)
{
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
    struct kafka_admin *admin;
    struct complaint complaint = {0};
    assert_ok(kafka_admin_open(&kafka, &admin, &complaint));
    struct kafka_topic_info info;
    assert_ok(kafka_topic_describe(admin, "clicks", 10000, &info, &complaint));
    assert_int_equal(info.partition_count, 4);
    assert_ok(kafka_topic_describe(admin, "no-such-topic", 10000, &info, &complaint));
    assert_int_equal(info.partition_count, 0);
    kafka_admin_close(admin);

    kafka = mock_rig_options("127.0.0.1:1");
    assert_ok(kafka_admin_open(&kafka, &admin, &complaint));
    int64_t began_ms = mock_rig_now_ms();
    assert_fails(UNAVAILABLE, kafka_topic_describe(admin, "clicks", 60000, &info, &complaint));
    assert_true(mock_rig_now_ms() - began_ms < 30000); /* refused by all, so not waited for to the end */
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
    for (int64_t end = mock_rig_now_ms() + 20000; !*number && mock_rig_now_ms() < end;)
        assert_ok(kafka_reader_poll(reader, 10, messages, 10, &count));
    assert_true(*number > 0);
}

static void a_broker_that_goes_and_comes_back_is_reported(void **state)
{
    struct kafka_mock *mock = *state;
    struct news news = {0};
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
    kafka.listener = (struct kafka_listener){take_news, &news};
    struct kafka_sink *sink = mock_rig_sink(&kafka, "recommendations");
    struct record_sink port = kafka_sink_port(sink);
    mock_rig_publish(port, OUTPUT_RECOMMENDATIONS, 0, 1);
    assert_ok(port.ops->flush(port.self, 10000));
    assert_true(news.reached > 0);
    assert_int_equal(news.lost, 0);
    assert_ok(kafka_mock_set_down(mock, true));
    for (int64_t end = mock_rig_now_ms() + 10000; !news.lost && mock_rig_now_ms() < end; system_wait_ms(10))
        port.ops->fill(port.self);
    assert_true(news.lost > 0);
    kafka_sink_close(sink);
}

/* ---- the embedded broker and signals */

static void do_nothing(int number)
{
    (void)number;
}

/* The number of this process's thread of that name; 0: there is none. */
static pid_t find_thread(const char *wanted)
{
    pid_t found = 0;
    DIR *threads = opendir("/proc/self/task");
    assert_non_null(threads);
    for (struct dirent *entry; (entry = readdir(threads));) {
        char path[300], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%.200s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        if (fgets(name, sizeof name, file) && !strncmp(name, wanted, strlen(wanted)))
            found = (pid_t)atoi(entry->d_name);
        fclose(file);
    }
    closedir(threads);
    return found;
}

static void a_signal_does_not_end_the_embedded_broker(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = do_nothing};
    struct sigaction before;
    struct kafka_mock *mock;
    assert_int_equal(find_thread("rdk:mock"), 0); /* the others' is closed while this one runs */
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_ok(kafka_mock_open(1, &mock));
    pid_t thread = 0;
    for (int64_t end = mock_rig_now_ms() + 10000; !thread && mock_rig_now_ms() < end;)
        thread = find_thread("rdk:mock");
    assert_int_not_equal(thread, 0);
    alarm(60); /* nothing else ends what waits for a thread that is gone */
    for (int i = 0; i < 10; i++) {
        usleep(50000); /* it waits for something to do then, which is what a signal could end */
        assert_int_equal(syscall(SYS_tgkill, getpid(), thread, SIGUSR1), 0);
        assert_ok(kafka_mock_set_down(mock, i % 2)); /* it obeys, so it is there */
    }
    kafka_mock_close(mock);
    alarm(0);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

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
        cmocka_unit_test(a_signal_does_not_end_the_embedded_broker),
    };
    return cmocka_run_group_tests_name("kafka", tests, NULL, NULL);
}
