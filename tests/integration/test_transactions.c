// SPDX-License-Identifier: Apache-2.0
/* Exactly once against librdkafka's mock cluster whose brokers refuse, forget and stay away. Its transactions are a
 * stub: records can be read at once, those of aborted ones too, and offsets that come in a transaction go nowhere. So a
 * transaction that was made again shows as its records being there once more, and where a test wants a commit to have
 * been done, it puts the group's offsets there itself. */
#include "support/support.h"

#include <eddy/base/buffer.h>
#include <eddy/io/kafka.h>
#include <eddy/io/kafka_mock.h>
#include <eddy/io/kafka_range.h>
#include <eddy/io/system.h>

#include <time.h>

#define T           1700000000000 /* when the first record was made */
#define PATIENCE_MS 10000         /* for one answer, in transactions.c */
#define MANY        1000          /* requests that fail: all, for the time of a test */

/* As Kafka numbers them. */
enum error {
    ERROR_MSG_SIZE_TOO_LARGE = 10,
    ERROR_OFFSET_METADATA_TOO_LARGE = 12,
    ERROR_COORDINATOR_LOAD_IN_PROGRESS = 14,
    ERROR_COORDINATOR_NOT_AVAILABLE = 15,
    ERROR_NOT_COORDINATOR = 16,
    ERROR_ILLEGAL_GENERATION = 22,
    ERROR_UNKNOWN_MEMBER_ID = 25,
    ERROR_TOPIC_AUTHORIZATION_FAILED = 29,
    ERROR_GROUP_AUTHORIZATION_FAILED = 30,
    ERROR_CLUSTER_AUTHORIZATION_FAILED = 31,
    ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER = 45,
    ERROR_INVALID_PRODUCER_EPOCH = 47,
    ERROR_INVALID_TXN_STATE = 48,
    ERROR_INVALID_PRODUCER_ID_MAPPING = 49,
    ERROR_INVALID_TRANSACTION_TIMEOUT = 50,
    ERROR_CONCURRENT_TRANSACTIONS = 51,
    ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53,
    ERROR_UNKNOWN_PRODUCER_ID = 59,
    ERROR_FENCED_INSTANCE_ID = 82,
    ERROR_INVALID_RECORD = 87,
    ERROR_PRODUCER_FENCED = 90,
};

struct refusal {
    enum kafka_mock_request request;
    enum error error;
};

/* ---- one cluster and one member of a group for all tests: to join takes seconds */

static struct {
    struct kafka_mock *mock;
    struct kafka_options kafka;
    struct kafka_consumer *consumer;
    struct kafka_sink *plain; /* whose commits are no transactions */
    int topics;
    int assigned, broken; /* transactions that librdkafka says have failed */
    struct buffer said;   /* by transactions.c */
} rig;

static void hear(void *context, int level, const char *facility, const char *text)
{
    (void)context;
    (void)level;
    rig.broken += !strcmp(facility, "TXNERR");
    if (strcmp(facility, "TRANSACTION") != 0)
        return;
    buffer_append_text(&rig.said, text);
    buffer_append_text(&rig.said, "\n");
}

static struct status on_assigned(void *context, struct assignment *partitions, size_t count,
                                 struct complaint *complaint)
{
    (void)context;
    (void)partitions;
    (void)complaint;
    rig.assigned += (int)count;
    return OK;
}

