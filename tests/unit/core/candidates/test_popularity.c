// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/candidates/popularity.h"

#include <eddy/base/random.h>

#include <math.h>

#define ENTRIES 3000

static double model[ENTRIES];

static void assert_popularity(const struct popularity *popularity, double total)
{
    for (uint32_t i = 0; i < ENTRIES; i++)
        assert_true(fabs((double)(popularity->values[i] * popularity_unit(popularity)) - model[i] / total) < 1e-5);
    const uint32_t *top = popularity->top;
    for (uint32_t i = 0; i < popularity->top_count; i++) {
        assert_int_equal(popularity->ranks[top[i]], i);
        assert_true(!i || popularity->values[top[i]] <= popularity->values[top[i - 1]]);
    }
    float last = popularity->top_count ? popularity->values[top[popularity->top_count - 1]] : 0;
    uint32_t outside = 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        outside += popularity->ranks[i] == POPULARITY_TOP;
        if (popularity->ranks[i] == POPULARITY_TOP && popularity->top_count == POPULARITY_TOP)
            assert_true(popularity->values[i] <= last);
    }
    assert_int_equal(outside, ENTRIES - popularity->top_count);
}

static void values_decay_by_event_time_and_the_top_stays_in_order(void **state)
{
    (void)state;
    struct random random;
    uint64_t seed = test_seed(1);
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    struct learned_options options = learned_options_default();
    options.popularity_half_life_ms = 1000;
    struct popularity popularity;
    popularity_open(&popularity, &options);
    assert_ok(popularity_reserve_entries(&popularity, ENTRIES));
    memset(model, 0, sizeof model);
    int64_t time_ms = 1600000000000;
    double total = 0;
    for (int i = 0; i < 40000; i++) { /* some 400 half-lives: the base moves many times */
        int64_t step_ms = i % 5000 == 4999 ? 50000 : random_below(&random, 10);
        double fading = exp2(-(double)step_ms / 1000);
        time_ms += step_ms;
        for (uint32_t j = 0; step_ms && j < ENTRIES; j++)
            model[j] *= fading;
        uint32_t entry = random_below(&random, 1 + random_below(&random, ENTRIES));
        model[entry] += 2;
        total = total * fading + 2;
        popularity_add(&popularity, entry, 2, time_ms);
        if (i % 4000 == 0 || i % 5000 == 4999)
            assert_popularity(&popularity, total);
    }
    assert_int_equal(popularity.top_count, POPULARITY_TOP);
    assert_popularity(&popularity, total);
    popularity_release(&popularity);
}

static void times_may_run_backwards_and_leap(void **state)
{
    (void)state;
    struct learned_options options = learned_options_default();
    struct popularity popularity;
    popularity_open(&popularity, &options);
    assert_ok(popularity_reserve_entries(&popularity, 3));
    popularity_add(&popularity, 0, 1, INT64_C(1600000000000));
    popularity_add(&popularity, 1, 1, INT64_C(1600000000000) - options.popularity_half_life_ms);
    assert_true(fabs((double)(popularity.values[1] / popularity.values[0]) - 0.5) < 1e-5);
    popularity_add(&popularity, 2, 1, INT64_MAX);
    popularity_add(&popularity, 1, 1, INT64_MIN);
    assert_int_equal(popularity.top[0], 2);
    assert_true(fabs(popularity.total - 1) < 1e-5);
    popularity_release(&popularity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_decay_by_event_time_and_the_top_stays_in_order),
        cmocka_unit_test(times_may_run_backwards_and_leap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
