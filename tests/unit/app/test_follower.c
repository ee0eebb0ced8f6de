// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/follower.h"
#include "app/log.h"

#include <unistd.h>

static const struct encoding as_avro = {.format = RECORD_AVRO};

struct rig {
    struct knowledge *knowledge;
    struct decoder *items, *sessions;
    struct metrics metrics;
    struct follower *follower;
    struct buffer bytes;
};

static void open_rig(struct rig *rig, uint32_t items_max)
{
    const struct knowledge_options options = {
        .catalogue = {.items_max = items_max, .memory_max_bytes = 1 << 22, .title_max_bytes = 100},
        .learned = learned_options_default(),
        .learner = {.delay_ms = 0, .pending_max = 1000}};
    *rig = (struct rig){0};
    assert_ok(knowledge_open(&options, &rig->knowledge, NULL));
    assert_ok(decoder_open(RECORD_ITEM, RECORD_AVRO, &rig->items));
    assert_ok(decoder_open(RECORD_CLOSED_SESSION, RECORD_AVRO, &rig->sessions));
    assert_ok(follower_open(rig->items, rig->sessions, rig->knowledge, &rig->metrics, &rig->follower));
}

static void close_rig(struct rig *rig)
{
    follower_close(rig->follower);
    decoder_close(rig->items);
    decoder_close(rig->sessions);
    knowledge_close(rig->knowledge);
    buffer_release(&rig->bytes);
}

static void take_item(struct rig *rig, const char *id, struct bytes value)
{
    const struct message message = {.key = bytes_of_text(id), .value = value};
    assert_ok(follower_take_items(rig->follower, &message, 1));
}

static struct bytes item_bytes(struct rig *rig, const char *id, const char *title)
{
    struct item item = {.item_id = bytes_of_text(id), .title = bytes_of_text(title), .available = true};
    buffer_clear(&rig->bytes);
    encode_item(as_avro, &item, &rig->bytes);
    return buffer_bytes(&rig->bytes);
}

static void items_are_put_removed_and_passed_over_when_broken(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, 2);
    const struct catalogue *catalogue = knowledge_catalogue(rig.knowledge);
    take_item(&rig, "a", item_bytes(&rig, "a", "Red boots"));
    take_item(&rig, "a", BYTES("\xff\xff\xff"));
    assert_bytes(catalogue_title(catalogue, catalogue_find(catalogue, BYTES("a"))), "Red boots");
    take_item(&rig, "b", item_bytes(&rig, "b", "Blue boots"));
    take_item(&rig, "c", item_bytes(&rig, "c", "One too many"));
    take_item(&rig, "a", (struct bytes){0});
    assert_false(catalogue_available(catalogue, catalogue_find(catalogue, BYTES("a"))));
    assert_int_equal(catalogue_count(catalogue), 2);
    assert_int_equal(metric_get(&rig.metrics, METRIC_ITEMS_CONSUMED), 3);
    assert_int_equal(metric_get(&rig.metrics, METRIC_ITEMS_BAD), 1);
    assert_int_equal(metric_get(&rig.metrics, METRIC_ITEMS_REFUSED), 1);
    close_rig(&rig);
}

/* A session of item a, clicked at `time_ms`, closed at `close_ms` on clicks partition 4. */
static struct bytes session_at(struct rig *rig, struct catalogue *catalogue, int64_t time_ms, int64_t close_ms)
{
    uint32_t item;
    const uint8_t type = 0;
    assert_ok(catalogue_intern(catalogue, BYTES("a"), &item));
    const struct closed_session session = {
        .view =
            {.session_id = BYTES("s"), .items = &item, .times_ms = &time_ms, .types = &type, .length = 1, .total = 1},
        .close_ms = close_ms};
    buffer_clear(&rig->bytes);
    encode_closed_session(as_avro, &session, (struct session_origin){.partition = 4, .offset = close_ms}, catalogue,
                          &rig->bytes);
    return buffer_bytes(&rig->bytes);
}

static struct bytes session_bytes(struct rig *rig, struct catalogue *catalogue, int64_t close_ms)
{
    return session_at(rig, catalogue, close_ms - 10, close_ms);
}

static void take_session(struct rig *rig, struct bytes value)
{
    const struct message message = {.value = value};
    assert_ok(follower_take_sessions(rig->follower, &message, 1));
}

