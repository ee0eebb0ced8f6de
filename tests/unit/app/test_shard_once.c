// SPDX-License-Identifier: Apache-2.0
/* Exactly once: whatever fails, and whoever goes on, what is committed is what an undisturbed run commits. And what a
 * new owner without a store rebuilds is what the old one had. */
#include "support/support.h"

#include "app/log.h"
#include "support/shard_rig.h"

#include <unistd.h>

#define CLICKS 400

static void open_rig(struct shard_rig *rig)
{
    shard_rig_open(rig, 1);
    rig->exactly_once = true;
    rig->options.batch_clicks = 7;
    shard_rig_traffic(rig, CLICKS, 4);
}

/* All that was committed, each output in its order. */
static uint64_t outputs_hash(const struct shard_rig *rig)
{
    uint64_t hashes[OUTPUT_COUNT] = {0};
    for (size_t i = 0; i < memory_world_output_count(rig->world); i++) {
        const struct output_record *record = memory_world_output(rig->world, i);
        uint64_t parts[3] = {hashes[record->output], bytes_hash(record->key), bytes_hash(record->value)};
        hashes[record->output] = bytes_hash(bytes_of(parts, sizeof parts));
    }
    return bytes_hash(bytes_of(hashes, sizeof hashes));
}

static struct shard_trace trace;

static void trace_from(struct shard_rig *rig, size_t fail_at, struct status fault)
{
    trace = (struct shard_trace){.fail_at = fail_at, .fault = fault};
    memory_world_set_faults(rig->world, (struct memory_faults){.before = shard_trace_effect, .context = &trace});
}

struct calm { /* an undisturbed run */
    uint64_t outputs, state;
    size_t records, effects;
};

static struct calm run_calm(void)
{
    struct shard_rig rig;
    open_rig(&rig);
    trace_from(&rig, SIZE_MAX, OK);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    struct calm calm = {.outputs = outputs_hash(&rig),
                        .state = shard_rig_state(&rig),
                        .records = memory_world_output_count(rig.world),
                        .effects = trace.count};
    shard_rig_close(&rig);
    return calm;
}

static void assert_as_calm(const struct shard_rig *rig, const struct calm *calm)
{
    assert_int_equal(memory_world_output_count(rig->world), calm->records);
    assert_true(outputs_hash(rig) == calm->outputs);
    assert_true(shard_rig_state(rig) == calm->state);
}

static void a_crash_at_any_effect_answers_each_click_once(void **state)
{
    (void)state;
    struct calm calm = run_calm();
    size_t crashes = 0;
    assert_true(calm.records > CLICKS);
    for (size_t at = 1; at <= calm.effects; at += at < 40 ? 1 : 3) {
        struct shard_rig rig;
        open_rig(&rig);
        trace_from(&rig, at, FAIL(INTERRUPTED, 0, "crash"));
        assert_ok(shard_rig_start(&rig, NULL));
        if (failed(shard_rig_run(&rig))) {
            crashes++;
            shard_rig_crash(&rig);
            assert_ok(shard_rig_start(&rig, NULL));
            assert_ok(shard_rig_run(&rig));
        }
        assert_as_calm(&rig, &calm);
        shard_rig_close(&rig);
    }
    assert_true(crashes > 100);
}

static void forget_store(struct shard_rig *rig)
{
    struct session_store store = memory_world_store(rig->world, 0);
    assert_ok(store.ops->clear(store.self));
}

/* ---- a click that closes more than one transaction is to hold */

#define VISITORS 60

static void open_jump(struct shard_rig *rig, uint32_t closed_max, uint32_t commit_sessions)
{
    shard_rig_open(rig, 1);
    rig->exactly_once = true;
    rig->options.engine.closed_max = closed_max;
    rig->options.commit_sessions = commit_sessions;
    rig->options.commit_interval_ms = 60000;
    for (int i = 0; i < VISITORS; i++) {
        char visitor[16];
        snprintf(visitor, sizeof visitor, "v%d", i);
        shard_rig_click(rig, 0, visitor, "item-1", SHARD_RIG_TIME + i);
    }
    shard_rig_click(rig, 0, "early", "item-2", SHARD_RIG_TIME + 3600000);
    shard_rig_click(rig, 0, "early", "item-3", SHARD_RIG_TIME + 3600001);
}

static struct calm run_jump(uint32_t closed_max, uint32_t commit_sessions, size_t *ret_commits)
{
    struct shard_rig rig;
    open_jump(&rig, closed_max, commit_sessions);
    trace_from(&rig, SIZE_MAX, OK);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    *ret_commits = (size_t)metric_get(&rig.metrics, METRIC_COMMITS);
    struct calm calm = {.outputs = outputs_hash(&rig),
                        .state = shard_rig_state(&rig),
                        .records = memory_world_output_count(rig.world),
                        .effects = trace.count};
    shard_rig_close(&rig);
    return calm;
}

