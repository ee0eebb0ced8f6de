// SPDX-License-Identifier: Apache-2.0
/* The checker of the chaos test: the model of a few clicks by hand, and what is wrong is found. */
#include "support/support.h"

#include "chaos/history.h"

#include <eddy/io/memory.h>
#include <eddy/io/session_store.h>
#include <inttypes.h>

#define T INT64_C(1700000000000)

struct world {
    struct temporary_folder folder;
    struct config config;
    struct history expected, found, calm;
    struct buffer recommendations, sessions, late, dead;
    FILE *out;
    char *report;
    size_t report_size;
};

/* ---- what eddy would have written, and what else it might */

static void append(struct buffer *out, int32_t partition, int64_t offset, int64_t time_ms, const char *key,
                   struct bytes value, const char *headers)
{
    buffer_format(out, "%d %" PRId64 " %" PRId64 " %zu %zu %s\n%s", partition, offset, time_ms, strlen(key), value.size,
                  headers, key);
    buffer_append_bytes(out, value);
    buffer_append_byte(out, '\n');
}

/* Offset 2 repeats 1, 3 is no click, 4 closes the session of the first, and so 5 is late. */
static void write_clicks(struct buffer *out)
{
    append(out, 1, 0, T, "s", BYTES("{\"session_id\":\"s\",\"item_id\":\"a\",\"timestamp\":1700000000000}"), "");
    append(out, 1, 1, T + 1000, "s", BYTES("{\"session_id\":\"s\",\"item_id\":\"b\",\"timestamp\":1700000001000}"), "");
    append(out, 1, 2, T + 1000, "s", BYTES("{\"session_id\":\"s\",\"item_id\":\"b\",\"timestamp\":1700000001000}"), "");
    append(out, 1, 3, T + 1000, "x", BYTES("noise"), "");
    append(out, 1, 4, T + 9000, "t", BYTES("{\"session_id\":\"t\",\"item_id\":\"c\",\"timestamp\":1700000009000}"), "");
    append(out, 1, 5, T + 9000, "s", BYTES("{\"session_id\":\"s\",\"item_id\":\"d\",\"timestamp\":1700000002000}"), "");
}

static void append_answer(struct world *world, int64_t click, const char *session, const char *item, int64_t time_ms,
                          int position)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"session_id\":\"%s\",\"topic\":\"clicks\",\"partition\":1,\"offset\":%" PRId64
             ",\"click_timestamp\":%" PRId64
             ",\"click_item_id\":\"%s\",\"position\":%d,\"learned_version\":\"1\",\"items\":[]}",
             session, click, time_ms, item, position);
    append(&world->recommendations, 0, click, time_ms, session, bytes_of_text(text), "");
}

static void append_session(struct world *world, const char *last_item)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"session_id\":\"s\",\"partition\":1,\"close_timestamp\":1700000005000,\"close_offset\":4,"
             "\"close_sequence\":0,\"total_clicks\":2,\"clicks\":[{\"item_id\":\"a\",\"timestamp\":1700000000000},"
             "{\"item_id\":\"%s\",\"timestamp\":1700000001000}]}",
             last_item);
    append(&world->sessions, 1, 0, T, "s", bytes_of_text(text), "");
}

static void write_all(struct world *world)
{
    append_answer(world, 0, "s", "a", T, 1);
    append_answer(world, 1, "s", "b", T + 1000, 2);
    append_answer(world, 4, "t", "c", T + 9000, 1);
    append_session(world, "b");
    append(&world->late, 1, 0, T + 9000, "s",
           BYTES("{\"session_id\":\"s\",\"item_id\":\"d\",\"timestamp\":1700000002000}"), "");
    append(&world->dead, 0, 0, T + 1000, "x", BYTES("noise"),
           "__connect.errors.topic=clicks,__connect.errors.partition=1,__connect.errors.offset=3");
}

/* ---- the store */

static const char *state_path(struct world *world)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/state", world->folder.path);
    return path;
}

