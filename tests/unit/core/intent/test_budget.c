// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/budget.h>

#define NOON INT64_C(1790000000000)

static struct budget whole(struct budget_caps caps)
{
    struct budget budget = budget_make(&caps);
    budget_share(&budget, 1, 1);
    return budget;
}

static bool reserve(struct budget *budget, int64_t now_ms, int64_t requests, int64_t tokens)
{
    struct reservation reservation;
    return budget_reserve(budget, now_ms, &(struct spending){requests, tokens, 0}, &reservation);
}

static void a_cap_is_never_passed(void **state)
{
    (void)state;
    struct budget budget = whole((struct budget_caps){.minute = {.tokens = 100}});
    assert_true(reserve(&budget, NOON, 1, 60));
    assert_false(reserve(&budget, NOON + 1, 1, 41));
    assert_true(reserve(&budget, NOON + 2, 1, 40));
    assert_int_equal(budget_left(&budget, NOON + 2).tokens, 0);
    assert_false(reserve(&budget, NOON + 59999, 1, 1));
    assert_true(reserve(&budget, NOON + 61000, 1, 100));
}

static void what_was_not_used_can_be_reserved_again(void **state)
{
    (void)state;
    struct budget budget = whole((struct budget_caps){.minute = {.tokens = 100}, .day = {.tokens = 150}});
    struct reservation reservation;
    assert_true(budget_reserve(&budget, NOON, &(struct spending){1, 100, 0}, &reservation));
    budget_settle(&budget, &reservation, &(struct spending){1, 30, 0});
    assert_int_equal(budget_left(&budget, NOON).tokens, 70);
    assert_true(budget_reserve(&budget, NOON + 61000, &(struct spending){1, 100, 0}, &reservation));
    budget_settle(&budget, &reservation, &(struct spending){1, 130, 0}); /* a server that heeds no limit */
    assert_int_equal(budget_left(&budget, NOON + 61000).tokens, 0);
    assert_int_equal(budget_left(&budget, NOON + 200000).tokens, 0); /* 160 of the day's 150 */
}

static void a_settlement_that_comes_when_its_minute_is_over_changes_the_day_alone(void **state)
{
    (void)state;
    struct budget budget = whole((struct budget_caps){.minute = {.tokens = 100}, .day = {.tokens = 1000}});
    struct reservation reservation;
    assert_true(budget_reserve(&budget, NOON, &(struct spending){1, 100, 0}, &reservation));
    assert_int_equal(budget_left(&budget, NOON + 120000).tokens, 100);
    budget_settle(&budget, &reservation, &(struct spending){1, 10, 0});
    assert_int_equal(budget_left(&budget, NOON + 120000).tokens, 100);
    assert_int_equal(budget.day.tokens, 10);
    assert_int_equal(budget.minute.tokens, 0);
}

static void a_process_has_the_share_of_its_partitions(void **state)
{
    (void)state;
    struct budget budget = budget_make(&(struct budget_caps){.minute = {.requests = 10}});
    assert_false(reserve(&budget, NOON, 1, 0));
    budget_share(&budget, 1, 3);
    assert_int_equal(budget_left(&budget, NOON).requests, 3); /* three times 3 are no more than 10 */
    assert_true(reserve(&budget, NOON, 3, 0));
    assert_false(reserve(&budget, NOON, 1, 0));
    budget_share(&budget, 2, 3);
    assert_int_equal(budget_left(&budget, NOON).requests, 3);
    budget_share(&budget, 0, 3);
    assert_int_equal(budget_left(&budget, NOON).requests, 0);
}

static void each_kind_has_its_cap(void **state)
{
    (void)state;
    struct budget budget = whole((struct budget_caps){.minute = {10, 0, 0}, .day = {0, 0, 500}});
    struct reservation reservation;
    assert_false(budget_reserve(&budget, NOON, &(struct spending){11, 5, 5}, &reservation));
    assert_false(budget_reserve(&budget, NOON, &(struct spending){1, 5, 501}, &reservation));
    assert_true(budget_reserve(&budget, NOON, &(struct spending){1, 1 << 30, 500}, &reservation));
}