static void what_one_click_closes_is_committed_in_portions(void **state)
{
    (void)state;
    size_t at_once, portioned;
    struct calm calm = run_jump(0, 1000000, &at_once), portions = run_jump(5, 20, &portioned);
    assert_true(portioned >= at_once + VISITORS / 20 - 1);
    assert_int_equal(calm.records, VISITORS * 2 + 2);
    assert_int_equal(portions.records, calm.records);
    assert_true(portions.outputs == calm.outputs && portions.state == calm.state);
}

static void a_crash_between_portions_closes_each_session_once(void **state)
{
    (void)state;
    size_t commits, crashes = 0, rebuilt = 0;
    struct calm calm = run_jump(5, 20, &commits);
    for (size_t at = 1; at <= calm.effects; at++) {
        struct shard_rig rig;
        open_jump(&rig, 5, 20);
        trace_from(&rig, at, FAIL(INTERRUPTED, 0, "crash"));
        assert_ok(shard_rig_start(&rig, NULL));
        if (failed(shard_rig_run(&rig))) {
            crashes++;
            shard_rig_crash(&rig);
            if (at % 2) { /* by somebody who has to rebuild, and portions otherwise */
                forget_store(&rig);
                rig.options.engine.closed_max = 0;
                rebuilt++;
            }
            assert_ok(shard_rig_start(&rig, NULL));
            assert_ok(shard_rig_run(&rig));
        }
        assert_as_calm(&rig, &calm);
        shard_rig_close(&rig);
    }
    assert_true(crashes > 50 && rebuilt > 20);
}

/* ---- commits that fail */

/* Commits that fail for a while are tried again, with nothing taken in between. */
struct refusals {
    size_t seen, from, to;
    bool answer_lost; /* the commit is done, but nobody says so */
};

static struct status refuse(struct refusals *refusals)
{
    size_t n = refusals->seen++;
    return n >= refusals->from && n < refusals->to ? FAIL(UNAVAILABLE, 0, "not now") : OK;
}

static struct status refuse_before(void *context, enum memory_effect effect)
{
    struct refusals *refusals = context;
    return effect == MEMORY_COMMIT_OFFSETS && !refusals->answer_lost ? refuse(refusals) : OK;
}

static struct status refuse_after(void *context, enum memory_effect effect)
{
    struct refusals *refusals = context;
    return effect == MEMORY_COMMIT_OFFSETS && refusals->answer_lost ? refuse(refusals) : OK;
}

static void commits_that_fail_or_are_not_answered_are_made_again(void **state)
{
    (void)state;
    struct calm calm = run_calm();
    for (size_t from = 0; from < 4; from++)
        for (size_t count = 1; count < 4; count++)
            for (int lost = 0; lost < 2; lost++) {
                struct refusals refusals = {.from = from, .to = from + count, .answer_lost = lost};
                struct shard_rig rig;
                open_rig(&rig);
                memory_world_set_faults(rig.world, (struct memory_faults){refuse_before, &refusals, refuse_after});
                assert_ok(shard_rig_start(&rig, NULL));
                assert_ok(shard_rig_run(&rig));
                assert_true(refusals.seen > from + count);
                assert_int_equal(metric_get(&rig.metrics, METRIC_COMMITS_POSTPONED), count);
                assert_ok(shard_rig_stop(&rig)); /* the last commit may have reached the group, but not the store yet */
                assert_as_calm(&rig, &calm);
                shard_rig_close(&rig);
            }
}

static void nothing_is_taken_while_a_commit_is_not_done(void **state)
{
    (void)state;
    struct refusals refusals = {.from = 0, .to = 50};
    struct shard_rig rig;
    open_rig(&rig);
    memory_world_set_faults(rig.world, (struct memory_faults){.before = refuse_before, .context = &refusals});
    assert_ok(shard_rig_start(&rig, NULL));
    size_t count, taken = 0, taken_at_first = 0;
    while (refusals.seen < 50) {
        assert_ok(shard_step(rig.shard, 0, &count));
        rig.wall_ms += 10;
        rig.monotonic_us += 10000;
        taken += count;
        if (refusals.seen == 1 && !taken_at_first)
            taken_at_first = taken;
    }
    assert_int_equal(taken, taken_at_first);
    shard_rig_close(&rig);
}

/* ---- partitions that go */

