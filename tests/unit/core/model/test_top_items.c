// SPDX-License-Identifier: Apache-2.0
/* The ranking in low precision against float32 scores of all items, sorted. */
#include "support/support.h"

#include "core/model/arithmetic.h"
#include "core/model/top_items.h"

#include <eddy/base/random.h>
#include <eddy/io/system.h>
#include <math.h>

#define SESSIONS 70 /* more than a pass has */
#define NOT_ROW  UINT32_MAX

enum kind { NORMAL, EQUAL, ZERO, WILD_NORMS, HUGE_VALUES, TINY_VALUES, CLUSTERED, WHOLE_NUMBERS, KIND_COUNT };

struct rig {
    uint32_t row_count, width, stride, capacity;
    uint32_t *wanted; /* (row_count) NOT_ROW: is not listed */
    float *rows, *vectors;
    struct tiles tiles;
    struct scored_item *lists;
    struct arena arena;
};

static float normal(struct random *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += random_unit(random);
    return (float)sum;
}

static float size_of(enum kind kind, struct random *random)
{
    switch (kind) {
    case WILD_NORMS:
        return (float)pow(10, 8 * random_unit(random) - 6);
    case HUGE_VALUES:
        return 1e12f;
    case TINY_VALUES:
        return random_below(random, 2) ? 1e-21f : 1e-40f;
    case ZERO:
        return random_below(random, 3) ? 1 : 0;
    default:
        return 1;
    }
}

static void fill(float *x, const struct rig *rig, enum kind kind, uint32_t count, struct random *random)
{
    for (uint32_t row = 0; row < count; row++) {
        float size = size_of(kind, random);
        for (uint32_t i = 0; i < rig->width; i++) {
            float *value = x + (size_t)row * rig->stride + i;
            *value = size * normal(random);
            if (kind == EQUAL && row)
                *value = x[i];
            if (kind == CLUSTERED && row >= 5)
                *value = x[(size_t)(row % 5) * rig->stride + i] + 0.01f * *value;
            if (kind == WHOLE_NUMBERS)
                *value = (float)random_below(random, 3) - 1;
        }
    }
}

static void rig_open(struct rig *rig, enum kind kind, uint32_t row_count, uint32_t width, uint32_t capacity)
{
    struct random random;
    *rig = (struct rig){.row_count = row_count, .width = width, .stride = tiles_stride(width), .capacity = capacity};
    random_seed(&random, test_seed(1) + (uint64_t)kind * 1000003 + row_count * 1009 + width);
    rig->wanted = malloc(row_count * sizeof *rig->wanted);
    rig->rows = calloc((size_t)row_count * rig->stride, sizeof *rig->rows);
    rig->vectors = calloc((size_t)SESSIONS * rig->stride, sizeof *rig->vectors);
    rig->lists = calloc((size_t)SESSIONS * capacity, sizeof *rig->lists);
    assert_true(rig->wanted && rig->rows && rig->vectors && rig->lists);
    for (uint32_t row = 0; row < row_count; row++)
        rig->wanted[row] = random_below(&random, 7) == 0 ? NOT_ROW : row;
    fill(rig->rows, rig, kind, row_count, &random);
    fill(rig->vectors, rig, kind == EQUAL ? NORMAL : kind, SESSIONS, &random);
    assert_ok(tiles_open(&rig->tiles, rig->rows, row_count, width, rig->wanted, NOT_ROW));
}

static void rig_close(struct rig *rig)
{
    free(rig->wanted);
    free(rig->rows);
    free(rig->vectors);
    free(rig->lists);
    tiles_release(&rig->tiles);
    arena_release(&rig->arena);
}

