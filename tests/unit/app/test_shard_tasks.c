// SPDX-License-Identifier: Apache-2.0
/* How a shard's tasks begin and end, what they do without clicks, and how they wait. */
#include "support/support.h"

#include "app/log.h"
#include "support/shard_rig.h"

#include <unistd.h>

/* ---- where a task begins */

static void commit_offset(struct shard_rig *rig, int64_t offset, const char *metadata)
{
    struct committer committer = memory_world_committer(rig->world, false);
    assert_ok(committer.ops->commit(committer.self, &(struct commit_point){0, offset, metadata}, 1));
}

static void a_group_set_back_behind_the_store_is_refused_or_adopted(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct complaint complaint = {0};
    shard_rig_open(&rig, 1);
    shard_rig_traffic(&rig, 20, 6);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    const char *text;
    char metadata[200];
    assert_int_equal(memory_world_committed(rig.world, 0, &text), 20);
    snprintf(metadata, sizeof metadata, "%s", text);
    uint64_t state_then = shard_rig_state(&rig);
    shard_rig_traffic(&rig, 80, 6);
    assert_ok(shard_rig_run(&rig));
    assert_ok(shard_rig_stop(&rig));
    uint64_t state_at_the_end = shard_rig_state(&rig);
    size_t answered = shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS);

    commit_offset(&rig, 20, metadata);
    assert_fails(CONFIG, shard_rig_start(&rig, &complaint));
    assert_non_null(strstr(complaint.text, "--adopt"));
    assert_non_null(strstr(complaint.text, "stand at offset 100, but the group at 20"));
    shard_rig_crash(&rig);
    rig.options.adopt = true;
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), answered + 80);
    assert_true(shard_rig_state(&rig) == state_at_the_end);
    assert_true(state_then != state_at_the_end);
    shard_rig_close(&rig);
}

/* Three batches of them, the last not full; each has an item that only it knows. */
static void all_stored_sessions_are_restored(void **state)
{
    (void)state;
    enum { SESSIONS = 600 };
    struct shard_rig rig;
    char session_id[24], item_id[24];
    shard_rig_open(&rig, 1);
    for (int i = 0; i < SESSIONS; i++) {
        snprintf(session_id, sizeof session_id, "visitor-%d", i);
        snprintf(item_id, sizeof item_id, "own-%d", i);
        shard_rig_click(&rig, 0, session_id, item_id, SHARD_RIG_TIME + i);
    }
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    shard_rig_crash(&rig);
    assert_ok(shard_rig_start(&rig, NULL));
    for (int i = 0; i < SESSIONS; i++) {
        snprintf(session_id, sizeof session_id, "visitor-%d", i);
        shard_rig_click(&rig, 0, session_id, "last", SHARD_RIG_TIME + 1000 + i);
    }
    assert_ok(shard_rig_run(&rig));
    shard_rig_click(&rig, 0, "later", "last", SHARD_RIG_TIME + 60000); /* all close */
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_SESSIONS), SESSIONS);
    for (size_t i = 0; i < SESSIONS; i++) {
        const struct output_record *closed = shard_rig_output(&rig, OUTPUT_SESSIONS, i);
        snprintf(item_id, sizeof item_id, "own-%zu", i);
        assert_non_null(memmem(closed->value.data, closed->value.size, item_id, strlen(item_id)));
        assert_non_null(memmem(closed->value.data, closed->value.size, "last", 4));
    }
    shard_rig_close(&rig);
}

static struct status accept_one(struct shard_rig *rig, struct assignment assignment, struct complaint *complaint,
                                int64_t *ret_start)
{
    const struct memory_faults none = {0};
    memory_world_set_faults(rig->world, none);
    int32_t partition = 0;
    assert_ok(shard_release(rig->shard, &partition, 1, false, 0));
    TRY(shard_accept(rig->shard, &assignment, complaint));
    *ret_start = assignment.start;
    return OK;
}

static void positions_outside_the_log_are_answered_or_refused_with_a_reason(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct complaint complaint = {0};
    int64_t start;
    shard_rig_open(&rig, 1);
    assert_ok(shard_rig_start(&rig, NULL));
    struct assignment past = {.committed = 50, .high = 49};
    assert_fails(CONFIG, accept_one(&rig, past, &complaint, &start));
    assert_non_null(strstr(complaint.text, "made anew"));
    struct assignment gone = {.committed = 10, .low = 30, .high = 49};
    assert_ok(accept_one(&rig, gone, &complaint, &start));
    assert_int_equal(start, 30);
    struct assignment kept = {.committed = 40, .high = 49, .metadata = BYTES("what another tool wrote")};
    assert_ok(accept_one(&rig, kept, &complaint, &start));
    assert_int_equal(start, 40);
    shard_rig_close(&rig);
}

