// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/products.h"
#include "core/model/scores.h"

#include <eddy/base/random.h>

#include <eddy/io/system.h>
#include <math.h>

#define GROUPS_MAX   256 /* MODEL_WIDTH_MAX / 4 */
#define SESSIONS_MAX 39  /* twice what AMX takes at once, and some */
#define DIGITS_MAX   ((SESSIONS_MAX + PRODUCT_TOGETHER) * GROUPS_MAX * 8)

/* What a kernel gives. */
struct results {
    float scores[SESSIONS_MAX * TILE_ROWS], terms[SESSIONS_MAX * 2 * PRODUCT_LANES];
    uint64_t above[SESSIONS_MAX];
};

struct rig {
    _Alignas(64) uint8_t bytes[GROUPS_MAX * TILE_ROWS * 4 + PRODUCT_BYTES_AFTER];
    _Alignas(64) int8_t digits[DIGITS_MAX];
    int32_t offsets[(SESSIONS_MAX + PRODUCT_TOGETHER) * PRODUCT_LANES];
    float scales[TILE_ROWS], floors[SESSIONS_MAX], slopes[SESSIONS_MAX], shifts[SESSIONS_MAX];
    float wanted[SESSIONS_MAX * TILE_ROWS];
    struct results results;
};

static int8_t *digits_of(struct rig *rig, uint32_t groups, uint32_t session)
{
    return rig->digits + session * 2 * product_digits(groups);
}

/* p = 128 high + low, as the header has it. */
static void set_value(struct rig *rig, uint32_t groups, uint32_t session, uint32_t i, int32_t p)
{
    int8_t *digits = digits_of(rig, groups, session) + i;
    int32_t high = p >= 0 ? (p + 64) / 128 : -((-p + 63) / 128);
    assert_in_range(high + 64, 0, 128);
    assert_in_range(p - 128 * high + 64, 0, 128);
    digits[0] = (int8_t)high;
    digits[product_digits(groups)] = (int8_t)(p - 128 * high);
}

static int32_t value_of(struct rig *rig, uint32_t groups, uint32_t session, uint32_t i)
{
    const int8_t *digits = digits_of(rig, groups, session) + i;
    return 128 * digits[0] + digits[product_digits(groups)];
}

/* Random, or at the ends of what there may be. What kernels may read, and nothing may come of, is not 0. */
static void fill(struct rig *rig, struct random *random, uint32_t groups, bool extreme)
{
    for (size_t i = 0; i < sizeof rig->bytes; i++)
        rig->bytes[i] = extreme ? (random_below(random, 8) ? 255 : 1) : (uint8_t)(1 + random_below(random, 255));
    memset(rig->digits, 0x55, sizeof rig->digits);
    memset(rig->digits, 0, SESSIONS_MAX * 2 * product_digits(groups));
    for (uint32_t session = 0; session < SESSIONS_MAX; session++) {
        int32_t sum = 0, sign = session % 2 ? -1 : 1;
        for (uint32_t i = 0; i < groups * 4; i++) {
            int32_t p = extreme ? sign * PRODUCT_VALUE_MAX
                                : (int32_t)random_below(random, 2 * PRODUCT_VALUE_MAX + 1) - PRODUCT_VALUE_MAX;
            set_value(rig, groups, session, i, p);
            sum += p;
        }
        for (uint32_t i = 0; i < PRODUCT_LANES; i++)
            rig->offsets[session * PRODUCT_LANES + i] = -128 * sum;
        rig->floors[session] = (float)(random_unit(random) - 0.5) * 4e6f;
        rig->slopes[session] = (float)random_unit(random) * 20;
        rig->shifts[session] = rig->floors[session] * rig->slopes[session] - 140 * 8388608.0f;
    }
    for (uint32_t row = 0; row < TILE_ROWS; row++)
        rig->scales[row] = (float)random_unit(random);
}

static void multiply_slowly(struct rig *rig, uint32_t groups, uint32_t count)
{
    for (uint32_t session = 0; session < count; session++)
        for (uint32_t row = 0; row < TILE_ROWS; row++) {
            int64_t sum = 0;
            for (uint32_t i = 0; i < groups * 4; i++)
                sum += (int64_t)(rig->bytes[(i / 4 * TILE_ROWS + row) * 4 + i % 4] - 128) *
                       value_of(rig, groups, session, i);
            assert_true(sum == (int32_t)sum);
            rig->wanted[session * TILE_ROWS + row] = (float)(int32_t)sum * rig->scales[row];
        }
}