static void on_revoked(void *context, const int32_t *partitions, size_t count, bool lost)
{
    (void)context;
    (void)partitions;
    (void)count;
    (void)lost;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int make_rig(void **state)
{
    static const struct kafka_property properties[] = {{"reconnect.backoff.max.ms", "200"}};
    (void)state;
    assert_ok(kafka_mock_open(1, &rig.mock));
    assert_ok(kafka_mock_create_topic(rig.mock, "clicks", 2));
    rig.kafka = (struct kafka_options){.bootstrap = kafka_mock_bootstrap(rig.mock),
                                       .client_id = "test",
                                       .properties = properties,
                                       .property_count = 1,
                                       .listener = {.log = hear}};
    const struct kafka_consumer_options options = {.instance_id = "",
                                                   .kafka = &rig.kafka,
                                                   .group_id = "group",
                                                   .topic = "clicks",
                                                   .shard_count = 1,
                                                   .rebalance = {on_assigned, on_revoked, NULL}};
    const struct kafka_sink_options plain = {
        .kafka = &rig.kafka, .topics = {"clicks"}, .queue_records_max = 10, .queue_bytes_max = 1 << 20};
    assert_ok(kafka_consumer_open(&options, &rig.consumer, NULL));
    for (int64_t end = now_ms() + 30000; rig.assigned < 2 && now_ms() < end;)
        assert_ok(kafka_consumer_poll(rig.consumer, 100, NULL));
    assert_int_equal(rig.assigned, 2);
    assert_ok(kafka_sink_open(&plain, &rig.plain, NULL));
    return 0;
}

static int drop_rig(void **state)
{
    (void)state;
    kafka_sink_close(rig.plain);
    kafka_consumer_close(rig.consumer);
    kafka_mock_close(rig.mock);
    buffer_release(&rig.said);
    return 0;
}

static void fail_requests(struct refusal refusal, int count)
{
    kafka_mock_fail_requests(rig.mock, refusal.request, (int)refusal.error, count);
}

static bool was_said(const char *text)
{
    return strstr(buffer_text(&rig.said), text);
}

/* ---- one producer, with a topic, a transactional id and an offset of its own */

struct producer {
    char name[32]; /* of both */
    struct kafka_transactions *transactions;
    struct record_sink sink;
    struct committer committer;
    int published;
    struct commit_point points[2];
};

static struct status try_to_open(struct producer *test, uint32_t records_max, struct complaint *complaint)
{
    *test = (struct producer){0};
    snprintf(test->name, sizeof test->name, "topic-%d", ++rig.topics);
    test->points[0] = (struct commit_point){0, rig.topics, "w=1"};
    test->points[1] = (struct commit_point){1, rig.topics, NULL};
    buffer_clear(&rig.said);
    rig.broken = 0;
    assert_ok(kafka_mock_create_topic(rig.mock, test->name, 1));
    const struct kafka_sink_options options = {.kafka = &rig.kafka,
                                               .topics = {[OUTPUT_SESSIONS] = test->name},
                                               .queue_records_max = records_max,
                                               .queue_bytes_max = 16 << 20};
    return kafka_transactions_open(&options, test->name, &test->transactions, complaint);
}

static void open_producer(struct producer *test, uint32_t records_max)
{
    struct complaint complaint = {0};
    struct status status = try_to_open(test, records_max, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
    test->sink = kafka_transactions_sink(test->transactions);
    test->committer = kafka_transactions_committer(test->transactions, rig.consumer);
    assert_true(test->committer.exactly_once);
}

static void close_producer(struct producer *test)
{
    kafka_transactions_close(test->transactions);
}

static struct status try_to_publish(struct producer *test)
{
    char number[16], key[16];
    snprintf(number, sizeof number, "%d", test->published + 1);
    snprintf(key, sizeof key, "k%d", test->published + 1);
    const struct header headers[] = {{"number", bytes_of_text(number)}, {"empty", BYTES("")}};
    const struct output_record record = {.output = OUTPUT_SESSIONS,
                                         .timestamp_ms = T + test->published + 1,
                                         .key = bytes_of_text(key),
                                         .value = bytes_of_text(number),
                                         .headers = headers,
                                         .header_count = 2};
    struct status status = test->sink.ops->publish(test->sink.self, &record);
    test->published += !failed(status);
    return status;
}

static void publish(struct producer *test, int count)
{
    while (count-- > 0)
        assert_ok(try_to_publish(test));
}

static void flush(struct producer *test)
{
    assert_ok(test->sink.ops->flush(test->sink.self, 20000));
}

/* Two records, which are in the topic, if not for good. */
static void publish_two(struct producer *test)
{
    publish(test, 2);
    flush(test);
}

static struct status commit(struct producer *test)
{
    return test->committer.ops->commit(test->committer.self, test->points, 2);
}

/* As a shard does: until it is said one way or the other. */
static struct status commit_patiently(struct producer *test, int *ret_tries)
{
    struct status status;
    *ret_tries = 0;
    int64_t end = now_ms() + 30000;
    do {
        status = commit(test);
        ++*ret_tries;
    } while (failed_as(status, FAULT_UNAVAILABLE) && now_ms() < end);
    return status;
}

static void assert_commits(struct producer *test)
{
    int tries;
    assert_ok(commit_patiently(test, &tries));
}

/* The numbers of the topic's records, each of which must be as it was published. */
static void append_log(const struct producer *test, struct buffer *log)
{
    const struct kafka_range_options options = {.kafka = &rig.kafka, .topic = test->name, .partition_count = 1};
    struct kafka_range *range;
    bool found;
    struct message message;
    struct header headers[3];
    assert_ok(kafka_range_open(&options, &range, NULL));
    for (;;) {
        assert_ok(kafka_range_next(range, &message, &found, NULL));
        if (!found)
            break;
        int64_t number;
        assert_true(bytes_to_int64(message.value, &number));
        assert_int_equal(message.timestamp_ms, T + number);
        assert_int_equal(message.key.data[0], 'k');
        assert_true(bytes_equal(bytes_of(message.key.data + 1, message.key.size - 1), message.value));
        assert_int_equal(kafka_range_headers(range, headers, 3), 2);
        assert_string_equal(headers[0].name, "number");
        assert_true(bytes_equal(headers[0].value, message.value));
        assert_string_equal(headers[1].name, "empty");
        assert_int_equal(headers[1].value.size, 0);
        buffer_append_bytes(log, message.value);
        buffer_append_text(log, " ");
    }
    kafka_range_close(range);
}

#define assert_log(test, expected) assert_log_at((test), (expected), __LINE__)
static void assert_log_at(const struct producer *test, const char *expected, int line)
{
    struct buffer log = {0};
    append_log(test, &log);
    if (strcmp(buffer_text(&log), expected) != 0)
        fail_msg("line %d: wanted %s, got %s", line, expected, buffer_text(&log));
    buffer_release(&log);
}

/* Another transaction after all that: nothing of the one before is left. */
static void assert_goes_on(struct producer *test, const char *expected)
{
    test->points[0].offset++;
    publish(test, 1);
    assert_commits(test);
    assert_log(test, expected);
}

/* What a transaction leaves behind that the brokers did commit. */
static void set_group(const struct producer *test, const char *metadata)
{
    struct committer committer = kafka_sink_committer(rig.plain, rig.consumer);
    const struct commit_point points[] = {{0, test->points[0].offset, metadata}, test->points[1]};
    assert_ok(committer.ops->commit(committer.self, points, 2));
}

/* ---- when all is well */

static void a_transaction_has_all_its_records_with_keys_and_headers(void **state)
{
    (void)state;
    struct producer test;
    open_producer(&test, 100);
    publish(&test, 3);
    assert_commits(&test);
    assert_log(&test, "1 2 3 ");
    test.points[0].offset++;
    assert_commits(&test); /* points alone */
    assert_goes_on(&test, "1 2 3 4 ");
    assert_int_equal(rig.said.size, 0);
    assert_int_equal(kafka_transactions_failures(test.transactions), 0);
    close_producer(&test);
}

static void what_is_kept_for_a_transaction_counts_until_it_is_committed(void **state)
{
    (void)state;
    struct producer test;
    open_producer(&test, 100);
    char *megabyte = calloc(1, 1 << 20);
    const struct output_record record = {.output = OUTPUT_SESSIONS, .value = bytes_of(megabyte, 1 << 20)};
    assert_ok(test.sink.ops->publish(test.sink.self, &record));
    free(megabyte); /* it was copied */
    flush(&test);
    assert_true(test.sink.ops->fill(test.sink.self) == 1.0 / 64);
    assert_commits(&test);
    assert_true(test.sink.ops->fill(test.sink.self) == 0);
    close_producer(&test);
}

/* ---- what passes by itself */

static void what_passes_is_waited_for_in_the_same_transaction(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {KAFKA_MOCK_FIND_COORDINATOR, ERROR_COORDINATOR_NOT_AVAILABLE},
        {KAFKA_MOCK_INIT_PRODUCER_ID, ERROR_COORDINATOR_NOT_AVAILABLE},
        {KAFKA_MOCK_INIT_PRODUCER_ID, ERROR_CONCURRENT_TRANSACTIONS},
        {KAFKA_MOCK_ADD_PARTITIONS, ERROR_COORDINATOR_NOT_AVAILABLE},
        {KAFKA_MOCK_ADD_PARTITIONS, ERROR_CONCURRENT_TRANSACTIONS},
        {KAFKA_MOCK_ADD_OFFSETS, ERROR_CONCURRENT_TRANSACTIONS},
        {KAFKA_MOCK_COMMIT_OFFSETS, ERROR_COORDINATOR_LOAD_IN_PROGRESS},
        {KAFKA_MOCK_COMMIT_OFFSETS, ERROR_NOT_COORDINATOR},
        {KAFKA_MOCK_END_TRANSACTION, ERROR_NOT_COORDINATOR},
        {KAFKA_MOCK_END_TRANSACTION, ERROR_CONCURRENT_TRANSACTIONS},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct producer test;
        fail_requests(refusals[i], 2);
        open_producer(&test, 100);
        publish(&test, 3);
        assert_commits(&test);
        assert_log(&test, "1 2 3 ");
        assert_int_equal(rig.said.size, 0);
        close_producer(&test);
    }
}

static void brokers_that_are_away_for_a_moment_are_waited_for_in_the_same_transaction(void **state)
{
    (void)state;
    struct producer test;
    int tries;
    open_producer(&test, 100);
    publish_two(&test);
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_COORDINATOR_LOAD_IN_PROGRESS}, MANY);
    assert_fails(UNAVAILABLE, commit(&test));
    assert_ok(kafka_mock_set_down(rig.mock, true));
    assert_fails(UNAVAILABLE, commit(&test));
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_COORDINATOR_LOAD_IN_PROGRESS}, 0);
    assert_fails(UNAVAILABLE, commit(&test));
    assert_ok(kafka_mock_set_down(rig.mock, false));
    assert_ok(commit_patiently(&test, &tries));
    assert_log(&test, "1 2 ");
    assert_int_equal(rig.said.size, 0);
    close_producer(&test);
}

