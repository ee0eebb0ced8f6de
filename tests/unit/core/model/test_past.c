// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/past.h"

#define ROOM  200
#define ADDED 400

struct added {
    uint32_t items[2 * ROOM], length;
};

/* What is kept are the last of those that came, whole, and not too few of them. */
static void check(const struct past *past, const struct added *added, uint32_t count)
{
    assert_int_equal(past->left + past->session_count, count);
    assert_true(past->click_count <= ROOM && past->click_capacity <= ROOM && past->session_capacity <= ROOM);
    uint32_t at = 0;
    for (uint32_t i = 0; i < past->session_count; i++) {
        const struct added *wanted = &added[past->left + i];
        const struct past_session *session = &past->sessions[i];
        uint32_t kept = wanted->length < ROOM ? wanted->length : ROOM;
        assert_int_equal(session->start, at);
        assert_int_equal(session->length, kept);
        assert_int_equal(session->time_ms, past->left + i);
        assert_memory_equal(past->items + at, wanted->items + wanted->length - kept, kept * sizeof *past->items);
        at += kept;
    }
    assert_int_equal(past->click_count, at);
    assert_int_equal(past_place(past, past->left), 0);
    assert_int_equal(past_place(past, count), past->session_count);
    assert_int_equal(past_place(past, 0), 0);
}

/* Sessions of 2 .. 10 clicks, one in fifty of more with `long_ones`. Returns the fewest clicks that were kept, once
 * there had been enough. */
static uint32_t fill(bool long_ones, uint64_t seed)
{
    static struct added added[ADDED];
    struct past past = {.clicks_max = ROOM};
    struct random random;
    uint32_t least = ROOM;
    random_seed(&random, seed);
    for (uint32_t i = 0; i < ADDED; i++) {
        added[i].length = 2 + i % 9;
        if (long_ones && random_below(&random, 50) == 0)
            added[i].length = 2 + random_below(&random, 2 * ROOM - 1);
        for (uint32_t j = 0; j < added[i].length; j++)
            added[i].items[j] = random_below(&random, 1000);
        assert_ok(past_add(&past, added[i].items, added[i].length, i));
        check(&past, added, i + 1);
        least = i >= 100 && past.click_count < least ? past.click_count : least;
    }
    past_release(&past);
    return least;
}

static void the_newest_sessions_are_kept_whole(void **state)
{
    (void)state;
    fill(true, test_seed(2));
    assert_true(fill(false, test_seed(3)) > ROOM * 3 / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_sessions_are_kept_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