/* Sessions first .. first + count - 1, into their lists. */
static void rank(struct rig *rig, const struct product_kernel *kernel, float sharpness, uint32_t first, uint32_t count)
{
    uint32_t which[SESSIONS];
    uint64_t settled;
    for (uint32_t i = 0; i < count; i++)
        which[i] = first + i;
    const struct catalogue_rows catalogue = {&rig->tiles, rig->rows, kernel, sharpness};
    const struct ranked_sessions sessions = {count, rig->vectors + (size_t)first * rig->stride, rig->lists, which,
                                             rig->capacity};
    arena_reset(&rig->arena);
    assert_ok(top_items_make(&catalogue, &sessions, &rig->arena, &settled));
    uint32_t listed = rig->tiles.count < rig->capacity ? rig->tiles.count : rig->capacity;
    assert_true(settled >= (uint64_t)count * listed);
}

static int best_first(const void *a, const void *b)
{
    const struct scored_item *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->item < y->item ? -1 : x->item > y->item;
}

/* All that may be listed, best first, with float32 scores. */
static struct scored_item *rank_slowly(const struct rig *rig, uint32_t session)
{
    struct scored_item *all = malloc((rig->row_count + 1) * sizeof *all);
    uint32_t count = 0;
    assert_non_null(all);
    for (uint32_t row = 0; row < rig->row_count; row++)
        if (rig->wanted[row] != NOT_ROW)
            all[count++] =
                (struct scored_item){row, vector_dot(rig->rows + (size_t)row * rig->stride,
                                                     rig->vectors + (size_t)session * rig->stride, rig->width)};
    assert_int_equal(count, rig->tiles.count);
    qsort(all, count, sizeof *all, best_first);
    return all;
}

/* The worst relative error that a term of the session's denominator may have, from the bounds of tiles.h. */
static double error_max(const struct rig *rig, uint32_t session, double sharpness)
{
    int8_t *values = malloc(2 * product_digits(rig->tiles.groups));
    double most = 0;
    assert_non_null(values);
    struct digits digits = digits_make(rig->vectors + (size_t)session * rig->stride, rig->width, values);
    free(values);
    for (uint32_t tile = 0; tile < rig->tiles.tile_count; tile++) {
        double error = digits.error_factor * (double)rig->tiles.bounds[tile].error +
                       digits.norm_factor * (double)rig->tiles.bounds[tile].norm + digits.least;
        most = error > most ? error : most;
    }
    return exp(sharpness * most) * 1.002 - 1 + 1e-4; /* and what scores.h adds */
}

/* Rows are exactly the slow ones', probabilities within the bound. */
static bool is_right(const struct rig *rig, uint32_t session, float sharpness)
{
    const struct scored_item *list = rig->lists + (size_t)session * rig->capacity;
    struct scored_item *all = rank_slowly(rig, session);
    double sum = 0, bound = error_max(rig, session, (double)sharpness);
    bool right = true;
    for (uint32_t i = 0; i < rig->tiles.count; i++)
        sum += exp((double)sharpness * ((double)all[i].score - (double)all[0].score));
    for (uint32_t i = 0; i < rig->tiles.count && i < rig->capacity; i++) {
        double wanted = exp((double)sharpness * ((double)all[i].score - (double)all[0].score)) / sum;
        double error = fabs((double)list[i].score - wanted);
        right = right && list[i].item == all[i].item && (error <= bound * wanted || error < 1e-9);
    }
    free(all);
    return right;
}

static void check_shape(enum kind kind, uint32_t rows, uint32_t width, uint32_t capacity)
{
    struct rig rig;
    float sharpness = 14.0f / (float)width;
    bool has_first = false;
    rig_open(&rig, kind, rows, width, capacity);
    struct scored_item *first = malloc(SESSIONS * capacity * sizeof *first);
    assert_non_null(first);
    for (size_t i = 0; i < PRODUCT_KERNEL_COUNT; i++) {
        if (!product_kernels[i].supported())
            continue;
        memset(rig.lists, 0, SESSIONS * capacity * sizeof *first);
        rank(&rig, &product_kernels[i], sharpness, 0, SESSIONS);
        for (uint32_t session = 0; session < SESSIONS; session += 9)
            if (!is_right(&rig, session, sharpness))
                fail_msg("%s: kind %d, %u rows of %u, %u listed, session %u", product_kernels[i].name, kind, rows,
                         width, capacity, session);
        if (!has_first)
            memcpy(first, rig.lists, SESSIONS * capacity * sizeof *first);
        has_first = true;
        assert_memory_equal(rig.lists, first, SESSIONS * capacity * sizeof *first); /* the same on every CPU */
        memset(rig.lists, 0, SESSIONS * capacity * sizeof *first);
        for (uint32_t session = 0, count = 1; session < SESSIONS; session += count, count = 1 + session % 6) {
            count = count < SESSIONS - session ? count : SESSIONS - session;
            rank(&rig, &product_kernels[i], sharpness, session, count);
        }
        assert_memory_equal(rig.lists, first, SESSIONS * capacity * sizeof *first); /* and in every company */
    }
    free(first);
    rig_close(&rig);
}

