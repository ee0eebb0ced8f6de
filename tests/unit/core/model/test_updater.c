// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/updater.h"

#include <eddy/base/random.h>
#include <eddy/core/evaluate.h>

#define ITEMS   40
#define LENGTH  6
#define HOUR_MS 3600000

/* A shop in which who was at item i goes on to item i + stride; stride 0: to any. */
struct shop {
    struct random random;
    uint32_t first, items, stride;
    int64_t time_ms;
};

static struct shop shop_of(uint64_t seed, uint32_t stride)
{
    struct shop shop = {.items = ITEMS, .stride = stride};
    random_seed(&shop.random, seed);
    return shop;
}

static void next_session(struct shop *shop, uint32_t items[LENGTH])
{
    uint32_t at = random_below(&shop->random, shop->items);
    for (uint32_t i = 0; i < LENGTH; i++) {
        items[i] = shop->first + at % shop->items;
        at = shop->stride > 0 ? at + shop->stride : random_below(&shop->random, shop->items);
    }
    shop->time_ms += HOUR_MS / 10;
}

static void add(struct updater *updater, struct shop *shop, uint32_t sessions)
{
    for (uint32_t i = 0; i < sessions; i++) {
        uint32_t items[LENGTH];
        next_session(shop, items);
        assert_ok(updater_add(updater, items, LENGTH, shop->time_ms));
    }
}

/* An update of what a model knows by heart may be worse; where the gate is not what is tested, it lets all through. */
static struct updater_options options_small(void)
{
    return (struct updater_options){
        .model = {.backbone = backbone_named("pw_core"),
                  .width = 12,
                  .length_max = 4,
                  .normalise = true,
                  .temperature = 0.2f},
        .training = {.epochs = 20, .batch = 32, .negatives = 30, .negative_power = 0.5f, .rate = 0.02f, .seed = 5},
        .items_max = 1000,
        .clicks_max = 6000,
        .passes = 2,
        .rate = 0.02f,
        .replay = 1,
        .half_life_ms = 50 * HOUR_MS,
        .held_share = 0.25f,
        .held_max = 200,
        .noise = 100};
}

static struct updater_result update(struct updater *updater)
{
    struct updater_result result;
    bool done = false;
    assert_ok(updater_begin(updater, &done));
    assert_true(done);
    do
        assert_ok(updater_step(updater, &done, &result));
    while (!done);
    return result;
}

static bool begins(struct updater *updater)
{
    bool begun;
    assert_ok(updater_begin(updater, &begun));
    return begun;
}

/* An updater whose model knows the walk with this stride. */
static struct updater *open_trained(const struct updater_options *options, struct shop *shop)
{
    struct updater *updater;
    assert_ok(updater_open(options, NULL, &updater));
    assert_null(updater_model(updater));
    add(updater, shop, 200);
    struct updater_result result = update(updater);
    assert_true(result.accepted && result.predictions == 0 && result.window_sessions == 200);
    assert_int_equal(result.samples, 20 * 200 * (LENGTH - 1));
    assert_int_equal(result.new_items, shop->items);
    return updater;
}

/* MRR@20 of the updater's model on other sessions of the shop. */
static double measured(const struct updater *updater, struct shop shop)
{
    struct ranking *ranking;
    uint32_t ranks[100 * (LENGTH - 1)];
    shop.random.state[0] ^= 1;
    assert_ok(ranking_open(updater_model(updater), &ranking));
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t items[LENGTH];
        next_session(&shop, items);
        for (uint32_t length = 1; length < LENGTH; length++)
            assert_ok(ranking_ask(ranking, items, length, items[length], &ranks[i * (LENGTH - 1) + length - 1]));
    }
    assert_ok(ranking_flush(ranking));
    ranking_close(ranking);
    return measure_mean(&measures[MEASURE_RECIPROCAL_RANK], ranks, 100 * (LENGTH - 1), 20);
}