/* ---- transactions that have to be aborted */

static void who_has_lost_the_partitions_is_fenced_and_makes_the_transaction_again(void **state)
{
    (void)state;
    static const enum error errors[] = {ERROR_ILLEGAL_GENERATION, ERROR_UNKNOWN_MEMBER_ID, ERROR_FENCED_INSTANCE_ID};
    for (size_t i = 0; i < 3; i++) {
        struct producer test;
        open_producer(&test, 100);
        publish_two(&test);
        fail_requests((struct refusal){KAFKA_MOCK_COMMIT_OFFSETS, errors[i]}, 1);
        assert_fails(FENCED, commit(&test));
        assert_true(was_said("send_offsets_to_transaction"));
        int32_t partitions; /* the same producer would give the records numbers that brokers may know already */
        assert_fails(UNAVAILABLE,
                     kafka_transactions_count_partitions(test.transactions, OUTPUT_SESSIONS, 10000, &partitions));
        assert_commits(&test);
        assert_log(&test, "1 2 1 2 ");
        assert_goes_on(&test, "1 2 1 2 3 ");
        close_producer(&test);
    }
}

static void an_abort_that_fails_makes_the_producer_anew(void **state)
{
    (void)state;
    struct producer test;
    int32_t count;
    open_producer(&test, 100);
    publish_two(&test);
    fail_requests((struct refusal){KAFKA_MOCK_COMMIT_OFFSETS, ERROR_ILLEGAL_GENERATION}, 1);
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_PRODUCER_FENCED}, 1);
    assert_ok(kafka_transactions_count_partitions(test.transactions, OUTPUT_SESSIONS, 10000, &count));
    assert_int_equal(count, 1);
    assert_fails(FENCED, commit(&test));

    assert_fails(UNAVAILABLE, kafka_transactions_count_partitions(test.transactions, OUTPUT_SESSIONS, 10000, &count));
    flush(&test); /* there is nothing to wait for */
    assert_true(test.sink.ops->fill(test.sink.self) > 0);
    set_group(&test, "w=1"); /* and yet nothing is in doubt: no commit was asked for */
    assert_commits(&test);
    assert_log(&test, "1 2 1 2 ");
    close_producer(&test);
}

