// SPDX-License-Identifier: Apache-2.0
/* The consumer of the clicks topic and its sources against librdkafka's mock cluster in this process. */
#include "support/support.h"

#include "support/mock_rig.h"

#include <eddy/io/system.h>

#include <librdkafka/rdkafka.h>
#include <pthread.h>

struct group_test {
    struct kafka_consumer *consumer;
    struct kafka_sink *sink;
    int64_t starts[4]; /* where `assigned` makes each begin; -1: as proposed */
    struct assignment seen[4];
    _Atomic int assigned, revoked, calls;
    struct status refusal;
    bool idle; /* has nothing to commit */
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
        struct click_source source = kafka_consumer_source(test->consumer, (uint32_t)p % 2);
        TRY(source.ops->begin(source.self, p, partitions[i].start, partitions[i].high));
    }
    test->assigned += (int)count;
    test->calls++;
    return test->refusal;
}

/* Commits from within, as shards do. */
static void on_revoked(void *context, const int32_t *partitions, size_t count, bool lost)
{
    struct group_test *test = context;
    assert_false(lost);
    for (size_t i = 0; i < count && !test->idle; i++) {
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
    test->sink = mock_rig_sink(kafka, "clicks");
    assert_ok(kafka_consumer_open(&options, &test->consumer, &complaint));
}

static void await_partitions(struct group_test *test)
{
    struct complaint complaint = {0};
    for (int64_t end = mock_rig_now_ms() + 30000; test->assigned < 4 && mock_rig_now_ms() < end;)
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
    struct kafka_sink *sink = mock_rig_sink(kafka, "clicks");
    struct record_sink port = kafka_sink_port(sink);
    for (int i = 0; i < per_partition; i++)
        for (int p = 0; p < 4; p++)
            mock_rig_publish(port, OUTPUT_RECOMMENDATIONS, p, i);
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
    for (int64_t end = mock_rig_now_ms() + 20000; total < wanted && mock_rig_now_ms() < end; total += count) {
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
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
    for (int64_t end = mock_rig_now_ms() + 5000; !ended && mock_rig_now_ms() < end;
         ended = source.ops->at_end(source.self, 2)) {
        assert_ok(source.ops->poll(source.self, 10, messages, 1, &count));
        assert_ok(kafka_consumer_poll(test.consumer, 0, &complaint));
    }
    assert_true(ended);
    assert_ok(source.ops->begin(source.self, 2, 50, 50));
    assert_false(source.ops->at_end(source.self, 2));

    kafka_consumer_leave(test.consumer);
    assert_int_equal(test.revoked, 4);
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
}

/* There are four partitions. */
static void a_member_without_partitions_waits_for_some(void **state)
{
    enum { MEMBERS = 5 };
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
    struct group_test tests[MEMBERS] = {0};
    struct complaint complaint = {0};
    int owned = 0, told = 0;
    for (int i = 0; i < MEMBERS; i++) {
        tests[i].idle = true;
        subscribe(&tests[i], &kafka, "crowd");
    }
    for (int64_t end = mock_rig_now_ms() + 30000; (owned < 4 || told < MEMBERS) && mock_rig_now_ms() < end;) {
        owned = told = 0;
        for (int i = 0; i < MEMBERS; i++) {
            memset(tests[i].starts, 0xff, sizeof tests[i].starts);
            assert_ok(kafka_consumer_poll(tests[i].consumer, 20, &complaint));
            owned += tests[i].assigned - tests[i].revoked;
            told += tests[i].calls > 0;
        }
    }
    assert_int_equal(owned, 4);
    assert_int_equal(told, MEMBERS);
    for (int i = 0; i < MEMBERS; i++) {
        kafka_consumer_leave(tests[i].consumer);
        kafka_consumer_close(tests[i].consumer);
        kafka_sink_close(tests[i].sink);
    }
}

/* After a broker was lost its partitions have no leader for some seconds, or those asked are not it any more. */
static void a_leader_that_is_being_replaced_is_waited_for(void **state)
{
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(move.mock));
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(mock));
    struct group_test test = {.starts = {-1, -1, -1, -1}};
    join(&test, &kafka, "leaderless");
    struct click_source sources[2] = {kafka_consumer_source(test.consumer, 0), kafka_consumer_source(test.consumer, 1)};
    struct complaint complaint = {0};
    struct message messages[1];
    size_t count;
    bool ended[4] = {false};
    for (int64_t end = mock_rig_now_ms() + 10000;
         mock_rig_now_ms() < end && !(ended[0] && ended[1] && ended[2] && ended[3]);)
        for (int32_t p = 0; p < 4; p++) {
            assert_ok(sources[p % 2].ops->poll(sources[p % 2].self, 10, messages, 1, &count));
            assert_ok(kafka_consumer_poll(test.consumer, 0, &complaint));
            ended[p] = sources[p % 2].ops->at_end(sources[p % 2].self, p);
        }
    assert_true(ended[0] && ended[1] && ended[2] && ended[3]);
    assert_ok(kafka_mock_set_leader(mock, "clicks", 2, -1));
    system_wait_ms(6000); /* what was said of their ends is too old now */
    bool known[4] = {false};
    for (int64_t end = mock_rig_now_ms() + 15000; mock_rig_now_ms() < end && !(known[0] && known[1] && known[3]);)
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
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

/* ---- leaders of old: brokers that stood still while another became the leader, and do not know */

static _Atomic int64_t old_end = -1; /* where they say that logs end, for ... */
static _Atomic int old_answers;      /* ... so many answers more */

rd_kafka_resp_err_t __real_rd_kafka_offsets_for_times(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list,
                                                      int timeout_ms);
rd_kafka_resp_err_t __wrap_rd_kafka_offsets_for_times(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list,
                                                      int timeout_ms);

rd_kafka_resp_err_t __wrap_rd_kafka_offsets_for_times(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list,
                                                      int timeout_ms)
{
    bool ends = list->cnt && list->elems[0].offset == RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t error = __real_rd_kafka_offsets_for_times(handle, list, timeout_ms);
    if (error || !ends || old_answers == 0)
        return error;
    old_answers--;
    for (int i = 0; i < list->cnt; i++)
        if (!list->elems[i].err && list->elems[i].offset > old_end)
            list->elems[i].offset = old_end;
    return error;
}

static int make_old_leaders(void **state)
{
    old_answers = 0; /* a test before may have failed */
    return mock_rig_make(state);
}

#define WITH_OLD_LEADERS(test) cmocka_unit_test_setup_teardown(test, make_old_leaders, mock_rig_drop)
#define OFFSET_OUT_OF_RANGE    1

static void a_broker_that_does_not_have_an_offset_that_is_there_is_asked_again(void **state)
{
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
    fill_clicks(&kafka, 20);
    struct group_test test = {.starts = {-1, -1, -1, -1}};
    join(&test, &kafka, "asks-again");
    int64_t next[4] = {0};
    read_shard(&test, next, 40);
    kafka_mock_fail_requests(*state, KAFKA_MOCK_FETCH, OFFSET_OUT_OF_RANGE, 4);
    fill_clicks(&kafka, 20);
    read_shard(&test, next, 40); /* each once, in order */
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
}

static void a_log_that_seems_to_end_too_early_is_not_given_up(void **state)
{
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
    fill_clicks(&kafka, 20);
    struct group_test test = {.starts = {-1, -1, -1, -1}};
    join(&test, &kafka, "waits");
    int64_t next[4] = {0};
    read_shard(&test, next, 40);
    old_end = 7;
    old_answers = 2; /* of the partitions of the shard, one each */
    kafka_mock_fail_requests(*state, KAFKA_MOCK_FETCH, OFFSET_OUT_OF_RANGE, 4);
    fill_clicks(&kafka, 20);
    read_shard(&test, next, 40);
    assert_int_equal(old_answers, 0); /* it was told so */
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
}

static void a_log_that_seems_to_end_too_early_is_not_idle(void **state)
{
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
    fill_clicks(&kafka, 20);
    struct group_test test = {.starts = {-1, -1, -1, -1}};
    struct complaint complaint = {0};
    join(&test, &kafka, "not-idle");
    int64_t next[4] = {0};
    read_shard(&test, next, 40);
    old_end = 7;
    old_answers = INT32_MAX;
    struct click_source source = kafka_consumer_source(test.consumer, 0);
    struct message messages[1];
    size_t count;
    for (int64_t end = mock_rig_now_ms() + 1500; mock_rig_now_ms() < end;) {
        assert_ok(source.ops->poll(source.self, 10, messages, 1, &count));
        assert_ok(kafka_consumer_poll(test.consumer, 0, &complaint));
        assert_false(source.ops->at_end(source.self, 2));
    }
    assert_true(old_answers < INT32_MAX);
    old_answers = 0;
    bool ended = false;
    for (int64_t end = mock_rig_now_ms() + 5000; !ended && mock_rig_now_ms() < end;) {
        assert_ok(kafka_consumer_poll(test.consumer, 10, &complaint));
        ended = source.ops->at_end(source.self, 2);
    }
    assert_true(ended);
    kafka_consumer_close(test.consumer);
    kafka_sink_close(test.sink);
}

static void a_group_ahead_of_where_logs_seem_to_end_is_not_believed_at_once(void **state)
{
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
    fill_clicks(&kafka, 20);
    struct group_test first = {.starts = {-1, -1, -1, -1}};
    join(&first, &kafka, "ahead");
    kafka_consumer_leave(first.consumer); /* commits 10 */
    old_end = 7;
    old_answers = 3;
    struct group_test second = {.starts = {-1, -1, -1, -1}};
    join(&second, &kafka, "ahead");
    assert_int_equal(old_answers, 0);
    assert_int_equal(second.seen[3].committed, 10);
    assert_int_equal(second.seen[3].high, 20);
    kafka_consumer_close(first.consumer);
    kafka_consumer_close(second.consumer);
    kafka_sink_close(first.sink);
    kafka_sink_close(second.sink);
}

static void a_paused_partition_waits_and_goes_on_without_a_gap(void **state)
{
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
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
    for (int64_t end = mock_rig_now_ms() + 20000; !failed(status) && mock_rig_now_ms() < end;)
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
    struct kafka_options kafka = mock_rig_options(kafka_mock_bootstrap(*state));
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
    for (int64_t end = mock_rig_now_ms() + 30000; test.assigned < 4 && mock_rig_now_ms() < end;)
        assert_ok(kafka_consumer_poll(test.consumer, 100, &complaint));
    struct record_sink sink = kafka_transactions_sink(transactions);
    struct committer committer = kafka_transactions_committer(transactions, test.consumer);
    mock_rig_publish(sink, OUTPUT_RECOMMENDATIONS, 0, 1);
    assert_ok(commit_transaction(committer));

    kafka_mock_fail_requests(*state, KAFKA_MOCK_HEARTBEAT, 25 /* unknown member */, 1);
    system_wait_ms(1000);
    assert_int_equal(test.revoked, 0);
    mock_rig_publish(sink, OUTPUT_RECOMMENDATIONS, 0, 2);
    assert_fails(FENCED, commit_transaction(committer));
    for (int64_t end = mock_rig_now_ms() + 30000; test.revoked < 4 && mock_rig_now_ms() < end;)
        assert_ok(kafka_consumer_poll(test.consumer, 100, &complaint));
    assert_int_equal(test.revoked, 4);
    committer.ops->drop(committer.self);
    kafka_transactions_close(transactions);
    kafka_consumer_close(test.consumer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MOCK(a_shard_gets_its_own_partitions_from_where_the_handler_said),
        WITH_MOCK(a_member_without_partitions_waits_for_some),
        WITH_MOCK(a_leader_that_is_being_replaced_is_waited_for),
        cmocka_unit_test(a_leader_that_changed_before_the_partitions_were_assigned_is_found),
        cmocka_unit_test(a_partition_without_a_leader_does_not_keep_the_ends_of_others_from_being_known),
        WITH_MOCK(what_is_committed_in_a_revocation_is_where_the_next_owner_begins),
        WITH_OLD_LEADERS(a_broker_that_does_not_have_an_offset_that_is_there_is_asked_again),
        WITH_OLD_LEADERS(a_log_that_seems_to_end_too_early_is_not_given_up),
        WITH_OLD_LEADERS(a_log_that_seems_to_end_too_early_is_not_idle),
        WITH_OLD_LEADERS(a_group_ahead_of_where_logs_seem_to_end_is_not_believed_at_once),
        WITH_MOCK(a_paused_partition_waits_and_goes_on_without_a_gap),
        WITH_MOCK(a_handler_that_refuses_partitions_ends_the_consumer),
        WITH_MOCK(who_is_no_member_any_more_commits_no_transaction),
    };
    return cmocka_run_group_tests_name("consumer", tests, NULL, NULL);
}
