// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/candidates/blocks.h"

#include <eddy/base/random.h>

#define HELD 300

static void blocks_keep_their_content_and_are_used_again(void **state)
{
    (void)state;
    struct random random;
    uint64_t seed = test_seed(1);
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    struct blocks blocks = {0};
    struct {
        uint32_t block, size_class, mark;
        bool taken;
    } held[HELD] = {0};
    size_t live = 0, most_live = 0;
    for (uint32_t step = 0; step < 60000; step++) {
        uint32_t i = random_below(&random, HELD);
        if (held[i].taken) {
            uint32_t *words = blocks_at(&blocks, held[i].block);
            size_t count = ((size_t)BLOCK_UNIT << held[i].size_class) / sizeof *words;
            assert_int_equal(words[0], held[i].mark);
            assert_int_equal(words[count - 1], held[i].mark);
            blocks_give(&blocks, held[i].block, held[i].size_class);
            held[i].taken = false;
            live -= (size_t)BLOCK_UNIT << held[i].size_class;
            continue;
        }
        held[i].size_class = random_below(&random, 1 + random_below(&random, 12));
        assert_ok(blocks_reserve(&blocks, (size_t)BLOCK_UNIT << held[i].size_class));
        held[i].block = blocks_take(&blocks, held[i].size_class);
        held[i].mark = step;
        held[i].taken = true;
        uint32_t *words = blocks_at(&blocks, held[i].block);
        for (size_t j = 0; j < ((size_t)BLOCK_UNIT << held[i].size_class) / sizeof *words; j++)
            words[j] = step;
        live += (size_t)BLOCK_UNIT << held[i].size_class;
        most_live = live > most_live ? live : most_live;
    }
    assert_true(blocks_memory(&blocks) <= 2 * most_live + (3 << 18));
    blocks_release(&blocks);
    assert_int_equal(blocks_memory(&blocks), 0);
}

static void what_is_reserved_can_be_taken_in_any_sizes(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, test_seed(2));
    struct blocks blocks = {0};
    for (int round = 0; round < 300; round++) {
        uint32_t classes[40], count = 1 + random_below(&random, 40);
        size_t bytes = 0;
        for (uint32_t i = 0; i < count; i++) {
            classes[i] = random_below(&random, 1 + BLOCK_CLASS_MAX);
            bytes += (size_t)BLOCK_UNIT << classes[i];
        }
        assert_ok(blocks_reserve(&blocks, bytes));
        for (uint32_t i = 0; i < count; i++) {
            size_t before = blocks_memory(&blocks);
            uint32_t block = blocks_take(&blocks, classes[i]); /* asserts that there is room */
            assert_int_equal(blocks_memory(&blocks), before);
            if (random_below(&random, 2))
                blocks_give(&blocks, block, classes[i]);
        }
    }
    blocks_release(&blocks);
}

static void the_smallest_class_that_fits_is_named(void **state)
{
    (void)state;
    assert_int_equal(blocks_class(1), 0);
    assert_int_equal(blocks_class(16), 0);
    assert_int_equal(blocks_class(17), 1);
    assert_int_equal(blocks_class(1 << 18), BLOCK_CLASS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_their_content_and_are_used_again),
        cmocka_unit_test(what_is_reserved_can_be_taken_in_any_sizes),
        cmocka_unit_test(the_smallest_class_that_fits_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
