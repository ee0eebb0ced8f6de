// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/session/pool.h"
#include <eddy/base/random.h>

static void every_size_fits_its_class_closely(void **state)
{
    (void)state;
    uint32_t last = 0;
    for (size_t size = 1; size <= POOL_BLOCK_MAX; size++) {
        uint32_t class = pool_class_of(size);
        assert_true(class > 0 && class < POOL_CLASSES);
        assert_true(class == last || class == last + 1);
        assert_true(pool_class_size(class) >= size);
        assert_true(class == 1 || pool_class_size(class - 1) < size);
        assert_true(pool_class_size(class) <= size + 15 + size / 4);
        last = class;
    }
    assert_int_equal(last, POOL_CLASSES - 1);
}

#define OWNERS 3000

struct owner {
    uint32_t handle, class;
    bool has_block;
};

static void fill(struct pool *pool, const struct owner *owner, uint32_t number)
{
    memset(pool_data(pool, owner->handle) + 4, (int)(number * 7 + 1), pool_class_size(owner->class) - 4);
}

static void check(const struct pool *pool, const struct owner *owner, uint32_t number)
{
    const uint8_t *data = pool_data(pool, owner->handle);
    uint32_t said;
    memcpy(&said, data, sizeof said);
    assert_int_equal(said, number);
    for (size_t i = 4; i < pool_class_size(owner->class); i++)
        assert_int_equal(data[i], (uint8_t)(number * 7 + 1));
}

static void give_back(struct pool *pool, struct owner *owners, uint32_t number)
{
    struct owner *owner = &owners[number];
    uint32_t moved = pool_give_back(pool, owner->class, owner->handle);
    owner->has_block = false;
    if (moved != POOL_OWNER_NONE) {
        assert_true(moved < OWNERS && owners[moved].has_block && owners[moved].class == owner->class);
        owners[moved].handle = owner->handle;
    }
}

static void blocks_keep_their_content_while_others_come_and_go(void **state)
{
    (void)state;
    uint64_t seed = test_seed(1);
    print_message("EDDY_SEED=%llu\n", (unsigned long long)seed);
    struct random random;
    random_seed(&random, seed);
    static struct owner owners[OWNERS];
    memset(owners, 0, sizeof owners);
    struct pool pool = {0};
    for (int step = 0; step < 60000; step++) {
        uint32_t number = random_below(&random, OWNERS);
        struct owner *owner = &owners[number];
        if (owner->has_block) {
            check(&pool, owner, number);
            give_back(&pool, owners, number);
            continue;
        }
        owner->class = 1 + random_below(&random, random_below(&random, 50) ? 12 : POOL_CLASSES - 1);
        assert_ok(pool_reserve(&pool, owner->class));
        owner->handle = pool_take(&pool, owner->class, number);
        owner->has_block = true;
        fill(&pool, owner, number);
    }
    for (uint32_t number = 0; number < OWNERS; number++)
        if (owners[number].has_block)
            check(&pool, &owners[number], number);
    pool_release(&pool);
}

static void memory_that_one_class_leaves_serves_another(void **state)
{
    (void)state;
    struct pool pool = {0};
    static uint32_t handles[20000];
    size_t memory = 0;
    for (uint32_t class = 2; class <= 16; class ++) {
        uint32_t count = 20000 * 2 / class;
        for (uint32_t i = 0; i < count; i++) {
            assert_ok(pool_reserve(&pool, class));
            handles[i] = pool_take(&pool, class, i);
        }
        for (uint32_t i = count; i-- > 0;)
            assert_int_equal(pool_give_back(&pool, class, handles[i]), POOL_OWNER_NONE);
        memory = memory ? memory : pool_memory(&pool);
    }
    assert_int_equal(pool_memory(&pool), memory);
    pool_release(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_fits_its_class_closely),
        cmocka_unit_test(blocks_keep_their_content_while_others_come_and_go),
        cmocka_unit_test(memory_that_one_class_leaves_serves_another),
    };
    return cmocka_run_group_tests_name("session pool", tests, NULL, NULL);
}
