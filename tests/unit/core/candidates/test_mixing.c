// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/candidates/mixing.h"

#include <eddy/base/random.h>
#include <math.h>

static const bool all_awake[MIX_SCORERS] = {true, true, true, true, true, true, true};

static float sum_of(const struct mixer *mixer, uint32_t cell)
{
    float sum = 0;
    for (uint32_t s = 0; s < MIX_SCORERS; s++)
        sum += mixer->now.weights[s][cell];
    return sum;
}

static void cases_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(mix_cell_of(1, 0), 0);
    assert_int_equal(mix_cell_of(1, 3.99f), 0);
    assert_int_equal(mix_cell_of(1, 4), 1);
    assert_int_equal(mix_cell_of(1, 7), 2);
    assert_int_equal(mix_cell_of(2, 0), 3);
    assert_int_equal(mix_cell_of(3, 0), 6);
    assert_int_equal(mix_cell_of(4, 0), 6);
    assert_int_equal(mix_cell_of(5, 0), 9);
    assert_int_equal(mix_cell_of(32, 30), MIX_CELLS - 1);
}

static void who_sleeps_leaves_its_weight_to_the_others(void **state)
{
    (void)state;
    struct mixing start = mixing_default();
    struct mixer mixer;
    mixer_open(&mixer, &start);
    float weights[MIX_SCORERS];
    mixer_weights(&mixer, 0, all_awake, weights);
    for (uint32_t s = 0; s < MIX_SCORERS; s++)
        assert_true(fabsf(weights[s] - start.weights[s][0]) < 1e-6f);
    const bool awake[MIX_SCORERS] = {[MIX_KNN] = true, [MIX_WALK] = true}, none[MIX_SCORERS] = {false};
    mixer_weights(&mixer, 0, awake, weights);
    assert_true(weights[MIX_NEURAL] == 0 && fabsf(weights[MIX_KNN] + weights[MIX_WALK] - 1) < 1e-6f);
    assert_true(weights[MIX_WALK] > weights[MIX_KNN]);
    mixer_weights(&mixer, 0, none, weights);
    for (uint32_t s = 0; s < MIX_SCORERS; s++)
        assert_true(weights[s] == 0);
}

/* Over a stream whose scorers are good to different degrees, the loss of the mix comes near that of the best weights
 * in hindsight, which are searched. */
static void the_loss_is_near_that_of_the_best_weights(void **state)
{
    (void)state;
    enum { CLICKS = 4000, STEPS = 20 };
    static float p[CLICKS][MIX_SCORERS];
    struct random random;
    random_seed(&random, test_seed(1));
    for (int i = 0; i < CLICKS; i++)
        for (uint32_t s = 0; s < MIX_SCORERS; s++) {
            float known = random_unit(&random) < 0.15 * (1 + s) ? 0.5f : 0.001f;
            p[i][s] = known * (float)random_unit(&random);
        }
    struct mixing start = mixing_default();
    struct mixer mixer;
    mixer_open(&mixer, &start);
    double learned = 0, started = 0, best = INFINITY;
    for (int i = 0; i < CLICKS; i++) {
        double mixed = 0, first = 0;
        for (uint32_t s = 0; s < MIX_SCORERS; s++) {
            mixed += (double)(mixer.now.weights[s][4] * p[i][s]);
            first += (double)(start.weights[s][4] * p[i][s]);
        }
        learned -= log(mixed);
        started -= log(first);
        mixer_learn(&mixer, &start, 4, 0.2f, all_awake, p[i]);
        assert_true(fabsf(sum_of(&mixer, 4) - 1) < 1e-3f);
    }
    for (int a = 0; a <= STEPS; a++) /* of the three best scorers */
        for (int b = 0; a + b <= STEPS; b++) {
            double loss = 0;
            for (int i = 0; i < CLICKS; i++)
                loss -= log((a * (double)p[i][4] + b * (double)p[i][3] + (STEPS - a - b) * (double)p[i][2]) / STEPS);
            best = loss < best ? loss : best;
        }
    assert_true(learned < started - 100);
    assert_true(learned < best + 0.05 * CLICKS);
    assert_true(fabsf(mixer.now.weights[0][3] - start.weights[0][3]) == 0); /* other cells are not touched */
    assert_true(mixer_is_sound(&mixer));
}

static void nothing_is_lost_for_good(void **state)
{
    (void)state;
    struct mixing start = mixing_default();
    struct mixer mixer;
    mixer_open(&mixer, &start);
    const float first[MIX_SCORERS] = {[MIX_KNN] = 0.5f}, second[MIX_SCORERS] = {[MIX_WALK] = 0.5f},
                zero[MIX_SCORERS] = {0};
    for (int i = 0; i < 20000; i++)
        mixer_learn(&mixer, &start, 0, 0, all_awake, first);
    assert_true(mixer.now.weights[MIX_KNN][0] > 0.8f && mixer.now.weights[MIX_WALK][0] > 1e-4f);
    for (int i = 0; i < 20000; i++)
        mixer_learn(&mixer, &start, 0, 0, all_awake, second);
    assert_true(mixer.now.weights[MIX_WALK][0] > 0.8f);
    struct mixer before = mixer;
    mixer_learn(&mixer, &start, 0, 0, all_awake, zero); /* nobody knew it: nothing to learn */
    assert_memory_equal(&before, &mixer, sizeof mixer);
}

static void repeats_come_to_what_is_repeated(void **state)
{
    (void)state;
    struct mixing start = mixing_default();
    struct mixer mixer;
    struct random random;
    random_seed(&random, test_seed(2));
    mixer_open(&mixer, &start);
    assert_true(fabsf(mixer_repeats(&mixer, 0, 0.6f) - 0.6f) < 1e-4f);
    assert_true(mixer_repeats(&mixer, 0, 5) <= 0.98f && mixer_repeats(&mixer, 0, 0) == 0);
    const float new_item[MIX_SCORERS] = {[MIX_KNN] = 0.1f};
    for (int i = 0; i < 20000; i++)
        mixer_learn(&mixer, &start, 0, mixer_repeats(&mixer, 0, 0.6f), all_awake,
                    random_unit(&random) < 0.2 ? NULL : new_item);
    assert_true(fabsf(mixer_repeats(&mixer, 0, 0.6f) - 0.2f) < 0.04f);
    for (int i = 0; i < 100000; i++)
        mixer_learn(&mixer, &start, 0, 0.5f, all_awake, NULL);
    assert_true(mixer_is_sound(&mixer)); /* bounded */
    mixer.now.weights[0][0] = 3;
    assert_false(mixer_is_sound(&mixer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_are_told_apart),
        cmocka_unit_test(who_sleeps_leaves_its_weight_to_the_others),
        cmocka_unit_test(the_loss_is_near_that_of_the_best_weights),
        cmocka_unit_test(nothing_is_lost_for_good),
        cmocka_unit_test(repeats_come_to_what_is_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
