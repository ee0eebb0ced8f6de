// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/evaluate.h>

#include <math.h>

#define assert_near(value, wanted)                                                                                     \
    do {                                                                                                               \
        if (!(fabs((value) - (wanted)) < 1e-9))                                                                        \
            fail_msg("%s is %.12g, wanted %.12g", #value, (double)(value), (double)(wanted));                          \
    } while (0)

static void measures_have_the_values_computed_by_hand(void **state)
{
    (void)state;
    static const uint32_t ranks[] = {1, 2, 0, 7, 20, 21, 10, 5};
    static const double hit_rate[] = {1 / 8.0, 3 / 8.0, 5 / 8.0, 6 / 8.0};
    static const double mrr[] = {1 / 8.0, (1 + 0.5 + 0.2) / 8, (1 + 0.5 + 0.2 + 1 / 7.0 + 0.1) / 8,
                                 (1 + 0.5 + 0.2 + 1 / 7.0 + 0.1 + 0.05) / 8};
    const double second = 1 / log2(3), fifth = 1 / log2(6);
    const double ndcg[] = {1 / 8.0, (1 + second + fifth) / 8, (1 + second + fifth + 1 / 3.0 + 1 / log2(11)) / 8,
                           (1 + second + fifth + 1 / 3.0 + 1 / log2(11) + 1 / log2(21)) / 8};
    for (size_t i = 0; i < CUTOFF_COUNT; i++) {
        assert_near(measure_mean(&measures[MEASURE_HIT_RATE], ranks, 8, cutoffs[i]), hit_rate[i]);
        assert_near(measure_mean(&measures[MEASURE_RECIPROCAL_RANK], ranks, 8, cutoffs[i]), mrr[i]);
        assert_near(measure_mean(&measures[MEASURE_GAIN], ranks, 8, cutoffs[i]), ndcg[i]);
    }
    assert_near(measure_mean(&measures[MEASURE_GAIN], ranks, 0, 20), 0);
}

static void rank_is_the_place_in_the_list(void **state)
{
    (void)state;
    static const uint32_t list[] = {7, 3, 9};
    assert_int_equal(rank_of(7, list, 3), 1);
    assert_int_equal(rank_of(9, list, 3), 3);
    assert_int_equal(rank_of(8, list, 3), 0);
    assert_int_equal(rank_of(7, list, 0), 0);
}

static void exposure_counts_coverage_and_popularity(void **state)
{
    (void)state;
    static const uint64_t clicks[] = {10, 0, 3, 3, 50};
    static const uint64_t shown[] = {1, 0, 2, 0, 5};
    double percentiles[5];
    assert_near(exposure_coverage(shown, 5), 3 / 5.0);
    assert_near(exposure_coverage(shown, 0), 0);
    assert_ok(popularity_percentiles(clicks, 5, percentiles));
    assert_near(percentiles[0], 3 / 4.0);
    assert_near(percentiles[1], 0);
    assert_near(percentiles[2], 1.5 / 4);
    assert_near(percentiles[3], 1.5 / 4);
    assert_near(percentiles[4], 1);
    assert_near(exposure_popularity(shown, percentiles, 5), (0.75 + 2 * 0.375 + 5) / 8);
    assert_near(exposure_popularity(shown + 1, percentiles + 1, 1), 0);
}

static void bootstrap_of_a_constant_is_that_constant(void **state)
{
    (void)state;
    struct session_sums sessions[50];
    for (uint32_t i = 0; i < 50; i++)
        sessions[i] = (struct session_sums){0.25 * (i % 5), i % 5};
    struct interval interval;
    assert_ok(bootstrap_interval(sessions, 50, 1000, 1, &interval));
    assert_near(interval.value, 0.25);
    assert_near(interval.low, 0.25);
    assert_near(interval.high, 0.25);
    assert_ok(bootstrap_interval(sessions, 0, 1000, 1, &interval));
    assert_near(interval.high, 0);
}

/* Of n fair coins the mean's 95 % interval is 0.5 -+ 1.96 * 0.5 / sqrt(n). */
static void bootstrap_of_coins_has_the_width_of_the_normal_approximation(void **state)
{
    (void)state;
    enum { COINS = 2000 };
    static struct session_sums sessions[COINS];
    for (uint32_t i = 0; i < COINS; i++)
        sessions[i] = (struct session_sums){i % 2, 1};
    struct interval interval, again, other;
    assert_ok(bootstrap_interval(sessions, COINS, 4000, test_seed(3), &interval));
    double half_width = 1.96 * 0.5 / sqrt(COINS);
    assert_true(fabs(interval.low - (0.5 - half_width)) < 0.1 * half_width);
    assert_true(fabs(interval.high - (0.5 + half_width)) < 0.1 * half_width);
    assert_ok(bootstrap_interval(sessions, COINS, 4000, test_seed(3), &again));
    assert_memory_equal(&interval, &again, sizeof interval);
    assert_ok(bootstrap_interval(sessions, COINS, 4000, test_seed(3) + 1, &other));
    assert_true(memcmp(&interval, &other, sizeof interval) != 0);
}

/* Sessions are resampled whole: ten predictions that always agree are worth one, not ten. */
static void bootstrap_resamples_sessions_and_not_predictions(void **state)
{
    (void)state;
    static struct session_sums sessions[200];
    for (uint32_t i = 0; i < 200; i++)
        sessions[i] = (struct session_sums){i % 2 ? 10 : 0, 10};
    struct interval interval;
    assert_ok(bootstrap_interval(sessions, 200, 4000, test_seed(4), &interval));
    double half_width = 1.96 * 0.5 / sqrt(200);
    assert_true(fabs(interval.high - interval.low - 2 * half_width) < 0.1 * 2 * half_width);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_have_the_values_computed_by_hand),
        cmocka_unit_test(rank_is_the_place_in_the_list),
        cmocka_unit_test(exposure_counts_coverage_and_popularity),
        cmocka_unit_test(bootstrap_of_a_constant_is_that_constant),
        cmocka_unit_test(bootstrap_of_coins_has_the_width_of_the_normal_approximation),
        cmocka_unit_test(bootstrap_resamples_sessions_and_not_predictions),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
