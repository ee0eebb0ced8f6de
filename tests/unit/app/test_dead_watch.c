// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/dead_watch.h"

#include <math.h>

#define SECOND_US INT64_C(1000000)

static struct dead_watch *watch_with(struct dead_limits limits)
{
    struct dead_watch *watch;
    assert_ok(dead_watch_open(&limits, &watch));
    return watch;
}

static struct status undecodable(void)
{
    return FAIL(BAD_INPUT, 0, "not decodable");
}

static void letter(struct dead_watch *watch, int64_t time_us, int64_t offset, struct status reason, const char *text)
{
    const struct message message = {.partition = 3, .offset = offset};
    dead_watch_letter(watch, time_us, &message, reason, text);
}

/* `letters` of `clicks` clicks, the first ones. */
static void consume(struct dead_watch *watch, int clicks, int letters)
{
    for (int i = 0; i < clicks; i++) {
        dead_watch_click(watch);
        if (i < letters)
            letter(watch, 0, i, undecodable(), "field x");
    }
}

static void without_limits_any_number_is_allowed(void **state)
{
    (void)state;
    struct dead_watch *watch = watch_with((struct dead_limits){.window_clicks = 10});
    consume(watch, 100, 100);
    assert_false(dead_watch_exceeded(watch));
    assert_ok(dead_watch_verdict(watch, "dead", NULL));
    dead_watch_close(watch);
}

static void the_ratio_is_of_each_window_of_clicks(void **state)
{
    (void)state;
    struct dead_watch *watch = watch_with((struct dead_limits){.ratio_max = 0.25f, .window_clicks = 20});
    for (int window = 0; window < 50; window++)
        consume(watch, 20, 5);
    assert_false(dead_watch_exceeded(watch));
    consume(watch, 6, 5); /* of the next window: five are allowed, whatever their share so far */
    assert_false(dead_watch_exceeded(watch));
    consume(watch, 1, 1);
    assert_true(dead_watch_exceeded(watch));
    dead_watch_close(watch);
}

static void a_share_is_no_less_than_it_reads(void **state)
{
    (void)state;
    const float ratios[] = {0.02f, 0.1f, 0.07f, 0.29f, 0.57f, 1};
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        struct dead_watch *watch = watch_with((struct dead_limits){.ratio_max = ratios[i], .window_clicks = 100});
        int allowed = (int)lroundf(ratios[i] * 100);
        consume(watch, 100, allowed);
        assert_false(dead_watch_exceeded(watch));
        consume(watch, 100, allowed + 1);
        assert_int_equal(dead_watch_exceeded(watch), allowed < 100);
        dead_watch_close(watch);
    }
}

static void a_minute_begins_with_a_dead_letter(void **state)
{
    (void)state;
    struct dead_watch *watch = watch_with((struct dead_limits){.window_clicks = 1, .per_minute_max = 2});
    for (int64_t i = 0; i < 100; i++)
        letter(watch, 100 * SECOND_US + i * 30 * SECOND_US, i, undecodable(), "x");
    assert_false(dead_watch_exceeded(watch));
    int64_t later_us = 100000 * SECOND_US;
    for (int64_t i = 0; i < 3; i++) {
        assert_false(dead_watch_exceeded(watch));
        letter(watch, later_us + i * 29 * SECOND_US, i, undecodable(), "x");
    }
    assert_true(dead_watch_exceeded(watch));
    dead_watch_close(watch);
}

static void the_verdict_says_how_many_why_and_what_to_do(void **state)
{
    (void)state;
    struct dead_watch *watch = watch_with((struct dead_limits){.ratio_max = 0.25f, .window_clicks = 20});
    struct complaint complaint = {{0}};
    dead_watch_click(watch);
    letter(watch, 0, 7, FAIL(LIMIT, 0, "too large"), "of 5000000 bytes");
    consume(watch, 8, 5);
    assert_fails(BAD_INPUT, dead_watch_verdict(watch, "shop.dead", &complaint));
    assert_non_null(strstr(complaint.text, "6 of the last 6 clicks cannot be used, and dead_letters.max_ratio (0.25) "
                                           "allows 5 of 20. 5 of them: not decodable (partition 3, offset 0: field "
                                           "x). They are in topic shop.dead, see 'eddy dead-letters list'."));
    consume(watch, 100, 100); /* what comes after it changes nothing */
    struct complaint again = {{0}};
    assert_fails(BAD_INPUT, dead_watch_verdict(watch, "shop.dead", &again));
    assert_string_equal(again.text, complaint.text);
    dead_watch_close(watch);

    watch = watch_with((struct dead_limits){.window_clicks = 1, .per_minute_max = 1});
    for (int64_t i = 0; i < 2; i++)
        letter(watch, i, i, undecodable(), "x");
    assert_fails(BAD_INPUT, dead_watch_verdict(watch, "dead", &complaint));
    assert_non_null(strstr(complaint.text, "2 clicks within a minute cannot be used, and dead_letters.max_per_minute "
                                           "allows 1. 2 of them: not decodable"));
    dead_watch_close(watch);
}

static void more_kinds_of_reasons_than_there_is_room_for_do_no_harm(void **state)
{
    (void)state;
    static const struct fault faults[] = {
#define X(name, text) {FAULT_##name, 0, "", text},
        FAULT_KINDS(X) FAULT_KINDS(X)
#undef X
    };
    char names[sizeof faults / sizeof *faults][32];
    struct dead_watch *watch = watch_with((struct dead_limits){.window_clicks = 1, .per_minute_max = 60});
    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
            struct fault fault = faults[i];
            snprintf(names[i], sizeof names[i], "reason %zu", i);
            fault.what = names[i];
            letter(watch, 0, 0, (struct status){&fault, 0}, "x");
        }
    struct complaint complaint = {{0}};
    assert_fails(BAD_INPUT, dead_watch_verdict(watch, "dead", &complaint));
    assert_non_null(strstr(complaint.text, ". 3 of them: reason 0 ("));
    dead_watch_close(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_any_number_is_allowed),
        cmocka_unit_test(the_ratio_is_of_each_window_of_clicks),
        cmocka_unit_test(a_share_is_no_less_than_it_reads),
        cmocka_unit_test(a_minute_begins_with_a_dead_letter),
        cmocka_unit_test(the_verdict_says_how_many_why_and_what_to_do),
        cmocka_unit_test(more_kinds_of_reasons_than_there_is_room_for_do_no_harm),
    };
    return cmocka_run_group_tests_name("dead_watch", tests, NULL, NULL);
}
