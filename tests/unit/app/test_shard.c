// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/log.h"
#include "support/shard_rig.h"

#include <eddy/core/codec.h>

#include <unistd.h>

#define CLICKS 1200

static struct recommendation_record decode(struct decoder *decoder, struct arena *arena,
                                           const struct output_record *record)
{
    struct recommendation_record recommendation;
    struct complaint complaint = {0};
    assert_ok(decode_recommendation(decoder, record->value, arena, &recommendation, &complaint));
    return recommendation;
}

/* The values answering each click of partition 0, by offset; a click answered twice must be answered alike. */
struct answers {
    struct bytes values[CLICKS];
    size_t count, repeated;
};

static void collect_answers(const struct shard_rig *rig, struct answers *answers)
{
    struct decoder *decoder;
    struct arena arena = {0};
    assert_ok(decoder_open(RECORD_RECOMMENDATION, RECORD_AVRO, &decoder));
    *answers = (struct answers){0};
    for (size_t i = 0; i < memory_world_output_count(rig->world); i++) {
        const struct output_record *record = memory_world_output(rig->world, i);
        if (record->output != OUTPUT_RECOMMENDATIONS)
            continue;
        struct recommendation_record recommendation = decode(decoder, &arena, record);
        assert_true(bytes_equal(record->key, recommendation.session_id));
        assert_true(recommendation.offset < CLICKS);
        struct bytes *value = &answers->values[recommendation.offset];
        answers->repeated += value->data != NULL;
        answers->count += value->data == NULL;
        assert_true(!value->data || bytes_equal(*value, record->value));
        *value = record->value;
    }
    arena_release(&arena);
    decoder_close(decoder);
}

static void every_click_gets_its_recommendation_and_a_commit(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct answers answers;
    shard_rig_open(&rig, 1);
    shard_rig_traffic(&rig, CLICKS, 1);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    collect_answers(&rig, &answers);
    int64_t duplicates = metric_get(&rig.metrics, METRIC_CLICKS_DUPLICATE);
    assert_int_equal(answers.count, CLICKS - (size_t)duplicates);
    assert_int_equal(answers.repeated, 0);
    assert_int_equal(metric_get(&rig.metrics, METRIC_RECOMMENDATIONS), answers.count);
    assert_true(shard_rig_count(&rig, OUTPUT_SESSIONS) > 20);
    assert_true(metric_get(&rig.metrics, METRIC_RECOMMENDATIONS_EMPTY) < CLICKS / 2);
    assert_true(metric_get(&rig.metrics, METRIC_SESSIONS_OPEN) > 0);
    assert_ok(shard_rig_stop(&rig));
    assert_int_equal(metric_get(&rig.metrics, METRIC_SESSIONS_OPEN), 0);
    assert_int_equal(metric_get(&rig.metrics, METRIC_PARTITIONS_ASSIGNED), 0);
    shard_rig_close(&rig);
}

/* Also when items are named by the clicks themselves. */
static void what_is_answered_does_not_depend_on_how_clicks_are_batched(void **state)
{
    (void)state;
    struct shard_rig rigs[2];
    static struct answers answers[2];
    for (int i = 0; i < 2; i++) {
        shard_rig_open(&rigs[i], 1);
        rigs[i].options.batch_clicks = i ? 500 : 1;
        rigs[i].items = 0;
        shard_rig_traffic(&rigs[i], CLICKS, 2);
        assert_ok(shard_rig_start(&rigs[i], NULL));
        assert_ok(shard_rig_run(&rigs[i]));
        collect_answers(&rigs[i], &answers[i]);
    }
    assert_true(answers[0].count > CLICKS / 2);
    for (size_t i = 0; i < CLICKS; i++)
        assert_true(bytes_equal(answers[0].values[i], answers[1].values[i]));
    shard_rig_close(&rigs[0]);
    shard_rig_close(&rigs[1]);
}

/* ---- what cannot be used */

static struct bytes header_of(const struct output_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++)
        if (!strcmp(record->headers[i].name, name))
            return record->headers[i].value;
    return BYTES("(none)");
}

