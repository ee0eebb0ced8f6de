// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/products.h"

#include <eddy/base/random.h>

#define GROUPS_MAX   256 /* MODEL_WIDTH_MAX / 4 */
#define SESSIONS_MAX 7

struct rig {
    _Alignas(64) uint8_t bytes[GROUPS_MAX * TILE_ROWS * 4];
    int8_t digits[SESSIONS_MAX * GROUPS_MAX * 8];
    int32_t offsets[SESSIONS_MAX];
    float scales[TILE_ROWS], scores[SESSIONS_MAX * TILE_ROWS], wanted[SESSIONS_MAX * TILE_ROWS];
};

/* p = 128 high + low, as the header has it. */
static void set_value(struct rig *rig, uint32_t groups, uint32_t session, uint32_t i, int32_t p)
{
    int8_t *digits = rig->digits + ((size_t)session * groups + i / 4) * 8 + i % 4;
    int32_t high = p >= 0 ? (p + 64) / 128 : -((-p + 63) / 128);
    assert_in_range(high + 64, 0, 128);
    assert_in_range(p - 128 * high + 64, 0, 128);
    digits[0] = (int8_t)high;
    digits[4] = (int8_t)(p - 128 * high);
}

static int32_t value_of(const struct rig *rig, uint32_t groups, uint32_t session, uint32_t i)
{
    const int8_t *digits = rig->digits + ((size_t)session * groups + i / 4) * 8 + i % 4;
    return 128 * digits[0] + digits[4];
}

/* Random, or at the ends of what there may be. */
static void fill(struct rig *rig, struct random *random, uint32_t groups, bool extreme)
{
    for (uint32_t i = 0; i < groups * TILE_ROWS * 4; i++)
        rig->bytes[i] = extreme ? (random_below(random, 8) ? 255 : 1) : (uint8_t)(1 + random_below(random, 255));
    for (uint32_t session = 0; session < SESSIONS_MAX; session++) {
        int32_t sum = 0, sign = session % 2 ? -1 : 1;
        for (uint32_t i = 0; i < groups * 4; i++) {
            int32_t p = extreme ? sign * PRODUCT_VALUE_MAX
                                : (int32_t)random_below(random, 2 * PRODUCT_VALUE_MAX + 1) - PRODUCT_VALUE_MAX;
            set_value(rig, groups, session, i, p);
            sum += p;
        }
        rig->offsets[session] = -128 * sum;
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

static bool as_wanted(const struct rig *rig, uint32_t count)
{
    return memcmp(rig->scores, rig->wanted, sizeof(float) * count * TILE_ROWS) == 0;
}

static void every_kernel_gives_the_exact_sums(void **state)
{
    (void)state;
    static struct rig rig;
    static const uint32_t shapes[] = {1, 2, 25, 33, GROUPS_MAX};
    struct random random;
    random_seed(&random, test_seed(1));
    for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++)
        for (int extreme = 0; extreme < 2; extreme++) {
            uint32_t groups = shapes[shape];
            const struct tile tile = {rig.bytes, rig.scales, groups};
            fill(&rig, &random, groups, extreme);
            for (uint32_t count = 1; count <= SESSIONS_MAX; count++) {
                multiply_slowly(&rig, groups, count);
                for (size_t i = 0; i < PRODUCT_KERNEL_COUNT; i++) {
                    const struct digit_table sessions = {rig.digits, rig.offsets, count};
                    if (!product_kernels[i].supported())
                        continue;
                    memset(rig.scores, 0xff, sizeof rig.scores);
                    product_kernels[i].multiply(&tile, &sessions, rig.scores);
                    if (!as_wanted(&rig, count))
                        fail_msg("%s, %u groups, %u sessions", product_kernels[i].name, groups, count);
                }
            }
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
    const struct tile tile = {rig.bytes, rig.scales, 25};
    const struct digit_table sessions = {rig.digits, rig.offsets, 3};
    rig.bytes[25 * TILE_ROWS * 4 - 1] ^= 1;
    product_kernel_best()->multiply(&tile, &sessions, rig.scores);
    assert_false(as_wanted(&rig, 3));
}

static void every_kernel_finds_what_is_above(void **state)
{
    (void)state;
    struct random random;
    float scores[TILE_ROWS];
    random_seed(&random, test_seed(3));
    for (int round = 0; round < 100; round++) {
        uint64_t wanted = 0;
        for (uint32_t i = 0; i < TILE_ROWS; i++) {
            scores[i] = (float)random_below(&random, 5) - 2;
            wanted |= (uint64_t)(scores[i] > 1) << i;
        }
        for (size_t i = 0; i < PRODUCT_KERNEL_COUNT; i++)
            if (product_kernels[i].supported())
                assert_true(product_kernels[i].above(scores, 1) == wanted);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_gives_the_exact_sums),
        cmocka_unit_test(a_wrong_sum_is_found),
        cmocka_unit_test(every_kernel_finds_what_is_above),
        cmocka_unit_test(there_is_always_a_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
