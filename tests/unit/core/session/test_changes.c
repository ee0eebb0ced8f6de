// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/session.h>

struct fixture {
    struct session_table *table;
    struct arena arena;
    struct closed_list closed;
    struct buffer changes; /* as text: "3 5 -7" */
};

static struct fixture fixture_open(void)
{
    struct fixture fixture = {0};
    struct session_options options = {.gap_ms = 50, .max_duration_ms = 500, .clicks_max = 5, .open_max = 1000};
    assert_ok(session_table_open(&options, &fixture.table));
    return fixture;
}

static void fixture_close(struct fixture *fixture)
{
    session_table_close(fixture->table);
    arena_release(&fixture->arena);
    buffer_release(&fixture->changes);
}

static void click(struct fixture *fixture, const char *key, int64_t time_ms)
{
    struct click click = {.session_id = bytes_of_text(key), .event_id = BYTES("once"), .time_ms = time_ms};
    if (time_ms % 10) /* so that a test can make a duplicate */
        click.event_id = (struct bytes){0};
    struct session_outcome outcome;
    assert_ok(session_apply(fixture->table, &click, 0, INT64_MIN, &fixture->arena, &fixture->closed, &outcome));
}

static void expire(struct fixture *fixture, int64_t watermark_ms)
{
    assert_ok(session_expire(fixture->table, &watermark_ms, 0, &fixture->arena, &fixture->closed));
}

static const char *changes(struct fixture *fixture)
{
    size_t cursor = 0;
    struct session_change change;
    buffer_clear(&fixture->changes);
    while (session_next_change(fixture->table, &cursor, &change))
        buffer_format(&fixture->changes, "%s%s%llu", fixture->changes.size ? " " : "",
                      change.session == SESSION_NONE ? "-" : "", (unsigned long long)change.number);
    return buffer_text(&fixture->changes);
}

static void a_changed_session_is_handed_out_once_in_order(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open();
    assert_string_equal(changes(&fixture), "");
    click(&fixture, "a", 101);
    click(&fixture, "b", 102);
    click(&fixture, "c", 103);
    click(&fixture, "a", 104);
    assert_string_equal(changes(&fixture), "0 1 2");
    assert_string_equal(changes(&fixture), "0 1 2"); /* a failed commit can be tried again */
    session_changes_done(fixture.table);
    assert_string_equal(changes(&fixture), "");
    click(&fixture, "c", 105);
    click(&fixture, "a", 106);
    assert_string_equal(changes(&fixture), "0 2");
    session_changes_done(fixture.table);
    fixture_close(&fixture);
}

static void a_duplicate_changes_nothing(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open();
    click(&fixture, "a", 100);
    session_changes_done(fixture.table);
    click(&fixture, "a", 100);
    assert_string_equal(changes(&fixture), "");
    fixture_close(&fixture);
}

static void sessions_of_one_deadline_close_together_and_the_watermark_stops_behind_them(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open();
    click(&fixture, "a", 101);
    click(&fixture, "b", 101);
    click(&fixture, "c", 111);
    click(&fixture, "d", 121);
    int64_t watermark_ms = 1000;
    assert_ok(session_expire(fixture.table, &watermark_ms, 1, &fixture.arena, &fixture.closed));
    assert_int_equal(fixture.closed.count, 2);
    assert_int_equal(watermark_ms, 111 + 50 - 1);
    watermark_ms = 1000;
    assert_ok(session_expire(fixture.table, &watermark_ms, 2, &fixture.arena, &fixture.closed));
    assert_int_equal(fixture.closed.count, 4);
    assert_int_equal(watermark_ms, 1000);
    fixture_close(&fixture);
}

static void a_closed_session_is_removed_if_it_was_stored(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open();
    click(&fixture, "a", 101);
    click(&fixture, "b", 102);
    session_changes_done(fixture.table);
    click(&fixture, "b", 103);
    click(&fixture, "c", 104);
    click(&fixture, "d", 204);
    expire(&fixture, 200);
    assert_string_equal(changes(&fixture), "-0 -1 3"); /* 2 came and went */
    session_changes_done(fixture.table);
    assert_string_equal(changes(&fixture), "");
    fixture_close(&fixture);
}

static void a_handle_used_again_does_not_confuse(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open();
    click(&fixture, "a", 101);
    session_changes_done(fixture.table);
    click(&fixture, "a", 102);
    expire(&fixture, 300);
    click(&fixture, "b", 301); /* takes the place of a */
    assert_string_equal(changes(&fixture), "-0 1");
    fixture_close(&fixture);
}

static void a_session_merged_away_is_removed(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open();
    click(&fixture, "a", 181);
    click(&fixture, "a", 101);
    session_changes_done(fixture.table);
    click(&fixture, "a", 141);
    assert_string_equal(changes(&fixture), "0 -1");
    fixture_close(&fixture);
}

static void numbers_beyond_a_byte_stay_in_order(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open();
    char key[8];
    for (int i = 0; i < 700; i++) {
        snprintf(key, sizeof key, "k%d", i);
        click(&fixture, key, 101);
    }
    session_changes_done(fixture.table);
    for (int i = 699; i >= 0; i -= 3) {
        snprintf(key, sizeof key, "k%d", i);
        click(&fixture, key, 102);
    }
    size_t cursor = 0;
    struct session_change change;
    for (uint64_t want = 0; session_next_change(fixture.table, &cursor, &change); want += 3)
        assert_int_equal(change.number, want);
    fixture_close(&fixture);
}

static void a_table_that_is_never_stored_does_not_grow(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open();
    size_t memory = 0;
    for (int i = 0; i < 100000; i++) {
        click(&fixture, "a", 101 + 100 * (int64_t)i);
        expire(&fixture, 101 + 100 * (int64_t)i);
        fixture.closed = (struct closed_list){0};
        arena_reset(&fixture.arena);
        if (i == 5000)
            memory = session_table_memory(fixture.table);
    }
    assert_int_equal(session_table_memory(fixture.table), memory);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_session_is_handed_out_once_in_order),
        cmocka_unit_test(a_duplicate_changes_nothing),
        cmocka_unit_test(sessions_of_one_deadline_close_together_and_the_watermark_stops_behind_them),
        cmocka_unit_test(a_closed_session_is_removed_if_it_was_stored),
        cmocka_unit_test(a_handle_used_again_does_not_confuse),
        cmocka_unit_test(a_session_merged_away_is_removed),
        cmocka_unit_test(numbers_beyond_a_byte_stay_in_order),
        cmocka_unit_test(a_table_that_is_never_stored_does_not_grow),
    };
    return cmocka_run_group_tests_name("session changes", tests, NULL, NULL);
}
