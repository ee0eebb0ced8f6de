// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/naive.h"

#include <eddy/base/random.h>

#include <math.h>

static struct naive naive;

struct shop {
    struct random random;
    struct learned *learned;
    struct scoring_scratch *scratch;
    int64_t time_ms;
};

static struct naive_session random_session(struct shop *shop, uint32_t items)
{
    struct naive_session session = {.time_ms = shop->time_ms += random_below(&shop->random, 60000)};
    session.length = 1 + random_below(&shop->random, random_below(&shop->random, 4) ? 5 : NAIVE_CLICKS - 1);
    for (uint32_t i = 0; i < session.length; i++) {
        uint32_t near = random_below(&shop->random, items), far = random_below(&shop->random, items);
        session.items[i] = near < far ? near : far; /* some more popular than others */
        if (i && !random_below(&shop->random, 4))
            session.items[i] = session.items[random_below(&shop->random, i)];
        session.types[i] = (uint8_t)random_below(&shop->random, CLICK_TYPE_COUNT);
    }
    return session;
}

static void shop_open(struct shop *shop, const struct learned_options *options, uint64_t seed)
{
    random_seed(&shop->random, seed);
    shop->time_ms = 1600000000000;
    naive.options = *options;
    naive.count = 0;
    assert_ok(learned_open(options, &shop->learned));
    assert_ok(scoring_scratch_open(&shop->scratch));
}

static void shop_close(struct shop *shop)
{
    learned_close(shop->learned);
    scoring_scratch_close(shop->scratch);
}

static struct query query_of(const struct naive_session *session)
{
    return (struct query){
        .items = session->items, .types = session->types, .length = session->length, .now_ms = session->time_ms};
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void assert_neighbours(struct shop *shop, const struct query *query, const struct knn_options *options)
{
    static uint32_t wanted[NAIVE_SESSIONS], got[NAIVE_SESSIONS];
    uint32_t got_count, wanted_count = naive_neighbours(&naive, query, options, wanted);
    const uint32_t *neighbours = knn_neighbours(shop->scratch, &got_count);
    assert_int_equal(got_count, wanted_count);
    if (!got_count)
        return;
    memcpy(got, neighbours, got_count * sizeof *got);
    qsort(got, got_count, sizeof *got, ascending);
    assert_memory_equal(got, wanted, got_count * sizeof *got);
}

/* Scores agree, and the list is in order and has the best. */
static void assert_list(struct shop *shop, const struct query *query, const struct knn_options *options)
{
    struct scored_item list[NAIVE_ITEMS];
    double wanted[NAIVE_ITEMS], last = INFINITY, best = 0;
    uint32_t count, capacity = 1 + random_below(&shop->random, NAIVE_ITEMS);
    assert_ok(knn_alone(shop->learned, query, options, shop->scratch, list, capacity, &count));
    naive_knn(&naive, query, options, wanted);
    wanted[query->items[query->length - 1]] = 0;
    for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
        best = fmax(best, wanted[i]);
    assert_true(count <= capacity);
    for (uint32_t i = 0; i < count; i++) {
        double score = wanted[list[i].item];
        assert_true(fabs((double)list[i].score - score) <= 1e-4 * score + 1e-6 * best);
        assert_true((double)list[i].score <= last);
        last = (double)list[i].score;
    }
    for (uint32_t i = 0; i < NAIVE_ITEMS; i++) {
        bool listed = false;
        for (uint32_t j = 0; j < count; j++)
            listed |= list[j].item == i;
        assert_true(listed || wanted[i] <= 1e-6 * best || (count == capacity && wanted[i] <= last * (1 + 1e-4)));
    }
}

static void compare(const struct learned_options *learned_options, const struct knn_options *options, uint64_t seed)
{
    struct shop shop;
    shop_open(&shop, learned_options, seed);
    uint32_t items = 2 + random_below(&shop.random, NAIVE_ITEMS - 2);
    for (int i = 0; i < 400; i++) {
        struct naive_session session = random_session(&shop, items);
        struct query query = query_of(&session);
        struct scored_item list[1];
        uint32_t count;
        if (i % 5 == 0) {
            assert_ok(knn_alone(shop.learned, &query, options, shop.scratch, list, 1, &count));
            assert_neighbours(&shop, &query, options);
            assert_list(&shop, &query, options);
        }
        naive_learn(&naive, shop.learned, &session);
    }
    shop_close(&shop);
}

static const struct knn_options vmis = {
    .formula = KNN_VMIS, .sample_max = 20, .neighbours_max = 6, .query_items_max = 5};

static void serenades_formula_chooses_and_scores_like_the_plain_algorithm(void **state)
{
    (void)state;
    uint64_t seed = test_seed(1);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < 8; i++) {
        struct learned_options options = learned_options_default();
        options.postings_max = i % 2 ? 20 : 1000;
        options.sessions_max = i % 4 < 2 ? 64 : 1000000;
        compare(&options, &vmis, seed * 1000 + i);
    }
}

