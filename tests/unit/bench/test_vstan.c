// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "bench/vstan.h"

#include <math.h>

#define DAY_MS   INT64_C(86400000)
#define HALVES   (1 / M_LN2) /* a decay by half per step */
#define LIST_MAX 8

#define assert_score(answer, item, wanted)                                                                             \
    do {                                                                                                               \
        if (!(fabs((answer).scores[item] - (wanted)) < 1e-7))                                                          \
            fail_msg("score of %s is %.9g, wanted %.9g", #item, (answer).scores[item], (double)(wanted));              \
    } while (0)

enum { A, B, C, D, ITEMS };

/* Day 0: A B. Day 1: B C B. Day 2: A C D, then D D. */
static const struct vstan_session sessions[] = {
    {(const uint32_t[]){A, B}, 2, 0},
    {(const uint32_t[]){B, C, B}, 3, DAY_MS},
    {(const uint32_t[]){A, C, D}, 3, 2 * DAY_MS},
    {(const uint32_t[]){D, D}, 2, 2 * DAY_MS},
};
static const struct vstan_training training = {sessions, 4, ITEMS};
static const struct vstan_options options = {.neighbours_max = 10,
                                             .sample_max = 10,
                                             .position_decay = HALVES,
                                             .recency_days = HALVES,
                                             .distance_decay = HALVES,
                                             .match_decay = HALVES};

/* A, then B, at day 3: B weighs 1, A 1/2, their norm is sqrt(5/4). */
static const struct query a_then_b = {.items = (const uint32_t[]){A, B}, .length = 2, .now_ms = 3 * DAY_MS};

/* Similarities at that time, without those of 0; the sessions are 3, 2 and 1 days old. */
static double similarity(uint32_t session)
{
    const double values[] = {1.5 / sqrt(2.5) / 8, 1 / sqrt(2.5) / 4, 0.5 / sqrt(3.75) / 2};
    return values[session];
}

struct answer {
    double scores[ITEMS];
    uint32_t items[LIST_MAX];
    uint32_t count;
};

static struct answer ask(const struct vstan_options *asked_options, const struct query *query, uint32_t list_size)
{
    struct vstan *vstan;
    assert_ok(vstan_open(asked_options, &training, &vstan));
    struct recommended_item list[LIST_MAX];
    struct answer answer = {0};
    vstan_recommend(vstan, query, list_size, list, &answer.count);
    for (uint32_t i = 0; i < answer.count; i++) {
        answer.items[i] = list[i].item;
        answer.scores[list[i].item] = (double)list[i].score;
    }
    vstan_close(vstan);
    return answer;
}

static void scores_are_those_computed_by_hand(void **state)
{
    (void)state;
    struct answer answer = ask(&options, &a_then_b, LIST_MAX);
    assert_int_equal(answer.count, 4);
    assert_score(answer, A, similarity(0) / 2 + similarity(2) / 2);
    assert_score(answer, B, similarity(0) + similarity(1));
    assert_score(answer, C, similarity(1) / 2 + similarity(2) / 4);
    assert_score(answer, D, similarity(2) / 8);
    assert_int_equal(answer.items[0], B);
    assert_int_equal(answer.items[1], A);
    assert_int_equal(answer.items[2], C);
    assert_int_equal(answer.items[3], D);
}

static void rare_items_count_more_by_the_clicks_they_had(void **state)
{
    (void)state;
    struct vstan_options changed = options;
    changed.idf_weight = 2;
    struct answer plain = ask(&options, &a_then_b, LIST_MAX), answer = ask(&changed, &a_then_b, LIST_MAX);
    assert_score(answer, A, plain.scores[A] * (1 + 2 * log(4 / 2.0)));
    assert_score(answer, B, plain.scores[B] * (1 + 2 * log(4 / 3.0)));
    assert_score(answer, C, plain.scores[C] * (1 + 2 * log(4 / 2.0)));
    assert_score(answer, D, plain.scores[D] * (1 + 2 * log(4 / 3.0)));
}

static void an_item_clicked_again_has_its_last_position(void **state)
{
    (void)state;
    const struct query query = {.items = (const uint32_t[]){B, A, B}, .length = 3, .now_ms = 3 * DAY_MS};
    struct answer once = ask(&options, &a_then_b, LIST_MAX), again = ask(&options, &query, LIST_MAX);
    assert_memory_equal(&again, &once, sizeof once);
}

static void the_sample_is_of_the_newest_sessions(void **state)
{
    (void)state;
    struct vstan_options changed = options;
    changed.sample_max = 2;
    struct answer answer = ask(&changed, &a_then_b, LIST_MAX);
    assert_score(answer, A, similarity(2) / 2);
    assert_score(answer, B, similarity(1));
}

static void neighbours_are_the_most_similar_of_the_sample(void **state)
{
    (void)state;
    struct vstan_options changed = options;
    changed.neighbours_max = 1;
    struct answer answer = ask(&changed, &a_then_b, LIST_MAX);
    assert_int_equal(answer.count, 2);
    assert_score(answer, B, similarity(1));
    assert_score(answer, C, similarity(1) / 2);
}

static void a_short_list_holds_the_best(void **state)
{
    (void)state;
    struct answer answer = ask(&options, &a_then_b, 2);
    assert_int_equal(answer.count, 2);
    assert_int_equal(answer.items[0], B);
    assert_int_equal(answer.items[1], A);
}

static void assert_rank(const struct vstan *vstan, uint32_t item, uint32_t best, uint32_t worst)
{
    struct vstan_rank rank = vstan_rank(vstan, item);
    assert_int_equal(rank.best, best);
    assert_int_equal(rank.worst, worst);
}

static void ranks_say_what_ties_are_worth(void **state)
{
    (void)state;
    const struct query after_c = {.items = (const uint32_t[]){C}, .length = 1, .now_ms = 3 * DAY_MS};
    const struct query after_d = {.items = (const uint32_t[]){D}, .length = 1, .now_ms = 3 * DAY_MS};
    struct recommended_item list[LIST_MAX];
    uint32_t count;
    struct vstan *vstan;
    assert_ok(vstan_open(&options, &training, &vstan));
    vstan_recommend(vstan, &after_c, LIST_MAX, list,
                    &count); /* A and D stand beside C in the one session they are in */
    assert_rank(vstan, C, 1, 1);
    assert_rank(vstan, A, 2, 3);
    assert_rank(vstan, D, 2, 3);
    assert_rank(vstan, B, 4, 4);
    assert_int_equal(list[1].item, A);
    assert_int_equal(list[2].item, D);
    vstan_recommend(vstan, &after_d, LIST_MAX, list, &count);
    assert_int_equal(count, 3);
    assert_rank(vstan, B, 0, 0);
    vstan_close(vstan);
}

/* One of the published settings does that. */
static void a_tiny_match_decay_leaves_items_without_score_but_in_the_list(void **state)
{
    (void)state;
    struct vstan_options changed = options;
    changed.match_decay = 0.00001;
    struct answer answer = ask(&changed, &a_then_b, LIST_MAX);
    assert_int_equal(answer.count, 4);
    assert_score(answer, A, similarity(0) / 2);
    assert_score(answer, D, 0);
    assert_int_equal(answer.items[3], D);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_computed_by_hand),
        cmocka_unit_test(rare_items_count_more_by_the_clicks_they_had),
        cmocka_unit_test(an_item_clicked_again_has_its_last_position),
        cmocka_unit_test(the_sample_is_of_the_newest_sessions),
        cmocka_unit_test(neighbours_are_the_most_similar_of_the_sample),
        cmocka_unit_test(a_short_list_holds_the_best),
        cmocka_unit_test(ranks_say_what_ties_are_worth),
        cmocka_unit_test(a_tiny_match_decay_leaves_items_without_score_but_in_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
