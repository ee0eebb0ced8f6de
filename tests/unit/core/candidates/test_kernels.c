// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/candidates/kernels.h"
#include "core/candidates/power.h"
#include "core/candidates/select.h"

#include <eddy/base/random.h>

#include <math.h>

static void powers_are_exact_enough(void **state)
{
    (void)state;
    for (double x = 1e-30; x < 1e30; x *= 1.01) {
        assert_true(fabs((double)power_log2((float)x) - log2((double)(float)x)) < 1e-5);
        for (double a = 0.1; a < 3; a += 0.37) {
            double wanted = pow((double)(float)x, (double)(float)a);
            if (wanted > 1e-30 && wanted < 1e30)
                assert_true(fabs((double)power_of((float)x, (float)a) / wanted - 1) < 3e-5);
        }
    }
    for (double x = -120; x < 120; x += 0.0137)
        assert_true(fabs((double)power_exp2((float)x) / exp2((double)(float)x) - 1) < 1e-6);
    for (double x = -600; x < 10; x += 0.0731)
        assert_true(fabs(power_exp_exact(x) / exp(x) - 1) < 1e-12);
    assert_true(power_of(0, 1) < 1e-29f);
    assert_true(power_exp2(-1e9f) > 0.0f);
    assert_true(power_decay(5, 0) == 1.0f);
    assert_true(power_exp_exact(-1e9) == 0);
}

static int descending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

static void select_finds_what_sorting_finds(void **state)
{
    (void)state;
    struct random random;
    uint64_t seed = test_seed(1);
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    static uint32_t keys[5000], sorted[5000], buffer[5000];
    for (int run = 0; run < 2000; run++) {
        uint32_t count = 1 + random_below(&random, 1 + random_below(&random, 5000));
        uint32_t range = 1u << random_below(&random, 32), base = (uint32_t)random_u64(&random);
        for (uint32_t i = 0; i < count; i++)
            keys[i] = base % (UINT32_MAX - range + 1) + random_below(&random, range);
        memcpy(sorted, keys, count * sizeof *keys);
        qsort(sorted, count, sizeof *sorted, descending);
        for (int i = 0; i < 5; i++) {
            uint32_t k = 1 + random_below(&random, count);
            assert_int_equal(select_kth(keys, count, k, buffer), sorted[k - 1]);
        }
    }
}

/* Each kernel against one element at a time, so that whichever clone runs gives the bits that plain code gives. */
static void kernels_give_the_same_bits_as_plain_code(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, test_seed(2));
    float a[200], b[200], sums[200], plain[200], scaled[200];
    uint32_t ages[200];
    for (uint32_t count = 0; count < 200; count++) {
        for (uint32_t i = 0; i < count; i++) {
            a[i] = (float)random_unit(&random) * (random_below(&random, 5) ? 100 : 0);
            b[i] = (float)random_below(&random, 12);
            ages[i] = random_below(&random, 100000);
            plain[i] = a[i] * power_exp2((float)(int32_t)ages[i] * -0.001f);
        }
        memcpy(sums, a, sizeof sums);
        kernel_fade(sums, ages, count, 0.001f);
        assert_memory_equal(sums, plain, count * sizeof *plain);
        memcpy(sums, a, sizeof sums);
        kernel_power(sums, count, 1.4f);
        for (uint32_t i = 0; i < count; i++)
            plain[i] = power_of(a[i], 1.4f);
        assert_memory_equal(sums, plain, count * sizeof *plain);
        memcpy(sums, a, sizeof sums);
        kernel_sharpen(sums, b, count, 0.2f, 1.6f);
        for (uint32_t i = 0; i < count; i++)
            plain[i] = a[i] > 0 ? power_exp2(1.6f * (power_log2(a[i]) - 0.2f * b[i])) : 0;
        assert_memory_equal(sums, plain, count * sizeof *plain);
        double sum = 0;
        for (uint32_t i = 0; i < count; i++)
            sum += (double)a[i];
        assert_true(fabs((double)kernel_sum(a, count) - sum) <= 1e-5 * sum);
        float lanes[16] = {0};
        for (uint32_t i = 0; i < count; i++)
            lanes[i % 16] += a[i];
        for (uint32_t width = 8; width; width /= 2)
            for (uint32_t lane = 0; lane < width; lane++)
                lanes[lane] += lanes[lane + width];
        assert_true(kernel_sum(a, count) == lanes[0]);
        for (uint32_t i = 0; i < count; i++)
            plain[i] = a[i] * 0.3f + b[i] * 0.7f;
        kernel_mix(a, b, sums, count, 0.3f, 0.7f);
        assert_memory_equal(sums, plain, count * sizeof *plain);
        for (uint32_t i = 0; i < count; i++)
            plain[i] = 3 * a[i] + 0.6f * b[i];
        kernel_blend(sums, a, b, count, 3, 0.6f);
        assert_memory_equal(sums, plain, count * sizeof *plain);
        for (uint32_t i = 0; i < count; i++)
            plain[i] = sums[i] + 0.3f * a[i];
        memcpy(scaled, a, count * sizeof *a);
        kernel_add_scaled(scaled, sums, count, 0.3f);
        assert_memory_equal(sums, plain, count * sizeof *plain);
        for (uint32_t i = 0; i < count; i++)
            assert_true(scaled[i] == 0.3f * a[i]);
    }
}

static void find_gives_the_first_place_within_the_count(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, test_seed(3));
    uint32_t values[208];
    for (uint32_t count = 0; count <= 192; count++) {
        for (uint32_t i = 0; i < 208; i++)
            values[i] = random_below(&random, 40);
        for (uint32_t value = 0; value < 41; value++) {
            uint32_t wanted = 0;
            while (wanted < count && values[wanted] != value)
                wanted++;
            assert_int_equal(kernel_find(values, count, value), wanted);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_are_exact_enough),
        cmocka_unit_test(select_finds_what_sorting_finds),
        cmocka_unit_test(kernels_give_the_same_bits_as_plain_code),
        cmocka_unit_test(find_gives_the_first_place_within_the_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
