// SPDX-License-Identifier: Apache-2.0
/* The clicks topic grows: which sessions' visitors go on in another partition. */
#include "support/support.h"

#include <eddy/base/murmur2.h>
#include <eddy/core/session.h>

#define KEYS   200
#define BEFORE 4
#define NOW    6

static void sessions_whose_key_belongs_elsewhere_are_counted(void **state)
{
    (void)state;
    const struct session_options options = {.gap_ms = 50, .max_duration_ms = 500, .clicks_max = 5, .open_max = 1000};
    struct session_table *table;
    struct arena arena = {0};
    struct closed_list closed = {0};
    struct session_outcome outcome;
    const int32_t partition = 1;
    uint32_t moved = 0, stay = 0;
    assert_ok(session_table_open(&options, &table));
    assert_int_equal(session_table_moved(table, partition, BEFORE, NOW), 0);
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "visitor-%d", i);
        const struct click click = {.session_id = bytes_of_text(key), .time_ms = 100 + i % 2 * 1000};
        bool late = i % 2;
        if (murmur2_partition(click.session_id, BEFORE) == partition) { /* those of others stay, whoever sent them */
            bool moves = murmur2_partition(click.session_id, NOW) != partition;
            moved += late && moves;
            stay += late && !moves;
        }
        assert_ok(session_apply(table, &click, 0, INT64_MIN, &arena, &closed, &outcome));
    }
    int64_t watermark_ms = 1000; /* closes those of even numbers */
    assert_ok(session_expire(table, &watermark_ms, 0, &arena, &closed));
    assert_int_equal(session_table_count(table), KEYS / 2);
    assert_true(moved > 0 && stay > 0);
    assert_int_equal(session_table_moved(table, partition, BEFORE, NOW), moved);
    assert_int_equal(session_table_moved(table, partition, BEFORE, BEFORE), 0);
    session_table_close(table);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_whose_key_belongs_elsewhere_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