/* The session that is open at the end, with this item in its only click. */
static void write_store(struct world *world, const char *item, int64_t offset)
{
    struct session_table *table;
    struct catalogue *catalogue;
    struct arena batch = {0};
    struct closed_list evicted = {0};
    struct session_outcome outcome;
    uint32_t number;
    const struct click click = {
        .session_id = BYTES("t"), .item_id = bytes_of_text(item), .time_ms = T + 9000, .type = CLICK_TYPE_VIEW};
    assert_ok(session_table_open(&world->config.engine.session, &table));
    assert_ok(catalogue_open(&world->config.catalogue, &catalogue));
    assert_ok(catalogue_intern(catalogue, click.item_id, &number));
    assert_ok(session_apply(table, &click, number, T, &batch, &evicted, &outcome));
    AUTO(buffer) record = {0};
    session_encode(table, outcome.session, catalogue, &record);

    struct state_directory *directory;
    struct store *store;
    const struct store_options options = {
        .topic = "clicks", .partition = 1, .identity = "group eddy", .map_size_bytes = 1 << 20};
    assert_ok(state_directory_open(state_path(world), &directory, NULL));
    assert_ok(store_open(directory, &options, &store, NULL));
    struct session_store port = store_port(store);
    const struct store_position position = {.offset = offset, .watermark_ms = T + 9000, .close_offset = 4};
    assert_ok(port.ops->begin(port.self));
    assert_ok(port.ops->put(port.self, 7, buffer_bytes(&record)));
    assert_ok(port.ops->commit(port.self, &position));
    store_close(store);
    state_directory_close(directory);
    arena_release(&batch);
    session_table_close(table);
    catalogue_close(catalogue);
}

/* ---- judging */

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    static const char *const sets[] = {
        "formats.clicks=json",      "formats.recommendations=json", "formats.sessions=json",
        "session.gap_ms=3s",        "session.grace_ms=1s",          "session.max_duration_ms=1min",
        "session.future_max_ms=2s", "topics.partitions=2",          "state.map_size_bytes=1MiB"};
    world->folder = temporary_folder_make();
    struct complaint complaint = {0};
    struct status status = config_make(&world->config, NULL, sets, sizeof sets / sizeof *sets, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
    world->out = open_memstream(&world->report, &world->report_size);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    fclose(world->out);
    free(world->report);
    buffer_release(&world->recommendations);
    buffer_release(&world->sessions);
    buffer_release(&world->late);
    buffer_release(&world->dead);
    history_release(&world->expected);
    history_release(&world->found);
    history_release(&world->calm);
    config_release(&world->config);
    temporary_folder_remove(&world->folder);
    free(world);
    return 0;
}

static void read_topic(struct world *world, enum story story, const struct buffer *text, struct history *history)
{
    struct dump dump = {0};
    struct complaint complaint = {0};
    struct status status = dump_parse("topic", buffer_bytes(text), &dump, &complaint);
    if (!failed(status))
        status = history_read(&world->config, story, &dump, history, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
    dump_release(&dump);
}

static void read_found(struct world *world, struct history *history)
{
    const char *directory = state_path(world);
    read_topic(world, STORY_RECOMMENDATIONS, &world->recommendations, history);
    read_topic(world, STORY_SESSIONS, &world->sessions, history);
    read_topic(world, STORY_LATE, &world->late, history);
    read_topic(world, STORY_DEAD, &world->dead, history);
    assert_ok(history_read_stores(&world->config, &directory, 1, 2, history, NULL));
}

static bool judge(struct world *world)
{
    struct dump dump;
    struct complaint complaint = {0};
    AUTO(buffer) clicks = {0};
    write_clicks(&clicks);
    struct status status = dump_parse("clicks", buffer_bytes(&clicks), &dump, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
    assert_ok(history_expect(&world->config, &dump, &world->expected, &complaint));
    dump_release(&dump);
    read_found(world, &world->found);
    bool holds = history_judge(&world->expected, &world->found, NULL, world->out);
    fflush(world->out);
    return holds;
}

static void assert_reported(const struct world *world, const char *text)
{
    if (!strstr(world->report, text))
        fail_msg("'%s' is not in the report:\n%s", text, world->report);
}

static void what_is_right_passes(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 6);
    if (!judge(world))
        fail_msg("%s", world->report);
    assert_reported(world, "6 clicks: 3 to be answered, 1 late, 1 dead letters, 1 repeats");
}

static void a_lost_recommendation_is_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 6);
    buffer_clear(&world->recommendations);
    append_answer(world, 0, "s", "a", T, 1);
    append_answer(world, 4, "t", "c", T + 9000, 1);
    assert_false(judge(world));
    assert_reported(world, "recommendations, by the model: lost: partition 1, offset 1, number 0");
    assert_reported(world, "1 lost, 0 repeated, 0 not expected, 0 different");
}

static void a_repeated_recommendation_is_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 6);
    append_answer(world, 1, "s", "b", T + 1000, 2);
    assert_false(judge(world));
    assert_reported(world, "recommendations, by the model: repeated: partition 1, offset 1, number 0");
    assert_reported(world, "0 lost, 1 repeated, 0 not expected, 0 different");
}

static void an_answer_to_a_repeat_is_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 6);
    append_answer(world, 2, "s", "b", T + 1000, 2);
    assert_false(judge(world));
    assert_reported(world, "0 lost, 0 repeated, 1 not expected, 0 different");
}

