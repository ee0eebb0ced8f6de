// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/model.h"

#include <eddy/core/ranking.h>

#define ITEMS     50
#define QUESTIONS 700 /* more than are answered together */
#define LENGTH    9

struct question {
    uint32_t items[LENGTH], length, next, rank, wanted;
};

static void open_model(struct model **ret_model)
{
    const struct model_options options = {
        .backbone = backbone_named("pw_core"), .width = 8, .length_max = 4, .normalise = true, .temperature = 0.2f};
    assert_ok(model_open(&options, ITEMS, 3, ret_model));
}

/* The rank, one question at a time. */
static uint32_t slow_rank(const struct model *model, const struct question *question, const float *rows)
{
    uint32_t known[LENGTH], starts[] = {0, 0}, rank = 0;
    float vector[8], scores[ITEMS];
    struct arena arena = {0};
    for (uint32_t i = 0; i < question->length; i++)
        if (question->items[i] < ITEMS)
            known[starts[1]++] = question->items[i];
    if (starts[1] == 0 || question->next >= ITEMS)
        return 0;
    const struct model_sessions session = {1, starts, known};
    assert_ok(model_vectors(model, &session, &arena, vector));
    model_score(model, rows, vector, 1, scores);
    for (uint32_t i = 0; i < ITEMS; i++)
        rank += scores[i] >= scores[question->next];
    arena_release(&arena);
    return rank;
}

/* Items up to ITEMS + 9: the model has no row for some. */
static void ask_all(struct model *model, struct question *questions)
{
    struct random random;
    struct ranking *ranking;
    float rows[ITEMS * 8];
    random_seed(&random, test_seed(1));
    model_item_rows(model, rows);
    assert_ok(ranking_open(model, &ranking));
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        struct question *question = &questions[i];
        question->length = random_below(&random, LENGTH + 1);
        for (uint32_t j = 0; j < question->length; j++)
            question->items[j] = random_below(&random, ITEMS + 10);
        question->next = random_below(&random, ITEMS + 10);
        question->wanted = slow_rank(model, question, rows);
        question->rank = 12345;
        assert_ok(ranking_ask(ranking, question->items, question->length, question->next, &question->rank));
    }
    assert_ok(ranking_flush(ranking));
    assert_ok(ranking_flush(ranking)); /* nothing is left */
    ranking_close(ranking);
}

static void ranks_are_those_of_one_question_at_a_time(void **state)
{
    (void)state;
    static struct question questions[QUESTIONS];
    struct model *model;
    uint32_t misses = 0, best = 0;
    open_model(&model);
    ask_all(model, questions);
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        assert_int_equal(questions[i].rank, questions[i].wanted);
        misses += questions[i].rank == 0;
        best += questions[i].rank == 1;
    }
    assert_true(misses > QUESTIONS / 10 && best > 0);
    model_close(model);
}

static void a_tie_counts_against_the_model(void **state)
{
    (void)state;
    struct model *model;
    struct ranking *ranking;
    const uint32_t items[] = {7, 8};
    uint32_t rank;
    open_model(&model);
    for (uint32_t i = 1; i < ITEMS; i++)
        memcpy(model->items + i * 8, model->items, 8 * sizeof *model->items);
    assert_ok(ranking_open(model, &ranking));
    assert_ok(ranking_ask(ranking, items, 2, 3, &rank));
    assert_ok(ranking_flush(ranking));
    assert_int_equal(rank, ITEMS);
    ranking_close(ranking);
    model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_those_of_one_question_at_a_time),
        cmocka_unit_test(a_tie_counts_against_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
