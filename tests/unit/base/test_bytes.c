// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/bytes.h>

static void bytes_compare_orders_like_a_dictionary(void **state)
{
    (void)state;
    assert_true(bytes_compare(BYTES("a"), BYTES("b")) < 0);
    assert_true(bytes_compare(BYTES("ab"), BYTES("a")) > 0);
    assert_true(bytes_compare(BYTES(""), BYTES("a")) < 0);
    assert_int_equal(bytes_compare(BYTES("a"), BYTES("a")), 0);
    assert_true(bytes_equal((struct bytes){0}, BYTES("")));
}

static void bytes_hash_is_stable(void **state)
{
    (void)state;
    assert_true(bytes_hash(BYTES("")) == 0x2d06800538d394c2u); /* XXH3's published value for no input */
}

static void bytes_to_int64_takes_whole_numbers_in_range_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {{"0", true, 0},
                 {"-17", true, -17},
                 {"9223372036854775807", true, INT64_MAX},
                 {"-9223372036854775808", true, INT64_MIN},
                 {"9223372036854775808", false, 0},
                 {"-9223372036854775809", false, 0},
                 {"", false, 0},
                 {"-", false, 0},
                 {"1 ", false, 0},
                 {" 1", false, 0},
                 {"1.5", false, 0},
                 {"0x10", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = 77;
        assert_int_equal(bytes_to_int64(bytes_of_text(cases[i].text), &value), cases[i].good);
        assert_true(value == (cases[i].good ? cases[i].value : 77));
    }
}

static void bytes_to_double_takes_finite_numbers_only(void **state)
{
    (void)state;
    double value = 7;
    assert_true(bytes_to_double(BYTES("-1.5e3"), &value));
    assert_true(value == -1500);
    assert_false(bytes_to_double(BYTES("inf"), &value));
    assert_false(bytes_to_double(BYTES("nan"), &value));
    assert_false(bytes_to_double(BYTES("1e999"), &value));
    assert_false(bytes_to_double(BYTES(" 1"), &value));
    assert_false(bytes_to_double(BYTES("1x"), &value));
    assert_false(bytes_to_double(BYTES(""), &value));
}

static void bytes_is_utf8_knows_the_borders(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {{"plain", true},
                 {"\xc3\xa9", true},
                 {"\xe2\x82\xac", true},
                 {"\xf0\x9f\x98\x80", true},
                 {"\xc3", false},
                 {"\xc0\x80", false},
                 {"\xe0\x80\x80", false},
                 {"\xed\xa0\x80", false},
                 {"\xf0\x80\x80\x80", false},
                 {"\xf4\x90\x80\x80", false},
                 {"\xff", false},
                 {"a\x80", false},
                 {"\xf4\x8f\xbf\xbf", true},
                 {"\xed\x9f\xbf", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(bytes_is_utf8(bytes_of_text(cases[i].text)), cases[i].good);
}

static void bytes_utf8_prefix_never_cuts_a_code_point(void **state)
{
    (void)state;
    struct bytes text = BYTES("a\xe2\x82\xac"
                              "b");
    assert_int_equal(bytes_utf8_prefix(text, 9).size, 5);
    assert_int_equal(bytes_utf8_prefix(text, 4).size, 4);
    assert_int_equal(bytes_utf8_prefix(text, 3).size, 1);
    assert_int_equal(bytes_utf8_prefix(text, 2).size, 1);
    assert_int_equal(bytes_utf8_prefix(text, 0).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_compare_orders_like_a_dictionary),
        cmocka_unit_test(bytes_hash_is_stable),
        cmocka_unit_test(bytes_to_int64_takes_whole_numbers_in_range_only),
        cmocka_unit_test(bytes_to_double_takes_finite_numbers_only),
        cmocka_unit_test(bytes_is_utf8_knows_the_borders),
        cmocka_unit_test(bytes_utf8_prefix_never_cuts_a_code_point),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
