// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/base/timestamp.h>

static void timestamp_reads_what_rfc_3339_allows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time_ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2014-04-07T10:51:09.277Z", INT64_C(1396867869277)},
        {"2014-04-07t10:51:09.2779999z", INT64_C(1396867869277)},
        {"2014-04-07 12:51:09.5+02:00", INT64_C(1396867869500)},
        {"2000-02-29T23:59:60-00:30", INT64_C(951870600000)},
        {"1969-12-31T23:59:59.999Z", -1},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t time_ms = 0;
        if (!timestamp_parse(bytes_of_text(cases[i].text), &time_ms) || time_ms != cases[i].time_ms)
            fail_msg("%s gave %lld", cases[i].text, (long long)time_ms);
    }
}

static void timestamp_refuses_everything_else(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2014-04-07",
        "2014-04-07T10:51:09",
        "2014-4-7T10:51:09Z",
        "2014-02-29T10:51:09Z",
        "2014-13-01T10:51:09Z",
        "2014-00-01T10:51:09Z",
        "2014-04-00T10:51:09Z",
        "2014-04-31T10:51:09Z",
        "2014-04-07T24:00:00Z",
        "2014-04-07T10:60:00Z",
        "2014-04-07T10:51:61Z",
        "2014-04-07T10:51:09.Z",
        "2014-04-07T10:51:09.5",
        "2014-04-07T10:51:09+0200",
        "2014-04-07T10:51:09+24:00",
        "2014-04-07T10:51:09Z ",
        "1396867869277",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t time_ms = 42;
        if (timestamp_parse(bytes_of_text(texts[i]), &time_ms) || time_ms != 42)
            fail_msg("\"%s\" was read as %lld", texts[i], (long long)time_ms);
    }
    int64_t time_ms;
    assert_true(timestamp_parse_any(BYTES("1396867869277"), &time_ms));
    assert_int_equal(time_ms, INT64_C(1396867869277));
}

static void timestamp_writes_what_it_reads(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, test_seed(1));
    for (int i = 0; i < 10000; i++) {
        int64_t time_ms = (int64_t)(random_u64(&random) % UINT64_C(315537897600000)) - INT64_C(62135596800000), back;
        char text[TIMESTAMP_TEXT_MAX];
        if (!timestamp_parse(bytes_of_text(timestamp_text(time_ms, text)), &back) || back != time_ms)
            fail_msg("%lld -> %s", (long long)time_ms, text);
    }
    char text[TIMESTAMP_TEXT_MAX];
    assert_string_equal(timestamp_text(INT64_MAX, text), "9223372036854775807");
    assert_string_equal(timestamp_text(INT64_MIN, text), "-9223372036854775808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamp_reads_what_rfc_3339_allows),
        cmocka_unit_test(timestamp_refuses_everything_else),
        cmocka_unit_test(timestamp_writes_what_it_reads),
    };
    return cmocka_run_group_tests_name("timestamp", tests, NULL, NULL);
}