static void an_answer_from_a_wrong_session_is_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 6);
    buffer_clear(&world->recommendations);
    append_answer(world, 0, "s", "a", T, 1);
    append_answer(world, 1, "s", "b", T + 1000, 1); /* as if its first click had been forgotten */
    append_answer(world, 4, "t", "c", T + 9000, 1);
    assert_false(judge(world));
    assert_reported(world, "0 lost, 0 repeated, 0 not expected, 1 different");
}

static void a_changed_closed_session_is_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 6);
    buffer_clear(&world->sessions);
    append_session(world, "a");
    assert_false(judge(world));
    assert_reported(world, "closed sessions, by the model: different: partition 1, offset 4, number 0");
}

static void a_repeated_closed_session_is_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 6);
    append_session(world, "b");
    assert_false(judge(world));
    assert_reported(world, "closed sessions, by the model: repeated: partition 1, offset 4, number 0");
}

static void late_clicks_and_dead_letters_are_counted(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 6);
    AUTO(buffer) dead = {0};
    buffer_append_bytes(&dead, buffer_bytes(&world->dead));
    buffer_append_bytes(&world->dead, buffer_bytes(&dead));
    buffer_clear(&world->late);
    assert_false(judge(world));
    assert_reported(world, "late clicks, by the model: lost: partition 1");
    assert_reported(world, "dead letters, by the model: repeated: partition 1, offset 3, number 0");
}

static void a_changed_stored_session_is_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "d", 6);
    assert_false(judge(world));
    assert_reported(world, "open sessions, by the model: lost");
    assert_reported(world, "open sessions, by the model: not expected");
}

static void a_store_behind_is_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 5);
    assert_false(judge(world));
    assert_reported(world, "positions, by the model: different: partition 1");
}

static void a_missing_store_is_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    assert_false(judge(world));
    assert_reported(world, "positions, by the model: lost: partition 1");
}

/* What the model says nothing of, such as the items of a list, is compared with the calm run. */
static void other_bytes_than_those_of_a_calm_run_are_found(void **state)
{
    struct world *world = *state;
    write_all(world);
    write_store(world, "c", 6);
    read_found(world, &world->calm);
    assert_true(judge(world));
    assert_true(history_judge(&world->expected, &world->found, &world->calm, world->out));
    history_release(&world->calm);
    buffer_append_byte(&world->recommendations, 0); /* so that it is text */
    char *version = strstr((char *)world->recommendations.data, "\"learned_version\":\"1\"");
    version[strlen("\"learned_version\":\"")] = '2';
    world->recommendations.size--;
    read_found(world, &world->calm);
    assert_false(history_judge(&world->expected, &world->found, &world->calm, world->out));
    fflush(world->out);
    assert_reported(world, "recommendations, bytes of a calm run: different: partition 1, offset 0, number 0");
}

static void a_dump_that_is_cut_is_refused(void **state)
{
    (void)state;
    struct dump dump;
    struct complaint complaint = {0};
    AUTO(buffer) clicks = {0};
    append(&clicks, 1, 0, T, "x", BYTES("noise"), "");
    size_t whole = clicks.size;
    append(&clicks, 1, 1, T, "x", BYTES("noise\nnoise"), "a=1");
    assert_ok(dump_parse("clicks", buffer_bytes(&clicks), &dump, &complaint));
    assert_int_equal(dump.count, 2);
    dump_release(&dump);
    for (size_t size = whole + 1; size < clicks.size; size++)
        assert_fails(BAD_INPUT, dump_parse("clicks", bytes_of(clicks.data, size), &dump, &complaint));
    char wanted[64];
    snprintf(wanted, sizeof wanted, "clicks: byte %zu: no record of a dump", whole);
    assert_string_equal(complaint.text, wanted);
}

int main(void)
{
#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_is_right_passes),
        WORLD_TEST(a_lost_recommendation_is_found),
        WORLD_TEST(a_repeated_recommendation_is_found),
        WORLD_TEST(an_answer_to_a_repeat_is_found),
        WORLD_TEST(an_answer_from_a_wrong_session_is_found),
        WORLD_TEST(a_changed_closed_session_is_found),
        WORLD_TEST(a_repeated_closed_session_is_found),
        WORLD_TEST(late_clicks_and_dead_letters_are_counted),
        WORLD_TEST(a_changed_stored_session_is_found),
        WORLD_TEST(a_store_behind_is_found),
        WORLD_TEST(a_missing_store_is_found),
        WORLD_TEST(other_bytes_than_those_of_a_calm_run_are_found),
        cmocka_unit_test(a_dump_that_is_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