static void a_clock_that_runs_backwards_stands_still(void **state)
{
    (void)state;
    struct budget budget = whole((struct budget_caps){.minute = {.tokens = 10}});
    assert_true(reserve(&budget, NOON, 0, 10));
    assert_false(reserve(&budget, NOON - 3600000, 0, 1));
    assert_false(reserve(&budget, -1, 0, 1));
    assert_true(reserve(&budget, NOON + 61000, 0, 10));
}

static void it_outlives_the_process(void **state)
{
    (void)state;
    struct budget budget = whole((struct budget_caps){.minute = {.tokens = 100}, .day = {.tokens = 120}});
    assert_true(reserve(&budget, NOON, 1, 100));
    AUTO(buffer) bytes = {0};
    budget_encode(&budget, &bytes);
    struct budget again = whole(budget.caps);
    assert_ok(budget_restore(&again, buffer_bytes(&bytes)));
    assert_int_equal(budget_left(&again, NOON + 1000).tokens, 0);
    assert_int_equal(budget_left(&again, NOON + 61000).tokens, 20);
    for (size_t i = 0; i < bytes.size; i += 37) {
        bytes.data[i] ^= 0x10;
        struct budget untouched = again;
        assert_true(failed(budget_restore(&again, buffer_bytes(&bytes))));
        assert_memory_equal(&untouched, &again, sizeof again);
        bytes.data[i] ^= 0x10;
    }
    assert_fails(CORRUPT, budget_restore(&again, bytes_of(bytes.data, bytes.size - 1)));
}

/* In any 60 seconds and any 24 hours, what was spent is within the caps, whatever is asked for when. */
static void no_window_ever_passes_its_cap(void **state)
{
    (void)state;
    enum { ASKED = 4000 };
    static int64_t times[ASKED], tokens[ASKED];
    struct random random;
    struct budget budget = whole((struct budget_caps){.minute = {.tokens = 1000}, .day = {.tokens = 60000}});
    random_seed(&random, test_seed(71));
    int64_t now_ms = NOON;
    int count = 0;
    for (int i = 0; i < ASKED; i++) {
        struct reservation reservation;
        struct spending most = {1, 1 + random_below(&random, 300), 0};
        now_ms += random_below(&random, i % 100 ? 20000 : 10000000);
        if (!budget_reserve(&budget, now_ms, &most, &reservation))
            continue;
        times[count] = now_ms;
        tokens[count] = 1 + random_below(&random, (uint32_t)most.tokens);
        budget_settle(&budget, &reservation, &(struct spending){1, tokens[count], 0});
        count++;
    }
    assert_true(count > 100);
    for (int last = 0; last < count; last++) {
        int64_t minute = 0, day = 0;
        for (int i = last; i >= 0 && times[last] - times[i] < 24 * 3600 * 1000; i--) {
            minute += times[last] - times[i] < 60000 ? tokens[i] : 0;
            day += tokens[i];
        }
        assert_true(minute <= 1000 && day <= 60000);
    }
}

static void prices_are_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(budget_price(1000, 0.15), 150);
    assert_int_equal(budget_price(1, 0.15), 1);
    assert_int_equal(budget_price(0, 15), 0);
    assert_int_equal(budget_price(5, 0), 0);
    assert_int_equal(budget_price(SPENDING_MAX, 1e9), SPENDING_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cap_is_never_passed),
        cmocka_unit_test(what_was_not_used_can_be_reserved_again),
        cmocka_unit_test(a_settlement_that_comes_when_its_minute_is_over_changes_the_day_alone),
        cmocka_unit_test(a_process_has_the_share_of_its_partitions),
        cmocka_unit_test(each_kind_has_its_cap),
        cmocka_unit_test(a_clock_that_runs_backwards_stands_still),
        cmocka_unit_test(it_outlives_the_process),
        cmocka_unit_test(no_window_ever_passes_its_cap),
        cmocka_unit_test(prices_are_rounded_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
