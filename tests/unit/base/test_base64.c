// SPDX-License-Identifier: Apache-2.0
/* The first values are the test vectors of RFC 4648, section 10. */
#include "support/support.h"

#include <eddy/base/base64.h>

static void it_is_that_of_the_specification_both_ways(void **state)
{
    (void)state;
    static const struct {
        struct bytes bytes;
        const char *text;
    } cases[] = {
#define CASE(literal, text) {{(const uint8_t *)literal, sizeof literal - 1}, text}
        CASE("", ""),
        CASE("f", "Zg=="),
        CASE("fo", "Zm8="),
        CASE("foo", "Zm9v"),
        CASE("foob", "Zm9vYg=="),
        CASE("fooba", "Zm9vYmE="),
        CASE("foobar", "Zm9vYmFy"),
        CASE("\0\0\0", "AAAA"),
        CASE("\xff\xef\xbe", "/+++"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(buffer) text = {0};
        AUTO(buffer) back = {0};
        base64_write(cases[i].bytes, &text);
        assert_string_equal(buffer_text(&text), cases[i].text);
        assert_true(base64_read(buffer_bytes(&text), &back));
        assert_true(bytes_equal(buffer_bytes(&back), cases[i].bytes));
    }
}

static void what_is_none_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    static const struct bytes cases[] = {
#define TEXT(literal) {(const uint8_t *)literal, sizeof literal - 1}
        TEXT("Z"),    TEXT("Zg"),        TEXT("Zg="),      TEXT("Zm9vYg="), TEXT("===="),
        TEXT("Z==="), TEXT("Zg==Zg=="),  TEXT("Zm9vZ=9v"), TEXT("Zh=="),    TEXT("Zm9="),
        TEXT("Zm9 "), TEXT("Zm9v\nZm9"), TEXT("Zm9vA-A_"), TEXT("A\0AA"),   TEXT("Zm9v\xc3\xb6==")};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(buffer) out = {0};
        buffer_append_text(&out, "before");
        if (base64_read(cases[i], &out))
            fail_msg("case %zu is read", i);
        assert_bytes(buffer_bytes(&out), "before");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_that_of_the_specification_both_ways),
        cmocka_unit_test(what_is_none_is_refused_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