static void more_records_than_the_queue_takes_are_made_again(void **state)
{
    (void)state;
    enum { COUNT = 1500, QUEUE = 100 };
    struct producer test;
    struct buffer wanted = {0}, log = {0};
    int tries;
    open_producer(&test, QUEUE);
    while (test.published < COUNT) {
        struct status status = try_to_publish(&test);
        if (failed(status)) {
            assert_true(failed_as(status, FAULT_LIMIT));
            flush(&test);
        }
    }
    flush(&test);
    fail_requests((struct refusal){KAFKA_MOCK_COMMIT_OFFSETS, ERROR_ILLEGAL_GENERATION}, 1);
    assert_fails(FENCED, commit(&test));
    assert_ok(commit_patiently(&test, &tries));
    assert_true(tries > 1); /* no call waits for the whole of it */
    for (int i = 0; i < 2 * COUNT; i++)
        buffer_format(&wanted, "%d ", i % COUNT + 1);
    append_log(&test, &log);
    assert_string_equal(buffer_text(&log), buffer_text(&wanted));
    buffer_release(&wanted);
    buffer_release(&log);
    close_producer(&test);
}

static void await_breakage(struct producer *test)
{
    for (int64_t end = now_ms() + 10000; !rig.broken && now_ms() < end; system_wait_ms(5))
        test->sink.ops->fill(test->sink.self); /* takes in what librdkafka has to say */
    assert_true(rig.broken > 0);
}

