// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/search/parzen.h"

#define TRIALS 40

static const struct search_space space = {
    {
        {.kind = SEARCH_REAL, .logarithmic = true, .low = 5e-4, .high = 1e-2},
        {.kind = SEARCH_REAL, .low = 0, .high = 0.5},
        {.kind = SEARCH_WHOLE, .logarithmic = true, .low = 128, .high = 8192},
    },
    3,
};
static const struct search_space choices = {
    {
        {.kind = SEARCH_CHOICE, .choices = 3},
        {.kind = SEARCH_WHOLE, .low = 1, .high = 2},
    },
    2,
};

static double square(double x)
{
    return x * x;
}

/* How far from the best: 0.006, 0.15 and 4000. */
static double distance(const struct search_point *point)
{
    return square(log(point->values[0] / 0.006)) + 16 * square(point->values[1] - 0.15) +
           0.1 * square(log(point->values[2] / 4000));
}

/* The smallest distance after TRIALS suggestions. They are told `sign` times the distance, or nothing when that is 0.
 */
static double search(uint64_t seed, int sign)
{
    struct search_observation observations[TRIALS];
    double best = INFINITY;
    for (uint32_t i = 0; i < TRIALS; i++) {
        struct search_observation *next = &observations[i];
        assert_ok(search_suggest(&space, sign ? seed : seed * TRIALS + i, observations, sign ? i : 0, &next->point));
        next->score = sign * distance(&next->point);
        best = fmin(best, distance(&next->point));
    }
    return best;
}

/* In how many of 20 seeds a search comes nearer to the best than half as far as chance. */
static int wins(int sign)
{
    int count = 0;
    for (uint64_t seed = 1; seed <= 20; seed++)
        count += search(seed, sign) < search(seed, 0) / 2;
    return count;
}

static void a_search_comes_nearer_to_the_best_than_chance(void **state)
{
    (void)state;
    assert_in_range(wins(-1), 17, 20);
    assert_in_range(wins(1), 0, 3); /* that it is the scores that lead it there: told the opposite, it goes elsewhere */
}

static void a_suggestion_is_a_function_of_seed_and_observations(void **state)
{
    (void)state;
    struct search_observation observations[TRIALS];
    uint32_t same = 0;
    for (uint32_t i = 0; i < TRIALS; i++) {
        struct search_point again, other;
        assert_ok(search_suggest(&space, 7, observations, i, &observations[i].point));
        assert_ok(search_suggest(&space, 7, observations, i, &again));
        assert_ok(search_suggest(&space, 8, observations, i, &other));
        assert_memory_equal(&again, &observations[i].point, sizeof again);
        same += memcmp(&again, &other, sizeof again) == 0;
        observations[i].score = -distance(&again);
    }
    assert_int_equal(same, 0);
    struct search_point before, after;
    assert_ok(search_suggest(&space, 7, observations, TRIALS, &before));
    for (uint32_t i = 0; i < TRIALS; i++)
        observations[i].score = -observations[i].score;
    assert_ok(search_suggest(&space, 7, observations, TRIALS, &after));
    assert_memory_not_equal(&before, &after, sizeof before);
}

static void check_point(const struct search_space *of, const struct search_point *point)
{
    for (uint32_t i = 0; i < of->count; i++) {
        const struct search_parameter *parameter = &of->parameters[i];
        double value = point->values[i], low = parameter->low, high = parameter->high;
        if (parameter->kind == SEARCH_CHOICE)
            high = parameter->choices - 1;
        if (!(value >= low && value <= high))
            fail_msg("parameter %u is %g, not in %g .. %g", i, value, low, high);
        if (parameter->kind == SEARCH_REAL) {
            char text[32];
            snprintf(text, sizeof text, "%.4g", value);
            assert_true(value >= strtod(text, NULL) && value <= strtod(text, NULL));
        } else {
            assert_true(value >= round(value) && value <= round(value));
        }
    }
}

/* Also when what was observed does not: the configuration as it is given need not. */
static void suggestions_lie_in_the_space(void **state)
{
    (void)state;
    struct search_space mixed = space;
    mixed.parameters[mixed.count++] = choices.parameters[0];
    struct search_observation observations[TRIALS] = {{{{1, 0.9, 10, 3}}, 1}};
    for (uint64_t seed = 0; seed < 10; seed++)
        for (uint32_t i = 1; i < TRIALS; i++) {
            assert_ok(search_suggest(&mixed, seed, observations, i, &observations[i].point));
            check_point(&mixed, &observations[i].point);
            observations[i].score = -distance(&observations[i].point);
        }
}

