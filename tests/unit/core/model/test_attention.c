// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/layer_rig.h"

#include <math.h>

struct attention {
    struct packed sessions;
    struct attention_shape shape;
    struct parameter qkv;
    float *d_y, *y, *weights, *d_scores;
    double wanted[4000];
};

static const struct shape {
    uint32_t count, length_max;
    struct attention_shape shape;
} shapes[] = {
    {1, 1, {4, 1, true}},  {3, 5, {1, 1, true}},   {3, 5, {1, 1, false}}, {4, 4, {6, 2, true}},  {4, 4, {6, 3, false}},
    {2, 50, {4, 2, true}}, {2, 50, {2, 1, false}}, {3, 5, {20, 4, true}}, {2, 4, {34, 2, true}}, {2, 3, {34, 2, false}},
};

static void make(struct attention *attention, struct layer_rig *rig, struct shape shape)
{
    attention->shape = shape.shape;
    attention->sessions = rig_sessions(rig, shape.count, shape.length_max);
    uint32_t count = packed_rows(attention->sessions) * shape.shape.width;
    attention->qkv = rig_input(rig, 3 * count);
    for (uint32_t i = 0; i < 3 * count; i++)
        attention->qkv.values[i] *= 2;
    attention->d_y = rig_random(rig, count);
    attention->y = rig_unset(rig, count);
    uint32_t size = (uint32_t)attention_weights_size(attention->sessions, shape.shape.heads);
    attention->weights = rig_unset(rig, size);
    attention->d_scores = rig_unset(rig, size);
}

static void forward(struct attention *attention)
{
    attention_forward(attention->qkv.values, attention->y, attention->weights, attention->sessions, attention->shape);
}

/* One row of one head; columns begin at `column`. */
static void reference_row(struct attention *attention, uint32_t row, uint32_t first, uint32_t end, uint32_t column)
{
    uint32_t width = attention->shape.width, across = width / attention->shape.heads;
    const float *query = attention->qkv.values + (size_t)row * 3 * width + column;
    double weights[50], sum = 0;
    for (uint32_t other = first; other < end; other++) {
        const float *key = attention->qkv.values + (size_t)other * 3 * width + width + column;
        double score = 0;
        for (uint32_t i = 0; i < across; i++)
            score += (double)query[i] * (double)key[i];
        weights[other - first] = exp(score / sqrt(across));
        sum += weights[other - first];
    }
    for (uint32_t i = 0; i < across; i++) {
        double y = 0;
        for (uint32_t other = first; other < end; other++)
            y += weights[other - first] / sum *
                 (double)attention->qkv.values[(size_t)other * 3 * width + 2 * width + column + i];
        attention->wanted[row * width + column + i] = y;
    }
}

static double reference(void *context)
{
    struct attention *attention = context;
    const uint32_t *starts = attention->sessions.starts;
    uint32_t width = attention->shape.width, across = width / attention->shape.heads;
    for (uint32_t i = 0; i < attention->sessions.count; i++)
        for (uint32_t row = starts[i]; row < starts[i + 1]; row++)
            for (uint32_t column = 0; column < width; column += across)
                reference_row(attention, row, starts[i], attention->shape.causal ? row + 1 : starts[i + 1], column);
    return loss_of(attention->d_y, attention->wanted, packed_rows(attention->sessions) * width);
}

static void outputs_and_gradients_are_those_of_the_reference(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct layer_rig rig;
        static struct attention attention;
        layer_rig_open(&rig, test_seed(i));
        make(&attention, &rig, shapes[i]);
        forward(&attention);
        reference(&attention);
        assert_close(attention.y, attention.wanted, packed_rows(attention.sessions) * attention.shape.width);
        attention_backward(attention.qkv.values, attention.weights, attention.d_y, attention.qkv.gradient,
                           attention.d_scores, attention.sessions, attention.shape);
        assert_gradients(&(struct gradient_check){reference, &attention}, &attention.qkv, 1);
        layer_rig_close(&rig);
    }
}