static void start_stored_refuses_a_partition_that_was_never_committed(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct complaint complaint = {0};
    shard_rig_open(&rig, 1);
    rig.options.start_stored = true;
    assert_fails(NOT_FOUND, shard_rig_start(&rig, &complaint));
    assert_non_null(strstr(complaint.text, "group_id"));
    shard_rig_close(&rig);
}

static void a_lost_partition_commits_nothing(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    shard_rig_traffic(&rig, 30, 7);
    assert_ok(shard_rig_start(&rig, NULL));
    size_t count;
    int32_t partition = 0;
    assert_ok(shard_step(rig.shard, 0, &count));
    assert_int_equal(count, 30);
    assert_ok(shard_release(rig.shard, &partition, 1, true, 0));
    assert_int_equal(memory_world_committed(rig.world, 0, NULL), -1);
    assert_int_equal(shard_task_count(rig.shard), 0);
    shard_rig_close(&rig);
}

/* ---- quiet partitions */

static void run_for(struct shard_rig *rig, int64_t duration_ms)
{
    size_t count;
    for (int64_t end_ms = rig->wall_ms + duration_ms; rig->wall_ms < end_ms; rig->wall_ms += 100) {
        rig->monotonic_us += 100000;
        assert_ok(shard_step(rig->shard, 0, &count));
    }
}

static void a_quiet_partition_closes_its_sessions_by_the_wall_clock(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    rig.options.idle_ms = 3000;
    shard_rig_click(&rig, 0, "a", "item-1", SHARD_RIG_TIME);
    shard_rig_click(&rig, 0, "a", "item-2", SHARD_RIG_TIME + 1);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    run_for(&rig, 9000);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_SESSIONS), 0);
    run_for(&rig, 4000);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_SESSIONS), 1);
    const char *metadata;
    memory_world_committed(rig.world, 0, &metadata);
    assert_non_null(strstr(metadata, "watermark=17000000"));
    assert_int_equal(metric_get(&rig.metrics, METRIC_SESSIONS_OPEN), 0);
    int64_t commits = metric_get(&rig.metrics, METRIC_COMMITS);
    run_for(&rig, 5000);
    assert_int_equal(metric_get(&rig.metrics, METRIC_COMMITS), commits);
    shard_rig_close(&rig);
}

static void a_watermark_moved_by_the_clock_survives_a_store_that_lags(void **state)
{
    (void)state;
    struct shard_rig rig;
    static struct shard_trace trace;
    trace = (struct shard_trace){.fail_at = SIZE_MAX};
    shard_rig_open(&rig, 1);
    rig.options.idle_ms = 3000;
    memory_world_set_faults(rig.world, (struct memory_faults){.before = shard_trace_effect, .context = &trace});
    shard_rig_click(&rig, 0, "a", "item-1", SHARD_RIG_TIME);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    run_for(&rig, 10900);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_SESSIONS), 0);
    struct status status = OK;
    size_t count;
    trace.fault = FAIL(DISK_FULL, 0, "full");
    while (!failed(status)) {
        rig.wall_ms += 100;
        rig.monotonic_us += 100000;
        /* refuse the store's commit after the one that closed the session */
        if (shard_rig_count(&rig, OUTPUT_SESSIONS) == 0)
            trace.fail_at = trace.count + 4;
        status = shard_step(rig.shard, 0, &count);
        assert_true(trace.count < 1000);
    }
    assert_fails(DISK_FULL, status);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_SESSIONS), 1);
    trace.fail_at = SIZE_MAX;
    shard_rig_crash(&rig);
    assert_ok(shard_rig_start(&rig, NULL));
    run_for(&rig, 20000);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_SESSIONS), 1);
    shard_rig_click(&rig, 0, "a", "item-2", SHARD_RIG_TIME + 100);
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_LATE_CLICKS), 1);
    shard_rig_close(&rig);
}

static struct status refuses_offsets(void *context, enum memory_effect effect)
{
    (void)context;
    return effect == MEMORY_COMMIT_OFFSETS ? FAIL(IO, 0, "refused") : OK;
}

static struct status answers_no_commit(void *context, enum memory_effect effect)
{
    (void)context;
    return effect == MEMORY_COMMIT_OFFSETS ? FAIL(UNAVAILABLE, 0, "not now") : OK;
}

/* What the clock did is in no log: a click answered by it, the step not being committed, could not be answered so
 * again. */
