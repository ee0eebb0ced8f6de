// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/interner.h>

static void interner_gives_dense_numbers_and_the_bytes_back(void **state)
{
    (void)state;
    struct interner *interner;
    assert_ok(interner_open(100000, 1 << 24, &interner));
    for (uint32_t i = 0; i < 50000; i++) {
        char text[16];
        uint32_t number;
        snprintf(text, sizeof text, "item-%u", i);
        assert_int_equal(interner_find(interner, bytes_of_text(text)), INTERNER_NONE);
        assert_ok(interner_add(interner, bytes_of_text(text), &number));
        assert_int_equal(number, i);
        assert_ok(interner_add(interner, bytes_of_text(text), &number));
        assert_int_equal(number, i);
    }
    assert_int_equal(interner_count(interner), 50000);
    for (uint32_t i = 0; i < 50000; i++) {
        char text[16];
        snprintf(text, sizeof text, "item-%u", i);
        assert_int_equal(interner_find(interner, bytes_of_text(text)), i);
        assert_bytes(interner_get(interner, i), text);
    }
    interner_close(interner);
}

/* So many that they are looked up in several parts, some in others' places of the table. */
static void interner_finds_many_as_it_finds_each(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static char texts[COUNT][16];
    struct bytes asked[COUNT];
    uint32_t numbers[COUNT], number;
    struct interner *interner;
    assert_ok(interner_open(COUNT, 1 << 20, &interner));
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "item-%u", i);
        asked[i] = bytes_of_text(texts[i]);
        if (i % 3 == 0)
            assert_ok(interner_add(interner, asked[i], &number));
    }
    size_t known = interner_count(interner);
    assert_int_equal(interner_find_all(interner, asked, COUNT, numbers), known);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(numbers[i], i % 3 ? INTERNER_NONE : i / 3);
    assert_int_equal(interner_find_all(interner, asked, 0, numbers), 0);
    assert_int_equal(interner_find_all(interner, asked + 3, 1, numbers), 1);
    assert_int_equal(numbers[0], 1);
    interner_close(interner);
}

static void interner_refuses_beyond_its_bounds(void **state)
{
    (void)state;
    struct interner *interner;
    uint32_t number = 7;
    assert_ok(interner_open(2, 1000, &interner));
    assert_ok(interner_add(interner, BYTES("a"), &number));
    assert_ok(interner_add(interner, BYTES("b"), &number));
    assert_fails(LIMIT, interner_add(interner, BYTES("c"), &number));
    assert_int_equal(number, 1);
    assert_int_equal(interner_find(interner, BYTES("c")), INTERNER_NONE);
    interner_close(interner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interner_gives_dense_numbers_and_the_bytes_back),
        cmocka_unit_test(interner_finds_many_as_it_finds_each),
        cmocka_unit_test(interner_refuses_beyond_its_bounds),
    };
    return cmocka_run_group_tests_name("interner", tests, NULL, NULL);
}