static void weights_of_a_row_sum_to_one_over_what_it_sees(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct attention attention;
    layer_rig_open(&rig, test_seed(1));
    make(&attention, &rig, (struct shape){5, 9, {12, 3, true}});
    forward(&attention);
    const float *weight = attention.weights;
    for (uint32_t i = 0; i < attention.sessions.count; i++) {
        uint32_t length = attention.sessions.starts[i + 1] - attention.sessions.starts[i];
        for (uint32_t row = 0; row < 3 * length; row++, weight += length) {
            double sum = 0;
            for (uint32_t j = 0; j < length; j++) {
                sum += (double)weight[j];
                assert_true(j <= row % length ? weight[j] > 0 : weight[j] == 0);
            }
            assert_true(fabs(sum - 1) < 1e-5);
        }
    }
    assert_int_equal(weight - attention.weights, attention_weights_size(attention.sessions, 3));
    layer_rig_close(&rig);
}

static void later_rows_change_earlier_outputs_only_where_they_are_seen(void **state)
{
    (void)state;
    struct layer_rig rig;
    for (int causal = 0; causal < 2; causal++) {
        static struct attention attention;
        layer_rig_open(&rig, test_seed(2));
        make(&attention, &rig, (struct shape){1, 1, {8, 2, causal}});
        attention.sessions = (struct packed){2, (const uint32_t[]){0, 6, 9}};
        attention.qkv = rig_input(&rig, 9 * 24);
        attention.y = rig_unset(&rig, 9 * 8);
        attention.weights = rig_unset(&rig, (uint32_t)attention_weights_size(attention.sessions, 2));
        forward(&attention);
        float *before = rig_copy(&rig, attention.y, 9 * 8);
        for (uint32_t i = 4 * 24; i < 6 * 24; i++)
            attention.qkv.values[i] += 1;
        forward(&attention);
        assert_int_equal(!memcmp(before, attention.y, 4 * 8 * sizeof *before), causal);
        assert_memory_not_equal(before + 4 * 8, attention.y + 4 * 8, 2 * 8 * sizeof *before);
        assert_memory_equal(before + 6 * 8, attention.y + 6 * 8, 3 * 8 * sizeof *before); /* another session */
        layer_rig_close(&rig);
    }
}

static void what_all_scores_have_in_common_changes_nothing(void **state)
{
    (void)state;
    for (float common = -400; common <= 400; common += 800) {
        struct layer_rig rig;
        static struct attention attention;
        layer_rig_open(&rig, test_seed(3));
        make(&attention, &rig, (struct shape){4, 7, {4, 1, true}});
        uint32_t rows = packed_rows(attention.sessions);
        for (uint32_t row = 0; row < rows; row++) {
            attention.qkv.values[row * 12] = 1;
            attention.qkv.values[row * 12 + 4] = 0;
        }
        forward(&attention);
        float *before = rig_copy(&rig, attention.y, rows * 4);
        for (uint32_t row = 0; row < rows; row++)
            attention.qkv.values[row * 12 + 4] = common;
        forward(&attention);
        for (uint32_t i = 0; i < rows * 4; i++)
            assert_true(fabsf(attention.y[i] - before[i]) < 1e-3f);
        layer_rig_close(&rig);
    }
}

static void sessions_that_change_places_take_their_outputs_along(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct attention attention;
    layer_rig_open(&rig, test_seed(4));
    make(&attention, &rig, (struct shape){6, 7, {9, 3, true}});
    forward(&attention);
    struct packed sessions = attention.sessions;
    float *wanted = rig_reverse_rows(&rig, attention.y, sessions, 9);
    attention.qkv.values = rig_reverse_rows(&rig, attention.qkv.values, sessions, 27);
    attention.sessions = rig_reverse_sessions(&rig, sessions);
    forward(&attention);
    assert_same_floats(attention.y, wanted, packed_rows(sessions) * 9);
    layer_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_and_gradients_are_those_of_the_reference),
        cmocka_unit_test(weights_of_a_row_sum_to_one_over_what_it_sees),
        cmocka_unit_test(later_rows_change_earlier_outputs_only_where_they_are_seen),
        cmocka_unit_test(what_all_scores_have_in_common_changes_nothing),
        cmocka_unit_test(sessions_that_change_places_take_their_outputs_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
