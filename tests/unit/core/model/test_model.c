// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/model.h"

#include <math.h>

#define ITEMS 13
#define WIDTH 7

static struct model *model_make(bool normalise)
{
    struct model *model;
    const struct model_options options = {.backbone = backbone_named("pw_core"),
                                          .width = WIDTH,
                                          .length_max = 3,
                                          .normalise = normalise,
                                          .temperature = 0.5f};
    assert_ok(model_open(&options, ITEMS, 11, &model));
    for (uint32_t i = 0; i < model->parameters.size; i++)
        model->parameters.values[i] = (float)i / 10;
    return model;
}

static void a_session_is_its_last_clicks(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0, 1, 6, 9}, items[] = {4, 9, 8, 1, 2, 3, 1, 2, 3};
    const struct model_sessions sessions = {3, starts, items};
    struct model *model = model_make(true);
    struct arena arena = {0};
    float vectors[3 * WIDTH];
    assert_ok(model_vectors(model, &sessions, &arena, vectors));
    assert_memory_equal(vectors + WIDTH, vectors + 2 * WIDTH, WIDTH * sizeof *vectors);
    for (int i = 0; i < 3; i++) {
        double square = 0;
        for (int j = 0; j < WIDTH; j++)
            square += (double)vectors[i * WIDTH + j] * (double)vectors[i * WIDTH + j];
        assert_true(fabs(square - 1) < 1e-5);
    }
    arena_release(&arena);
    model_close(model);
}

static void a_session_of_one_click_is_nearest_to_its_item(void **state)
{
    (void)state;
    for (int normalise = 0; normalise < 2; normalise++) {
        struct model *model = model_make(normalise);
        struct arena arena = {0};
        float rows[ITEMS * WIDTH], vector[WIDTH], scores[ITEMS];
        model_item_rows(model, rows);
        for (uint32_t item = 0; item < ITEMS; item++) {
            static const uint32_t starts[] = {0, 1};
            const struct model_sessions sessions = {1, starts, &item};
            double wanted = 0;
            assert_ok(model_vectors(model, &sessions, &arena, vector));
            model_score(model, rows, vector, 1, scores);
            for (uint32_t i = 0; i < WIDTH; i++)
                wanted += (double)model->items[item * WIDTH + i] * (double)model->items[item * WIDTH + i];
            wanted = normalise ? 1 / 0.5 : wanted; /* the cosine of a vector with itself, over the temperature */
            assert_true(fabs((double)scores[item] - wanted) < 1e-5);
        }
        arena_release(&arena);
        model_close(model);
    }
}

static void a_model_comes_back_from_its_bytes(void **state)
{
    (void)state;
    struct model *model = model_make(true), *other;
    AUTO(buffer) bytes = {0};
    AUTO(buffer) again = {0};
    assert_ok(model_encode(model, buffer_sink(&bytes)));
    assert_ok(model_decode(buffer_bytes(&bytes), &other));
    assert_ok(model_encode(other, buffer_sink(&again)));
    assert_true(bytes_equal(buffer_bytes(&bytes), buffer_bytes(&again)));
    assert_string_equal(backbone_name(model_options(other)->backbone), "pw_core");
    assert_int_equal(model_item_count(other), ITEMS);
    assert_int_equal(model_parameter_count(other), ITEMS * WIDTH + 9);
    model_close(other);

    for (size_t size = 0; size < bytes.size; size += 5)
        assert_fails(CORRUPT, model_decode(bytes_of(bytes.data, size), &other));
    bytes.data[bytes.size / 2] ^= 1;
    assert_fails(CORRUPT, model_decode(buffer_bytes(&bytes), &other));
    model_close(model);
}

static void a_weight_that_is_no_number_is_refused(void **state)
{
    (void)state;
    struct model *model = model_make(true), *other;
    AUTO(buffer) bytes = {0};
    model->items[5] = NAN;
    assert_ok(model_encode(model, buffer_sink(&bytes)));
    assert_fails(CORRUPT, model_decode(buffer_bytes(&bytes), &other));
    model_close(model);
}

static void the_same_seed_makes_the_same_model(void **state)
{
    (void)state;
    struct model *model = model_make(true), *other = model_make(true), *third;
    assert_ok(model_open(model_options(model), ITEMS, 12, &third));
    assert_memory_equal(model->items, other->items, ITEMS * WIDTH * sizeof(float));
    assert_memory_not_equal(model->items, third->items, ITEMS * WIDTH * sizeof(float));
    model_close(model);
    model_close(other);
    model_close(third);
}

static void backbones_have_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < BACKBONE_COUNT; i++)
        assert_ptr_equal(backbone_named(backbone_name(backbones[i])), backbones[i]);
    assert_null(backbone_named("no_such"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_its_last_clicks),
        cmocka_unit_test(a_session_of_one_click_is_nearest_to_its_item),
        cmocka_unit_test(a_model_comes_back_from_its_bytes),
        cmocka_unit_test(a_weight_that_is_no_number_is_refused),
        cmocka_unit_test(the_same_seed_makes_the_same_model),
        cmocka_unit_test(backbones_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