static void model_bytes(const struct updater *updater, struct buffer *out)
{
    assert_ok(model_encode(updater_model(updater), buffer_sink(out)));
}

static bool same_model(const struct updater *a, const struct updater *b)
{
    AUTO(buffer) bytes_a = {0};
    AUTO(buffer) bytes_b = {0};
    model_bytes(a, &bytes_a);
    model_bytes(b, &bytes_b);
    return bytes_equal(buffer_bytes(&bytes_a), buffer_bytes(&bytes_b));
}

/* ---- what is learned */

static void each_period_begins_anew(void **state)
{
    (void)state;
    struct shop shop = shop_of(test_seed(31), 1);
    struct updater_options options = options_small();
    options.anew_ms = 100 * (int64_t)HOUR_MS;
    struct updater *updater = open_trained(&options, &shop); /* up to hour 20 */
    add(updater, &shop, 100);
    assert_false(update(updater).anew);
    double before = measured(updater, shop);
    add(updater, &shop, 800); /* up to hour 110 */
    struct updater_result result = update(updater);
    assert_true(result.anew && result.accepted && result.predictions > 0);
    assert_true(result.samples > 20 * 900 * (LENGTH - 1)); /* of all that is kept, some 1,000 sessions */
    assert_true(measured(updater, shop) > before - 0.1);
    add(updater, &shop, 100);
    assert_false(update(updater).anew);
    /* who goes on with the model knows the period by it */
    struct updater *heir;
    assert_ok(updater_open(&options, updater_model(updater), &heir));
    add(heir, &shop, 100);
    assert_false(update(heir).anew);
    add(heir, &shop, 800);
    assert_true(update(heir).anew);
    updater_close(heir);
    updater_close(updater);
}

static void what_is_made_anew_and_refused_is_not_made_again_in_the_period(void **state)
{
    (void)state;
    struct shop shop = shop_of(test_seed(32), 1);
    struct updater_options options = options_small();
    struct updater *knowing = open_trained(&options, &shop), *updater;
    options.anew_ms = 100 * (int64_t)HOUR_MS;
    options.training.epochs = 1; /* what is made anew knows next to nothing */
    options.training.rate = 1e-6f;
    options.noise = 2;
    assert_ok(updater_open(&options, updater_model(knowing), &updater));
    add(updater, &shop, 900);
    struct updater_result result = update(updater);
    assert_true(result.anew && !result.accepted);
    assert_true(same_model(updater, knowing));
    add(updater, &shop, 100);
    assert_false(update(updater).anew);
    assert_true(measured(updater, shop) > measured(knowing, shop) - 0.1);
    add(updater, &shop, 1000);
    assert_true(update(updater).anew);
    updater_close(updater);
    updater_close(knowing);
}

static void a_shop_that_changes_is_followed(void **state)
{
    (void)state;
    struct updater_options options = options_small();
    struct shop shop = shop_of(test_seed(1), 1);
    struct updater *updater = open_trained(&options, &shop);
    shop.stride = 7;
    double before = measured(updater, shop);
    for (int i = 0; i < 6; i++) {
        add(updater, &shop, 100);
        struct updater_result result = update(updater);
        assert_true(result.accepted && result.predictions > 0 && result.error > 0);
        assert_true(result.loss > 0);
    }
    assert_true(before < 0.3 && measured(updater, shop) > before + 0.2);
    updater_close(updater);
}

static void new_items_are_learned_and_old_ones_kept(void **state)
{
    (void)state;
    struct updater_options options = options_small();
    struct shop shop = shop_of(test_seed(2), 1), wing = shop_of(test_seed(3), 1);
    struct updater *updater = open_trained(&options, &shop);
    wing.first = ITEMS;
    wing.time_ms = shop.time_ms;
    double before = measured(updater, shop);
    assert_true(measured(updater, wing) <= 0);
    for (uint32_t i = 0; i < 3; i++) {
        add(updater, &wing, 100);
        struct updater_result result = update(updater);
        assert_true(result.accepted);
        assert_int_equal(result.new_items, i == 0 ? ITEMS : 0);
    }
    assert_int_equal(model_item_count(updater_model(updater)), 2 * ITEMS);
    assert_true(measured(updater, wing) > 0.35 && measured(updater, shop) > before - 0.1);
    updater_close(updater);
}