/* Nobody calls the commit at that time, so it is found out as the next record is published. */
static void records_published_after_a_transaction_broke_are_made_with_the_others(void **state)
{
    (void)state;
    static const enum error errors[] = {ERROR_INVALID_PRODUCER_ID_MAPPING, ERROR_PRODUCER_FENCED,
                                        ERROR_INVALID_PRODUCER_EPOCH};
    for (size_t i = 0; i < 3; i++) {
        struct producer test;
        open_producer(&test, 100);
        fail_requests((struct refusal){KAFKA_MOCK_ADD_PARTITIONS, errors[i]}, 1);
        publish(&test, 1);
        await_breakage(&test);
        publish(&test, 2);
        assert_fails(UNAVAILABLE, commit(&test));
        assert_commits(&test);
        assert_log(&test, "1 2 3 ");
        assert_goes_on(&test, "1 2 3 4 ");
        close_producer(&test);
    }
}

/* ---- refusals for good */

static void a_record_that_is_refused_ends_it(void **state)
{
    (void)state;
    static const enum error errors[] = {ERROR_MSG_SIZE_TOO_LARGE, ERROR_INVALID_RECORD};
    for (size_t i = 0; i < 2; i++) {
        struct producer test;
        int tries;
        open_producer(&test, 100);
        fail_requests((struct refusal){KAFKA_MOCK_PRODUCE, errors[i]}, 1);
        publish(&test, 1);
        assert_fails(IO, commit_patiently(&test, &tries));
        assert_int_equal(kafka_transactions_failures(test.transactions), 1);
        assert_fails(IO, commit(&test)); /* it would be no better in another transaction */
        assert_log(&test, "");
        close_producer(&test);
    }
}

/* What is no record's fault, but tells librdkafka that its numbers are wrong, goes down with the transaction. */
static void a_record_that_fails_otherwise_is_made_again(void **state)
{
    (void)state;
    static const enum error errors[] = {ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER, ERROR_UNKNOWN_PRODUCER_ID,
                                        ERROR_INVALID_PRODUCER_EPOCH, ERROR_INVALID_TXN_STATE};
    for (size_t i = 0; i < 4; i++) {
        struct producer test;
        open_producer(&test, 100);
        fail_requests((struct refusal){KAFKA_MOCK_PRODUCE, errors[i]}, 1);
        publish(&test, 1);
        flush(&test); /* librdkafka leaks offsets on their way when its handle is destroyed */
        assert_commits(&test);
        assert_int_equal(kafka_transactions_failures(test.transactions), 0);
        assert_log(&test, "1 ");
        assert_goes_on(&test, "1 2 ");
        close_producer(&test);
    }
}

