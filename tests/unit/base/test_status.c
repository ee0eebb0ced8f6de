// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

static void complaints_hold_nothing_that_a_terminal_would_obey_or_cannot_show(void **state)
{
    (void)state;
    static const struct {
        const char *given, *wanted;
    } cases[] = {
        {"plain\nlines", "plain\nlines"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\x1b[2J\a\x7f\r", "?[2J???"},
        {"\xc2\x9b"
         "2J",
         "??2J"}, /* the same escape, as one character of UTF-8 */
        {"\x9b"
         "2J",
         "?2J"},
        {"a\xff\xfe"
         "b\xc3",
         "a??b?"},
        {"\xe2\x82", "??"}, /* cut within a character */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct complaint complaint;
        assert_fails(BAD_INPUT, complain(&complaint, FAIL(BAD_INPUT, 0, "bad"), "%s", cases[i].given));
        assert_string_equal(complaint.text, cases[i].wanted);
    }
}

static void a_complaint_that_is_too_long_is_cut(void **state)
{
    (void)state;
    struct complaint complaint;
    char text[2000];
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof complaint.text - 2, "\xc3\xa9", 2); /* cut in two */
    text[sizeof text - 1] = 0;
    assert_fails(BAD_INPUT, complain(&complaint, FAIL(BAD_INPUT, 0, "bad"), "%s", text));
    assert_int_equal(strlen(complaint.text), sizeof complaint.text - 1);
    assert_int_equal(complaint.text[sizeof complaint.text - 2], '?');
    assert_fails(BAD_INPUT, complain(NULL, FAIL(BAD_INPUT, 0, "bad"), "%s", text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complaints_hold_nothing_that_a_terminal_would_obey_or_cannot_show),
        cmocka_unit_test(a_complaint_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