static void what_cannot_be_used_goes_to_dead_letters_as_it_came(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 2);
    shard_rig_click(&rig, 1, "s", "a", SHARD_RIG_TIME);
    memory_world_append(rig.world, 1, SHARD_RIG_TIME, BYTES("key"), BYTES("\x80\x80not avro"));
    memory_world_append(rig.world, 1, SHARD_RIG_TIME, BYTES("key2"), (struct bytes){0});
    shard_rig_click(&rig, 1, "", "a", SHARD_RIG_TIME);
    shard_rig_click(&rig, 1, "s", "b", SHARD_RIG_TIME + 1);
    memory_world_append(rig.world, 1, SHARD_RIG_TIME, BYTES("key"), BYTES("the end"));
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_DEAD_LETTERS), 4);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 2);
    assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_DEAD), 4);
    assert_int_equal(memory_world_committed(rig.world, 1, NULL), 6);

    const struct output_record *first = shard_rig_output(&rig, OUTPUT_DEAD_LETTERS, 0);
    assert_bytes(first->key, "key");
    assert_bytes(first->value, "\x80\x80not avro");
    assert_bytes(header_of(first, "__connect.errors.topic"), "clicks");
    assert_bytes(header_of(first, "__connect.errors.partition"), "1");
    assert_bytes(header_of(first, "__connect.errors.offset"), "1");
    assert_bytes(header_of(first, "__connect.errors.exception.class.name"), "bad input");
    assert_true(header_of(first, "__connect.errors.exception.message").size > 10);
    assert_null(shard_rig_output(&rig, OUTPUT_DEAD_LETTERS, 1)->value.data);
    struct bytes reason =
        header_of(shard_rig_output(&rig, OUTPUT_DEAD_LETTERS, 2), "__connect.errors.exception.message");
    assert_non_null(memmem(reason.data, reason.size, "session_id", 10));
    shard_rig_close(&rig);
}

static void a_click_of_an_unknown_type_is_answered_counted_and_logged(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"ClickEvent\",\"fields\":[{\"name\":\"session_id\",\"type\":\"string\"},"
        "{\"name\":\"item_id\",\"type\":\"string\"},{\"name\":\"timestamp\",\"type\":\"long\"},{\"name\":\"type\","
        "\"type\":{\"type\":\"enum\",\"name\":\"ClickType\",\"symbols\":[\"view\",\"wishlist\"]}}]}";
    struct shard_rig rig;
    FILE *log = tmpfile();
    char text[1000];
    shard_rig_open(&rig, 1);
    for (int i = 0; i < 20; i++) { /* session s, item a; 1700000000000; a wishlist but for the first */
        const uint8_t click[] = {2, 's', 2, 'a', 0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62, i ? 2 : 0};
        memory_world_append(rig.world, 0, SHARD_RIG_TIME, BYTES("s"), bytes_of(click, sizeof click));
    }
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(decoder_set_schema(rig.decoder, bytes_of_text(schema), NULL));
    log_configure(LOG_WARN, LOG_FORMAT_LOGFMT, fileno(log));
    assert_ok(shard_rig_run(&rig));
    log_configure(LOG_ERROR, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_UNKNOWN_TYPE), 19);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_DEAD_LETTERS), 0);
    assert_int_equal(
        metric_get(&rig.metrics, METRIC_CLICKS_ANSWERED) + metric_get(&rig.metrics, METRIC_CLICKS_DUPLICATE), 20);
    rewind(log);
    int lines = 0;
    while (fgets(text, sizeof text, log)) {
        lines++;
        assert_non_null(strstr(text, "unknown_click_type"));
        assert_non_null(strstr(text, "type=wishlist"));
    }
    assert_int_equal(lines, LOG_BURST);
    fclose(log);
    shard_rig_close(&rig);
}

static void an_oversize_dead_letter_is_cut_and_says_so(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    static uint8_t junk[900 * 1024];
    memset(junk, 0xff, sizeof junk);
    memory_world_append(rig.world, 0, SHARD_RIG_TIME, BYTES("k"), bytes_of(junk, sizeof junk));
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    const struct output_record *record = shard_rig_output(&rig, OUTPUT_DEAD_LETTERS, 0);
    assert_true(record->value.size < 500 * 1024);
    assert_bytes(header_of(record, "eddy.cut.from.bytes"), "921601");
    shard_rig_close(&rig);
}