static void no_click_is_taken_before_a_step_of_the_clock_is_committed(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    rig.options.idle_ms = 3000;
    shard_rig_click(&rig, 0, "a", "item-1", SHARD_RIG_TIME);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    memory_world_set_faults(rig.world, (struct memory_faults){.before = answers_no_commit});
    run_for(&rig, 4000);
    shard_rig_click(&rig, 0, "a", "item-2", SHARD_RIG_TIME + 4000);
    run_for(&rig, 1000);
    assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_ANSWERED), 1);
    memory_world_set_faults(rig.world, (struct memory_faults){0});
    run_for(&rig, 1000);
    assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_ANSWERED), 2);
    shard_rig_close(&rig);
}

/* The last record of the partition is no click: where the group stands is then past the last click. */
static void a_session_closed_by_the_clock_again_after_a_crash_is_the_same_session(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    rig.options.idle_ms = 3000;
    shard_rig_click(&rig, 0, "a", "item-1", SHARD_RIG_TIME);
    shard_rig_click(&rig, 0, "a", "item-2", SHARD_RIG_TIME + 1);
    memory_world_append(rig.world, 0, SHARD_RIG_TIME, BYTES("key"), BYTES("not a click"));
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    run_for(&rig, 10500);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_SESSIONS), 0);
    memory_world_set_faults(rig.world, (struct memory_faults){.before = refuses_offsets, .context = NULL});
    struct status status = OK;
    size_t count;
    for (int i = 0; i < 100 && !failed(status); i++) {
        rig.wall_ms += 100;
        rig.monotonic_us += 100000;
        status = shard_step(rig.shard, 0, &count);
        if (failed(status) && shard_rig_count(&rig, OUTPUT_SESSIONS) == 0) { /* an earlier step of the watermark */
            memory_world_set_faults(rig.world, (struct memory_faults){0});
            shard_rig_crash(&rig);
            assert_ok(shard_rig_start(&rig, NULL));
            run_for(&rig, 3000);
            memory_world_set_faults(rig.world, (struct memory_faults){.before = refuses_offsets, .context = NULL});
            status = OK;
        }
    }
    assert_fails(IO, status);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_SESSIONS), 1);
    memory_world_set_faults(rig.world, (struct memory_faults){0});
    shard_rig_crash(&rig);
    assert_ok(shard_rig_start(&rig, NULL));
    run_for(&rig, 30000);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_SESSIONS), 2); /* at least once */
    assert_true(bytes_equal(shard_rig_output(&rig, OUTPUT_SESSIONS, 0)->value,
                            shard_rig_output(&rig, OUTPUT_SESSIONS, 1)->value));
    struct learner_counts counts = learner_counts(knowledge_learner(rig.knowledge));
    assert_int_equal(counts.learned + counts.pending, 1);
    shard_rig_close(&rig);
}

static void a_quiet_partition_does_not_hold_back_what_others_learn(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 2);
    for (int i = 0; i < 300; i++) {
        char session[16];
        snprintf(session, sizeof session, "s%d", i / 5);
        shard_rig_click(&rig, 0, session, i % 2 ? "item-1" : "item-2", SHARD_RIG_TIME + i * 1000);
    }
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(learner_counts(knowledge_learner(rig.knowledge)).learned, 0);
    run_for(&rig, 61000); /* partition 1 counts as idle from here on */
    shard_rig_click(&rig, 0, "late", "item-1", SHARD_RIG_TIME + 400000);
    assert_ok(shard_rig_run(&rig));
    assert_true(learner_counts(knowledge_learner(rig.knowledge)).learned > 50);
    shard_rig_close(&rig);
}

/* ---- backpressure */

static void a_full_queue_stops_the_partitions_and_loses_nothing(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    memory_world_set_queue(rig.world, 20); /* a batch has 50 clicks */
    shard_rig_traffic(&rig, 500, 8);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    int64_t duplicates = metric_get(&rig.metrics, METRIC_CLICKS_DUPLICATE);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS) + (size_t)duplicates, 500);
    shard_rig_close(&rig);
}

static struct status never_flushes(void *context, enum memory_effect effect)
{
    (void)context;
    return effect == MEMORY_FLUSH ? FAIL(UNAVAILABLE, 0, "the broker is away") : OK;
}

