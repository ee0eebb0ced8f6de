// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/encoder/kernels.h"

#include <eddy/base/random.h>
#include <math.h>

static float *random_numbers(struct random *random, size_t count)
{
    float *numbers = malloc((count ? count : 1) * sizeof *numbers);
    assert_non_null(numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (float)(4 * random_unit(random) - 2);
    return numbers;
}

static void gelu_is_that_of_the_error_function(void **state)
{
    (void)state;
    enum { COUNT = 4001 };
    static float x[COUNT], bias[COUNT], wanted[COUNT];
    for (int i = 0; i < COUNT; i++) {
        x[i] = (float)(i - COUNT / 2) / 100;
        bias[i] = (float)(i % 7) / 8;
        double v = (double)x[i] + (double)bias[i];
        wanted[i] = (float)(0.5 * v * (1 + erf(v * sqrt(0.5))));
    }
    kernel_gelu(x, bias, 1, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_true(fabsf(x[i] - wanted[i]) <= 2e-6f + 2e-7f * fabsf(wanted[i]));
}

static void a_row_is_normalised_after_all_is_added(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, test_seed(1));
    static const uint32_t widths[] = {1, 2, 15, 16, 17, 48, 100};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        enum { ROWS = 3 };
        uint32_t width = widths[w];
        float *x = random_numbers(&random, ROWS * width), *add = random_numbers(&random, ROWS * width);
        float *bias = random_numbers(&random, width), *gain = random_numbers(&random, width);
        float *shift = random_numbers(&random, width);
        double *wanted = malloc(ROWS * width * sizeof *wanted);
        for (uint32_t row = 0; row < ROWS; row++) {
            double *v = wanted + row * width, mean = 0, variance = 0;
            for (uint32_t i = 0; i < width; i++) {
                v[i] = (double)x[row * width + i] + (double)add[row * width + i] + (double)bias[i];
                mean += v[i] / width;
            }
            for (uint32_t i = 0; i < width; i++)
                variance += (v[i] - mean) * (v[i] - mean) / width;
            for (uint32_t i = 0; i < width; i++)
                v[i] = (double)gain[i] * (v[i] - mean) / sqrt(variance + 0.01) + (double)shift[i];
        }
        kernel_norm_rows(&(struct kernel_norm){gain, shift, 0.01f, width}, x, add, bias, ROWS);
        for (uint32_t i = 0; i < ROWS * width; i++)
            assert_true(fabs((double)x[i] - wanted[i]) < 1e-5);
        free(x);
        free(add);
        free(bias);
        free(gain);
        free(shift);
        free(wanted);
    }
}

/* One head of one row, slowly. */
static void attend_slowly(const float *qkv, uint32_t width, uint32_t head, uint32_t length, uint32_t row, double *y)
{
    double weights[64], sum = 0;
    for (uint32_t j = 0; j < length; j++) {
        double score = 0;
        for (uint32_t i = 0; i < head; i++)
            score += (double)qkv[row * 3 * width + i] * (double)qkv[j * 3 * width + width + i];
        sum += weights[j] = exp(score);
    }
    for (uint32_t i = 0; i < head; i++) {
        y[i] = 0;
        for (uint32_t j = 0; j < length; j++)
            y[i] += weights[j] / sum * (double)qkv[j * 3 * width + 2 * width + i];
    }
}

static void attention_is_that_of_the_slow_way(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, test_seed(2));
    static const struct {
        uint32_t width, heads, length;
    } shapes[] = {{8, 1, 1}, {8, 2, 3}, {32, 1, 4}, {64, 2, 5}, {60, 3, 16}, {34, 2, 17}, {96, 3, 39}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        uint32_t width = shapes[s].width, length = shapes[s].length, head = width / shapes[s].heads;
        float *qkv = random_numbers(&random, length * 3 * width), *y = random_numbers(&random, length * width);
        float *scratch = random_numbers(&random, kernel_attention_scratch(width, shapes[s].heads, length));
        double wanted[64];
        kernel_attend(&(struct kernel_attention){width, shapes[s].heads, scratch}, qkv, length, y);
        for (uint32_t row = 0; row < length; row++)
            for (uint32_t at = 0; at < width; at += head) {
                attend_slowly(qkv + at, width, head, length, row, wanted);
                for (uint32_t i = 0; i < head; i++)
                    assert_true(fabs((double)y[row * width + at + i] - wanted[i]) < 2e-5);
            }
        free(qkv);
        free(y);
        free(scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gelu_is_that_of_the_error_function),
        cmocka_unit_test(a_row_is_normalised_after_all_is_added),
        cmocka_unit_test(attention_is_that_of_the_slow_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