static void what_a_lost_partition_had_not_committed_is_never_seen(void **state)
{
    (void)state;
    struct calm calm = run_calm();
    struct shard_rig rig;
    int32_t partition = 0;
    size_t count;
    open_rig(&rig);
    assert_ok(shard_rig_start(&rig, NULL));
    for (int i = 0; i < 25; i++) {
        assert_ok(shard_step(rig.shard, 0, &count));
        rig.monotonic_us += 10000;
    }
    size_t committed = memory_world_output_count(rig.world);
    assert_ok(shard_release(rig.shard, &partition, 1, true, 0));
    assert_int_equal(memory_world_output_count(rig.world), committed);
    struct assignment assignment = {.partition = 0, .high = CLICKS};
    const char *metadata;
    assignment.committed = memory_world_committed(rig.world, 0, &metadata);
    assignment.metadata = bytes_of_text(metadata);
    assert_ok(shard_accept(rig.shard, &assignment, NULL));
    memory_world_assign(rig.world, 0, assignment.start);
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), CLICKS);
    assert_int_equal(memory_world_output_count(rig.world), calm.records);
    shard_rig_close(&rig);
}

static struct status always_fenced(void *context, enum memory_effect effect)
{
    (void)context;
    return effect == MEMORY_COMMIT_OFFSETS ? FAIL(FENCED, 0, "another owner") : OK;
}

static void a_revocation_whose_commit_is_refused_gives_up_its_outputs(void **state)
{
    (void)state;
    struct shard_rig rig;
    int32_t partition = 0;
    size_t count;
    open_rig(&rig);
    memory_world_set_faults(rig.world, (struct memory_faults){.before = always_fenced});
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_step(rig.shard, 0, &count));
    assert_true(count > 0);
    assert_fails(FENCED, shard_release(rig.shard, &partition, 1, false, 100));
    memory_world_set_faults(rig.world, (struct memory_faults){0});
    assert_int_equal(memory_world_output_count(rig.world), 0);
    assert_ok(shard_step(rig.shard, 0, &count));
    shard_rig_close(&rig);
}

/* The outputs of the others were in the same transaction: the shard ends, and its next run answers their clicks. */
static void a_refused_commit_ends_a_shard_that_keeps_other_partitions(void **state)
{
    (void)state;
    struct shard_rig rig;
    int32_t partition = 0;
    size_t count;
    shard_rig_open(&rig, 2);
    rig.exactly_once = true;
    shard_rig_traffic(&rig, 100, 4);
    memory_world_set_faults(rig.world, (struct memory_faults){.before = always_fenced});
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_step(rig.shard, 0, &count));
    assert_fails(FENCED, shard_release(rig.shard, &partition, 1, false, 100));
    memory_world_set_faults(rig.world, (struct memory_faults){0});
    partition = 1; /* before the next step */
    assert_fails(FENCED, shard_release(rig.shard, &partition, 1, false, 100));
    assert_int_equal(memory_world_committed(rig.world, 1, NULL), -1);
    assert_fails(FENCED, shard_step(rig.shard, 0, &count));
    shard_rig_crash(&rig);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 100);
    shard_rig_close(&rig);
}

static void a_shard_that_is_fenced_for_long_ends(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct status status = OK;
    size_t count;
    open_rig(&rig);
    memory_world_set_faults(rig.world, (struct memory_faults){.before = always_fenced});
    assert_ok(shard_rig_start(&rig, NULL));
    int64_t began_us = rig.monotonic_us;
    while (!failed(status)) {
        status = shard_step(rig.shard, 0, &count);
        rig.monotonic_us += 100000;
        assert_true(rig.monotonic_us - began_us < INT64_C(120000000));
    }
    assert_fails(FENCED, status);
    assert_true(rig.monotonic_us - began_us > INT64_C(50000000));
    shard_rig_close(&rig);
}

/* ---- owners without a store */

/* Sessions come and go, none near the longest: those of one that never pauses are cut where the rebuild began. */
static void open_long_rig(struct shard_rig *rig)
{
    shard_rig_open(rig, 1);
    rig->exactly_once = true;
    rig->options.batch_clicks = 7;
    rig->options.limits.future_max_ms = 1000;
    rig->options.engine.session.max_duration_ms = 55000;
}

