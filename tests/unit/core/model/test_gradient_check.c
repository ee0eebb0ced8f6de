// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/gradient.h"

#include <math.h>

#define COUNT 5

static float x[COUNT], gradient[COUNT];

static double sines(void *context)
{
    const float *values = context;
    double sum = 0;
    for (int i = 0; i < COUNT; i++)
        sum += 3 * sin((double)values[i] * (i + 1));
    return sum;
}

static const struct gradient_check check = {sines, x};
static const struct parameter parameter = {x, gradient, NULL, COUNT};

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        x[i] = 0.3f * (float)i - 0.7f;
        gradient[i] = (float)(3 * (i + 1) * cos((double)x[i] * (i + 1)));
    }
    return 0;
}

static void a_right_gradient_is_right(void **state)
{
    (void)state;
    struct gradient_difference difference;
    assert_true(gradient_is_right(&check, &parameter, &difference));
    assert_gradients(&check, &parameter, 1);
}

static void a_wrong_place_is_reported_with_what_differences_say(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            struct gradient_difference difference;
            float right = gradient[i];
            gradient[i] += (float)sign * (0.0005f + 0.002f * fabsf(right));
            assert_false(gradient_is_right(&check, &parameter, &difference));
            assert_int_equal(difference.place, i);
            assert_true(difference.got == (double)gradient[i]);
            assert_true(fabs(difference.wanted - (double)right) < 1e-3);
            gradient[i] = right;
        }
}

static void a_place_that_was_not_set_is_reported(void **state)
{
    (void)state;
    struct gradient_difference difference;
    gradient[3] = NAN;
    assert_false(gradient_is_right(&check, &parameter, &difference));
    assert_int_equal(difference.place, 3);
}

static void what_was_there_before_is_taken_off(void **state)
{
    (void)state;
    float before[COUNT];
    struct gradient_difference difference;
    struct parameter added = parameter;
    added.before = before;
    for (int i = 0; i < COUNT; i++) {
        before[i] = (float)i;
        gradient[i] += before[i];
    }
    assert_true(gradient_is_right(&check, &added, &difference));
    gradient[2] -= before[2];
    assert_false(gradient_is_right(&check, &added, &difference));
    assert_int_equal(difference.place, 2);
}

static void values_are_as_before_at_the_end(void **state)
{
    (void)state;
    float copy[COUNT];
    memcpy(copy, x, sizeof x);
    assert_gradients(&check, &parameter, 1);
    assert_memory_equal(x, copy, sizeof x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_right_gradient_is_right, setup),
        cmocka_unit_test_setup(a_wrong_place_is_reported_with_what_differences_say, setup),
        cmocka_unit_test_setup(a_place_that_was_not_set_is_reported, setup),
        cmocka_unit_test_setup(what_was_there_before_is_taken_off, setup),
        cmocka_unit_test_setup(values_are_as_before_at_the_end, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
