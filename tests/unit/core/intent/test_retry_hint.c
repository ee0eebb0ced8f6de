// SPDX-License-Identifier: Apache-2.0
/* When a server says to come again, in all the ways that servers say it; and what its codes mean. */
#include "support/support.h"

#include <eddy/core/endpoints.h>

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"1s", 1000},
                 {"6m0s", 360000},
                 {"20ms", 20},
                 {"1h2m3.5s", 3723500},
                 {"7", 7000},
                 {"0.25", 250},
                 {"0", 0},
                 {"1m30", -1},
                 {"", -1},
                 {"s", -1},
                 {"-1s", -1},
                 {"1x", -1},
                 {"1s ", -1},
                 {"1..2s", -1},
                 {"1e3", -1},
                 {"1s2", -1},
                 {"99999999999999999999h", 365LL * 24 * 3600 * 1000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1;
        bool good = duration_parse(bytes_of_text(cases[i].text), &ms);
        if (good != (cases[i].ms >= 0) || ms != cases[i].ms)
            fail_msg("\"%s\": %d, %lld", cases[i].text, good, (long long)ms);
    }
}

static void dates_are_read(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_true(http_date_parse(BYTES("Sun, 06 Nov 1994 08:49:37 GMT"), &ms));
    assert_int_equal(ms, 784111777000);
    static const char *const bad[] = {"",
                                      "soon",
                                      "Sunday, 06-Nov-94 08:49:37 GMT",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 06 ovD 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 CET",
                                      "Sun, 06 Nov 1994 25:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 GMT and much more of it"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(http_date_parse(bytes_of_text(bad[i]), &ms));
}

#define DATE_AT_37 BYTES("Sun, 06 Nov 1994 08:49:37 GMT")
#define DATE_AT_39 BYTES("Sun, 06 Nov 1994 08:49:39 GMT")

static void the_most_precise_hint_counts(void **state)
{
    (void)state;
    const struct {
        struct retry_hints hints;
        int64_t ms;
    } cases[] = {
        {{.retry_after = BYTES("")}, -1},
        {{.retry_after = BYTES("3")}, 3000},
        {{.retry_after = BYTES("0")}, 0},
        {{.retry_after = BYTES("-3")}, -1},
        {{.retry_after = BYTES("3s")}, -1},
        {{.retry_after = BYTES("3"), .retry_after_ms = BYTES("2750")}, 2750},
        {{.retry_after = BYTES("3"), .retry_after_ms = BYTES("nan")}, 3000},
        {{.retry_after = DATE_AT_39}, 1000}, /* by our clock, which says :38 */
        {{.retry_after = DATE_AT_39, .date = DATE_AT_37}, 2000},
        {{.retry_after = DATE_AT_37, .date = DATE_AT_39}, 0},
        {{.reset_requests = BYTES("1s"), .reset_tokens = BYTES("6m0s")}, 360000},
        {{.reset_requests = BYTES("1s"),
          .reset_tokens = BYTES("6m0s"),
          .remaining_requests = BYTES("0"),
          .remaining_tokens = BYTES("1200")},
         1000},
        {{.reset_requests = BYTES("1s"),
          .reset_tokens = BYTES("6m0s"),
          .remaining_requests = BYTES("7"),
          .remaining_tokens = BYTES("0")},
         360000},
        {{.reset_requests = BYTES("nonsense")}, -1},
        {{.retry_after = BYTES("2"), .reset_requests = BYTES("9s")}, 2000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(retry_hint_ms(&cases[i].hints, 784111778000), cases[i].ms);
}

static void codes_have_their_meaning(void **state)
{
    (void)state;
    static const struct {
        int code;
        int64_t hint_ms;
        enum call_outcome outcome;
    } cases[] = {{200, -1, CALL_ANSWERED}, {201, -1, CALL_ANSWERED}, {301, -1, CALL_DENIED}, {400, -1, CALL_REFUSED},
                 {401, -1, CALL_DENIED},   {404, -1, CALL_DENIED},   {408, -1, CALL_SERVER}, {413, -1, CALL_REFUSED},
                 {422, -1, CALL_REFUSED},  {429, -1, CALL_BUSY},     {500, -1, CALL_SERVER}, {503, -1, CALL_SERVER},
                 {503, 100, CALL_BUSY},    {529, 100, CALL_SERVER},  {0, -1, CALL_BROKEN},   {101, -1, CALL_BROKEN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(call_outcome_of_code(cases[i].code, cases[i].hint_ms), cases[i].outcome);
    for (enum call_outcome outcome = 0; outcome < CALL_OUTCOME_COUNT; outcome++)
        assert_true(*call_outcome_label(outcome) && *call_outcome_text(outcome));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(the_most_precise_hint_counts),
        cmocka_unit_test(codes_have_their_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