static void a_transaction_that_is_not_allowed_is_an_error(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {KAFKA_MOCK_ADD_OFFSETS, ERROR_GROUP_AUTHORIZATION_FAILED},
        {KAFKA_MOCK_ADD_OFFSETS, ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED},
        {KAFKA_MOCK_COMMIT_OFFSETS, ERROR_GROUP_AUTHORIZATION_FAILED},
        {KAFKA_MOCK_COMMIT_OFFSETS, ERROR_TOPIC_AUTHORIZATION_FAILED},
        {KAFKA_MOCK_COMMIT_OFFSETS, ERROR_OFFSET_METADATA_TOO_LARGE},
        {KAFKA_MOCK_END_TRANSACTION, ERROR_CLUSTER_AUTHORIZATION_FAILED},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct producer test;
        open_producer(&test, 100);
        publish_two(&test);
        fail_requests(refusals[i], 1);
        struct status status = commit(&test);
        assert_fails(IO, status);
        assert_int_equal(status.detail, refusals[i].error);
        assert_commits(&test); /* nothing was lost by that */
        assert_log(&test, "1 2 1 2 ");
        close_producer(&test);
    }
}

/* Nor is it made again and again where there are more records than the queue takes. */
static void a_topic_that_is_not_allowed_is_an_error(void **state)
{
    (void)state;
    static const enum error errors[] = {ERROR_TOPIC_AUTHORIZATION_FAILED, ERROR_CLUSTER_AUTHORIZATION_FAILED};
    for (size_t i = 0; i < 2; i++) {
        struct producer test;
        int tries;
        open_producer(&test, 10);
        fail_requests((struct refusal){KAFKA_MOCK_ADD_PARTITIONS, errors[i]}, MANY);
        publish(&test, 1);
        await_breakage(&test);
        publish(&test, 20);
        struct status status = commit_patiently(&test, &tries);
        assert_fails(IO, status);
        assert_int_equal(status.detail, errors[i]);
        assert_true(was_said(errors[i] == ERROR_TOPIC_AUTHORIZATION_FAILED ? "TOPIC_AUTHORIZATION_FAILED"
                                                                           : "CLUSTER_AUTHORIZATION_FAILED"));
        fail_requests((struct refusal){KAFKA_MOCK_ADD_PARTITIONS, errors[i]}, 0);
        close_producer(&test);
    }
}

static void a_transactional_id_that_is_refused_is_named(void **state)
{
    (void)state;
    static const enum error errors[] = {ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, ERROR_INVALID_TRANSACTION_TIMEOUT};
    for (size_t i = 0; i < 2; i++) {
        struct producer test;
        struct complaint complaint = {0};
        fail_requests((struct refusal){KAFKA_MOCK_INIT_PRODUCER_ID, errors[i]}, 1);
        assert_fails(IO, try_to_open(&test, 100, &complaint));
        assert_non_null(strstr(complaint.text, "transactions of "));
        assert_non_null(strstr(complaint.text, test.name));
        assert_null(test.transactions);
    }
}

static void brokers_that_stay_away_are_named_when_it_is_opened(void **state)
{
    (void)state;
    struct producer test;
    struct complaint complaint = {0};
    assert_ok(kafka_mock_set_down(rig.mock, true));
    int64_t began_ms = now_ms();
    assert_fails(UNAVAILABLE, try_to_open(&test, 100, &complaint));
    int64_t took_ms = now_ms() - began_ms;
    assert_ok(kafka_mock_set_down(rig.mock, false));
    assert_true(took_ms >= PATIENCE_MS);
    assert_true(took_ms < PATIENCE_MS + 5000);
    assert_non_null(strstr(complaint.text, test.name));
    assert_non_null(strstr(complaint.text, "127.0.0.1:"));
    assert_null(test.transactions);
}

/* ---- commits whose outcome is not known */

static void a_commit_in_doubt_that_was_not_done_is_made_again(void **state)
{
    (void)state;
    static const enum error errors[] = {ERROR_PRODUCER_FENCED, ERROR_INVALID_PRODUCER_EPOCH};
    for (size_t i = 0; i < 2; i++) {
        struct producer test;
        open_producer(&test, 100);
        publish_two(&test);
        fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, errors[i]}, 1);
        assert_fails(UNAVAILABLE, commit(&test));
        set_group(&test, "w=2"); /* by someone else: the offset alone says nothing */
        assert_ok(commit(&test));
        assert_true(was_said("was not committed; it is made again"));
        assert_log(&test, "1 2 1 2 ");
        assert_goes_on(&test, "1 2 1 2 3 ");
        close_producer(&test);
    }
}

