// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/judge.h>

static struct judge *open_judge(uint32_t places, uint32_t sessions_max)
{
    struct judge_options options = {places, sessions_max};
    struct judge *judge;
    assert_ok(judge_open(&options, &judge));
    return judge;
}

/* Answers a click on `item` with a list of first, first + 1, ... and returns the rank, -1 when nothing was judged. */
static int answer(struct judge *judge, const char *session, uint32_t position, uint32_t item, uint32_t first,
                  uint32_t count)
{
    struct recommended_item items[8] = {0};
    for (uint32_t i = 0; i < count; i++)
        items[i].item = first + i;
    struct recommendation recommendation = {
        .session_id = bytes_of_text(session), .position = position, .click_item = item, .items = items, .count = count};
    bool judged;
    uint32_t rank;
    assert_ok(judge_answer(judge, &recommendation, &judged, &rank));
    return judged ? (int)rank : -1;
}

static void judge_ranks_the_next_click_in_the_list_before_it(void **state)
{
    (void)state;
    struct judge *judge = open_judge(5, 100);
    assert_int_equal(answer(judge, "a", 1, 7, 10, 5), -1);
    assert_int_equal(answer(judge, "b", 1, 7, 20, 8), -1);
    assert_int_equal(answer(judge, "a", 2, 12, 30, 5), 3);
    assert_int_equal(answer(judge, "a", 3, 12, 40, 0), 0);  /* judged by the list of 30.. */
    assert_int_equal(answer(judge, "a", 4, 40, 40, 5), 0);  /* by an empty list */
    assert_int_equal(answer(judge, "b", 2, 25, 50, 5), 0);  /* place 6 of 8: beyond what is kept */
    assert_int_equal(answer(judge, "a", 1, 40, 60, 5), -1); /* a new session of the same id */
    assert_int_equal(answer(judge, "a", 2, 60, 60, 5), 1);
    judge_forget(judge, BYTES("a"));
    judge_forget(judge, BYTES("never seen"));
    assert_int_equal(answer(judge, "a", 2, 60, 60, 5), -1);
    assert_int_equal(judge_sessions(judge), 2);
    judge_close(judge);
}

static void judge_follows_no_more_sessions_than_allowed(void **state)
{
    (void)state;
    struct judge *judge = open_judge(5, 2);
    answer(judge, "a", 1, 1, 10, 5);
    answer(judge, "b", 1, 1, 10, 5);
    answer(judge, "c", 1, 1, 10, 5);
    assert_int_equal(answer(judge, "c", 2, 10, 10, 5), -1);
    assert_int_equal(answer(judge, "a", 2, 10, 10, 5), 1);
    assert_int_equal(judge_refused(judge), 2);
    judge_forget(judge, BYTES("b"));
    assert_int_equal(answer(judge, "c", 3, 10, 10, 5), -1);
    assert_int_equal(answer(judge, "c", 4, 10, 10, 5), 1);
    judge_close(judge);
}

/* Against a plain array: sessions come and go at random. */
static void judge_agrees_with_a_plain_model(void **state)
{
    (void)state;
    enum { SESSIONS = 2000, STEPS = 60000 };
    static uint32_t lists[SESSIONS]; /* first item of the last list; 0: none */
    struct judge *judge = open_judge(3, SESSIONS);
    struct random random;
    uint64_t seed = test_seed(5);
    random_seed(&random, seed);
    memset(lists, 0, sizeof lists);
    for (int step = 0; step < STEPS; step++) {
        uint32_t session = random_below(&random, SESSIONS);
        char id[16];
        snprintf(id, sizeof id, "s%u", session);
        if (random_below(&random, 3) == 0) {
            judge_forget(judge, bytes_of_text(id));
            lists[session] = 0;
            continue;
        }
        uint32_t first = 1 + random_below(&random, 6), item = 1 + random_below(&random, 6);
        int wanted = lists[session] == 0                                   ? -1
                     : item >= lists[session] && item < lists[session] + 3 ? (int)(item - lists[session] + 1)
                                                                           : 0;
        if (answer(judge, id, 2, item, first, 3) != wanted)
            fail_msg("seed %llu, step %d", (unsigned long long)seed, step);
        lists[session] = first;
    }
    uint32_t followed = 0;
    for (size_t i = 0; i < SESSIONS; i++)
        followed += lists[i] > 0;
    assert_int_equal(judge_sessions(judge), followed);
    judge_close(judge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge_ranks_the_next_click_in_the_list_before_it),
        cmocka_unit_test(judge_follows_no_more_sessions_than_allowed),
        cmocka_unit_test(judge_agrees_with_a_plain_model),
    };
    return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
