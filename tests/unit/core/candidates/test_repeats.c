// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/candidates/repeats.h"

#include <math.h>

/* What the formulas give is compared in fusion's tests; here is what comes out of long streams. */

static void ask(const struct repeats *repeats, const uint32_t *entries, uint32_t length, float *probabilities)
{
    struct recent recent = {0};
    for (uint32_t i = 0; i < length; i++)
        recent_add(&recent, entries[i]);
    struct repeat_options options = {.evidence_power = 0.27f, .scale = 1.6f, .current_prior = 12, .earlier_prior = 5};
    repeats_probabilities(repeats, &recent, recent.items, &options, probabilities);
    for (uint32_t i = 0; i < recent.count; i++)
        assert_true(probabilities[i] > 0 && probabilities[i] < 1);
}

static void the_rates_of_the_stream_are_learned(void **state)
{
    (void)state;
    struct repeats repeats;
    repeats_open(&repeats);
    assert_ok(repeats_reserve_entries(&repeats, 100));
    for (uint32_t i = 0; i < 4000; i++) { /* the first click is repeated in one session of four */
        uint32_t session[3] = {i % 50, i % 4 ? (i + 7) % 50 : i % 50, (i + 21) % 50};
        repeats_add(&repeats, session, 3);
    }
    float probabilities[QUERY_ITEMS_MAX];
    const uint32_t fresh[1] = {99}, twice[2] = {99, 99}, two[2] = {98, 99};
    ask(&repeats, fresh, 1, probabilities);
    assert_true(fabs((double)probabilities[0] - 0.25) < 0.02);
    ask(&repeats, twice, 2, probabilities);
    assert_true(probabilities[0] < 0.02f);
    ask(&repeats, two, 2, probabilities);
    assert_true(probabilities[1] < 0.02f);
    repeats_release(&repeats);
}

static void an_items_own_record_counts(void **state)
{
    (void)state;
    struct repeats repeats;
    repeats_open(&repeats);
    assert_ok(repeats_reserve_entries(&repeats, 100));
    for (uint32_t i = 0; i < 4000; i++) {
        uint32_t item = i % 20, session[2] = {item, item < 5 ? item : item + 20}; /* items 0 to 4 always repeat */
        repeats_add(&repeats, session, 2);
    }
    float often[QUERY_ITEMS_MAX], never[QUERY_ITEMS_MAX], unknown[QUERY_ITEMS_MAX];
    const uint32_t first[1] = {0}, other[1] = {19}, fresh[1] = {99};
    ask(&repeats, first, 1, often);
    ask(&repeats, other, 1, never);
    ask(&repeats, fresh, 1, unknown);
    assert_true(often[0] > 2 * unknown[0] * 0.7f && unknown[0] > 2 * never[0]);
    repeats_release(&repeats);
}

static void a_change_of_habits_is_learned(void **state)
{
    (void)state;
    struct repeats repeats;
    repeats_open(&repeats);
    assert_ok(repeats_reserve_entries(&repeats, 4));
    const uint32_t same[2] = {0, 0}, different[2] = {0, 1}, fresh[1] = {3};
    float before[QUERY_ITEMS_MAX], after[QUERY_ITEMS_MAX];
    for (int i = 0; i < 3000000; i++)
        repeats_add(&repeats, different, 2);
    ask(&repeats, fresh, 1, before);
    for (int i = 0; i < 3000000; i++)
        repeats_add(&repeats, same, 2);
    ask(&repeats, fresh, 1, after);
    assert_true(before[0] < 0.001f);
    assert_true(after[0] > 0.8f); /* as many against, long ago, would leave a half */
    repeats_release(&repeats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rates_of_the_stream_are_learned),
        cmocka_unit_test(an_items_own_record_counts),
        cmocka_unit_test(a_change_of_habits_is_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
