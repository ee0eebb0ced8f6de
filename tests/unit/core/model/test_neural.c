// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/model.h"
#include "core/model/neural.h"

#include <eddy/base/random.h>
#include <eddy/io/system.h>
#include <math.h>

#define ROWS    30
#define NUMBERS 50
#define WIDTH   5

struct rig {
    struct model *model;
    struct neural *neural;
    struct arena arena;
    uint32_t numbers[ROWS]; /* row i is number 49 - i, but for every fifth, which has none */
};

static void rig_open(struct rig *rig, bool normalise)
{
    const struct model_options options = {.backbone = backbone_named("pw_core"),
                                          .width = WIDTH,
                                          .length_max = 3,
                                          .normalise = normalise,
                                          .temperature = 0.3f};
    *rig = (struct rig){0};
    assert_ok(model_open(&options, ROWS, test_seed(1), &rig->model));
    for (uint32_t row = 0; row < ROWS; row++)
        rig->numbers[row] = row % 5 == 4 ? ITEM_NONE : NUMBERS - 1 - row;
    assert_ok(neural_open(rig->model, rig->numbers, NUMBERS, &rig->neural));
}

static void rig_close(struct rig *rig)
{
    neural_close(rig->neural);
    model_close(rig->model);
    arena_release(&rig->arena);
}

/* All probabilities of a session of rows, worked out slowly; 0 for what has no number. */
static void slow_probabilities(struct rig *rig, const uint32_t *rows, uint32_t length, double probabilities[ROWS])
{
    const uint32_t starts[] = {0, length};
    const struct model_sessions sessions = {1, starts, rows};
    float vector[WIDTH], item_rows[ROWS * WIDTH], scores[ROWS];
    double sum = 0;
    assert_ok(model_vectors(rig->model, &sessions, &rig->arena, vector));
    model_item_rows(rig->model, item_rows);
    model_score(rig->model, item_rows, vector, 1, scores);
    for (uint32_t row = 0; row < ROWS; row++) {
        probabilities[row] = rig->numbers[row] == ITEM_NONE ? 0 : exp((double)scores[row]);
        sum += probabilities[row];
    }
    for (uint32_t row = 0; row < ROWS; row++)
        probabilities[row] /= sum;
}

static void check_list(const struct rig *rig, const struct scored_item *list, uint32_t length,
                       const double probabilities[ROWS])
{
    uint32_t listed[ROWS] = {0};
    for (uint32_t i = 0; i < length; i++) {
        uint32_t row = NUMBERS - 1 - list[i].item;
        assert_true(row < ROWS && rig->numbers[row] == list[i].item && !listed[row]);
        listed[row] = 1;
        assert_true(fabs((double)list[i].score / probabilities[row] - 1) < 5e-3); /* sums in low precision */
        assert_true(i == 0 || list[i].score <= list[i - 1].score);
    }
    for (uint32_t row = 0; row < ROWS; row++) /* nothing that is left out would have had a place */
        assert_true(listed[row] || probabilities[row] <= probabilities[NUMBERS - 1 - list[length - 1].item] + 1e-6);
}

static void lists_are_the_best_of_all_items_with_their_probabilities(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0, 1, 3, 8}, rows[] = {3, 7, 7, 1, 2, 13, 28, 0};
    for (int normalise = 0; normalise < 2; normalise++) {
        struct rig rig;
        struct scored_item lists[3 * 40];
        uint32_t numbers[8], lengths[3];
        rig_open(&rig, normalise);
        for (int i = 0; i < 8; i++)
            numbers[i] = NUMBERS - 1 - rows[i];
        const struct neural_sessions sessions = {3, starts, numbers};
        for (uint32_t capacity = 1; capacity <= 40; capacity += 13) {
            assert_ok(neural_lists(rig.neural, &sessions, &rig.arena, lists, capacity, lengths));
            for (uint32_t i = 0; i < 3; i++) {
                double probabilities[ROWS];
                assert_int_equal(lengths[i], capacity < 24 ? capacity : 24); /* 24 rows have a number */
                slow_probabilities(&rig, rows + starts[i], starts[i + 1] - starts[i], probabilities);
                check_list(&rig, lists + i * capacity, lengths[i], probabilities);
            }
        }
        rig_close(&rig);
    }
}

