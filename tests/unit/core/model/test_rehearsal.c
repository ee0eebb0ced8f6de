// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/rehearsal.h"

#include <math.h>

#define SESSIONS 300
#define LENGTH   7
#define WINDOW   250

/* Sessions of 2 .. LENGTH clicks, an hour apart. */
struct history {
    uint32_t starts[SESSIONS + 1], items[SESSIONS * LENGTH];
    int64_t times_ms[SESSIONS];
    struct training_sessions sessions;
    struct rehearsal rehearsal;
};

#define HOUR_MS 3600000

static void history_make(struct history *history)
{
    history->starts[0] = 0;
    for (uint32_t i = 0; i < SESSIONS; i++) {
        history->starts[i + 1] = history->starts[i] + 2 + i % (LENGTH - 1);
        history->times_ms[i] = (int64_t)i * HOUR_MS;
    }
    history->sessions = (struct training_sessions){SESSIONS, history->starts, history->items};
    history->rehearsal = (struct rehearsal){
        .sessions = &history->sessions, .times_ms = history->times_ms, .window = WINDOW, .passes = 1, .replay = 1.5f};
}

struct chosen {
    uint32_t times[SESSIONS * LENGTH]; /* that each click was chosen */
    uint32_t fresh, older;
    double age_h; /* mean of the older */
};

static void choose(const struct history *history, uint64_t seed, struct chosen *chosen)
{
    struct random random;
    uint32_t *clicks, count;
    random_seed(&random, seed);
    *chosen = (struct chosen){0};
    assert_ok(rehearsal_choose(&history->rehearsal, &random, &clicks, &count));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t session = 0;
        while (history->starts[session + 1] <= clicks[i])
            session++;
        assert_true(session < SESSIONS && clicks[i] > history->starts[session]); /* something comes before it */
        chosen->times[clicks[i]]++;
        chosen->fresh += session >= history->rehearsal.window;
        chosen->older += session < history->rehearsal.window;
        chosen->age_h += session < history->rehearsal.window ? WINDOW - 1 - session : 0;
    }
    chosen->age_h /= chosen->older > 0 ? chosen->older : 1;
    free(clicks);
}

static void all_of_the_window_is_learned_in_each_pass(void **state)
{
    (void)state;
    struct history history;
    struct chosen chosen;
    history_make(&history);
    history.rehearsal.passes = 3;
    choose(&history, test_seed(3), &chosen);
    uint32_t fresh = history.starts[SESSIONS] - history.starts[WINDOW] - (SESSIONS - WINDOW);
    for (uint32_t i = WINDOW; i < SESSIONS; i++)
        for (uint32_t click = history.starts[i] + 1; click < history.starts[i + 1]; click++)
            assert_int_equal(chosen.times[click], 3);
    assert_int_equal(chosen.fresh, 3 * fresh);
    assert_int_equal(chosen.older, 3 * (uint32_t)(1.5 * fresh));
}

static void without_half_life_older_clicks_are_drawn_alike(void **state)
{
    (void)state;
    struct history history;
    struct chosen chosen;
    history_make(&history);
    choose(&history, test_seed(4), &chosen);
    for (uint32_t click = 0; click < history.starts[WINDOW]; click++)
        assert_true(chosen.times[click] <= 1);
    assert_true(fabs(chosen.age_h - WINDOW / 2.0) < 10);
}

/* The mean age under weights 2^(-age / half-life), with as many samples in each session on average. */
static double wanted_age_h(double half_life_h)
{
    double sum = 0, weights = 0;
    for (int age = 0; age < WINDOW; age++) {
        sum += age * exp2(-age / half_life_h);
        weights += exp2(-age / half_life_h);
    }
    return sum / weights;
}

static void the_newer_a_click_the_more_often_it_is_drawn(void **state)
{
    (void)state;
    struct history history;
    struct chosen chosen;
    const int64_t half_lives_h[] = {5, 20, 100};
    history_make(&history);
    for (size_t i = 0; i < 3; i++) {
        history.rehearsal.half_life_ms = half_lives_h[i] * HOUR_MS;
        choose(&history, test_seed(5), &chosen);
        double wanted = wanted_age_h((double)half_lives_h[i]);
        assert_true(fabs(chosen.age_h - wanted) < 1 + 0.1 * wanted);
        assert_true(chosen.older > 0);
    }
    history.rehearsal.half_life_ms = 1; /* all weights but the newest session's vanish */
    choose(&history, test_seed(5), &chosen);
    assert_true(chosen.older > 0 && chosen.age_h < 1e-9);
}

static void there_may_be_nothing_older_or_too_little(void **state)
{
    (void)state;
    struct history history;
    struct chosen chosen;
    history_make(&history);
    history.rehearsal.replay = 1000;
    choose(&history, test_seed(6), &chosen);
    assert_int_equal(chosen.older, history.starts[WINDOW] - WINDOW);
    history.rehearsal.replay = 0;
    choose(&history, test_seed(6), &chosen);
    assert_int_equal(chosen.older, 0);
    history.rehearsal.replay = 2;
    history.rehearsal.window = 0;
    choose(&history, test_seed(6), &chosen);
    assert_int_equal(chosen.older, 0);
    assert_int_equal(chosen.fresh, history.starts[SESSIONS] - SESSIONS);
}

static void a_limit_leaves_older_ones_out(void **state)
{
    (void)state;
    struct history history;
    struct chosen chosen;
    history_make(&history);
    uint32_t fresh = history.starts[SESSIONS] - history.starts[WINDOW] - (SESSIONS - WINDOW);
    history.rehearsal.passes = 2;
    history.rehearsal.samples_max = 2 * (fresh + 7) + 1;
    choose(&history, test_seed(7), &chosen);
    assert_int_equal(chosen.fresh, 2 * fresh);
    assert_int_equal(chosen.older, 2 * 7);
    history.rehearsal.samples_max = fresh; /* the window is learned all the same */
    choose(&history, test_seed(7), &chosen);
    assert_int_equal(chosen.fresh, 2 * fresh);
    assert_int_equal(chosen.older, 0);
    history.rehearsal.samples_max = 1000000;
    choose(&history, test_seed(7), &chosen);
    assert_true(chosen.older > 2 * fresh);
}

static void too_many_to_count_are_refused(void **state)
{
    (void)state;
    struct history history;
    struct random random;
    uint32_t *clicks, count;
    history_make(&history);
    history.rehearsal.passes = UINT32_MAX;
    random_seed(&random, 1);
    assert_fails(LIMIT, rehearsal_choose(&history.rehearsal, &random, &clicks, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_the_window_is_learned_in_each_pass),
        cmocka_unit_test(without_half_life_older_clicks_are_drawn_alike),
        cmocka_unit_test(the_newer_a_click_the_more_often_it_is_drawn),
        cmocka_unit_test(there_may_be_nothing_older_or_too_little),
        cmocka_unit_test(a_limit_leaves_older_ones_out),
        cmocka_unit_test(too_many_to_count_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