static void a_new_owner_rebuilds_what_the_old_one_had(void **state)
{
    (void)state;
    for (size_t at = 100; at < 1200; at += 133) {
        struct shard_rig calm, rig;
        open_long_rig(&calm);
        shard_rig_traffic(&calm, at, 8);
        shard_rig_traffic(&calm, 1200 - at, 8);
        assert_ok(shard_rig_start(&calm, NULL));
        assert_ok(shard_rig_run(&calm));
        open_long_rig(&rig);
        shard_rig_traffic(&rig, at, 8);
        assert_ok(shard_rig_start(&rig, NULL));
        assert_ok(shard_rig_run(&rig));
        assert_ok(shard_rig_stop(&rig));
        uint64_t sessions = shard_rig_sessions(&rig);
        forget_store(&rig);
        rig.metrics = (struct metrics){0};
        assert_ok(shard_rig_start(&rig, NULL));
        assert_int_equal(metric_get(&rig.metrics, METRIC_PARTITIONS_CATCHING_UP), 1);
        size_t count;
        while (metric_get(&rig.metrics, METRIC_PARTITIONS_CATCHING_UP) > 0)
            assert_ok(shard_step(rig.shard, 0, &count));
        assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_ANSWERED), 0);
        assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_BEHIND), 0);
        assert_true(metric_get(&rig.metrics, METRIC_CLICKS_SILENT) <= (int64_t)at);
        if (at > 600) /* not from the beginning of the log */
            assert_true(metric_get(&rig.metrics, METRIC_CLICKS_SILENT) < 500);
        assert_true(shard_rig_sessions(&rig) == sessions);
        shard_rig_traffic(&rig, 1200 - at, 8);
        assert_ok(shard_rig_run(&rig));
        assert_true(shard_rig_sessions(&rig) == shard_rig_sessions(&calm));
        assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 1200);
        shard_rig_close(&rig);
        shard_rig_close(&calm);
    }
}

/* The source is at the end of its log as soon as it has delivered the last message, which is then not yet applied. */
static void a_rebuild_takes_all_that_the_last_batch_delivered(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_long_rig(&rig);
    rig.options.batch_clicks = 300; /* several runs, the clicks between them unusable */
    shard_rig_traffic(&rig, 100, 8);
    memory_world_append(rig.world, 0, SHARD_RIG_TIME, BYTES("s"), BYTES("?"));
    shard_rig_traffic(&rig, 100, 8);
    memory_world_append(rig.world, 0, SHARD_RIG_TIME, BYTES("s"), BYTES("?"));
    shard_rig_traffic(&rig, 98, 8);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_ok(shard_rig_stop(&rig));
    uint64_t sessions = shard_rig_sessions(&rig);
    size_t outputs = memory_world_output_count(rig.world);
    forget_store(&rig);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_ok(shard_rig_stop(&rig));
    assert_true(shard_rig_sessions(&rig) == sessions);
    assert_int_equal(memory_world_output_count(rig.world), outputs);
    shard_rig_close(&rig);
}

static void a_crash_in_the_middle_of_a_rebuild_commits_nothing_of_it(void **state)
{
    (void)state;
    struct shard_rig rig;
    size_t count;
    open_long_rig(&rig);
    shard_rig_traffic(&rig, 300, 8);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_ok(shard_rig_stop(&rig));
    uint64_t sessions = shard_rig_sessions(&rig);
    size_t outputs = memory_world_output_count(rig.world);
    forget_store(&rig);
    uint64_t nothing = shard_rig_sessions(&rig);
    assert_ok(shard_rig_start(&rig, NULL));
    for (int i = 0; i < 20; i++) {
        assert_ok(shard_step(rig.shard, 0, &count));
        rig.monotonic_us += 50000;
    }
    assert_true(metric_get(&rig.metrics, METRIC_CLICKS_BEHIND) > 0);
    shard_rig_crash(&rig);
    assert_true(shard_rig_sessions(&rig) == nothing);
    assert_int_equal(memory_world_committed(rig.world, 0, NULL), 300);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    while (metric_get(&rig.metrics, METRIC_PARTITIONS_CATCHING_UP) > 0)
        assert_ok(shard_step(rig.shard, 0, &count));
    assert_true(shard_rig_sessions(&rig) == sessions);
    assert_int_equal(memory_world_output_count(rig.world), outputs);
    shard_rig_close(&rig);
}

int main(void)
{
    log_configure(LOG_ERROR + 1, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_at_any_effect_answers_each_click_once),
        cmocka_unit_test(what_one_click_closes_is_committed_in_portions),
        cmocka_unit_test(a_crash_between_portions_closes_each_session_once),
        cmocka_unit_test(commits_that_fail_or_are_not_answered_are_made_again),
        cmocka_unit_test(nothing_is_taken_while_a_commit_is_not_done),
        cmocka_unit_test(what_a_lost_partition_had_not_committed_is_never_seen),
        cmocka_unit_test(a_revocation_whose_commit_is_refused_gives_up_its_outputs),
        cmocka_unit_test(a_refused_commit_ends_a_shard_that_keeps_other_partitions),
        cmocka_unit_test(a_shard_that_is_fenced_for_long_ends),
        cmocka_unit_test(a_new_owner_rebuilds_what_the_old_one_had),
        cmocka_unit_test(a_rebuild_takes_all_that_the_last_batch_delivered),
        cmocka_unit_test(a_crash_in_the_middle_of_a_rebuild_commits_nothing_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
