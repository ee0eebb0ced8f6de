// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/learn/learner.h"

/* Whether two runs learned the same sessions in the same order is read off learned_version(). */
struct fixture {
    struct learned *learned;
    struct learner *learner;
};

static struct fixture open_fixture(int64_t delay_ms, uint32_t pending_max)
{
    struct fixture fixture;
    struct learned_options learned_options = learned_options_default();
    struct learner_options options = {.delay_ms = delay_ms, .pending_max = pending_max};
    assert_ok(learned_open(&learned_options, &fixture.learned));
    assert_ok(learner_open(&options, fixture.learned, &fixture.learner));
    return fixture;
}

static void close_fixture(struct fixture *fixture)
{
    learner_close(fixture->learner);
    learned_close(fixture->learned);
}

static bool offer(struct fixture *fixture, int64_t close_ms, int32_t partition, int64_t offset, uint32_t sequence)
{
    uint32_t items[3] = {(uint32_t)close_ms % 50, (uint32_t)offset % 50, 7};
    int64_t times_ms[3] = {close_ms - 3000, close_ms - 2000, close_ms - 1000};
    uint8_t types[3] = {0};
    struct closed_session session = {
        .view =
            {.session_id = BYTES("s"), .items = items, .times_ms = times_ms, .types = types, .length = 3, .total = 3},
        .close_ms = close_ms};
    bool fresh;
    assert_ok(learner_offer(fixture->learner, &session, (struct session_origin){partition, offset, sequence}, &fresh));
    return fresh;
}

static void learner_learns_a_session_when_its_time_has_come_and_not_before(void **state)
{
    (void)state;
    struct fixture f = open_fixture(500, 1000);
    offer(&f, 10000, 0, 1, 0);
    assert_ok(learner_advance(f.learner, 10499));
    assert_int_equal(learner_counts(f.learner).learned, 0);
    assert_int_equal(learner_counts(f.learner).pending, 1);
    assert_ok(learner_advance(f.learner, 10500));
    assert_int_equal(learner_counts(f.learner).learned, 1);
    assert_int_equal(learned_count(f.learned), 1);
    assert_ok(learner_advance(f.learner, INT64_MIN));
    close_fixture(&f);
}

static void learner_drops_what_a_partition_has_offered_before(void **state)
{
    (void)state;
    struct fixture f = open_fixture(0, 1000);
    assert_true(offer(&f, 10000, 2, 5, 0));
    assert_true(offer(&f, 10000, 2, 5, 1));
    assert_false(offer(&f, 10000, 2, 5, 1));
    assert_false(offer(&f, 10000, 2, 5, 0));
    assert_false(offer(&f, 9000, 2, 7, 0));
    assert_true(offer(&f, 10000, 2, 6, 0));
    assert_true(offer(&f, 9000, 1, 5, 0));
    assert_int_equal(learner_counts(f.learner).repeated, 3);
    assert_int_equal(learner_counts(f.learner).pending, 4);
    close_fixture(&f);
}

static void learner_learns_in_one_total_order_whatever_the_arrival(void **state)
{
    (void)state;
    struct fixture a = open_fixture(0, 1000), b = open_fixture(0, 1000), c = open_fixture(0, 1000);
    for (int i = 0; i < 40; i++) { /* a: partition by partition */
        offer(&a, 20000 + i / 2, 0, i, 0);
    }
    for (int i = 0; i < 40; i++)
        offer(&a, 20000 + i / 2, 1, i, 0);
    for (int i = 0; i < 40; i++) { /* b: interleaved, the other partition first */
        offer(&b, 20000 + i / 2, 1, i, 0);
        offer(&b, 20000 + i / 2, 0, i, 0);
        offer(&c, 20000 + i / 2, 1, i, 0);
        offer(&c, 20000 + i / 2, 0, i + (i == 17), 0); /* one session differs: must be seen */
    }
    assert_ok(learner_drain(a.learner));
    assert_ok(learner_drain(b.learner));
    assert_ok(learner_drain(c.learner));
    assert_int_equal(learner_counts(a.learner).learned, 80);
    assert_true(learned_version(a.learned) == learned_version(b.learned));
    assert_true(learned_version(a.learned) != learned_version(c.learned));
    close_fixture(&a);
    close_fixture(&b);
    close_fixture(&c);
}

static void learner_counts_a_session_that_comes_after_later_ones_were_learned(void **state)
{
    (void)state;
    struct fixture f = open_fixture(0, 1000);
    offer(&f, 20000, 0, 1, 0);
    assert_ok(learner_advance(f.learner, 30000));
    offer(&f, 15000, 1, 1, 0);
    assert_ok(learner_advance(f.learner, 30000));
    assert_int_equal(learner_counts(f.learner).late, 1);
    assert_int_equal(learner_counts(f.learner).learned, 2);
    close_fixture(&f);
}

static void learner_learns_the_earliest_at_its_bound(void **state)
{
    (void)state;
    struct fixture f = open_fixture(1000000, 10);
    for (int i = 0; i < 25; i++)
        offer(&f, 20000 + i, 0, i, 0);
    assert_int_equal(learner_counts(f.learner).pending, 10);
    assert_int_equal(learner_counts(f.learner).learned, 15);
    close_fixture(&f);
}

static void learner_refuses_an_impossible_partition(void **state)
{
    (void)state;
    struct fixture f = open_fixture(0, 10);
    struct closed_session session = {.close_ms = 5};
    bool fresh = true;
    assert_fails(BAD_INPUT, learner_offer(f.learner, &session, (struct session_origin){-1, 0, 0}, &fresh));
    assert_fails(BAD_INPUT, learner_offer(f.learner, &session, (struct session_origin){1 << 30, 0, 0}, &fresh));
    close_fixture(&f);
}