static void lists_are_those_of_float32(void **state)
{
    (void)state;
    static const uint32_t row_counts[] = {1, 7, 1000}, widths[] = {1, 3, 100, 129};
    for (enum kind kind = 0; kind < KIND_COUNT; kind++)
        for (size_t rows = 0; rows < sizeof row_counts / sizeof *row_counts; rows++)
            for (size_t width = 0; width < sizeof widths / sizeof *widths; width++)
                check_shape(kind, row_counts[rows], widths[width], 20);
}

static void lists_of_the_widest_rows_too(void **state)
{
    (void)state;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++)
        check_shape(kind, 500, 1024, 20);
}

static void a_list_may_be_of_one_or_of_all(void **state)
{
    (void)state;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        check_shape(kind, 300, 33, 1);
        check_shape(kind, 300, 33, 500);
    }
}

static void nothing_may_be_listed(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NORMAL, 10, 4, 3);
    tiles_release(&rig.tiles);
    for (uint32_t row = 0; row < 10; row++)
        rig.wanted[row] = NOT_ROW;
    assert_ok(tiles_open(&rig.tiles, rig.rows, 10, 4, rig.wanted, NOT_ROW));
    rank(&rig, product_kernel_best(), 1, 0, 2);
    assert_int_equal(rig.tiles.count, 0);
    rig_close(&rig);
}

/* Random rows as wide as is usual, a catalogue of some size: what the low precision costs a probability. */
static void probabilities_are_close_to_those_of_float32(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NORMAL, 5000, 100, 20);
    rank(&rig, product_kernel_best(), 0.14f, 0, SESSIONS);
    for (uint32_t session = 0; session < SESSIONS; session++) {
        struct scored_item *all = rank_slowly(&rig, session);
        double sum = 0;
        for (uint32_t i = 0; i < rig.tiles.count; i++)
            sum += exp(0.14 * ((double)all[i].score - (double)all[0].score));
        assert_true(fabs((double)rig.lists[(size_t)session * 20].score * sum - 1) < 1e-3);
        free(all);
    }
    rig_close(&rig);
}

static uint32_t count_wrong(struct rig *rig)
{
    uint32_t wrong = 0;
    rank(rig, product_kernel_best(), 0.14f, 0, SESSIONS);
    for (uint32_t session = 0; session < SESSIONS; session++)
        wrong += !is_right(rig, session, 0.14f);
    return wrong;
}

static void without_its_bounds_it_would_be_wrong(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NORMAL, 5000, 100, 20);
    assert_int_equal(count_wrong(&rig), 0);
    for (uint32_t tile = 0; tile < rig.tiles.tile_count; tile++)
        rig.tiles.bounds[tile] = (struct tile_bound){0, 0};
    assert_true(count_wrong(&rig) > 0);
    rig_close(&rig);
}

int main(void)
{
    assert_ok(system_begin_products()); /* AMX is tested where there is any */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_those_of_float32),
        cmocka_unit_test(lists_of_the_widest_rows_too),
        cmocka_unit_test(a_list_may_be_of_one_or_of_all),
        cmocka_unit_test(nothing_may_be_listed),
        cmocka_unit_test(probabilities_are_close_to_those_of_float32),
        cmocka_unit_test(without_its_bounds_it_would_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