static void a_broker_that_is_away_stops_the_partitions_until_it_is_back(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    rig.options.batch_clicks = 10;
    memory_world_set_queue(rig.world, 100);
    memory_world_set_faults(rig.world, (struct memory_faults){.before = never_flushes, .context = NULL});
    shard_rig_traffic(&rig, 400, 9);
    assert_ok(shard_rig_start(&rig, NULL));
    run_for(&rig, 5000);
    assert_int_equal(metric_get(&rig.metrics, METRIC_PARTITIONS_PAUSED), 1);
    assert_int_equal(memory_world_committed(rig.world, 0, NULL), -1);
    assert_true(metric_get(&rig.metrics, METRIC_RECOMMENDATIONS) < 100);
    memory_world_set_faults(rig.world, (struct memory_faults){0});
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(metric_get(&rig.metrics, METRIC_PARTITIONS_PAUSED), 0);
    int64_t duplicates = metric_get(&rig.metrics, METRIC_CLICKS_DUPLICATE);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS) + (size_t)duplicates, 400);
    shard_rig_close(&rig);
}

/* However long the sink's queue is, clicks whose offsets cannot be committed do not pile up without an end. */
static void clicks_that_cannot_be_committed_are_bounded(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    rig.options.batch_clicks = 10;
    memory_world_set_faults(rig.world, (struct memory_faults){.before = never_flushes, .context = NULL});
    shard_rig_traffic(&rig, 4000, 11);
    assert_ok(shard_rig_start(&rig, NULL));
    run_for(&rig, 39000);
    assert_int_equal(metric_get(&rig.metrics, METRIC_PARTITIONS_PAUSED), 1);
    assert_true(metric_get(&rig.metrics, METRIC_RECOMMENDATIONS) < 1500);
    memory_world_set_faults(rig.world, (struct memory_faults){0});
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(metric_get(&rig.metrics, METRIC_PARTITIONS_PAUSED), 0);
    int64_t duplicates = metric_get(&rig.metrics, METRIC_CLICKS_DUPLICATE);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS) + (size_t)duplicates, 4000);
    shard_rig_close(&rig);
}

/* The partition may come back to this process, and librdkafka remembers what was stopped. */
static void feed_nonsense(struct shard_rig *rig, int32_t partition, int count)
{
    for (int i = 0; i < count; i++)
        memory_world_append(rig->world, partition, SHARD_RIG_TIME, BYTES("key"), BYTES("not avro"));
}

/* The source is at the log's end as soon as it has delivered the batch. */
static void sessions_rebuilt_from_one_batch_are_whole_and_silent(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    rig.options.batch_clicks = 1000;
    for (int i = 0; i < 20; i++) {
        shard_rig_traffic(&rig, 20, 9);
        feed_nonsense(&rig, 0, 1);
    }
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    uint64_t sessions = shard_rig_sessions(&rig);
    size_t outputs = memory_world_output_count(rig.world);
    shard_rig_crash(&rig);
    struct session_store store = memory_world_store(rig.world, 0);
    assert_ok(store.ops->clear(store.self));
    assert_ok(shard_rig_start(&rig, NULL));
    run_for(&rig, 1000);
    assert_true(shard_rig_sessions(&rig) == sessions);
    assert_int_equal(memory_world_output_count(rig.world), outputs);
    shard_rig_close(&rig);
}

/* Every fifth click is a dead letter; and when eddy is started again it goes on there. */
static void too_many_dead_letters_stop_the_clicks_and_what_is_done_is_committed(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 2);
    rig.options.batch_clicks = 10;
    rig.dead_limits = (struct dead_limits){.ratio_max = 0.1f, .window_clicks = 100};
    for (int i = 0; i < 100; i++) {
        shard_rig_traffic(&rig, 4, 9);
        feed_nonsense(&rig, i % 2, 1);
    }
    assert_ok(shard_rig_start(&rig, NULL));
    run_for(&rig, 5000);
    struct complaint complaint = {{0}};
    assert_fails(BAD_INPUT, dead_watch_verdict(rig.dead_watch, "dead", &complaint));
    assert_non_null(strstr(complaint.text, "11 of the last 5")); /* 51 to 59 */
    size_t letters = shard_rig_count(&rig, OUTPUT_DEAD_LETTERS);
    assert_true(letters >= 11 && letters < 11 + rig.options.batch_clicks);
    int64_t committed = memory_world_committed(rig.world, 0, NULL) + memory_world_committed(rig.world, 1, NULL);
    assert_true(committed < 80);
    assert_ok(shard_rig_stop(&rig));
    assert_int_equal(memory_world_committed(rig.world, 0, NULL) + memory_world_committed(rig.world, 1, NULL),
                     committed);
    int64_t duplicates = metric_get(&rig.metrics, METRIC_CLICKS_DUPLICATE);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS) + letters + (size_t)duplicates, committed);

    rig.dead_limits.ratio_max = 0.5f;
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_DEAD_LETTERS), 100);
    shard_rig_close(&rig);
}