static void a_commit_in_doubt_that_was_done_is_not_made_again(void **state)
{
    (void)state;
    struct producer test;
    open_producer(&test, 100);
    publish_two(&test);
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_PRODUCER_FENCED}, 1);
    assert_fails(UNAVAILABLE, commit(&test));
    set_group(&test, "w=1");
    fail_requests((struct refusal){KAFKA_MOCK_OFFSET_FETCH, ERROR_GROUP_AUTHORIZATION_FAILED}, 1);
    assert_fails(UNAVAILABLE, commit(&test)); /* the group's offsets are not told */
    assert_log(&test, "1 2 ");
    assert_ok(commit(&test));
    assert_true(was_said("was committed"));
    assert_log(&test, "1 2 ");
    assert_true(test.sink.ops->fill(test.sink.self) == 0);
    assert_goes_on(&test, "1 2 3 ");
    close_producer(&test);
}

static void a_commit_that_is_not_answered_is_looked_up(void **state)
{
    (void)state;
    struct producer test;
    int32_t count;
    open_producer(&test, 100);
    publish_two(&test);
    set_group(&test, "w=1");
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_COORDINATOR_LOAD_IN_PROGRESS}, MANY);
    int64_t began_ms = now_ms();
    while (!was_said("commit_transaction")) {
        assert_true(now_ms() - began_ms < PATIENCE_MS + 5000);
        assert_fails(UNAVAILABLE, commit(&test));
    }
    assert_true(now_ms() - began_ms >= PATIENCE_MS);
    assert_fails(UNAVAILABLE, kafka_transactions_count_partitions(test.transactions, OUTPUT_SESSIONS, 10000, &count));
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_COORDINATOR_LOAD_IN_PROGRESS}, 0);
    assert_commits(&test);
    assert_true(was_said("was committed"));
    assert_log(&test, "1 2 ");
    assert_goes_on(&test, "1 2 3 ");
    close_producer(&test);
}

/* ---- what is dropped */

static void what_is_dropped_in_an_open_transaction_is_never_made_again(void **state)
{
    (void)state;
    struct producer test;
    open_producer(&test, 100);
    test.committer.ops->drop(test.committer.self); /* nothing to drop */
    publish_two(&test);
    test.committer.ops->drop(test.committer.self);
    assert_true(test.sink.ops->fill(test.sink.self) == 0);
    assert_int_equal(rig.said.size, 0);
    assert_goes_on(&test, "1 2 3 ");
    close_producer(&test);
}

static void what_is_dropped_in_doubt_is_ended_at_once_and_never_made_again(void **state)
{
    (void)state;
    struct producer test;
    int32_t count;
    open_producer(&test, 100);
    publish_two(&test);
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_COORDINATOR_LOAD_IN_PROGRESS}, MANY);
    assert_fails(UNAVAILABLE, commit(&test));
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_COORDINATOR_LOAD_IN_PROGRESS}, 0);
    test.committer.ops->drop(test.committer.self);
    /* by another producer, which is there */
    assert_ok(kafka_transactions_count_partitions(test.transactions, OUTPUT_SESSIONS, 10000, &count));
    assert_goes_on(&test, "1 2 3 ");

    publish(&test, 1);
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_PRODUCER_FENCED}, 1);
    assert_fails(UNAVAILABLE, commit(&test)); /* and now there is none */
    test.committer.ops->drop(test.committer.self);
    assert_ok(kafka_transactions_count_partitions(test.transactions, OUTPUT_SESSIONS, 10000, &count));
    assert_goes_on(&test, "1 2 3 4 5 ");
    assert_false(was_said("whose commit was not answered")); /* nobody asks any more */
    close_producer(&test);
}

static void drop_while_away(struct producer *test, int at_most_ms)
{
    assert_ok(kafka_mock_set_down(rig.mock, true));
    int64_t began_ms = now_ms();
    test->committer.ops->drop(test->committer.self);
    int64_t took_ms = now_ms() - began_ms;
    assert_ok(kafka_mock_set_down(rig.mock, false));
    assert_true(took_ms < at_most_ms);
}