static void what_the_model_does_not_know_is_passed_over(void **state)
{
    (void)state;
    struct rig rig;
    struct scored_item lists[4 * 3];
    uint32_t lengths[4];
    /* strangers alone; one among others; a row without a number; a number beyond all */
    static const uint32_t starts[] = {0, 2, 5, 6, 8}, numbers[] = {0, 1, 42, 2, 41, 45, 1000, 42};
    static const uint32_t known_starts[] = {0, 2, 3}, known[] = {42, 41, 42};
    const struct neural_sessions sessions = {4, starts, numbers}, without = {2, known_starts, known};
    struct scored_item wanted[2 * 3];
    uint32_t wanted_lengths[2];
    rig_open(&rig, true);
    assert_ok(neural_lists(rig.neural, &sessions, &rig.arena, lists, 3, lengths));
    assert_ok(neural_lists(rig.neural, &without, &rig.arena, wanted, 3, wanted_lengths));
    assert_int_equal(lengths[0], 0);
    assert_int_equal(lengths[1], 3);
    assert_int_equal(lengths[2], 0);
    assert_int_equal(lengths[3], 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(lists[3 + i].item, wanted[i].item);
        assert_int_equal(lists[9 + i].item, wanted[3 + i].item);
    }
    const uint32_t none[] = {0, 1};
    const struct neural_sessions strangers = {1, none, numbers};
    assert_ok(neural_lists(rig.neural, &strangers, &rig.arena, lists, 3, lengths));
    assert_int_equal(lengths[0], 0);
    rig_close(&rig);
}

static void candidates_have_the_probabilities_of_all_items_but_among_themselves(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0, 2, 3, 4}, clicked[] = {42, 41, 0, 31}; /* of the second it knows nothing */
    static const uint32_t items[] = {49, 3, 45, 31, 20, 1000, 36};              /* not listed: 3, 45, 1000 */
    const struct neural_sessions sessions = {3, starts, clicked};
    struct rig rig;
    rig_open(&rig, true);
    const float *vectors[3];
    float probabilities[7];
    assert_ok(neural_vectors(rig.neural, &sessions, &rig.arena, vectors));
    assert_null(vectors[1]);
    for (uint32_t i = 0; i < 3; i += 2) {
        uint32_t rows[2], length = starts[i + 1] - starts[i];
        double all[ROWS], sum = 0;
        for (uint32_t j = 0; j < length; j++)
            rows[j] = NUMBERS - 1 - clicked[starts[i] + j];
        slow_probabilities(&rig, rows, length, all);
        sum = all[0] + all[18] + all[13];
        neural_among(rig.neural, vectors[i], items, 7, probabilities);
        for (uint32_t j = 0; j < 7; j++) {
            bool listed = items[j] == 49 || items[j] == 31 || items[j] == 36;
            double wanted = listed ? all[NUMBERS - 1 - items[j]] / sum : 0;
            assert_true(fabs((double)probabilities[j] - wanted) < 1e-5);
        }
    }
    neural_among(rig.neural, vectors[0], items + 5, 1, probabilities);
    assert_true(probabilities[0] == 0);
    rig_close(&rig);
}

#define MANY_ROWS     400
#define MANY_SESSIONS 64
#define CLICKS_MAX    6
#define CAPACITY      10

struct crowd {
    struct model *model;
    struct neural *neural;
    struct arena arena;
    uint32_t starts[MANY_SESSIONS + 1], items[MANY_SESSIONS * CLICKS_MAX];
    struct scored_item lists[MANY_SESSIONS * CAPACITY];
};

static void crowd_open(struct crowd *crowd, const struct backbone *backbone)
{
    const struct model_options options = {
        .backbone = backbone, .width = 39, .length_max = 4, .normalise = true, .temperature = 0.07f};
    uint32_t numbers[MANY_ROWS];
    struct random random;
    *crowd = (struct crowd){0};
    random_seed(&random, test_seed(2));
    for (uint32_t row = 0; row < MANY_ROWS; row++)
        numbers[row] = row % 9 == 0 ? ITEM_NONE : row;
    for (uint32_t i = 0; i < MANY_SESSIONS; i++) {
        crowd->starts[i + 1] = crowd->starts[i];
        for (uint32_t length = 1 + random_below(&random, CLICKS_MAX); length; length--)
            crowd->items[crowd->starts[i + 1]++] = 1 + 9 * random_below(&random, MANY_ROWS / 9);
    }
    assert_ok(model_open(&options, MANY_ROWS, test_seed(3), &crowd->model));
    assert_ok(neural_open(crowd->model, numbers, MANY_ROWS, &crowd->neural));
}