/* ---- learning to mix */

#define ITEMS 40

/* Sessions that walk along the items, one step a click; the model knows where it goes, or a wrong place. */
struct mixing_rig {
    struct fixture fixture;
    struct model *model;
    struct neural *neural;
};

static void mixing_rig_open(struct mixing_rig *rig, uint32_t full_items)
{
    const struct learned_options learned_options = learned_options_default();
    const struct learner_options options = {
        .pending_max = 10000, .mix_every = 1, .fusion = fusion_options_default(), .neural = {10, full_items}};
    const struct model_options model_options = {
        .backbone = backbone_named("pw_core"), .width = 8, .length_max = 4, .normalise = true, .temperature = 0.1f};
    uint32_t numbers[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++)
        numbers[i] = i;
    assert_ok(learned_open(&learned_options, &rig->fixture.learned));
    assert_ok(learner_open(&options, rig->fixture.learned, &rig->fixture.learner));
    assert_ok(model_open(&model_options, ITEMS, 1, &rig->model));
    assert_ok(neural_open(rig->model, numbers, ITEMS, &rig->neural));
}

static void mixing_rig_close(struct mixing_rig *rig)
{
    close_fixture(&rig->fixture);
    neural_close(rig->neural);
    model_close(rig->model);
}

/* Offers sessions of `length` clicks that close from close_ms on, a second apart, and learns them `at_once` by one. */
static void walk_on(struct mixing_rig *rig, int64_t close_ms, int count, uint32_t length, int at_once)
{
    for (int i = 0; i < count; i++, close_ms += 1000) {
        uint32_t items[8];
        int64_t times_ms[8];
        uint8_t types[8] = {0};
        for (uint32_t j = 0; j < length; j++) {
            items[j] = (uint32_t)(i * 7 + (int)j) % ITEMS;
            times_ms[j] = close_ms - 8000 + j * 1000;
        }
        struct closed_session session = {.view = {.session_id = BYTES("s"),
                                                  .items = items,
                                                  .times_ms = times_ms,
                                                  .types = types,
                                                  .length = length,
                                                  .total = length},
                                         .close_ms = close_ms};
        assert_ok(learner_offer(rig->fixture.learner, &session, (struct session_origin){0, close_ms, 0}, NULL));
        if (i % at_once == at_once - 1 || i == count - 1)
            assert_ok(learner_advance(rig->fixture.learner, close_ms));
    }
}

static void check_cuts(uint32_t full_items)
{
    static const int at_once[] = {1, 3, 64, 65, LEARNER_SLICE + 1, 10000};
    struct mixing first;
    for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++) {
        struct mixing_rig rig;
        mixing_rig_open(&rig, full_items);
        learner_set_model(rig.fixture.learner, rig.neural, 0);
        walk_on(&rig, 100000, 2 * LEARNER_SLICE + 100, 5, at_once[i]);
        const struct mixing *mixing = learned_mixing(rig.fixture.learned);
        struct mixing start = mixing_default();
        assert_memory_not_equal(mixing, &start, sizeof start);
        assert_true(mixing->weights[MIX_NEURAL][1] < start.weights[MIX_NEURAL][1]); /* it was not trained */
        if (i == 0)
            first = *mixing;
        assert_memory_equal(mixing, &first, sizeof first);
        mixing_rig_close(&rig);
    }
}

static void what_is_learned_of_mixing_does_not_depend_on_how_it_was_cut(void **state)
{
    (void)state;
    check_cuts(UINT32_MAX);
    check_cuts(0); /* the model is asked about candidates */
}

/* A model without training knows nothing, and loses its weight; unless it may have seen what it is asked. */
static void a_model_is_not_judged_by_what_it_was_trained_on(void **state)
{
    (void)state;
    struct mixing start = mixing_default();
    for (int seen = 0; seen < 2; seen++) {
        struct mixing_rig rig;
        mixing_rig_open(&rig, UINT32_MAX);
        learner_set_model(rig.fixture.learner, rig.neural, seen ? INT64_MAX : 0);
        walk_on(&rig, 100000, 2000, 2, 10);
        const struct mixing *mixing = learned_mixing(rig.fixture.learned);
        if (seen)
            assert_memory_equal(mixing, &start, sizeof start);
        else
            assert_true(mixing->weights[MIX_NEURAL][1] < start.weights[MIX_NEURAL][1] / 2);
        mixing_rig_close(&rig);
    }
}

static void sessions_of_one_click_teach_nothing_of_mixing(void **state)
{
    (void)state;
    struct mixing_rig rig;
    mixing_rig_open(&rig, UINT32_MAX);
    walk_on(&rig, 100000, 50, 1, 1);
    struct mixing start = mixing_default();
    assert_memory_equal(learned_mixing(rig.fixture.learned), &start, sizeof start);
    assert_int_equal(learner_counts(rig.fixture.learner).learned, 50);
    mixing_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learner_learns_a_session_when_its_time_has_come_and_not_before),
        cmocka_unit_test(learner_drops_what_a_partition_has_offered_before),
        cmocka_unit_test(learner_learns_in_one_total_order_whatever_the_arrival),
        cmocka_unit_test(learner_counts_a_session_that_comes_after_later_ones_were_learned),
        cmocka_unit_test(learner_learns_the_earliest_at_its_bound),
        cmocka_unit_test(learner_refuses_an_impossible_partition),
        cmocka_unit_test(what_is_learned_of_mixing_does_not_depend_on_how_it_was_cut),
        cmocka_unit_test(a_model_is_not_judged_by_what_it_was_trained_on),
        cmocka_unit_test(sessions_of_one_click_teach_nothing_of_mixing),
    };
    return cmocka_run_group_tests_name("learner", tests, NULL, NULL);
}