static void a_drop_does_not_wait_long_for_brokers_that_are_away(void **state)
{
    (void)state;
    struct producer test;
    open_producer(&test, 100);
    publish_two(&test);
    drop_while_away(&test, 10000); /* for the abort, and for another producer */
    assert_goes_on(&test, "1 2 3 ");

    publish(&test, 1);
    flush(&test);
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_COORDINATOR_LOAD_IN_PROGRESS}, MANY);
    assert_fails(UNAVAILABLE, commit(&test));
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_COORDINATOR_LOAD_IN_PROGRESS}, 0);
    drop_while_away(&test, 5000); /* for another producer alone */
    assert_goes_on(&test, "1 2 3 4 5 ");
    close_producer(&test);
}

static void a_drop_gives_up_when_no_other_producer_is_allowed(void **state)
{
    (void)state;
    struct producer test;
    open_producer(&test, 100);
    publish_two(&test);
    fail_requests((struct refusal){KAFKA_MOCK_END_TRANSACTION, ERROR_PRODUCER_FENCED}, 1);
    assert_fails(UNAVAILABLE, commit(&test));
    fail_requests((struct refusal){KAFKA_MOCK_INIT_PRODUCER_ID, ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED}, 2);
    test.committer.ops->drop(test.committer.self);
    assert_fails(IO, commit(&test));
    assert_goes_on(&test, "1 2 3 ");
    close_producer(&test);
}

/* ---- the queue's limit */

static void a_full_queue_takes_nothing_and_has_room_again(void **state)
{
    (void)state;
    struct producer test;
    open_producer(&test, 10);
    publish(&test, 1);
    flush(&test);
    assert_ok(kafka_mock_set_down(rig.mock, true));
    publish(&test, 10);
    assert_fails(LIMIT, try_to_publish(&test));
    assert_fails(LIMIT, try_to_publish(&test));
    assert_true(test.sink.ops->fill(test.sink.self) >= 1);
    assert_fails(UNAVAILABLE, test.sink.ops->flush(test.sink.self, 50));
    assert_ok(kafka_mock_set_down(rig.mock, false));
    flush(&test);
    publish(&test, 1);
    assert_commits(&test);
    assert_log(&test, "1 2 3 4 5 6 7 8 9 10 11 12 ");
    close_producer(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_has_all_its_records_with_keys_and_headers),
        cmocka_unit_test(what_is_kept_for_a_transaction_counts_until_it_is_committed),
        cmocka_unit_test(what_passes_is_waited_for_in_the_same_transaction),
        cmocka_unit_test(brokers_that_are_away_for_a_moment_are_waited_for_in_the_same_transaction),
        cmocka_unit_test(who_has_lost_the_partitions_is_fenced_and_makes_the_transaction_again),
        cmocka_unit_test(an_abort_that_fails_makes_the_producer_anew),
        cmocka_unit_test(more_records_than_the_queue_takes_are_made_again),
        cmocka_unit_test(records_published_after_a_transaction_broke_are_made_with_the_others),
        cmocka_unit_test(a_record_that_is_refused_ends_it),
        cmocka_unit_test(a_record_that_fails_otherwise_is_made_again),
        cmocka_unit_test(a_transaction_that_is_not_allowed_is_an_error),
        cmocka_unit_test(a_topic_that_is_not_allowed_is_an_error),
        cmocka_unit_test(a_transactional_id_that_is_refused_is_named),
        cmocka_unit_test(brokers_that_stay_away_are_named_when_it_is_opened),
        cmocka_unit_test(a_commit_in_doubt_that_was_not_done_is_made_again),
        cmocka_unit_test(a_commit_in_doubt_that_was_done_is_not_made_again),
        cmocka_unit_test(a_commit_that_is_not_answered_is_looked_up),
        cmocka_unit_test(what_is_dropped_in_an_open_transaction_is_never_made_again),
        cmocka_unit_test(what_is_dropped_in_doubt_is_ended_at_once_and_never_made_again),
        cmocka_unit_test(a_drop_does_not_wait_long_for_brokers_that_are_away),
        cmocka_unit_test(a_drop_gives_up_when_no_other_producer_is_allowed),
        cmocka_unit_test(a_full_queue_takes_nothing_and_has_room_again),
    };
    return cmocka_run_group_tests(tests, make_rig, drop_rig);
}
