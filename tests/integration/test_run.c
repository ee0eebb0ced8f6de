// SPDX-License-Identifier: Apache-2.0
/* Whole processes of `eddy run` in this process, on librdkafka's mock cluster. */
#include "support/support.h"

#include "app/config.h"
#include "app/log.h"
#include "app/run/process.h"

#include <eddy/core/codec.h>
#include <eddy/io/kafka.h>
#include <eddy/io/kafka_mock.h>
#include <eddy/io/system.h>
#include <pthread.h>
#include <unistd.h>

#define PARTITIONS 2
#define TIME_MS    INT64_C(1700000000000)

static int64_t now_ms(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self) / 1000;
}

struct rig {
    struct kafka_mock *mock;
    struct temporary_folder folder;
};

struct run { /* one process */
    struct config config;
    struct process *process;
    pthread_t thread;
    struct status status;
    struct complaint complaint;
};

static const char *const topics[] = {"clicks",      "items",        "recommendations", "sessions",
                                     "late-clicks", "dead-letters", "models"};

static void open_rig_without(struct rig *rig, const char *missing, int late_partitions)
{
    assert_ok(kafka_mock_open(1, &rig->mock));
    rig->folder = temporary_folder_make();
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (strcmp(topics[i], missing) != 0)
            assert_ok(kafka_mock_create_topic(rig->mock, topics[i],
                                              !strcmp(topics[i], "models")       ? 1
                                              : strcmp(topics[i], "late-clicks") ? PARTITIONS
                                                                                 : late_partitions));
}

static int open_rig(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    open_rig_without(rig, "", PARTITIONS);
    *state = rig;
    return 0;
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    kafka_mock_close(rig->mock);
    temporary_folder_remove(&rig->folder);
    free(rig);
    return 0;
}

/* ---- processes */