static void crowd_close(struct crowd *crowd)
{
    neural_close(crowd->neural);
    model_close(crowd->model);
    arena_release(&crowd->arena);
}

/* Sessions first .. first + count - 1, into their lists. */
static void crowd_ask(struct crowd *crowd, uint32_t first, uint32_t count)
{
    uint32_t lengths[MANY_SESSIONS];
    const struct neural_sessions sessions = {count, crowd->starts + first, crowd->items};
    arena_reset(&crowd->arena);
    assert_ok(neural_lists(crowd->neural, &sessions, &crowd->arena, crowd->lists + (size_t)first * CAPACITY, CAPACITY,
                           lengths));
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(lengths[i], CAPACITY);
}

static void a_list_is_the_same_alone_and_in_company_on_every_cpu(void **state)
{
    (void)state;
    static struct crowd crowd;
    struct scored_item wanted[MANY_SESSIONS * CAPACITY];
    crowd_open(&crowd, backbone_named("pw_core"));
    crowd_ask(&crowd, 0, MANY_SESSIONS);
    memcpy(wanted, crowd.lists, sizeof wanted);
    for (size_t i = 0; i < PRODUCT_KERNEL_COUNT; i++) {
        if (!product_kernels[i].supported())
            continue;
        neural_use(crowd.neural, &product_kernels[i]);
        for (uint32_t company = 1; company <= MANY_SESSIONS; company += company < 5 ? 1 : 29) {
            memset(crowd.lists, 0, sizeof crowd.lists);
            for (uint32_t first = 0; first < MANY_SESSIONS; first += company)
                crowd_ask(&crowd, first, company < MANY_SESSIONS - first ? company : MANY_SESSIONS - first);
            assert_memory_equal(crowd.lists, wanted, sizeof wanted);
        }
    }
    crowd.items[0] += 9;
    crowd_ask(&crowd, 0, 1); /* another click is another list */
    assert_memory_not_equal(crowd.lists, wanted, CAPACITY * sizeof *wanted);
    crowd_close(&crowd);
}

/* A model that was damaged, or that somebody has made so: its numbers are numbers, and what they give is none. */
static void what_is_no_number_is_not_listed(void **state)
{
    (void)state;
    const float huge = 3e38f;
    struct rig rig;
    rig_open(&rig, false);
    struct scored_item lists[2 * ROWS];
    uint32_t lengths[2];
    const uint32_t starts[] = {0, 1, 2}, items[] = {NUMBERS - 1, NUMBERS - 2}; /* rows 0 and 1 */
    const struct neural_sessions sessions = {2, starts, items};
    neural_close(rig.neural);
    for (uint32_t i = 0; i < WIDTH; i++)
        rig.model->items[i] = i % 2 ? huge : -huge; /* row 0: as an item, and as the vector of the first session */
    assert_ok(neural_open(rig.model, rig.numbers, NUMBERS, &rig.neural));
    assert_ok(neural_lists(rig.neural, &sessions, &rig.arena, lists, ROWS, lengths));
    assert_int_equal(lengths[0], 0);
    assert_int_equal(lengths[1], ROWS - ROWS / 5 - 1);
    for (uint32_t i = 0; i < lengths[1]; i++) {
        assert_int_not_equal(lists[ROWS + i].item, NUMBERS - 1);
        assert_true(lists[ROWS + i].score >= 0 && lists[ROWS + i].score <= 1);
    }
    rig_close(&rig);
}

int main(void)
{
    assert_ok(system_begin_products());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_the_best_of_all_items_with_their_probabilities),
        cmocka_unit_test(what_the_model_does_not_know_is_passed_over),
        cmocka_unit_test(candidates_have_the_probabilities_of_all_items_but_among_themselves),
        cmocka_unit_test(a_list_is_the_same_alone_and_in_company_on_every_cpu),
        cmocka_unit_test(what_is_no_number_is_not_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
