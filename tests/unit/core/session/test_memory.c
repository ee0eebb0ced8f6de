// SPDX-License-Identifier: Apache-2.0
/* What the table does when the caller's arena is full. */
#include "support/support.h"

#include <eddy/core/session.h>

struct fixture {
    struct session_table *table;
    struct arena arena;
    struct closed_list closed;
};

static struct fixture fixture_open(uint32_t open_max)
{
    struct fixture fixture = {.arena = {.limit = 4096}};
    struct session_options options = {.gap_ms = 50, .max_duration_ms = 500, .clicks_max = 5, .open_max = open_max};
    assert_ok(session_table_open(&options, &fixture.table));
    return fixture;
}

static void fixture_close(struct fixture *fixture)
{
    session_table_close(fixture->table);
    arena_release(&fixture->arena);
}

static struct status click(struct fixture *fixture, const char *key, int64_t time_ms, struct session_outcome *outcome)
{
    struct click click = {.session_id = bytes_of_text(key), .time_ms = time_ms};
    return session_apply(fixture->table, &click, 7, time_ms, &fixture->arena, &fixture->closed, outcome);
}

static void fill(struct arena *arena)
{
    while (arena_alloc(arena, 16))
        ;
}

static void a_click_that_cannot_evict_changes_nothing(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open(2);
    struct session_outcome outcome = {.position = 77};
    assert_ok(click(&fixture, "a", 100, &outcome));
    assert_ok(click(&fixture, "b", 101, &outcome));
    session_changes_done(fixture.table);
    fill(&fixture.arena);
    outcome.position = 77;
    assert_fails(MEMORY, click(&fixture, "c", 102, &outcome));
    assert_int_equal(outcome.position, 77);
    assert_int_equal(session_table_count(fixture.table), 2);
    assert_int_equal(fixture.closed.count, 0);
    size_t cursor = 0;
    struct session_change change;
    assert_false(session_next_change(fixture.table, &cursor, &change));
    arena_reset(&fixture.arena);
    fixture.closed = (struct closed_list){0};
    assert_ok(click(&fixture, "c", 102, &outcome));
    assert_int_equal(fixture.closed.count, 1);
    assert_bytes(fixture.closed.sessions[0].view.key, "a");
    fixture_close(&fixture);
}

static void reading_without_room_fails_cleanly(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open(2);
    struct session_outcome outcome;
    struct session_view view = {.length = 77};
    assert_ok(click(&fixture, "a", 100, &outcome));
    fill(&fixture.arena);
    assert_fails(MEMORY, session_read(fixture.table, outcome.session, &fixture.arena, &view));
    assert_int_equal(view.length, 77);
    arena_reset(&fixture.arena);
    assert_ok(session_read(fixture.table, outcome.session, &fixture.arena, &view));
    assert_int_equal(view.length, 1);
    fixture_close(&fixture);
}

static void expiry_goes_on_where_it_ran_out_of_room(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open(100);
    char key[8];
    for (int i = 0; i < 40; i++) {
        struct session_outcome outcome;
        snprintf(key, sizeof key, "k%02d", i);
        assert_ok(click(&fixture, key, 100 + i, &outcome));
    }
    size_t closed = 0;
    for (int rounds = 1; session_table_count(fixture.table); rounds++) {
        arena_reset(&fixture.arena);
        fixture.closed = (struct closed_list){0};
        struct status status = session_expire(fixture.table, &(int64_t){1000}, 0, &fixture.arena, &fixture.closed);
        assert_true(failed_as(status, FAULT_MEMORY) == (session_table_count(fixture.table) > 0));
        for (size_t i = 0; i < fixture.closed.count; i++, closed++) {
            snprintf(key, sizeof key, "k%02zu", closed);
            assert_bytes(fixture.closed.sessions[i].view.key, key);
        }
        assert_int_equal(closed + session_table_count(fixture.table), 40);
        assert_true(rounds < 40);
    }
    assert_int_equal(closed, 40);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_click_that_cannot_evict_changes_nothing),
        cmocka_unit_test(reading_without_room_fails_cleanly),
        cmocka_unit_test(expiry_goes_on_where_it_ran_out_of_room),
    };
    return cmocka_run_group_tests_name("session memory", tests, NULL, NULL);
}