static void eddys_formula_chooses_and_scores_like_the_plain_algorithm(void **state)
{
    (void)state;
    uint64_t seed = test_seed(1);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < 8; i++) {
        struct learned_options options = learned_options_default();
        options.postings_max = i % 2 ? 20 : 1000;
        options.sessions_max = i % 4 < 2 ? 64 : 1000000;
        options.session_items_max = i % 3 ? 100 : 7;
        struct knn_options knn = fusion_options_default().knn;
        knn.sample_max = i % 2 ? 15 : 1000;
        knn.neighbours_max = i % 2 ? 6 : 40;
        knn.recency_sessions = 50;
        knn.recency_ms = i % 2 ? 3600000 : 0;
        compare(&options, &knn, seed * 1000 + i);
    }
}

static void a_changed_option_changes_the_scores(void **state)
{
    (void)state; /* that the comparisons above can fail */
    struct learned_options options = learned_options_default();
    struct shop shop;
    shop_open(&shop, &options, 3);
    struct naive_session session;
    for (int i = 0; i < 200; i++) {
        session = random_session(&shop, 12);
        naive_learn(&naive, shop.learned, &session);
    }
    struct query query = query_of(&session);
    const struct knn_options standard = fusion_options_default().knn;
    struct knn_options changed[8];
    for (int i = 0; i < 8; i++)
        changed[i] = standard;
    changed[0].query_decay = 0.5f;
    changed[1].recency_sessions = 20;
    changed[2].similarity_power = 1;
    changed[3].forward_decay = 1;
    changed[4].backward_weight = 0;
    changed[5].frequency_power = 0.5f;
    changed[6].sharpness = 1;
    changed[7].neighbours_max = 10;
    double wanted[NAIVE_ITEMS], other[NAIVE_ITEMS];
    naive_knn(&naive, &query, &standard, wanted);
    for (int i = 0; i < 8; i++) {
        double difference = 0;
        naive_knn(&naive, &query, &changed[i], other);
        for (int item = 0; item < NAIVE_ITEMS; item++)
            difference += fabs(wanted[item] - other[item]) / (wanted[item] + other[item] + 1e-9);
        assert_true(difference > 0.01);
    }
    shop_close(&shop);
}

static void a_session_of_unknown_items_has_no_neighbours(void **state)
{
    (void)state;
    struct learned_options options = learned_options_default();
    struct shop shop;
    shop_open(&shop, &options, 4);
    struct scored_item list[5];
    uint32_t count, unknown[2] = {7, 4000000000u};
    struct query query = {.items = unknown, .length = 2, .now_ms = shop.time_ms};
    assert_ok(knn_alone(shop.learned, &query, &vmis, shop.scratch, list, 5, &count)); /* nothing learned at all */
    assert_int_equal(count, 0);
    for (int i = 0; i < 50; i++) {
        struct naive_session session = random_session(&shop, 6);
        naive_learn(&naive, shop.learned, &session);
    }
    assert_ok(knn_alone(shop.learned, &query, &vmis, shop.scratch, list, 5, &count));
    assert_int_equal(count, 0);
    unknown[0] = 0;
    assert_ok(knn_alone(shop.learned, &query, &vmis, shop.scratch, list, 5, &count));
    assert_int_not_equal(count, 0);
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serenades_formula_chooses_and_scores_like_the_plain_algorithm),
        cmocka_unit_test(eddys_formula_chooses_and_scores_like_the_plain_algorithm),
        cmocka_unit_test(a_changed_option_changes_the_scores),
        cmocka_unit_test(a_session_of_unknown_items_has_no_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