static void sessions_are_offered_once_and_old_ones_learned_at_once(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, 100);
    struct catalogue *catalogue = knowledge_catalogue(rig.knowledge);
    const int64_t begin_ms = 1700000000000;
    take_session(&rig, session_bytes(&rig, catalogue, begin_ms));
    take_session(&rig, session_bytes(&rig, catalogue, begin_ms + 1000));
    take_session(&rig, session_bytes(&rig, catalogue, begin_ms + 1000));
    take_session(&rig, BYTES("not a session"));
    take_session(&rig, (struct bytes){0});
    struct learner_counts counts = learner_counts(knowledge_learner(rig.knowledge));
    assert_int_equal(counts.pending, 2);
    assert_int_equal(counts.repeated, 1);
    assert_int_equal(counts.learned, 0);
    take_session(&rig, session_bytes(&rig, catalogue, begin_ms + 500 + FOLLOW_MARGIN_MS));
    counts = learner_counts(knowledge_learner(rig.knowledge));
    assert_int_equal(counts.learned, 1);
    assert_int_equal(counts.pending, 2);
    close_rig(&rig);
}

/* A mark past all time would make every later session of the partition a repetition. */
static void sessions_of_absurd_times_are_passed_over(void **state)
{
    (void)state;
    static const int64_t absurd_ms[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1, INT64_MAX};
    struct rig rig;
    open_rig(&rig, 100);
    struct catalogue *catalogue = knowledge_catalogue(rig.knowledge);
    const int64_t begin_ms = 1700000000000;
    for (size_t i = 0; i < sizeof absurd_ms / sizeof *absurd_ms; i++) {
        take_session(&rig, session_at(&rig, catalogue, begin_ms, absurd_ms[i]));
        take_session(&rig, session_at(&rig, catalogue, absurd_ms[i], begin_ms));
    }
    take_session(&rig, session_bytes(&rig, catalogue, begin_ms));
    struct learner_counts counts = learner_counts(knowledge_learner(rig.knowledge));
    assert_int_equal(counts.learned, 0);
    assert_int_equal(counts.repeated, 0);
    assert_int_equal(counts.pending, 1);
    assert_int_equal(metric_get(&rig.metrics, METRIC_SESSIONS_BAD), 12);
    close_rig(&rig);
}

struct away {
    bool away;
    int asked;
};

static struct status fetch_item_schema(void *self, const struct schema_name *name, struct buffer *out,
                                       struct complaint *complaint)
{
    struct away *source = self;
    source->asked++;
    if (source->away)
        return complain(complaint, FAIL(UNAVAILABLE, 0, "away"), "the registry is away");
    if (name->id == 9)
        return complain(complaint, FAIL(NOT_FOUND, 0, "unknown"), "no such schema");
    buffer_append_text(out, record_schema(RECORD_ITEM));
    return buffer_check(out);
}

static void items_in_a_schema_that_cannot_be_had_now_are_kept_for_later(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, 10);
    decoder_close(rig.items);
    follower_close(rig.follower);
    assert_ok(decoder_open(RECORD_ITEM, RECORD_CONFLUENT, &rig.items));
    assert_ok(follower_open(rig.items, rig.sessions, rig.knowledge, &rig.metrics, &rig.follower));
    struct away source = {.away = true};
    static const struct schema_source_ops ops = {fetch_item_schema};
    follower_set_schemas(rig.follower, (struct schema_source){&ops, &source});
    AUTO(buffer) good = {0};
    AUTO(buffer) bad = {0};
    struct item item = {.item_id = BYTES("a"), .title = BYTES("Red boots"), .available = true};
    encode_item((struct encoding){RECORD_CONFLUENT, 7}, &item, &good);
    encode_item((struct encoding){RECORD_CONFLUENT, 9}, &item, &bad);
    const struct message messages[] = {{.key = BYTES("b")},
                                       {.key = BYTES("a"), .value = buffer_bytes(&good)},
                                       {.key = BYTES("a"), .value = buffer_bytes(&bad)},
                                       {.key = BYTES("a"), .value = buffer_bytes(&good)}};
    struct status status = follower_take_items(rig.follower, messages, 4);
    assert_true(failed_as(status, FAULT_UNAVAILABLE) && status.detail == 1);
    source.away = false;
    assert_ok(follower_take_items(rig.follower, messages + 1, 3));
    assert_int_equal(metric_get(&rig.metrics, METRIC_ITEMS_CONSUMED), 3);
    assert_int_equal(metric_get(&rig.metrics, METRIC_ITEMS_BAD), 1);
    assert_int_equal(source.asked, 3);
    close_rig(&rig);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_put_removed_and_passed_over_when_broken),
        cmocka_unit_test(items_in_a_schema_that_cannot_be_had_now_are_kept_for_later),
        cmocka_unit_test(sessions_are_offered_once_and_old_ones_learned_at_once),
        cmocka_unit_test(sessions_of_absurd_times_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
