// SPDX-License-Identifier: Apache-2.0
/* What clicks count when old sessions count less. */
#include "support/support.h"

#include "core/model/trainer.h"

#include <math.h>

#define ITEMS      40
#define SESSIONS   60
#define LENGTH     9
#define PARAMETERS 10 /* of the model: one for each length and place, with those that no length has */

struct shop {
    uint32_t starts[SESSIONS + 1], items[SESSIONS * LENGTH];
    struct training_sessions sessions;
};

static void shop_make(struct shop *shop, uint64_t seed)
{
    struct random random;
    random_seed(&random, seed);
    shop->starts[0] = 0;
    for (uint32_t i = 0; i < SESSIONS; i++)
        shop->starts[i + 1] = shop->starts[i] + 1 + random_below(&random, LENGTH);
    for (uint32_t click = 0; click < shop->starts[SESSIONS]; click++)
        shop->items[click] = random_below(&random, ITEMS);
    shop->sessions = (struct training_sessions){SESSIONS, shop->starts, shop->items};
}

/* The gradients of the model's parameters by a step, of which all items are candidates. Returns what its first sample
 * weighs. */
static float gradients_by(const struct shop *shop, float half_life, const uint32_t *samples, uint32_t count,
                          float *gradients)
{
    const struct model_options model_options = {
        .backbone = backbone_named("pw_core"), .width = 10, .length_max = 4, .normalise = true, .temperature = 0.2f};
    const struct trainer_options options = {
        .epochs = 1, .batch = 16, .rate = 0.01f, .half_life = half_life, .seed = 5}; /* all items are candidates */
    struct model *model;
    struct trainer *trainer;
    double loss;
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    assert_ok(trainer_open(&options, &shop->sessions, model, &trainer));
    assert_ok(trainer_gradients(trainer, samples, count, &loss));
    assert_true(model->parameters.size >= PARAMETERS);
    memcpy(gradients, model->parameters.gradient, PARAMETERS * sizeof *gradients);
    float weight = half_life > 0 ? trainer_weight(trainer, samples[0]) : 1;
    trainer_close(trainer);
    model_close(model);
    return weight;
}

static float gradients_of(const struct shop *shop, float half_life, uint32_t sample, float *gradients)
{
    return gradients_by(shop, half_life, &sample, 1, gradients);
}

/* By the sessions behind it, when a click counts half behind half of them; of which `newest` is the last with samples.
 */
static double weight_of(uint32_t session, uint32_t newest)
{
    return exp2(-2.0 * ((double)newest - session) / SESSIONS);
}

static void what_is_older_counts_less(void **state)
{
    (void)state;
    struct shop shop;
    float plain[PARAMETERS], weighted[PARAMETERS];
    double sum = 0, different = 0;
    uint32_t newest = 0;
    shop_make(&shop, test_seed(11));
    uint32_t samples = shop.starts[SESSIONS] - SESSIONS;
    for (uint32_t i = 0; i < SESSIONS; i++)
        newest = shop.starts[i + 1] - shop.starts[i] > 1 ? i : newest;
    for (uint32_t i = 0; i <= newest; i++)
        sum += weight_of(i, newest) * (shop.starts[i + 1] - shop.starts[i] - 1);
    for (uint32_t i = 0; i < SESSIONS; i++)
        for (uint32_t click = shop.starts[i] + 1; click < shop.starts[i + 1]; click++) {
            float alike = gradients_of(&shop, 0, click, plain), weight = gradients_of(&shop, 0.5f, click, weighted);
            assert_float_equal(alike, 1, 0);
            /* so that their mean is 1 */
            assert_float_equal(weight, (float)(weight_of(i, newest) * samples / sum), 1e-5);
            for (uint32_t k = 0; k < PARAMETERS; k++) {
                assert_float_equal(plain[k] * weight, weighted[k], 1e-5);
                different += fabs((double)plain[k] - (double)weighted[k]);
            }
        }
    assert_true(different > 0.01);
}

/* In a step of several parts. */
static void each_sample_of_a_step_has_its_own_weight(void **state)
{
    (void)state;
    enum { COUNT = 600 };
    struct shop shop;
    uint32_t samples[COUNT], count = 0;
    float one[PARAMETERS], all[PARAMETERS];
    double sums[PARAMETERS] = {0};
    shop_make(&shop, test_seed(13));
    for (uint32_t session = 0; count < COUNT; session = (session + 1) % SESSIONS)
        for (uint32_t click = shop.starts[session] + 1; click < shop.starts[session + 1] && count < COUNT; click++)
            samples[count++] = click;
    for (uint32_t i = 0; i < COUNT; i++) {
        gradients_of(&shop, 0.5f, samples[i], one);
        for (uint32_t k = 0; k < PARAMETERS; k++)
            sums[k] += (double)one[k] / COUNT;
    }
    gradients_by(&shop, 0.5f, samples, COUNT, all);
    for (uint32_t k = 0; k < PARAMETERS; k++)
        assert_float_equal(all[k], sums[k], 1e-6);
}

/* Nothing but the newest session counts, and a click after it that is no sample is not in the way. */
static void the_shortest_half_life_leaves_numbers(void **state)
{
    (void)state;
    float gradients[PARAMETERS];
    const uint32_t starts[] = {0, 2, 4, 5}, items[] = {1, 2, 3, 4, 5};
    const struct shop shop = {.sessions = {3, starts, items}};
    assert_float_equal(gradients_of(&shop, 1e-6f, 3, gradients), 2, 0);
    assert_float_equal(gradients_of(&shop, 1e-6f, 1, gradients), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_older_counts_less),
        cmocka_unit_test(each_sample_of_a_step_has_its_own_weight),
        cmocka_unit_test(the_shortest_half_life_leaves_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