static void dead_letters_of_before_a_restart_do_not_count(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    shard_rig_traffic(&rig, 10, 9);
    feed_nonsense(&rig, 0, 30);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    shard_rig_crash(&rig);
    struct session_store store = memory_world_store(rig.world, 0);
    assert_ok(store.ops->clear(store.self)); /* so that it is all taken once more, in silence */
    rig.dead_limits = (struct dead_limits){.window_clicks = 100, .per_minute_max = 1};
    feed_nonsense(&rig, 0, 1);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_false(dead_watch_exceeded(rig.dead_watch));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_DEAD_LETTERS), 31);
    shard_rig_close(&rig);
}

static void partitions_given_up_without_a_commit_are_not_left_stopped(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    rig.options.batch_clicks = 10;
    memory_world_set_queue(rig.world, 100);
    memory_world_set_faults(rig.world, (struct memory_faults){.before = never_flushes, .context = NULL});
    shard_rig_traffic(&rig, 400, 12);
    assert_ok(shard_rig_start(&rig, NULL));
    run_for(&rig, 2000);
    assert_int_equal(metric_get(&rig.metrics, METRIC_PARTITIONS_PAUSED), 1);
    int32_t partition = 0;
    assert_fails(UNAVAILABLE, shard_release(rig.shard, &partition, 1, false, 0));
    assert_int_equal(metric_get(&rig.metrics, METRIC_PARTITIONS_PAUSED), 0);
    struct click_source source = memory_world_source(rig.world);
    struct message message;
    size_t count = 0;
    assert_ok(source.ops->poll(source.self, 0, &message, 1, &count));
    assert_int_equal(count, 1);
    shard_rig_close(&rig);
}

static void an_interrupt_ends_a_wait_for_room(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    memory_world_set_queue(rig.world, 5);
    memory_world_set_faults(rig.world, (struct memory_faults){.before = never_flushes, .context = NULL});
    shard_rig_traffic(&rig, 50, 10);
    assert_ok(shard_rig_start(&rig, NULL));
    shard_interrupt(rig.shard);
    size_t count;
    assert_fails(INTERRUPTED, shard_step(rig.shard, 0, &count));
    shard_rig_close(&rig);
}

/* An interrupt is for one request: a shard that gave partitions up goes on with those it gets next. */
static void an_interrupt_is_over_when_the_shard_is_resumed(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    memory_world_set_queue(rig.world, 5);
    shard_rig_traffic(&rig, 50, 13);
    assert_ok(shard_rig_start(&rig, NULL));
    shard_interrupt(rig.shard);
    shard_resume(rig.shard);
    assert_ok(shard_rig_run(&rig)); /* waits for room many times */
    shard_rig_close(&rig);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_set_back_behind_the_store_is_refused_or_adopted),
        cmocka_unit_test(all_stored_sessions_are_restored),
        cmocka_unit_test(positions_outside_the_log_are_answered_or_refused_with_a_reason),
        cmocka_unit_test(start_stored_refuses_a_partition_that_was_never_committed),
        cmocka_unit_test(a_lost_partition_commits_nothing),
        cmocka_unit_test(a_quiet_partition_closes_its_sessions_by_the_wall_clock),
        cmocka_unit_test(a_watermark_moved_by_the_clock_survives_a_store_that_lags),
        cmocka_unit_test(no_click_is_taken_before_a_step_of_the_clock_is_committed),
        cmocka_unit_test(a_session_closed_by_the_clock_again_after_a_crash_is_the_same_session),
        cmocka_unit_test(a_quiet_partition_does_not_hold_back_what_others_learn),
        cmocka_unit_test(a_full_queue_stops_the_partitions_and_loses_nothing),
        cmocka_unit_test(a_broker_that_is_away_stops_the_partitions_until_it_is_back),
        cmocka_unit_test(clicks_that_cannot_be_committed_are_bounded),
        cmocka_unit_test(sessions_rebuilt_from_one_batch_are_whole_and_silent),
        cmocka_unit_test(too_many_dead_letters_stop_the_clicks_and_what_is_done_is_committed),
        cmocka_unit_test(dead_letters_of_before_a_restart_do_not_count),
        cmocka_unit_test(partitions_given_up_without_a_commit_are_not_left_stopped),
        cmocka_unit_test(an_interrupt_ends_a_wait_for_room),
        cmocka_unit_test(an_interrupt_is_over_when_the_shard_is_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
