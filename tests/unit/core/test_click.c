// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/click.h>

#define NOW INT64_C(1700000000000)

static char long_id[CLICK_ID_MAX + 1];

static struct click click_good(void)
{
    return (struct click){.session_id = BYTES("s"), .item_id = BYTES("i"), .time_ms = NOW};
}

static void click_check_names_the_field_that_is_wrong(void **state)
{
    (void)state;
    memset(long_id, 'x', sizeof long_id);
    struct bytes too_long = {(const uint8_t *)long_id, sizeof long_id};
    struct click good = click_good();
    struct click cases[] = {good, good, good, good, good, good, good};
    cases[0].session_id = (struct bytes){0};
    cases[1].item_id = (struct bytes){0};
    cases[2].item_id = too_long;
    cases[3].event_id = BYTES("\xff");
    cases[4].time_ms = 1700000000; /* seconds */
    cases[5].time_ms = NOW + 60001;
    cases[6].user_id = BYTES("a\xc3");
    static const char *const texts[] = {"session_id", "item_id",   "item_id", "event_id",
                                        "timestamp",  "timestamp", "user_id"};
    struct click_limits limits = {.future_max_ms = 60000};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct complaint complaint = {""};
        assert_fails(BAD_INPUT, click_check(&cases[i], NOW, &limits, &complaint));
        assert_non_null(strstr(complaint.text, texts[i]));
    }
}

static void click_check_accepts_what_is_right_up_to_the_borders(void **state)
{
    (void)state;
    struct click_limits limits = {.future_max_ms = 60000};
    struct click click = click_good();
    assert_ok(click_check(&click, NOW, &limits, NULL));
    click.time_ms = NOW + 60000;
    assert_ok(click_check(&click, NOW, &limits, NULL));
    click.time_ms = 874724710000; /* MovieLens 100K begins in 1997 */
    assert_ok(click_check(&click, NOW, &limits, NULL));
    memset(long_id, 'x', sizeof long_id);
    click.item_id = bytes_of(long_id, CLICK_ID_MAX);
    assert_ok(click_check(&click, NOW, &limits, NULL));
}

static void click_check_asks_for_the_user_when_sessions_are_kept_by_user(void **state)
{
    (void)state;
    struct click_limits limits = {.future_max_ms = 60000, .by_user = true};
    struct click click = click_good();
    assert_fails(BAD_INPUT, click_check(&click, NOW, &limits, NULL));
    click.user_id = BYTES("u");
    click.session_id = (struct bytes){0};
    assert_ok(click_check(&click, NOW, &limits, NULL));
}

static void click_types_have_names_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < CLICK_TYPE_COUNT; i++) {
        enum click_type type;
        assert_true(click_type_of(bytes_of_text(click_type_text((enum click_type)i)), &type));
        assert_int_equal(type, i);
    }
    enum click_type type;
    assert_false(click_type_of(BYTES("View"), &type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(click_check_names_the_field_that_is_wrong),
        cmocka_unit_test(click_check_accepts_what_is_right_up_to_the_borders),
        cmocka_unit_test(click_check_asks_for_the_user_when_sessions_are_kept_by_user),
        cmocka_unit_test(click_types_have_names_both_ways),
    };
    return cmocka_run_group_tests_name("click", tests, NULL, NULL);
}