/* Of what is drawn from nothing, half lies on either side of the middle. */
static void a_logarithm_makes_factors_alike(void **state)
{
    (void)state;
    const struct parzen nothing = {.space = &space};
    struct random random;
    int below[3] = {0}, below_mean = 0;
    random_seed(&random, test_seed(1));
    for (int i = 0; i < 2000; i++) {
        struct search_point point = parzen_draw(&nothing, &random);
        below[0] += point.values[0] < sqrt(5e-4 * 1e-2);
        below[1] += point.values[1] < 0.25;
        below[2] += point.values[2] < sqrt(127.5 * 8192.5);
        below_mean += point.values[0] < (5e-4 + 1e-2) / 2;
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(below[i], 900, 1100);
    assert_in_range(below_mean, 1400, 2000); /* as no logarithm would have it */
}

/* What is drawn from a density has that density. */
static void draws_follow_their_density(void **state)
{
    (void)state;
    const struct search_space line = {
        {{.kind = SEARCH_REAL, .low = 0, .high = 1}, {.kind = SEARCH_CHOICE, .choices = 2}}, 2};
    const struct search_observation members[] = {{{{0.02, 0}}, 0}, {{{0.3, 1}}, 0}, {{{0.95, 1}}, 0}};
    const struct search_observation *order[] = {&members[0], &members[1], &members[2]};
    const struct parzen parzen = parzen_of(&line, order, 3);
    enum { CELLS = 10, DRAWS = 40000 };
    int counts[2][CELLS] = {{0}};
    double sum = 0;
    struct random random;
    random_seed(&random, test_seed(2));
    for (int i = 0; i < DRAWS; i++) {
        struct search_point point = parzen_draw(&parzen, &random);
        counts[(int)point.values[1]][(int)fmin(point.values[0] * CELLS, CELLS - 1)]++;
    }
    for (int choice = 0; choice < 2; choice++)
        for (int cell = 0; cell < CELLS; cell++) {
            double share = 0;
            for (int i = 0; i < 100; i++) {
                const struct search_point point = {{(cell + (i + 0.5) / 100) / CELLS, choice}};
                share += parzen_density(&parzen, &point) / (2 * CELLS * 100);
            }
            sum += share;
            assert_true(fabs(counts[choice][cell] - share * DRAWS) < 6 * sqrt(share * DRAWS));
        }
    assert_true(fabs(sum - 1) < 1e-3);
}

static void no_point_is_suggested_twice(void **state)
{
    (void)state;
    struct search_observation observations[16] = {{{{1, 2}}, 0.5}};
    for (uint32_t i = 1; i < 6; i++) {
        assert_ok(search_suggest(&choices, 3, observations, i, &observations[i].point));
        check_point(&choices, &observations[i].point);
        for (uint32_t other = 0; other < i; other++)
            assert_memory_not_equal(&observations[i].point, &observations[other].point, 2 * sizeof(double));
        observations[i].score = observations[i].point.values[0];
    }
    struct search_point point;
    assert_fails(NOT_FOUND, search_suggest(&choices, 3, observations, 6, &point));
    for (uint32_t i = 6; i < 16; i++)
        observations[i] = observations[i - 6]; /* with the estimator too */
    assert_fails(NOT_FOUND, search_suggest(&choices, 3, observations, 16, &point));
}

static void a_trial_that_is_worse_than_half_of_the_others_stops(void **state)
{
    (void)state;
    static const double rising[] = {0.1, 0.2, 0.3}, fallen[] = {0.1, 0.4, 0.1}, flat[] = {0.2, 0.2};
    const struct search_curve earlier[] = {{rising, 3}, {fallen, 3}, {flat, 2}, {flat, 1}, {rising, 2}, {NULL, 0}};
    /* after two epochs the best are 0.2, 0.4, 0.2, 0.2, 0.2, none; after three 0.3, 0.4, 0.2, 0.2, 0.2 */
    assert_true(search_stops(earlier, 6, 2, 0.19));
    assert_false(search_stops(earlier, 6, 2, 0.2));
    assert_false(search_stops(earlier, 6, 3, 0.2));
    assert_true(search_stops(earlier, 6, 3, 0.19));
    assert_false(search_stops(earlier, 6, 1, 0)); /* too early */
    assert_false(search_stops(earlier, 4, 2, 0)); /* too few */
    const struct search_curve without[] = {{NULL, 0}, {rising, 3}, {NULL, 0}, {rising, 3}, {NULL, 0}, {rising, 3}};
    assert_false(search_stops(without, 6, 2, 0)); /* nor do those count that have no epoch */
    assert_true(search_stops(earlier, 5, 2, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_comes_nearer_to_the_best_than_chance),
        cmocka_unit_test(a_suggestion_is_a_function_of_seed_and_observations),
        cmocka_unit_test(suggestions_lie_in_the_space),
        cmocka_unit_test(a_logarithm_makes_factors_alike),
        cmocka_unit_test(draws_follow_their_density),
        cmocka_unit_test(no_point_is_suggested_twice),
        cmocka_unit_test(a_trial_that_is_worse_than_half_of_the_others_stops),
    };
    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