/* The last session has an item that no other has: it judges, and has a row all the same once it has judged. */
static void items_of_the_judges_get_a_row_when_they_have_judged(void **state)
{
    (void)state;
    const uint32_t last[] = {1, ITEMS, 2};
    struct updater_options options = options_small();
    struct shop shop = shop_of(test_seed(4), 1);
    struct updater *updater = open_trained(&options, &shop);
    add(updater, &shop, 40);
    assert_ok(updater_add(updater, last, 3, shop.time_ms));
    assert_true(begins(updater));
    assert_int_equal(model_item_count(updater->update.copy), ITEMS);
    struct updater_result result;
    for (bool done = false; !done;)
        assert_ok(updater_step(updater, &done, &result));
    assert_true(result.accepted && result.held_sessions > 1);
    assert_int_equal(result.new_items, 1);
    assert_int_equal(model_item_count(updater_model(updater)), ITEMS + 1);
    updater_close(updater);
}

/* ---- the gate */

/* A window of 100 sessions of a shop, judged by 30 of another. */
static struct updater_result learn_and_judge(struct updater *updater, struct shop window, struct shop judges)
{
    uint32_t waiting = updater_waiting(updater) / LENGTH;
    add(updater, &window, 100);
    add(updater, &judges, 30);
    struct updater_result result = update(updater);
    assert_int_equal(result.window_sessions + result.held_sessions, waiting + 130);
    assert_true(result.held_sessions >= 28 && result.held_sessions <= 30);
    return result;
}

static struct updater_options options_rash(void)
{
    struct updater_options options = options_small();
    options.replay = 0;
    options.passes = 10;
    options.noise = 3;
    options.held_share = 0.2f;
    options.held_max = 30 * (LENGTH - 1);
    return options;
}

static void what_was_learned_from_shuffled_sessions_is_refused(void **state)
{
    (void)state;
    struct updater_options options = options_rash();
    struct shop shop = shop_of(test_seed(5), 1), shuffled = shop_of(test_seed(6), 0);
    struct updater *updater = open_trained(&options, &shop);
    AUTO(buffer) before = {0};
    AUTO(buffer) after = {0};
    model_bytes(updater, &before);
    struct updater_result result = learn_and_judge(updater, shuffled, shop);
    assert_true(!result.accepted);
    assert_true(result.reciprocal_rank_new < result.reciprocal_rank_old - 3 * result.error);
    assert_true(result.hit_rate_new <= result.hit_rate_old);
    model_bytes(updater, &after);
    assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
    assert_int_equal(updater_waiting(updater), result.held_sessions * LENGTH); /* the shuffled ones are older now */
    result = learn_and_judge(updater, shop, shop);
    assert_true(result.accepted); /* and hold nothing up */
    updater_close(updater);
}

static void without_a_gate_nothing_is_refused(void **state)
{
    (void)state;
    struct updater_options options = options_rash();
    struct shop shop = shop_of(test_seed(5), 1), shuffled = shop_of(test_seed(6), 0);
    options.held_share = 0;
    struct updater *updater = open_trained(&options, &shop);
    double before = measured(updater, shop);
    add(updater, &shuffled, 100);
    struct updater_result result = update(updater);
    assert_true(result.accepted && result.predictions == 0 && result.held_sessions == 0);
    assert_true(measured(updater, shop) < before - 0.1);
    assert_int_equal(updater_waiting(updater), 0);
    updater_close(updater);
}

