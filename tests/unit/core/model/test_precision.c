// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/precision.h"

#include <eddy/base/buffer.h>
#include <eddy/base/random.h>
#include <math.h>

#define WIDTH 13
#define ITEMS 50

static void round_trip(enum model_precision precision, const float *row, uint32_t width, float *back)
{
    uint8_t packed[WIDTH * sizeof(float)];
    precision_pack(precision, row, width, packed);
    assert_ok(precision_unpack(precision, packed, width, back));
}

static float half(float value)
{
    float back;
    round_trip(MODEL_FLOAT16, &value, 1, &back);
    return back;
}

static void halves_are_the_nearest_and_ties_are_even(void **state)
{
    (void)state;
    static const float cases[][2] = {
        {0, 0},
        {1, 1},
        {-2, -2},
        {65504, 65504},
        {65519, 65504},                          /* the nearest */
        {65520, 65504},                          /* the nearest would be infinite */
        {-1e30f, -65504},                        /* far beyond */
        {1 + 0x1p-11f, 1},                       /* between two: the even one */
        {1 + 0x3p-11f, 1 + 0x1p-9f},             /* the same, upwards */
        {1 + 0x1p-11f + 0x1p-20f, 1 + 0x1p-10f}, /* a little more than between */
        {0x1p-14f, 0x1p-14f},                    /* the least normal one */
        {0x1p-24f, 0x1p-24f},                    /* the least of all */
        {0x1p-25f, 0},                           /* between that and nothing */
        {0x1.8p-25f, 0x1p-24f},                  /* a little more */
        {-0x3p-25f, -0x1p-23f},                  /* between two subnormal ones */
        {0x1p-14f - 0x1p-26f, 0x1p-14f},         /* rounds into the normal ones */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(half(cases[i][0]) == cases[i][1]);
    assert_true(signbit(half(-0.0f)));
}

static void every_half_comes_back(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        uint16_t code = (uint16_t)bits, again;
        float value;
        if ((bits & 0x7c00) == 0x7c00) {
            assert_fails(CORRUPT, precision_unpack(MODEL_FLOAT16, (uint8_t *)&code, 1, &value));
            continue;
        }
        assert_ok(precision_unpack(MODEL_FLOAT16, (uint8_t *)&code, 1, &value));
        precision_pack(MODEL_FLOAT16, &value, 1, (uint8_t *)&again);
        assert_int_equal(code, again);
    }
}

/* The bounds that the header promises, over many magnitudes. */
static void errors_keep_within_their_bounds(void **state)
{
    (void)state;
    uint64_t seed = test_seed(5);
    struct random random;
    random_seed(&random, seed);
    for (int i = 0; i < 20000; i++) {
        float row[WIDTH], back[WIDTH], largest = 0;
        float magnitude = ldexpf(1, (int)random_below(&random, 40) - 30);
        for (int k = 0; k < WIDTH; k++) {
            row[k] = magnitude * ((float)random_unit(&random) * 2 - 1);
            largest = fabsf(row[k]) > largest ? fabsf(row[k]) : largest;
        }
        round_trip(MODEL_FLOAT32, row, WIDTH, back);
        assert_memory_equal(row, back, sizeof row);
        round_trip(MODEL_FLOAT16, row, WIDTH, back);
        for (int k = 0; k < WIDTH; k++)
            if (!(fabsf(back[k] - row[k]) <= fmaxf(fabsf(row[k]) * 0x1p-11f, 0x1p-25f)))
                fail_msg("seed %llu: %a became %a", (unsigned long long)seed, (double)row[k], (double)back[k]);
        round_trip(MODEL_INT8, row, WIDTH, back);
        for (int k = 0; k < WIDTH; k++)
            if (!(fabsf(back[k] - row[k]) <= largest / 127 * 0.50001f))
                fail_msg("seed %llu: %a became %a", (unsigned long long)seed, (double)row[k], (double)back[k]);
    }
}

