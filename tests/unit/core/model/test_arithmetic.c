// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/candidates/power.h"
#include "core/model/arithmetic.h"

#include <eddy/base/random.h>

#define COUNT_MAX 200
#define LANES     16

/* The order of the sums, spelled out: value i goes to lane i % 16, then upper half to lower half until one is left. */
static float add_slowly(const float *x, uint32_t count)
{
    volatile float sums[LANES] = {0};
    for (uint32_t i = 0; i < count; i++)
        sums[i % LANES] = sums[i % LANES] + x[i];
    for (uint32_t half = LANES / 2; half; half /= 2)
        for (uint32_t lane = 0; lane < half; lane++)
            sums[lane] = sums[lane] + sums[lane + half];
    return sums[0];
}

static bool same_bits(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void sums_have_one_order(void **state)
{
    (void)state;
    float a[COUNT_MAX + 1], b[COUNT_MAX + 1], products[COUNT_MAX], terms[COUNT_MAX], x[COUNT_MAX];
    struct random random;
    random_seed(&random, test_seed(1));
    for (uint32_t count = 1; count <= COUNT_MAX; count++) {
        for (uint32_t i = 0; i <= count; i++) {
            a[i] = (float)random_unit(&random) - 0.4f;
            b[i] = (float)random_unit(&random) - 0.4f;
        }
        for (uint32_t i = 0; i < count; i++) {
            products[i] = a[i + 1] * b[i];
            terms[i] = power_exp2((a[i] - 0.5f) * 1.44269504f);
            x[i] = a[i];
        }
        assert_true(same_bits(vector_dot(a + 1, b, count), add_slowly(products, count)));
        assert_true(same_bits(vector_sum(a, count), add_slowly(a, count)));
        assert_true(same_bits(vector_exp(x, 0.5f, count), add_slowly(terms, count)));
        assert_memory_equal(x, terms, count * sizeof *x);
    }
}

static void another_order_is_noticed(void **state)
{
    (void)state;
    float x[LANES + 1] = {1e8f};
    x[1] = 1;
    x[LANES] = -1e8f; /* in the lane of the first */
    assert_true(same_bits(vector_sum(x, LANES + 1), 1));
    x[LANES] = x[2];
    x[2] = -1e8f; /* in another, added to the first before 1 is */
    x[3] = 1;
    assert_false(same_bits(vector_sum(x, LANES + 1), ((x[0] + x[1]) + x[2]) + x[3]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_have_one_order),
        cmocka_unit_test(another_order_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
