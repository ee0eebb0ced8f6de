// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/growth.h"
#include "core/model/model.h"

#include <math.h>

#define ITEMS 300
#define WIDTH 20

static void open_model(const struct backbone *backbone, struct model **ret_model)
{
    const struct model_options options = {
        .backbone = backbone, .width = WIDTH, .length_max = 5, .normalise = true, .temperature = 0.1f};
    assert_ok(model_open(&options, ITEMS, 3, ret_model));
}

struct answers {
    float rows[ITEMS * WIDTH], vectors[4 * WIDTH], scores[4 * ITEMS];
};

/* What becomes of some sessions, and of the first ITEMS items. */
static void answer(const struct model *model, struct answers *answers)
{
    static const uint32_t starts[] = {0, 1, 4, 10, 12}, items[] = {0, 7, 299, 8, 1, 2, 3, 2, 5, 6, 9, 9};
    const struct model_sessions sessions = {4, starts, items};
    uint32_t count = model_item_count(model);
    struct arena arena = {0};
    float *rows = malloc(count * WIDTH * sizeof *rows), *scores = malloc(4 * count * sizeof *scores);
    assert_true(rows && scores);
    assert_ok(model_vectors(model, &sessions, &arena, answers->vectors));
    model_item_rows(model, rows);
    model_score(model, rows, answers->vectors, 4, scores);
    memcpy(answers->rows, rows, sizeof answers->rows);
    for (uint32_t i = 0; i < 4; i++)
        memcpy(answers->scores + i * ITEMS, scores + i * count, ITEMS * sizeof *scores);
    arena_release(&arena);
    free(rows);
    free(scores);
}

static void assert_same(const struct answers *before, const struct answers *after)
{
    assert_memory_equal(before->rows, after->rows, sizeof before->rows);
    assert_memory_equal(before->vectors, after->vectors, sizeof before->vectors);
    for (uint32_t i = 0; i < 4 * ITEMS; i++)
        assert_true(fabsf(before->scores[i] - after->scores[i]) < 1e-5f * (1 + fabsf(before->scores[i])));
}

static void growth_changes_no_bit_of_what_is_there(void **state)
{
    (void)state;
    static struct answers before, after;
    for (size_t i = 0; i < BACKBONE_COUNT; i++) {
        struct model *model, *copy;
        open_model(backbones[i], &model);
        answer(model, &before);
        assert_ok(model_copy(model, &copy));
        assert_ok(model_grow(copy, ITEMS + 129, 5));
        assert_int_equal(model_item_count(copy), ITEMS + 129);
        answer(copy, &after);
        assert_same(&before, &after);
        copy->items[0]++;
        answer(model, &after); /* the copy has weights of its own */
        assert_same(&before, &after);
        model_close(copy);
        model_close(model);
    }
}

static double norm(const float *row)
{
    double sum = 0;
    for (uint32_t i = 0; i < WIDTH; i++)
        sum += (double)row[i] * (double)row[i];
    return sqrt(sum);
}

static void a_new_row_is_random_as_the_others_were(void **state)
{
    (void)state;
    struct model *model, *other;
    double old = 0, new = 0;
    open_model(backbone_named("pw_core"), &model);
    open_model(backbone_named("pw_core"), &other);
    assert_ok(model_grow(model, 2 * ITEMS, 5));
    assert_ok(model_grow(other, 2 * ITEMS, 6));
    for (uint32_t i = 0; i < ITEMS; i++) {
        old += norm(model->items + i * WIDTH) / ITEMS;
        new += norm(model->items + (ITEMS + i) * WIDTH) / ITEMS;
    }
    assert_true(fabs(old - new) < 0.1 * old);
    assert_memory_not_equal(model->items + ITEMS * WIDTH, other->items + ITEMS * WIDTH, WIDTH * sizeof(float));
    model_close(model);
    model_close(other);
}

/* ITEMS is clicked between 4 and 5 and after 6, ITEMS + 1 next to it, ITEMS + 2 with none but ITEMS + 3, beyond the
 * model. */
static void a_new_row_begins_between_its_neighbours(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0, 3, 6, 8}, items[] = {4, ITEMS, 5, 6, ITEMS, ITEMS + 1, ITEMS + 2, ITEMS + 3};
    const struct training_sessions sessions = {3, starts, items};
    struct model *model;
    float alone[WIDTH];
    open_model(backbone_named("pw_core"), &model);
    assert_ok(model_grow(model, ITEMS + 3, 5));
    memcpy(alone, model->items + (ITEMS + 2) * WIDTH, sizeof alone);
    assert_ok(growth_begin_rows(model, ITEMS, &sessions));
    for (uint32_t i = 0; i < WIDTH; i++) {
        const float *at = model->items + i;
        float wanted = (at[4 * WIDTH] + at[6 * WIDTH] + at[5 * WIDTH]) / 3;
        assert_true(fabsf(at[ITEMS * WIDTH] - wanted) < 1e-6f);
        assert_true(fabsf(at[(ITEMS + 1) * WIDTH] - at[6 * WIDTH]) < 1e-6f);
    }
    assert_memory_equal(alone, model->items + (ITEMS + 2) * WIDTH, sizeof alone);
    model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_changes_no_bit_of_what_is_there),
        cmocka_unit_test(a_new_row_is_random_as_the_others_were),
        cmocka_unit_test(a_new_row_begins_between_its_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
