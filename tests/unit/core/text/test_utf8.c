// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/text/utf8.h"

static void check(struct bytes text, const uint32_t *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(text.size > 0);
        assert_int_equal(utf8_take(&text), wanted[i]);
    }
    assert_int_equal(text.size, 0);
}

static void every_code_point_comes_back(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        uint8_t text[UTF8_SIZE_MAX];
        if (code >= 0xd800 && code < 0xe000)
            continue;
        struct bytes rest = bytes_of(text, utf8_put(code, text));
        assert_true(bytes_is_utf8(rest));
        assert_int_equal(utf8_take(&rest), code);
        assert_int_equal(rest.size, 0);
    }
}

/* As Python's bytes.decode("utf-8", "replace"). */
static void what_is_no_utf_8_is_replaced_piece_by_piece(void **state)
{
    (void)state;
    enum { X = UTF8_REPLACEMENT };
    check(BYTES("a\x80z"), (uint32_t[]){'a', X, 'z'}, 3);
    check(BYTES("\xc0\x80"), (uint32_t[]){X, X}, 2);               /* overlong */
    check(BYTES("\xe2\x82z"), (uint32_t[]){X, 'z'}, 2);            /* cut off: one piece */
    check(BYTES("\xe0\x80\x80"), (uint32_t[]){X, X, X}, 3);        /* overlong from its second byte on */
    check(BYTES("\xed\xa0\x80"), (uint32_t[]){X, X, X}, 3);        /* a surrogate */
    check(BYTES("\xf4\x90\x80\x80"), (uint32_t[]){X, X, X, X}, 4); /* above U+10FFFF */
    check(BYTES("\xf0\x9f\x98"), (uint32_t[]){X}, 1);
    check(BYTES("\xf0\x9f\xc3\xa9"), (uint32_t[]){X, 0xe9}, 2);
    check(BYTES("\xff\xfe"), (uint32_t[]){X, X}, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_comes_back),
        cmocka_unit_test(what_is_no_utf_8_is_replaced_piece_by_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
