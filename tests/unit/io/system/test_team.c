// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/io/team.h>
#include <stdatomic.h>

#define PARTS_MOST 40

struct count {
    uint32_t calls[PARTS_MOST + 1], runs; /* no atomics: who runs a part must have seen the run before, and be seen */
};

static void count_part(void *context, uint32_t index)
{
    struct count *count = context;
    count->calls[index < PARTS_MOST ? index : PARTS_MOST]++;
}

static void each_part_is_run_once_and_has_ended_when_the_run_has(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 5; threads++) {
        struct team *team;
        struct count count = {0};
        assert_ok(team_open(threads, &team));
        for (uint32_t run = 0; run < 2000; run++) {
            parallel_run(team_parallel(team), count_part, &count, run % (PARTS_MOST + 1));
            for (uint32_t i = 0; i <= PARTS_MOST; i++)
                assert_int_equal(count.calls[i], i < run % (PARTS_MOST + 1));
            memset(&count, 0, sizeof count);
        }
        team_close(team);
    }
}

static void a_team_that_had_no_work_ends(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 8; threads++) {
        struct team *team;
        assert_ok(team_open(threads, &team));
        team_close(team);
    }
    team_close(NULL);
}

/* Each part waits for all others: it takes as many threads as there are parts. */
static void meet(void *context, uint32_t index)
{
    atomic_uint *met = context;
    (void)index;
    atomic_fetch_add(met, 1);
    while (atomic_load(met) < 3)
        ;
}

static void parts_run_at_the_same_time(void **state)
{
    (void)state;
    struct team *team;
    atomic_uint met = 0;
    assert_ok(team_open(3, &team));
    parallel_run(team_parallel(team), meet, &met, 3);
    assert_int_equal(atomic_load(&met), 3);
    team_close(team);
}

static void note_order(void *context, uint32_t index)
{
    struct count *count = context;
    count->calls[index] = ++count->runs;
}

static void without_threads_parts_run_in_order(void **state)
{
    (void)state;
    struct count count = {0};
    parallel_run(parallel_in_order(), note_order, &count, PARTS_MOST);
    for (uint32_t i = 0; i < PARTS_MOST; i++)
        assert_int_equal(count.calls[i], i + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_is_run_once_and_has_ended_when_the_run_has),
        cmocka_unit_test(a_team_that_had_no_work_ends),
        cmocka_unit_test(parts_run_at_the_same_time),
        cmocka_unit_test(without_threads_parts_run_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