/* They have one prediction for two clicks, so that a share of the clicks is twice that of the predictions. */
static void sessions_of_two_clicks_are_never_all_held_back(void **state)
{
    (void)state;
    struct updater_options options = options_rash();
    struct shop shop = shop_of(test_seed(5), 1);
    options.held_share = 0.4f;
    options.held_max = UINT32_MAX;
    struct updater *updater = open_trained(&options, &shop);
    for (int i = 0; i < 50; i++) {
        uint32_t items[LENGTH];
        next_session(&shop, items);
        assert_ok(updater_add(updater, items, 2, shop.time_ms));
    }
    struct updater_result result = update(updater);
    assert_int_equal(result.held_sessions, 40);
    assert_int_equal(result.window_sessions, 10);
    updater_close(updater);
}

/* ---- what it is a function of */

static struct updater *run_twice(const struct updater_options *options, uint64_t seed)
{
    struct shop shop = shop_of(seed, 1);
    struct updater *updater = open_trained(options, &shop);
    for (int i = 0; i < 2; i++) {
        add(updater, &shop, 60);
        update(updater);
    }
    return updater;
}

static void same_sessions_and_options_make_the_same_model(void **state)
{
    (void)state;
    struct updater_options options = options_small(), other = options;
    struct updater *a = run_twice(&options, 7), *b = run_twice(&options, 7), *c;
    assert_true(same_model(a, b));
    updater_close(b);
    other.half_life_ms = HOUR_MS;
    c = run_twice(&other, 7);
    assert_false(same_model(a, c)); /* what is drawn again is newer */
    updater_close(c);
    other = options;
    other.training.seed++;
    c = run_twice(&other, 7);
    assert_false(same_model(a, c));
    updater_close(c);
    updater_close(a);
}

static void what_closes_while_an_update_runs_waits_for_the_next(void **state)
{
    (void)state;
    struct updater_options options = options_small();
    struct shop calm_shop = shop_of(8, 1), shop = shop_of(8, 1);
    struct updater *calm = open_trained(&options, &calm_shop), *updater = open_trained(&options, &shop);
    struct updater_result result;
    options.clicks_max = 100000;
    add(calm, &calm_shop, 60);
    add(updater, &shop, 60);
    update(calm);
    assert_true(begins(updater));
    uint32_t steps = 0;
    for (bool done = false; !done; steps++) {
        add(updater, &shop, 100);
        assert_ok(updater_step(updater, &done, &result));
    }
    assert_true(same_model(calm, updater));
    assert_true(steps > 12 && updater->past.left > 0); /* so much that the update's own sessions have left */
    assert_true(updater_waiting(updater) > 0);
    updater_close(calm);
    updater_close(updater);
}

/* Killed, the next process begins with what was published and the sessions it reads again. */
static void an_update_that_was_killed_begins_again(void **state)
{
    (void)state;
    struct updater_options options = options_small();
    struct shop shop = shop_of(9, 1), again = shop_of(9, 1);
    struct updater *updater = open_trained(&options, &shop), *next;
    struct updater_result result;
    bool done;
    assert_ok(updater_open(&options, updater_model(updater), &next));
    add(next, &again, 200);
    updater_mark_learned(next);
    assert_int_equal(updater_waiting(next), 0);
    assert_true(same_model(updater, next));
    add(updater, &shop, 60);
    assert_true(begins(updater));
    for (int i = 0; i < 3; i++)
        assert_ok(updater_step(updater, &done, &result));
    assert_false(done);
    assert_true(same_model(updater, next)); /* nothing is published half */
    updater_close(updater);
    add(next, &again, 60);
    assert_int_equal(updater_waiting(next), 60 * LENGTH);
    result = update(next);
    assert_true(result.accepted && result.window_sessions + result.held_sessions == 60);
    updater_close(next);
}

/* ---- edges */