static void rows_of_nothing_and_of_almost_nothing_are_rows(void **state)
{
    (void)state;
    const float rows[][3] = {{0, 0, 0}, {1e-45f, -1e-45f, 0}, {1e-44f, -2e-44f, 3e-44f}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float back[3];
        round_trip(MODEL_INT8, rows[i], 3, back);
        for (int k = 0; k < 3; k++)
            assert_true(fabsf(back[k] - rows[i][k]) <= 5e-44f);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    const float values[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < 3; i++) {
        uint8_t packed[8] = {0, 0, 0, 0, 1};
        float back;
        memcpy(packed, &values[i], sizeof values[i]);
        assert_fails(CORRUPT, precision_unpack(MODEL_FLOAT32, packed, 1, &back));
        assert_fails(CORRUPT, precision_unpack(MODEL_INT8, packed, 1, &back));
    }
}

static struct model *model_of(const char *backbone, bool normalise)
{
    const struct model_options options = {.backbone = backbone_named(backbone),
                                          .width = WIDTH,
                                          .length_max = 7,
                                          .normalise = normalise,
                                          .temperature = 0.1f};
    struct model *model;
    assert_ok(model_open(&options, ITEMS, 11, &model));
    return model;
}

static void models_of_all_precisions_come_back(void **state)
{
    (void)state;
    for (int b = 0; b < BACKBONE_COUNT; b++)
        for (int p = 0; p < MODEL_PRECISION_COUNT; p++) {
            struct model *model = model_of(backbone_name(backbones[b]), true), *back;
            AUTO(buffer) once = {0};
            AUTO(buffer) twice = {0};
            assert_ok(model_encode_as(model, (enum model_precision)p, buffer_sink(&once)));
            assert_ok(model_decode(buffer_bytes(&once), &back));
            assert_int_equal(model_item_count(back), ITEMS);
            assert_ptr_equal(model_options(back)->backbone, backbones[b]);
            assert_ok(model_encode_as(back, (enum model_precision)p, buffer_sink(&twice)));
            if (p != MODEL_INT8) /* whose scale is rounded once more */
                assert_true(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
            assert_int_equal(once.size, twice.size);
            model_close(model);
            model_close(back);
        }
}

static void a_packed_model_is_as_small_as_it_says(void **state)
{
    (void)state;
    struct model *model = model_of("pw_core", false);
    size_t sizes[MODEL_PRECISION_COUNT];
    for (int p = 0; p < MODEL_PRECISION_COUNT; p++) {
        AUTO(buffer) frame = {0};
        assert_ok(model_encode_as(model, (enum model_precision)p, buffer_sink(&frame)));
        sizes[p] = frame.size;
    }
    assert_int_equal(sizes[MODEL_FLOAT32] - sizes[MODEL_FLOAT16], ITEMS * WIDTH * 2);
    assert_int_equal(sizes[MODEL_FLOAT32] - sizes[MODEL_INT8], ITEMS * (WIDTH * 3 - 4));
    model_close(model);
}

static void damaged_packed_models_are_refused(void **state)
{
    (void)state;
    struct model *model = model_of("stamp", true), *back;
    AUTO(buffer) frame = {0};
    assert_ok(model_encode_as(model, MODEL_FLOAT16, buffer_sink(&frame)));
    for (size_t size = 0; size < frame.size; size += 13)
        assert_fails(CORRUPT, model_decode(bytes_of(frame.data, size), &back));
    for (size_t at = 0; at < frame.size; at += 17) {
        frame.data[at] ^= 8;
        struct status status = model_decode(buffer_bytes(&frame), &back);
        assert_true(failed_as(status, FAULT_CORRUPT) || failed_as(status, FAULT_NEWER));
        frame.data[at] ^= 8;
    }
    model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_are_the_nearest_and_ties_are_even),
        cmocka_unit_test(every_half_comes_back),
        cmocka_unit_test(errors_keep_within_their_bounds),
        cmocka_unit_test(rows_of_nothing_and_of_almost_nothing_are_rows),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(models_of_all_precisions_come_back),
        cmocka_unit_test(a_packed_model_is_as_small_as_it_says),
        cmocka_unit_test(damaged_packed_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