static void late_clicks_are_handed_on_as_they_came(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    shard_rig_click(&rig, 0, "a", "x", SHARD_RIG_TIME + 100000);
    shard_rig_click(&rig, 0, "b", "x", SHARD_RIG_TIME);
    int64_t late = shard_rig_click(&rig, 0, "c", "y", SHARD_RIG_TIME + 5);
    shard_rig_click(&rig, 0, "a", "z", SHARD_RIG_TIME + 100001);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_LATE_CLICKS), 2);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 2);
    const struct output_record *record = shard_rig_output(&rig, OUTPUT_LATE_CLICKS, 1);
    assert_bytes(record->key, "c");
    assert_int_equal(record->timestamp_ms, SHARD_RIG_TIME + 5);
    struct decoder *decoder;
    struct click click;
    struct complaint complaint = {0};
    assert_ok(decoder_open(RECORD_CLICK, RECORD_AVRO, &decoder));
    assert_ok(decode_click(decoder, record->value, &click, &complaint));
    assert_bytes(click.item_id, "y");
    assert_int_equal(late, 2);
    decoder_close(decoder);
    assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_LATE), 2);
    shard_rig_close(&rig);
}

static void a_late_click_too_large_to_hand_on_is_a_dead_letter(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    static uint8_t key[1 << 20];
    memset(key, 'k', sizeof key);
    struct click click = {
        .session_id = BYTES("s"), .item_id = BYTES("x"), .time_ms = SHARD_RIG_TIME, .type = CLICK_TYPE_VIEW};
    AUTO(buffer) value = {0};
    encode_click((struct encoding){RECORD_AVRO, 0}, &click, &value);
    shard_rig_click(&rig, 0, "a", "x", SHARD_RIG_TIME + 100000);
    memory_world_append(rig.world, 0, SHARD_RIG_TIME, bytes_of(key, sizeof key), buffer_bytes(&value));
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_LATE_CLICKS), 0);
    assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_LATE), 0);
    assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_DEAD), 1);
    const struct output_record *record = shard_rig_output(&rig, OUTPUT_DEAD_LETTERS, 0);
    assert_non_null(strstr((const char *)header_of(record, "__connect.errors.exception.message").data, "late"));
    shard_rig_close(&rig);
}

static void a_full_catalogue_refuses_new_items_and_answers_for_the_rest(void **state)
{
    (void)state;
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    rig.knowledge_options.catalogue.items_max = 2;
    rig.items = 0;
    const char *items[] = {"a", "b", "c", "a", "d", "b"};
    for (int i = 0; i < 6; i++)
        shard_rig_click(&rig, 0, "s", items[i], SHARD_RIG_TIME + i);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_DEAD_LETTERS), 2);
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), 4);
    assert_int_equal(memory_world_committed(rig.world, 0, NULL), 6);
    shard_rig_close(&rig);
}

/* ---- the order of effects, and crashes between them */

static void a_commit_flushes_then_commits_offsets_then_the_store(void **state)
{
    (void)state;
    static struct shard_trace trace;
    trace = (struct shard_trace){.fail_at = SIZE_MAX};
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    memory_world_set_faults(rig.world, (struct memory_faults){.before = shard_trace_effect, .context = &trace});
    shard_rig_traffic(&rig, 200, 3);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    size_t commits = 0;
    for (size_t i = 0; i < trace.count; i++) {
        if (trace.effects[i] == MEMORY_COMMIT_STORE)
            assert_int_equal(trace.effects[i - 1], MEMORY_COMMIT_OFFSETS);
        if (trace.effects[i] == MEMORY_COMMIT_OFFSETS) {
            assert_int_equal(trace.effects[i - 1], MEMORY_FLUSH);
            assert_int_equal(trace.effects[i + 1], MEMORY_COMMIT_STORE);
            commits++;
        }
    }
    assert_true(commits > 0);
    shard_rig_close(&rig);
}

