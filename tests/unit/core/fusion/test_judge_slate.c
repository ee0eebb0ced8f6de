// SPDX-License-Identifier: Apache-2.0
/* A session model that scores the other scorers' candidates, beside one that chooses among all items. */
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/fusion.h>
#include <eddy/core/neural.h>

#include <math.h>

#define ITEMS    40 /* that were clicked */
#define STRANGER 40 /* that the model knows, and nobody clicked */
#define NUMBERS  41
#define SESSIONS 400
#define LIST     60 /* longer than there are items */

struct rig {
    struct catalogue *catalogue;
    struct learned *learned;
    struct scoring_scratch *scratch;
    struct model *model;
    struct neural *neural;
    struct arena arena;
    struct random random;
};

static void learn_sessions(struct rig *rig)
{
    for (uint32_t i = 0; i < SESSIONS; i++) {
        uint32_t items[4], length = 2 + random_below(&rig->random, 3);
        int64_t times_ms[4];
        uint8_t types[4] = {0};
        for (uint32_t j = 0; j < length; j++) {
            items[j] = (i + random_below(&rig->random, 5)) % ITEMS;
            times_ms[j] = 1600000000000 + i * 60000 + j * 1000;
        }
        const struct closed_session session = {.view = {.session_id = BYTES("s"),
                                                        .items = items,
                                                        .times_ms = times_ms,
                                                        .types = types,
                                                        .length = length,
                                                        .total = length},
                                               .close_ms = times_ms[length - 1] + 1000};
        assert_ok(learned_learn(rig->learned, &session));
    }
}

static void rig_open(struct rig *rig)
{
    const struct catalogue_options catalogue_options = {1000, 1 << 22, 100};
    const struct learned_options learned_options = learned_options_default();
    const struct model_options model_options = {
        .backbone = backbone_named("pw_core"), .width = 12, .length_max = 4, .normalise = true, .temperature = 0.2f};
    uint32_t numbers[NUMBERS];
    *rig = (struct rig){0};
    random_seed(&rig->random, test_seed(1));
    assert_ok(catalogue_open(&catalogue_options, &rig->catalogue));
    for (uint32_t i = 0; i < NUMBERS; i++) {
        char id[8];
        snprintf(id, sizeof id, "i%u", i);
        assert_ok(catalogue_intern(rig->catalogue, bytes_of_text(id), &numbers[i]));
    }
    assert_ok(learned_open(&learned_options, &rig->learned));
    assert_ok(scoring_scratch_open(&rig->scratch));
    assert_ok(model_open(&model_options, NUMBERS, test_seed(2), &rig->model));
    assert_ok(neural_open(rig->model, numbers, NUMBERS, &rig->neural));
    learn_sessions(rig);
}

static void rig_close(struct rig *rig)
{
    neural_close(rig->neural);
    model_close(rig->model);
    scoring_scratch_close(rig->scratch);
    learned_close(rig->learned);
    catalogue_close(rig->catalogue);
    arena_release(&rig->arena);
}

static uint32_t ask(struct rig *rig, struct query query, uint32_t full_items, struct recommended_item *list)
{
    const struct neural_options neural = {NUMBERS, full_items};
    struct fusion_options options = fusion_options_default();
    uint32_t count;
    options.list_size = LIST;
    arena_reset(&rig->arena);
    assert_ok(neural_ask(rig->neural, &query, 1, &neural, &rig->arena));
    assert_true(full_items ? query.named[NAMER_NEURAL].count == NUMBERS && !query.vector.model
                           : query.named[NAMER_NEURAL].count == 0 && query.vector.model == rig->neural);
    assert_ok(fuse(rig->learned, rig->catalogue, &query, &options, rig->scratch, list, &count));
    return count;
}

static const struct recommended_item *find(const struct recommended_item *list, uint32_t count, uint32_t item)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i].item == item)
            return &list[i];
    return NULL;
}

/* What the model gives to `item` of all that it gives. */
static double neural_share(const struct recommended_item *list, uint32_t count, uint32_t item)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        if (list[i].item != STRANGER)
            sum += (double)(list[i].score * list[i].shares[SCORER_NEURAL]);
    const struct recommended_item *found = find(list, count, item);
    return (double)(found->score * found->shares[SCORER_NEURAL]) / sum;
}

/* With so long a list every item that was learned is proposed, if only as a popular one. */
static void candidates_have_their_share_of_what_they_have_among_all(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    for (int round = 0; round < 200; round++) {
        struct recommended_item full[LIST], judged[LIST];
        uint32_t items[3], length = 1 + random_below(&rig.random, 3);
        for (uint32_t i = 0; i < length; i++)
            items[i] = random_below(&rig.random, round % 3 ? ITEMS : NUMBERS);
        const struct query query = {.items = items, .length = length, .now_ms = 1700000000000};
        uint32_t full_count = ask(&rig, query, NUMBERS, full), judged_count = ask(&rig, query, 0, judged);
        for (uint32_t item = 0; item < ITEMS; item++) {
            assert_true(find(judged, judged_count, item) && find(full, full_count, item));
            double share = neural_share(judged, judged_count, item), wanted = neural_share(full, full_count, item);
            assert_true(fabs(share - wanted) <= 1e-4 * wanted + 1e-7);
        }
    }
    rig_close(&rig);
}

static void what_nobody_proposes_is_not_scored(void **state)
{
    (void)state;
    struct rig rig;
    struct recommended_item list[LIST];
    const uint32_t items[] = {3, 4};
    const struct query query = {.items = items, .length = 2, .now_ms = 1700000000000};
    rig_open(&rig);
    uint32_t count = ask(&rig, query, NUMBERS, list);
    assert_non_null(find(list, count, STRANGER));
    count = ask(&rig, query, 0, list);
    assert_null(find(list, count, STRANGER));
    rig_close(&rig);
}

static void the_number_of_items_decides(void **state)
{
    (void)state;
    struct rig rig;
    const uint32_t items[] = {3};
    struct query query = {.items = items, .length = 1, .now_ms = 1700000000000};
    rig_open(&rig);
    assert_int_equal(neural_listed(rig.neural), NUMBERS);
    for (uint32_t full_items = NUMBERS - 1; full_items <= NUMBERS; full_items++) {
        const struct neural_options options = {5, full_items};
        assert_ok(neural_ask(rig.neural, &query, 1, &options, &rig.arena));
        assert_int_equal(query.named[NAMER_NEURAL].count, full_items < NUMBERS ? 0 : 5);
        assert_true(query.vector.model == (full_items < NUMBERS ? rig.neural : NULL));
    }
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_have_their_share_of_what_they_have_among_all),
        cmocka_unit_test(what_nobody_proposes_is_not_scored),
        cmocka_unit_test(the_number_of_items_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
