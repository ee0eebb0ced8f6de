// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/arena.h>
#include <eddy/base/buffer.h>
#include <eddy/base/random.h>

static void buffer_keeps_what_was_appended_and_grows(void **state)
{
    (void)state;
    AUTO(buffer) buffer = {0};
    assert_string_equal(buffer_text(&buffer), "");
    for (int i = 0; i < 1000; i++)
        buffer_format(&buffer, "%d,", i);
    buffer_append_text(&buffer, "end");
    assert_ok(buffer_check(&buffer));
    assert_int_equal(buffer.size, 10 * 2 + 90 * 3 + 900 * 4 + 3);
    assert_memory_equal(buffer_text(&buffer), "0,1,2,", 6);
    assert_string_equal(buffer_text(&buffer) + buffer.size - 3, "end");
}

static void buffer_writes_numbers_in_decimal(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 7, -7, 10, 1600000000000, INT64_MAX, INT64_MIN};
    AUTO(buffer) buffer = {0}, wanted = {0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buffer_append_number(&buffer, numbers[i]);
        buffer_format(&wanted, "%lld", (long long)numbers[i]);
    }
    assert_string_equal(buffer_text(&buffer), buffer_text(&wanted));
}

static void buffer_stops_at_its_limit_and_says_so(void **state)
{
    (void)state;
    AUTO(buffer) buffer = {.limit = 10};
    buffer_append_text(&buffer, "12345678");
    assert_ok(buffer_check(&buffer));
    buffer_append_text(&buffer, "90a");
    assert_fails(LIMIT, buffer_check(&buffer));
    buffer_append_text(&buffer, "9");
    assert_int_equal(buffer.size, 8); /* nothing is written behind a gap */
    buffer_clear(&buffer);
    buffer_append_text(&buffer, "1234567890");
    assert_ok(buffer_check(&buffer));
}

static void arena_memory_is_aligned_disjoint_and_reused(void **state)
{
    (void)state;
    AUTO(arena) arena = {0};
    for (int round = 0; round < 3; round++) {
        uint8_t *blocks[300];
        for (size_t i = 0; i < 300; i++) {
            blocks[i] = arena_alloc(&arena, i * 40 + 1);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % 16, 0);
            memset(blocks[i], (int)i, i * 40 + 1);
        }
        for (size_t i = 0; i < 300; i++)
            for (size_t j = 0; j <= i * 40; j++)
                assert_int_equal(blocks[i][j], (uint8_t)i);
        arena_reset(&arena);
    }
}

static void arena_refuses_past_its_limit(void **state)
{
    (void)state;
    AUTO(arena) arena = {.limit = 1000};
    assert_non_null(arena_alloc(&arena, 900));
    assert_null(arena_alloc(&arena, 200));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 200));
    assert_bytes(arena_copy(&arena, BYTES("copied")), "copied");
}

static void random_is_the_same_for_the_same_seed(void **state)
{
    (void)state;
    struct random a, b, c;
    random_seed(&a, 1);
    random_seed(&b, 1);
    random_seed(&c, 2);
    int differ = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t value = random_u64(&a);
        assert_true(value == random_u64(&b));
        differ += value != random_u64(&c);
    }
    assert_int_equal(differ, 100);
}

static void random_below_is_uniform_within_its_bound(void **state)
{
    (void)state;
    struct random random;
    uint32_t counts[10] = {0};
    random_seed(&random, 5);
    for (int i = 0; i < 100000; i++)
        counts[random_below(&random, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 9500, 10500);
    for (int i = 0; i < 1000; i++) {
        double unit = random_unit(&random);
        assert_true(unit >= 0 && unit < 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_keeps_what_was_appended_and_grows),
        cmocka_unit_test(buffer_writes_numbers_in_decimal),
        cmocka_unit_test(buffer_stops_at_its_limit_and_says_so),
        cmocka_unit_test(arena_memory_is_aligned_disjoint_and_reused),
        cmocka_unit_test(arena_refuses_past_its_limit),
        cmocka_unit_test(random_is_the_same_for_the_same_seed),
        cmocka_unit_test(random_below_is_uniform_within_its_bound),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
