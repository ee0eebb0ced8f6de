// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/candidates/successors.h"

#include <eddy/base/random.h>

#include <math.h>

static void add(struct successors *successors, const uint32_t *entries, uint32_t length, uint32_t number)
{
    float weights[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    size_t growth = 0;
    for (uint32_t i = 0; i < length; i++)
        growth += successors_growth(successors, entries[i], length - 1);
    assert_ok(blocks_reserve(successors->blocks, growth));
    successors_add(successors, entries, weights, length, number);
}

static float forward(const struct successors *successors, uint32_t from, uint32_t to)
{
    const struct successor_row *row = &successors->rows[from];
    for (uint32_t i = 0; i < row->count; i++)
        if (successor_view(successors, row).items[i] == to)
            return successor_view(successors, row).forward[i];
    return 0;
}

static struct learned_options options_of(uint32_t successors_max, float decay_sessions)
{
    struct learned_options options = learned_options_default();
    options.successors_max = successors_max;
    options.rules_decay_sessions = decay_sessions;
    return options;
}

static void a_full_row_keeps_its_strong_rules_and_its_size(void **state)
{
    (void)state;
    struct blocks blocks = {0};
    struct successors successors;
    struct learned_options options = options_of(8, 0);
    struct random random;
    random_seed(&random, test_seed(1));
    successors_open(&successors, &options, &blocks);
    assert_ok(successors_reserve_entries(&successors, 2000));
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t pair[2] = {0, i < 60 || i % 2 ? 1 + i % 3 : 4 + random_below(&random, 1900)};
        add(&successors, pair, 2, i);
    }
    assert_int_equal(successors.rows[0].count, 8);
    for (uint32_t item = 1; item <= 3; item++)
        assert_true(forward(&successors, 0, item) > 3000);
    assert_true(fabs((double)successors.rows[0].forward_total - 20000) < 1);
    for (uint32_t i = 1; i < 3; i++) { /* the strongest come first */
        struct successor_view view = successor_view(&successors, &successors.rows[0]);
        assert_true(view.forward[i] <= view.forward[i - 1]);
    }
    successors_release(&successors);
    blocks_release(&blocks);
}

static void rules_fade_with_the_sessions_learned_since(void **state)
{
    (void)state;
    struct blocks blocks = {0};
    struct successors successors;
    struct learned_options options = options_of(128, 10);
    successors_open(&successors, &options, &blocks);
    assert_ok(successors_reserve_entries(&successors, 10));
    const uint32_t old[2] = {0, 1}, new[2] = {0, 2}, numbers[] = {3, 13, 403, 413, 1000003, 1000013};
    for (int i = 0; i < 6; i += 2) {
        add(&successors, old, 2, numbers[i]);
        add(&successors, new, 2, numbers[i + 1]);
        double ratio = (double)(forward(&successors, 0, 1) / forward(&successors, 0, 2));
        assert_true(fabs(ratio - exp(-1)) < 1e-4); /* what was there before has faded to nothing */
    }
    assert_true(isfinite(successors.rows[0].forward_total));
    successors_release(&successors);
    blocks_release(&blocks);
}

static void distance_and_direction_weigh(void **state)
{
    (void)state;
    struct blocks blocks = {0};
    struct successors successors;
    struct learned_options options = options_of(128, 0);
    successors_open(&successors, &options, &blocks);
    assert_ok(successors_reserve_entries(&successors, 20));
    const uint32_t session[] = {0, 1, 2, 0, 3, 4, 5, 6, 7, 8, 9, 10};
    add(&successors, session, 12, 0);
    double decay = exp(-1 / (double)options.forward_decay);
    assert_true(fabs((double)forward(&successors, 1, 2) - 1) < 1e-6);
    assert_true(fabs((double)forward(&successors, 1, 3) - decay * decay) < 1e-5);
    assert_true(fabs((double)forward(&successors, 0, 3) - 1 - decay * decay * decay) < 1e-5);
    assert_true(forward(&successors, 0, 0) == 0.0f); /* no item follows itself: that is the repeats' */
    assert_true(forward(&successors, 1, 8) > 0.0f);
    assert_true(forward(&successors, 1, 9) == 0.0f); /* further apart than SUCCESSORS_DISTANCE_MAX */
    assert_true(forward(&successors, 2, 1) == 0.0f); /* backward only */
    successors_release(&successors);
    blocks_release(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_row_keeps_its_strong_rules_and_its_size),
        cmocka_unit_test(rules_fade_with_the_sessions_learned_since),
        cmocka_unit_test(distance_and_direction_weigh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