static void configure(struct run *run, const struct rig *rig, const char *bootstrap, const char *extra)
{
    char servers[128], directory[300];
    snprintf(servers, sizeof servers, "kafka.bootstrap.servers=%s", bootstrap);
    snprintf(directory, sizeof directory, "state.directory=%s/state", rig->folder.path);
    const char *assignments[] = {servers,
                                 directory,
                                 "http.listen=",
                                 "kafka.session.timeout.ms=6000",
                                 "static_membership=false",
                                 "commit_interval_ms=20",
                                 "session.gap_ms=10s",
                                 "session.grace_ms=1s",
                                 "shards=2",
                                 extra};
    *run = (struct run){0};
    struct complaint complaint = {0};
    struct status status =
        config_make(&run->config, NULL, assignments, sizeof assignments / sizeof *assignments, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
}

static void *run_thread(void *context)
{
    struct run *run = context;
    run->status = process_run(run->process, &run->complaint);
    return NULL;
}

static void start_at(struct run *run, const struct rig *rig, const char *bootstrap, const char *extra)
{
    configure(run, rig, bootstrap, extra);
    const struct process_options options = {.config = &run->config};
    assert_ok(process_open(&options, &run->process, &run->complaint));
    assert_int_equal(pthread_create(&run->thread, NULL, run_thread, run), 0);
}

static void start(struct run *run, const struct rig *rig)
{
    start_at(run, rig, kafka_mock_bootstrap(rig->mock), "shards=2");
}

static void wait_ready(struct run *run)
{
    for (int64_t end = now_ms() + 30000; !process_ready(run->process) && now_ms() < end;)
        system_wait_ms(10);
    assert_true(process_ready(run->process));
}

static void wait_partitions(struct run *run, int64_t count)
{
    const struct metrics *metrics = process_metrics(run->process);
    for (int64_t end = now_ms() + 30000; metric_get(metrics, METRIC_PARTITIONS_ASSIGNED) != count && now_ms() < end;)
        system_wait_ms(20);
    assert_int_equal(metric_get(metrics, METRIC_PARTITIONS_ASSIGNED), count);
}

/* Waits for its end and closes it. */
static struct status finish(struct run *run)
{
    pthread_join(run->thread, NULL);
    process_close(run->process);
    config_release(&run->config);
    return run->status;
}

static struct status stop(struct run *run)
{
    process_stop(run->process);
    return finish(run);
}

/* ---- records in and out */

static struct kafka_options client_options(const struct rig *rig)
{
    return (struct kafka_options){.bootstrap = kafka_mock_bootstrap(rig->mock), .client_id = "test"};
}

struct feed {
    struct kafka_sink *sink;
    struct record_sink port;
};

static struct feed open_feed(const struct rig *rig)
{
    const struct kafka_options kafka = client_options(rig);
    const struct kafka_sink_options options = {
        .kafka = &kafka, .topics = {"clicks", "items"}, .queue_records_max = 100000, .queue_bytes_max = 64 << 20};
    struct feed feed;
    assert_ok(kafka_sink_open(&options, &feed.sink, NULL));
    feed.port = kafka_sink_port(feed.sink);
    return feed;
}

static void close_feed(struct feed *feed)
{
    assert_ok(feed->port.ops->flush(feed->port.self, 30000));
    kafka_sink_close(feed->sink);
}

static void feed_bytes(struct feed *feed, enum output output, struct bytes key, struct bytes value)
{
    struct output_record record = {.output = output, .partition = -1, .key = key, .value = value};
    assert_ok(feed->port.ops->publish(feed->port.self, &record));
}

static void feed_click(struct feed *feed, const char *session_id, const char *item_id, int64_t time_ms)
{
    struct click click = {
        .session_id = bytes_of_text(session_id), .item_id = bytes_of_text(item_id), .time_ms = time_ms};
    AUTO(buffer) value = {0};
    encode_click((struct encoding){RECORD_AVRO, 0}, &click, &value);
    feed_bytes(feed, OUTPUT_RECOMMENDATIONS, click.session_id, buffer_bytes(&value));
}

/* `count` clicks of ten visitors, 100 ms apart, from number `from` on. */
static void feed_clicks(const struct rig *rig, int from, int count)
{
    struct feed feed = open_feed(rig);
    for (int i = from; i < from + count; i++) {
        char session[16], item[16];
        snprintf(session, sizeof session, "s%d", i % 10);
        snprintf(item, sizeof item, "i%d", i % 7);
        feed_click(&feed, session, item, TIME_MS + i * 100);
    }
    close_feed(&feed);
}

struct inbox { /* what was read from a topic */
    struct kafka_reader *reader;
    struct arena arena;
    struct message *messages;
    size_t count, capacity;
};

static struct inbox open_inbox(const struct rig *rig, const char *topic)
{
    const struct kafka_options kafka = client_options(rig);
    const struct kafka_reader_options options = {.kafka = &kafka, .topic = topic, .partition_count = PARTITIONS};
    struct inbox inbox = {0};
    assert_ok(kafka_reader_open(&options, &inbox.reader, NULL));
    return inbox;
}

static void close_inbox(struct inbox *inbox)
{
    kafka_reader_close(inbox->reader);
    arena_release(&inbox->arena);
    free(inbox->messages);
}

static void receive_until(struct inbox *inbox, size_t wanted, int64_t end_ms)
{
    struct message messages[100];
    size_t count;
    while (inbox->count < wanted && now_ms() < end_ms) {
        assert_ok(kafka_reader_poll(inbox->reader, 20, messages, 100, &count));
        inbox->messages = realloc(inbox->messages, (inbox->count + count + 1) * sizeof *messages);
        for (size_t i = 0; i < count; i++) {
            struct message message = messages[i];
            message.key = arena_copy(&inbox->arena, message.key);
            message.value = arena_copy(&inbox->arena, message.value);
            inbox->messages[inbox->count++] = message;
        }
    }
}

/* Reads until there are `wanted` records, or for 30 s. */
static void receive(struct inbox *inbox, size_t wanted)
{
    receive_until(inbox, wanted, now_ms() + 30000);
}

/* Reads what else comes within a moment. */
static void receive_rest(struct inbox *inbox)
{
    receive_until(inbox, SIZE_MAX, now_ms() + 500);
}

/* ---- tests */

static void every_click_is_answered_and_a_stopped_process_goes_on_where_it_was(void **state)
{
    struct rig *rig = *state;
    struct run run;
    struct inbox lists = open_inbox(rig, "recommendations");
    feed_clicks(rig, 0, 300);
    start(&run, rig);
    receive(&lists, 300);
    assert_int_equal(lists.count, 300);
    struct decoder *decoder;
    struct recommendation_record record;
    assert_ok(decoder_open(RECORD_RECOMMENDATION, RECORD_AVRO, &decoder));
    for (size_t i = 0; i < lists.count; i++) {
        assert_ok(decode_recommendation(decoder, lists.messages[i].value, &lists.arena, &record, NULL));
        assert_true(bytes_equal(record.session_id, lists.messages[i].key));
        assert_bytes(record.topic, "clicks");
        assert_true(record.count > 0);
    }
    decoder_close(decoder);
    assert_ok(stop(&run));

    feed_clicks(rig, 300, 100);
    start(&run, rig);
    receive(&lists, 400);
    receive_rest(&lists);
    assert_int_equal(lists.count, 400);
    assert_int_equal(metric_get(process_metrics(run.process), METRIC_CLICKS_ANSWERED), 100);
    assert_ok(stop(&run));
    close_inbox(&lists);
}

static void items_dead_letters_late_clicks_and_sessions_take_their_ways(void **state)
{
    struct rig *rig = *state;
    struct run run;
    struct inbox dead = open_inbox(rig, "dead-letters"), late = open_inbox(rig, "late-clicks"),
                 sessions = open_inbox(rig, "sessions");
    struct feed feed = open_feed(rig);
    struct item item = {.item_id = BYTES("i1"), .title = BYTES("Red boots"), .available = true};
    AUTO(buffer) value = {0};
    encode_item((struct encoding){RECORD_AVRO, 0}, &item, &value);
    feed_bytes(&feed, OUTPUT_SESSIONS, BYTES("i1"), buffer_bytes(&value));
    feed_bytes(&feed, OUTPUT_SESSIONS, BYTES("i2"), BYTES("not an item"));
    feed_bytes(&feed, OUTPUT_SESSIONS, BYTES("i3"), (struct bytes){0});
    feed_click(&feed, "a", "i1", TIME_MS);
    feed_click(&feed, "a", "i2", TIME_MS + 20000); /* closes the first session of a */
    feed_click(&feed, "a", "i2", TIME_MS + 500);   /* which is over */
    feed_bytes(&feed, OUTPUT_RECOMMENDATIONS, BYTES("a"), BYTES("not a click"));
    close_feed(&feed);
    start(&run, rig);
    receive(&dead, 1);
    receive(&late, 1);
    receive(&sessions, 1);
    assert_int_equal(dead.count, 1);
    assert_bytes(dead.messages[0].value, "not a click");
    assert_int_equal(late.count, 1);
    assert_bytes(late.messages[0].key, "a");
    assert_int_equal(sessions.count, 1);
    wait_ready(&run);
    const struct metrics *metrics = process_metrics(run.process);
    assert_int_equal(metric_get(metrics, METRIC_ITEMS_CONSUMED), 2);
    assert_int_equal(metric_get(metrics, METRIC_ITEMS_BAD), 1);
    assert_int_equal(metric_get(metrics, METRIC_CLICKS_ANSWERED), 2);
    assert_int_equal(metric_get(metrics, METRIC_PARTITIONS_ASSIGNED), PARTITIONS);
    assert_ok(stop(&run));
    close_inbox(&dead);
    close_inbox(&late);
    close_inbox(&sessions);
}

static void a_topic_that_is_missing_or_does_not_fit_ends_it_with_a_sentence(void **state)
{
    (void)state;
    struct rig rig;
    struct run run;
    open_rig_without(&rig, "dead-letters", PARTITIONS);
    start(&run, &rig);
    assert_fails(CONFIG, finish(&run));
    assert_non_null(strstr(run.complaint.text, "dead-letters"));
    assert_non_null(strstr(run.complaint.text, "eddy topics create"));
    kafka_mock_close(rig.mock);
    temporary_folder_remove(&rig.folder);

    open_rig_without(&rig, "", PARTITIONS + 1);
    start(&run, &rig);
    assert_fails(CONFIG, finish(&run));
    assert_non_null(strstr(run.complaint.text, "3 partitions"));
    kafka_mock_close(rig.mock);
    temporary_folder_remove(&rig.folder);
}

static void an_unreachable_broker_is_waited_for_until_the_process_is_stopped(void **state)
{
    struct run run;
    start_at(&run, *state, "127.0.0.1:1", "log.level=error");
    system_wait_ms(300);
    assert_false(process_ready(run.process));
    assert_ok(stop(&run));
}

/* The mock cluster lets a group's first join take three seconds. */
static void a_process_that_joins_its_group_can_be_stopped(void **state)
{
    for (int wait_ms = 500; wait_ms <= 2500; wait_ms += 2000) {
        struct run run;
        start(&run, *state);
        system_wait_ms(wait_ms);
        int64_t began_ms = now_ms();
        assert_ok(stop(&run));
        assert_true(now_ms() - began_ms < 8000); /* 5 s when the join is not over */
    }
}

static void a_broker_that_goes_and_comes_back_costs_no_click(void **state)
{
    struct rig *rig = *state;
    struct run run;
    struct inbox lists = open_inbox(rig, "recommendations");
    start(&run, rig);
    wait_ready(&run);
    feed_clicks(rig, 0, 50);
    receive(&lists, 50);
    assert_ok(kafka_mock_set_down(rig->mock, true));
    system_wait_ms(500);
    assert_ok(kafka_mock_set_down(rig->mock, false));
    feed_clicks(rig, 50, 50);
    receive(&lists, 100);
    receive_rest(&lists);
    assert_true(lists.count >= 100);
    assert_ok(stop(&run));
    close_inbox(&lists);
}

static void a_record_refused_by_the_broker_ends_the_process_without_a_commit(void **state)
{
    struct rig *rig = *state;
    struct run run;
    struct inbox lists = open_inbox(rig, "recommendations");
    feed_clicks(rig, 0, 50);
    kafka_mock_fail_requests(rig->mock, KAFKA_MOCK_PRODUCE, 10 /* MSG_SIZE_TOO_LARGE */, 1);
    start(&run, rig);
    assert_fails(IO, finish(&run));
    start(&run, rig);
    receive(&lists, 50);
    wait_ready(&run);
    assert_true(metric_get(process_metrics(run.process), METRIC_CLICKS_ANSWERED) > 0);
    assert_ok(stop(&run));
    /* each click has an answer, those around the refusal perhaps two */
    bool answered[PARTITIONS][50] = {0};
    size_t different = 0;
    struct decoder *decoder;
    struct recommendation_record record;
    assert_ok(decoder_open(RECORD_RECOMMENDATION, RECORD_AVRO, &decoder));
    receive_rest(&lists);
    for (size_t i = 0; i < lists.count; i++) {
        assert_ok(decode_recommendation(decoder, lists.messages[i].value, &lists.arena, &record, NULL));
        different += !answered[record.partition][record.offset];
        answered[record.partition][record.offset] = true;
    }
    assert_int_equal(different, 50);
    decoder_close(decoder);
    close_inbox(&lists);
}

static void a_state_directory_belongs_to_one_process(void **state)
{
    struct rig *rig = *state;
    struct run first, second;
    start(&first, rig);
    wait_ready(&first);
    start(&second, rig);
    assert_fails(LOCKED, finish(&second));
    assert_ok(stop(&first));
}

static void two_processes_share_the_partitions_and_hand_them_over(void **state)
{
    struct rig *rig = *state;
    struct run first, second;
    struct inbox lists = open_inbox(rig, "recommendations");
    start(&first, rig);
    wait_ready(&first);
    feed_clicks(rig, 0, 100);
    receive(&lists, 100);
    char other[300];
    snprintf(other, sizeof other, "state.directory=%s/other", rig->folder.path);
    start_at(&second, rig, kafka_mock_bootstrap(rig->mock), other);
    wait_partitions(&first, 1);
    wait_partitions(&second, 1);
    feed_clicks(rig, 100, 100);
    receive(&lists, 200);
    receive_rest(&lists);
    assert_int_equal(lists.count, 200);
    assert_ok(stop(&second));
    assert_ok(stop(&first));
    close_inbox(&lists);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)

int main(void)
{
    log_configure(getenv("EDDY_TEST_LOG") ? LOG_INFO : LOG_ERROR + 1, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    const struct CMUnitTest tests[] = {
        WITH_RIG(every_click_is_answered_and_a_stopped_process_goes_on_where_it_was),
        WITH_RIG(items_dead_letters_late_clicks_and_sessions_take_their_ways),
        cmocka_unit_test(a_topic_that_is_missing_or_does_not_fit_ends_it_with_a_sentence),
        WITH_RIG(an_unreachable_broker_is_waited_for_until_the_process_is_stopped),
        WITH_RIG(a_process_that_joins_its_group_can_be_stopped),
        WITH_RIG(a_broker_that_goes_and_comes_back_costs_no_click),
        WITH_RIG(a_record_refused_by_the_broker_ends_the_process_without_a_commit),
        WITH_RIG(a_state_directory_belongs_to_one_process),
        WITH_RIG(two_processes_share_the_partitions_and_hand_them_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
