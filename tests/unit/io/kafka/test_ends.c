// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "io/kafka/ends.h"

#define SECOND_US INT64_C(1000000)
#define START_US  (1000 * SECOND_US)

static struct kafka_ends opened(int64_t offset, int64_t end)
{
    struct kafka_ends ends;
    kafka_ends_open(&ends);
    assert_ok(kafka_ends_begin(&ends, 3, offset, end));
    return ends;
}

static void an_end_is_reached_when_it_is_the_leaders(void **state)
{
    (void)state;
    struct kafka_ends ends = opened(10, 12);
    kafka_ends_pass(&ends, 3, 10);
    kafka_ends_pass(&ends, 3, 11);
    assert_int_equal(kafka_ends_next(&ends, 3), 12);
    assert_false(kafka_ends_reached(&ends, 3, START_US)); /* it was not delivered to an end */
    kafka_ends_note(&ends, 3, 12);
    assert_false(kafka_ends_reached(&ends, 3, START_US)); /* nobody has said so */
    kafka_ends_tell(&ends, 3, 12, START_US);
    assert_true(kafka_ends_reached(&ends, 3, START_US + SECOND_US));
    assert_false(kafka_ends_reached(&ends, 3, START_US + 6 * SECOND_US)); /* too long ago */
    kafka_ends_tell(&ends, 3, 14, START_US + 6 * SECOND_US);
    assert_false(kafka_ends_reached(&ends, 3, START_US + 6 * SECOND_US));
    kafka_ends_close(&ends);
}

/* Its own end was delivered, and it says so, but the log has ended further on already. */
static void the_end_of_a_leader_of_old_is_none(void **state)
{
    (void)state;
    struct kafka_ends ends = opened(10, 20);
    kafka_ends_note(&ends, 3, 12);
    kafka_ends_tell(&ends, 3, 12, START_US);
    assert_false(kafka_ends_reached(&ends, 3, START_US));
    kafka_ends_tell(&ends, 3, 25, START_US);
    kafka_ends_note(&ends, 3, 20);
    kafka_ends_tell(&ends, 3, 20, START_US);
    assert_false(kafka_ends_reached(&ends, 3, START_US));
    assert_ok(kafka_ends_begin(&ends, 3, 20, 20)); /* a new delivery knows what it was told */
    kafka_ends_note(&ends, 3, 20);
    kafka_ends_tell(&ends, 3, 20, START_US);
    assert_true(kafka_ends_reached(&ends, 3, START_US));
    kafka_ends_close(&ends);
}

static void a_log_is_cut_when_it_seems_so_for_half_a_minute(void **state)
{
    (void)state;
    struct kafka_ends ends = opened(10, 10);
    assert_int_equal(kafka_ends_note_behind(&ends, 3, START_US), KAFKA_BEHIND_FIRST);
    for (int64_t s = 1; s < 30; s++)
        assert_int_equal(kafka_ends_note_behind(&ends, 3, START_US + s * SECOND_US), KAFKA_BEHIND_STILL);
    assert_int_equal(kafka_ends_note_behind(&ends, 3, START_US + 30 * SECOND_US), KAFKA_BEHIND_FOR_GOOD);
    kafka_ends_close(&ends);
}

static void glimpses_that_are_far_apart_do_not_add_up(void **state)
{
    (void)state;
    struct kafka_ends ends = opened(10, 10);
    assert_int_equal(kafka_ends_note_behind(&ends, 3, START_US), KAFKA_BEHIND_FIRST);
    assert_int_equal(kafka_ends_note_behind(&ends, 3, START_US + 60 * SECOND_US), KAFKA_BEHIND_STILL);
    assert_int_equal(kafka_ends_note_behind(&ends, 3, START_US + 64 * SECOND_US), KAFKA_BEHIND_STILL);
    assert_true(kafka_ends_note_ahead(&ends, 3));
    assert_false(kafka_ends_note_ahead(&ends, 3));
    assert_int_equal(kafka_ends_note_behind(&ends, 3, START_US + 91 * SECOND_US), KAFKA_BEHIND_FIRST);
    kafka_ends_pass(&ends, 3, 10); /* what is delivered was there */
    assert_int_equal(kafka_ends_note_behind(&ends, 3, START_US + 95 * SECOND_US), KAFKA_BEHIND_FIRST);
    kafka_ends_close(&ends);
}

static void an_end_is_asked_for_once_a_second(void **state)
{
    (void)state;
    struct kafka_ends ends = opened(10, 10);
    assert_true(kafka_ends_may_ask(&ends, 3, START_US));
    assert_false(kafka_ends_may_ask(&ends, 3, START_US + SECOND_US / 2));
    assert_true(kafka_ends_may_ask(&ends, 3, START_US + SECOND_US));
    kafka_ends_close(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_is_reached_when_it_is_the_leaders),
        cmocka_unit_test(the_end_of_a_leader_of_old_is_none),
        cmocka_unit_test(a_log_is_cut_when_it_seems_so_for_half_a_minute),
        cmocka_unit_test(glimpses_that_are_far_apart_do_not_add_up),
        cmocka_unit_test(an_end_is_asked_for_once_a_second),
    };
    return cmocka_run_group_tests_name("ends", tests, NULL, NULL);
}
