// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/layer_rig.h"

#include <math.h>

enum { X, GAIN, BIAS, PARAMETERS };

struct norm {
    uint32_t rows, width;
    struct parameter parameters[PARAMETERS];
    float *d_y, *y, *normal, *inverse;
    double wanted[2000];
};

static const struct shape {
    uint32_t rows, width;
} shapes[] = {{1, 2}, {3, 1}, {5, 7}, {2, 16}, {4, 33}, {1, 100}, {9, 20}};

static void make(struct norm *norm, struct layer_rig *rig, struct shape shape)
{
    uint32_t count = shape.rows * shape.width;
    norm->rows = shape.rows;
    norm->width = shape.width;
    norm->parameters[X] = rig_input(rig, count);
    norm->parameters[GAIN] = rig_weight(rig, shape.width);
    norm->parameters[BIAS] = rig_weight(rig, shape.width);
    norm->d_y = rig_random(rig, count);
    norm->y = rig_unset(rig, count);
    norm->normal = rig_unset(rig, count);
    norm->inverse = rig_unset(rig, shape.rows);
}

static void forward(struct norm *norm)
{
    layer_norm_forward(norm->parameters[X].values, norm->parameters[GAIN].values, norm->parameters[BIAS].values,
                       norm->y, norm->normal, norm->inverse, norm->rows, norm->width);
}

static void backward(struct norm *norm, float *d_x)
{
    layer_norm_backward(norm->parameters[GAIN].values, norm->normal, norm->inverse, norm->d_y, d_x,
                        norm->parameters[GAIN].gradient, norm->parameters[BIAS].gradient, norm->rows, norm->width);
}

static double reference(void *context)
{
    struct norm *norm = context;
    for (uint32_t row = 0; row < norm->rows; row++) {
        const float *x = norm->parameters[X].values + row * norm->width;
        double mean = 0, variance = 0;
        for (uint32_t i = 0; i < norm->width; i++)
            mean += (double)x[i] / norm->width;
        for (uint32_t i = 0; i < norm->width; i++)
            variance += ((double)x[i] - mean) * ((double)x[i] - mean) / norm->width;
        for (uint32_t i = 0; i < norm->width; i++)
            norm->wanted[row * norm->width + i] =
                (double)norm->parameters[GAIN].values[i] * ((double)x[i] - mean) / sqrt(variance + 1e-5) +
                (double)norm->parameters[BIAS].values[i];
    }
    return loss_of(norm->d_y, norm->wanted, norm->rows * norm->width);
}

static void outputs_and_gradients_are_those_of_the_reference(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct layer_rig rig;
        static struct norm norm;
        layer_rig_open(&rig, test_seed(i));
        make(&norm, &rig, shapes[i]);
        forward(&norm);
        reference(&norm);
        assert_close(norm.y, norm.wanted, norm.rows * norm.width);
        backward(&norm, norm.parameters[X].gradient);
        assert_gradients(&(struct gradient_check){reference, &norm}, norm.parameters, PARAMETERS);
        layer_rig_close(&rig);
    }
}

static void weights_get_their_gradients_when_nobody_asks_for_that_of_x(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct norm norm;
    layer_rig_open(&rig, test_seed(1));
    make(&norm, &rig, (struct shape){4, 19});
    forward(&norm);
    backward(&norm, NULL);
    assert_gradients(&(struct gradient_check){reference, &norm}, norm.parameters + GAIN, 2);
    layer_rig_close(&rig);
}

static void a_row_keeps_neither_its_mean_nor_its_scale(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct norm norm;
    layer_rig_open(&rig, test_seed(2));
    make(&norm, &rig, (struct shape){6, 40});
    forward(&norm);
    float *before = rig_copy(&rig, norm.y, 240);
    for (uint32_t i = 0; i < 240; i++)
        norm.parameters[X].values[i] = 4 * norm.parameters[X].values[i] - 3;
    forward(&norm);
    for (uint32_t i = 0; i < 240; i++) /* the epsilon is all that tells them apart */
        assert_true(fabsf(norm.y[i] - before[i]) < 1e-3f);
    layer_rig_close(&rig);
}

static void equal_values_give_the_bias(void **state)
{
    (void)state;
    struct layer_rig rig;
    static struct norm norm;
    layer_rig_open(&rig, test_seed(3));
    make(&norm, &rig, (struct shape){1, 24});
    for (uint32_t i = 0; i < 24; i++)
        norm.parameters[X].values[i] = 0.5f;
    forward(&norm);
    assert_memory_equal(norm.y, norm.parameters[BIAS].values, 24 * sizeof *norm.y);
    layer_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_and_gradients_are_those_of_the_reference),
        cmocka_unit_test(weights_get_their_gradients_when_nobody_asks_for_that_of_x),
        cmocka_unit_test(a_row_keeps_neither_its_mean_nor_its_scale),
        cmocka_unit_test(equal_values_give_the_bias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