static void there_may_be_nothing_to_learn(void **state)
{
    (void)state;
    const uint32_t lonely[] = {3}, far[] = {1000, 2000}, near[] = {1, 1000, 2, 4000000000};
    struct updater_options options = options_small();
    struct shop shop = shop_of(10, 1);
    struct updater *updater;
    assert_ok(updater_open(&options, NULL, &updater));
    assert_false(begins(updater));
    for (int i = 0; i < 10; i++) {
        assert_ok(updater_add(updater, lonely, 1, i));
        assert_ok(updater_add(updater, lonely, 0, i));
        assert_ok(updater_add(updater, far, 2, i));
    }
    assert_int_equal(updater_waiting(updater), 0);
    assert_false(begins(updater));
    updater_close(updater);

    updater = open_trained(&options, &shop);
    assert_false(begins(updater));
    assert_ok(updater_add(updater, near, 4, shop.time_ms)); /* without what is beyond items_max */
    assert_int_equal(updater_waiting(updater), 2);
    struct updater_result result = update(updater); /* too little to hold anything back */
    assert_true(result.accepted && result.window_clicks == 2 && result.predictions == 0);
    assert_int_equal(model_item_count(updater_model(updater)), ITEMS);
    updater_close(updater);
}

static void the_past_has_a_bound(void **state)
{
    (void)state;
    struct updater_options options = options_small();
    struct shop shop = shop_of(11, 1);
    struct updater *updater = open_trained(&options, &shop);
    for (int i = 0; i < 20; i++) {
        add(updater, &shop, 400);
        assert_true(updater_waiting(updater) <= options.clicks_max);
        assert_true(updater->past.click_capacity <= options.clicks_max);
        assert_true(updater->past.session_capacity <= options.clicks_max);
    }
    struct updater_result result = update(updater);
    assert_true(result.accepted && result.window_clicks + result.held_sessions * LENGTH <= options.clicks_max);
    assert_true(result.predictions <= options.held_max);
    updater_close(updater);
}

static void a_failed_step_gives_the_update_up(void **state)
{
    (void)state;
    struct updater_options options = options_small();
    struct shop shop = shop_of(12, 1);
    options.model.normalise = false; /* cosines stay numbers whatever the vectors do */
    struct updater *updater = open_trained(&options, &shop);
    struct updater_result result;
    bool done = false;
    updater->options.rate = 1e38f;
    AUTO(buffer) before = {0};
    AUTO(buffer) after = {0};
    model_bytes(updater, &before);
    add(updater, &shop, 100);
    assert_true(begins(updater));
    struct status status = OK;
    while (!failed(status) && !done)
        status = updater_step(updater, &done, &result);
    assert_fails(LIMIT, status);
    model_bytes(updater, &after);
    assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
    assert_int_equal(updater_waiting(updater), 100 * LENGTH);
    updater->options.rate = 0.001f;
    result = update(updater);
    assert_int_equal(result.window_sessions + result.held_sessions, 100);
    updater_close(updater);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_period_begins_anew),
        cmocka_unit_test(what_is_made_anew_and_refused_is_not_made_again_in_the_period),
        cmocka_unit_test(a_shop_that_changes_is_followed),
        cmocka_unit_test(new_items_are_learned_and_old_ones_kept),
        cmocka_unit_test(items_of_the_judges_get_a_row_when_they_have_judged),
        cmocka_unit_test(what_was_learned_from_shuffled_sessions_is_refused),
        cmocka_unit_test(without_a_gate_nothing_is_refused),
        cmocka_unit_test(sessions_of_two_clicks_are_never_all_held_back),
        cmocka_unit_test(same_sessions_and_options_make_the_same_model),
        cmocka_unit_test(what_closes_while_an_update_runs_waits_for_the_next),
        cmocka_unit_test(an_update_that_was_killed_begins_again),
        cmocka_unit_test(there_may_be_nothing_to_learn),
        cmocka_unit_test(the_past_has_a_bound),
        cmocka_unit_test(a_failed_step_gives_the_update_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