/* Twenty steps, 10 ms apart, of ten clicks each. */
static int64_t commits_of(uint32_t commit_clicks, uint32_t commit_sessions, int64_t commit_interval_ms, int visitors)
{
    struct shard_rig rig;
    shard_rig_open(&rig, 1);
    rig.options.batch_clicks = 10;
    rig.options.commit_clicks = commit_clicks;
    rig.options.commit_sessions = commit_sessions;
    rig.options.commit_interval_ms = commit_interval_ms;
    for (int i = 0; i < 200; i++) {
        char visitor[16];
        snprintf(visitor, sizeof visitor, "v%d", i % visitors);
        shard_rig_click(&rig, 0, visitor, "item-1", SHARD_RIG_TIME + i);
    }
    assert_ok(shard_rig_start(&rig, NULL));
    for (int i = 0; i < 20; i++) {
        size_t messages;
        rig.monotonic_us += 10000;
        assert_ok(shard_step(rig.shard, 0, &messages));
        assert_int_equal(messages, 10);
    }
    int64_t commits = metric_get(&rig.metrics, METRIC_COMMITS);
    shard_rig_close(&rig);
    return commits;
}

static void a_commit_is_due_after_a_time_or_many_clicks_or_many_changed_sessions(void **state)
{
    (void)state;
    const uint32_t never = 1000000;
    assert_int_equal(commits_of(never, never, never, 200), 0);
    assert_int_equal(commits_of(never, never, 50, 200), 4);
    assert_int_equal(commits_of(40, never, never, 200), 5);
    assert_int_equal(commits_of(never, 20, never, 200), 10);
    assert_int_equal(commits_of(never, 20, never, 19), 0); /* the same sessions again and again */
}

static struct status ignore_session(void *context, uint64_t number, struct bytes record)
{
    (void)context;
    (void)number;
    (void)record;
    return OK;
}

/* Runs the traffic to its end, dying at effect number `at` once. */
static void run_with_a_crash(struct shard_rig *rig, size_t at)
{
    static struct shard_trace trace;
    trace = (struct shard_trace){.fail_at = at, .fault = FAIL(INTERRUPTED, 0, "crash")};
    memory_world_set_faults(rig->world, (struct memory_faults){.before = shard_trace_effect, .context = &trace});
    assert_ok(shard_rig_start(rig, NULL));
    struct status status = shard_rig_run(rig);
    if (!failed(status))
        return;
    assert_fails(INTERRUPTED, status);
    shard_rig_crash(rig);
    struct session_store store = memory_world_store(rig->world, 0);
    struct store_position position = {.offset = -1};
    bool found;
    assert_ok(store.ops->load(store.self, ignore_session, NULL, &position, &found));
    assert_true(position.offset <= memory_world_committed(rig->world, 0, NULL));
    assert_ok(shard_rig_start(rig, NULL));
    assert_ok(shard_rig_run(rig));
}

static void a_crash_at_any_effect_loses_no_click_and_changes_no_answer(void **state)
{
    (void)state;
    struct shard_rig calm;
    static struct answers expected, got;
    shard_rig_open(&calm, 1);
    calm.options.batch_clicks = 7;
    shard_rig_traffic(&calm, 400, 4);
    static struct shard_trace trace;
    trace = (struct shard_trace){.fail_at = SIZE_MAX};
    memory_world_set_faults(calm.world, (struct memory_faults){.before = shard_trace_effect, .context = &trace});
    assert_ok(shard_rig_start(&calm, NULL));
    assert_ok(shard_rig_run(&calm));
    collect_answers(&calm, &expected);
    size_t effects = trace.count, repeated = 0;
    uint64_t state_hash = shard_rig_state(&calm);
    assert_true(effects > 400);
    for (size_t at = 1; at <= effects; at += at < 40 ? 1 : 3) {
        struct shard_rig rig;
        shard_rig_open(&rig, 1);
        rig.options.batch_clicks = 7;
        shard_rig_traffic(&rig, 400, 4);
        run_with_a_crash(&rig, at);
        collect_answers(&rig, &got);
        assert_int_equal(got.count, expected.count);
        for (size_t i = 0; i < CLICKS; i++)
            assert_true(bytes_equal(got.values[i], expected.values[i]));
        assert_true(shard_rig_state(&rig) == state_hash);
        repeated += got.repeated;
        shard_rig_close(&rig);
    }
    assert_true(repeated > 0);
    shard_rig_close(&calm);
}