static void multiply(struct rig *rig, const struct product_kernel *kernel, uint32_t groups, uint32_t count)
{
    const struct tile tile = {rig->bytes, rig->scales, groups};
    const struct digit_table sessions = {rig->digits, rig->offsets, count};
    struct results *results = &rig->results;
    const struct score_table table = {rig->floors,     rig->slopes,    rig->shifts,
                                      results->scores, results->terms, results->above};
    memset(results, 0xff, sizeof *results);
    memset(results->terms, 0, count * 2 * PRODUCT_LANES * sizeof *results->terms);
    kernel->begin();
    kernel->multiply(&tile, &sessions, &table);
    kernel->end();
}

static bool as_wanted(const struct rig *rig, uint32_t count)
{
    return memcmp(rig->results.scores, rig->wanted, sizeof(float) * count * TILE_ROWS) == 0;
}

static void check_kernels(struct rig *rig, uint32_t groups, uint32_t count)
{
    static struct results plain;
    multiply_slowly(rig, groups, count);
    for (size_t i = PRODUCT_KERNEL_COUNT; i--;) {
        if (!product_kernels[i].supported())
            continue;
        multiply(rig, &product_kernels[i], groups, count);
        if (!as_wanted(rig, count))
            fail_msg("%s, %u groups, %u sessions: scores", product_kernels[i].name, groups, count);
        if (i == PRODUCT_KERNEL_COUNT - 1)
            plain = rig->results;
        if (memcmp(&rig->results, &plain, sizeof plain) != 0)
            fail_msg("%s, %u groups, %u sessions: not as in plain C", product_kernels[i].name, groups, count);
    }
}

static void every_kernel_gives_the_exact_sums(void **state)
{
    (void)state;
    static struct rig rig;
    static const uint32_t shapes[] = {1, 2, 16, 25, 33, GROUPS_MAX};
    static const uint32_t counts[] = {1, 2, 3, 4, 5, 15, 16, 17, 21, 32, 37, SESSIONS_MAX};
    struct random random;
    random_seed(&random, test_seed(1));
    for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++)
        for (int extreme = 0; extreme < 2; extreme++) {
            fill(&rig, &random, shapes[shape], extreme);
            for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
                check_kernels(&rig, shapes[shape], counts[i]);
        }
}

static void a_wrong_sum_is_found(void **state)
{
    (void)state;
    static struct rig rig;
    struct random random;
    random_seed(&random, test_seed(2));
    fill(&rig, &random, 25, false);
    multiply_slowly(&rig, 25, 3);
    rig.bytes[25 * TILE_ROWS * 4 - 1] ^= 1;
    multiply(&rig, product_kernel_best(), 25, 3);
    assert_false(as_wanted(&rig, 3));
}

static double weight_of(const float *terms)
{
    double ones = 0, squares = 0;
    for (uint32_t i = 0; i < PRODUCT_LANES; i++) {
        ones += (double)terms[i];
        squares += (double)terms[PRODUCT_LANES + i];
    }
    return SCORES_TERM_ONE * ones + SCORES_TERM_SQUARE * squares;
}

static void what_is_above_is_told_and_the_rest_is_weighed(void **state)
{
    (void)state;
    static struct rig rig;
    struct random random;
    random_seed(&random, test_seed(3));
    fill(&rig, &random, 25, false);
    for (uint32_t session = 0; session < SESSIONS_MAX; session++) { /* x from -30 to 2 */
        rig.floors[session] = 1e5f;
        rig.slopes[session] = 8388608.0f / 1e6f;
        rig.shifts[session] = -120 * 8388608.0f;
    }
    multiply(&rig, product_kernel_best(), 25, SESSIONS_MAX);
    for (uint32_t session = 0; session < SESSIONS_MAX; session++) {
        const float *scores = rig.results.scores + session * TILE_ROWS;
        double weight = 0;
        for (uint32_t row = 0; row < TILE_ROWS; row++) {
            assert_int_equal(rig.results.above[session] >> row & 1, scores[row] > 1e5f);
            weight += scores[row] > 1e5f ? 0 : exp2((double)scores[row] / 1e6 - 7);
        }
        double error = weight_of(rig.results.terms + session * 2 * PRODUCT_LANES) / weight - 1;
        assert_true(fabs(error) < 2.1e-3);
    }
}

static void there_is_always_a_kernel(void **state)
{
    (void)state;
    assert_true(product_kernels[PRODUCT_KERNEL_COUNT - 1].supported());
    assert_true(product_kernel_best()->supported());
}

int main(void)
{
    assert_ok(system_begin_products()); /* AMX is tested where there is any */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_gives_the_exact_sums),
        cmocka_unit_test(a_wrong_sum_is_found),
        cmocka_unit_test(what_is_above_is_told_and_the_rest_is_weighed),
        cmocka_unit_test(there_is_always_a_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