static void a_lagging_store_catches_up_in_silence(void **state)
{
    (void)state;
    struct shard_rig rig;
    static struct shard_trace trace;
    trace = (struct shard_trace){.fail_at = SIZE_MAX};
    shard_rig_open(&rig, 1);
    rig.options.engine.session.open_max = 8; /* some close in silence, too */
    memory_world_set_faults(rig.world, (struct memory_faults){.before = shard_trace_effect, .context = &trace});
    shard_rig_traffic(&rig, 100, 5);
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_rig_run(&rig));
    shard_rig_traffic(&rig, 300, 5);
    size_t count;
    assert_ok(shard_step(rig.shard, 0, &count));
    /* the store's commit fails once the group's is done */
    trace.fault = FAIL(DISK_FULL, 0, "full");
    trace.fail_at = trace.count + 3; /* flush, offsets, store */
    assert_fails(DISK_FULL, shard_commit(rig.shard));
    int64_t committed = memory_world_committed(rig.world, 0, NULL);
    assert_int_equal(committed, 150);
    size_t answered = shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS);
    size_t closed = shard_rig_count(&rig, OUTPUT_SESSIONS);
    shard_rig_crash(&rig);

    trace.fail_at = SIZE_MAX;
    rig.metrics = (struct metrics){0};
    assert_ok(shard_rig_start(&rig, NULL));
    assert_ok(shard_step(rig.shard, 0, &count));
    assert_int_equal(count, 50);
    assert_ok(shard_commit(rig.shard));
    assert_int_equal(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS), answered);
    assert_true(metric_get(&rig.metrics, METRIC_CLICKS_SILENT) > 0);
    assert_int_equal(metric_get(&rig.metrics, METRIC_CLICKS_ANSWERED), 0);
    assert_int_equal(metric_get(&rig.metrics, METRIC_SESSIONS_CLOSED), 0);
    assert_int_equal(metric_get(&rig.metrics, METRIC_SESSIONS_EVICTED), 0);
    assert_ok(shard_rig_run(&rig));
    assert_int_equal(metric_get(&rig.metrics, METRIC_SESSIONS_CLOSED), shard_rig_count(&rig, OUTPUT_SESSIONS) - closed);
    assert_in_range(metric_get(&rig.metrics, METRIC_SESSIONS_EVICTED), 1, shard_rig_count(&rig, OUTPUT_SESSIONS));
    assert_true(shard_rig_count(&rig, OUTPUT_RECOMMENDATIONS) > answered);
    shard_rig_close(&rig);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_click_gets_its_recommendation_and_a_commit),
        cmocka_unit_test(what_is_answered_does_not_depend_on_how_clicks_are_batched),
        cmocka_unit_test(what_cannot_be_used_goes_to_dead_letters_as_it_came),
        cmocka_unit_test(a_click_of_an_unknown_type_is_answered_counted_and_logged),
        cmocka_unit_test(an_oversize_dead_letter_is_cut_and_says_so),
        cmocka_unit_test(late_clicks_are_handed_on_as_they_came),
        cmocka_unit_test(a_late_click_too_large_to_hand_on_is_a_dead_letter),
        cmocka_unit_test(a_full_catalogue_refuses_new_items_and_answers_for_the_rest),
        cmocka_unit_test(a_commit_is_due_after_a_time_or_many_clicks_or_many_changed_sessions),
        cmocka_unit_test(a_commit_flushes_then_commits_offsets_then_the_store),
        cmocka_unit_test(a_crash_at_any_effect_loses_no_click_and_changes_no_answer),
        cmocka_unit_test(a_lagging_store_catches_up_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
