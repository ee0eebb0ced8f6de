// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/naive.h"

#include <eddy/base/random.h>

#include <math.h>

static struct naive naive;

struct shop {
    struct random random;
    struct catalogue *catalogue;
    struct learned *learned;
    struct scoring_scratch *scratch;
    int64_t time_ms;
    struct learned_options learned_options;
};

/* Nothing learned, with other options. */
static void shop_restart(struct shop *shop)
{
    learned_close(shop->learned);
    naive.options = shop->learned_options;
    naive.count = 0;
    assert_ok(learned_open(&naive.options, &shop->learned));
}

/* Item i has category "even" or "odd", in "half" or not; every 7th is unavailable, every 5th has no record. */
static void shop_open(struct shop *shop, uint32_t items, uint64_t seed)
{
    struct catalogue_options options = {1000, 1 << 24, 50};
    random_seed(&shop->random, seed);
    shop->time_ms = 1600000000000;
    shop->learned = NULL;
    shop->learned_options = learned_options_default();
    shop_restart(shop);
    assert_ok(catalogue_open(&options, &shop->catalogue));
    assert_ok(scoring_scratch_open(&shop->scratch));
    for (uint32_t i = 0; i < items; i++) {
        char id[16];
        snprintf(id, sizeof id, "i%u", i);
        struct item item = {.item_id = bytes_of_text(id),
                            .categories = {i % 2 ? BYTES("odd") : BYTES("even"), BYTES("half")},
                            .category_count = i < items / 2 ? 2 : 1,
                            .available = i % 7 != 6};
        uint32_t number;
        if (i % 5 == 4)
            assert_ok(catalogue_intern(shop->catalogue, item.item_id, &number));
        else
            assert_ok(catalogue_put(shop->catalogue, &item, &number));
        assert_int_equal(number, i);
    }
}

static void shop_close(struct shop *shop)
{
    catalogue_close(shop->catalogue);
    learned_close(shop->learned);
    scoring_scratch_close(shop->scratch);
}

static struct naive_session random_session(struct shop *shop, uint32_t items)
{
    struct naive_session session = {.time_ms = shop->time_ms += random_below(&shop->random, 600000)};
    session.length = 1 + random_below(&shop->random, random_below(&shop->random, 4) ? 6 : NAIVE_CLICKS - 1);
    for (uint32_t i = 0; i < session.length; i++) {
        uint32_t near = random_below(&shop->random, items), far = random_below(&shop->random, items);
        session.items[i] = near < far ? near : far;
        if (i && !random_below(&shop->random, 3))
            session.items[i] = session.items[i - 1 - random_below(&shop->random, i < 3 ? i : 3)];
        session.types[i] = (uint8_t)random_below(&shop->random, CLICK_TYPE_COUNT);
    }
    return session;
}

static struct naive_session learn_random(struct shop *shop, uint32_t items, int sessions)
{
    struct naive_session session;
    for (int i = 0; i < sessions; i++) {
        session = random_session(shop, items);
        naive_learn(&naive, shop->learned, &session);
    }
    return session;
}

/* What a session model might say: different items, best first, their probabilities summing to less than 1. */
static uint32_t random_names(struct shop *shop, uint32_t count, struct scored_item *names)
{
    float left = 1;
    for (uint32_t i = 0; i < count; i++) {
        names[i].item = i ? (names[i - 1].item + 1) % NAIVE_ITEMS : random_below(&shop->random, NAIVE_ITEMS);
        names[i].score = left * (float)(0.1 + 0.3 * random_unit(&shop->random));
        left -= names[i].score;
    }
    return count;
}

static struct query query_of(const struct naive_session *session)
{
    return (struct query){
        .items = session->items, .types = session->types, .length = session->length, .now_ms = session->time_ms};
}

static uint32_t ask(struct shop *shop, const struct query *query, const struct fusion_options *options,
                    struct recommended_item *list)
{
    uint32_t count = 0;
    assert_ok(fuse(shop->learned, shop->catalogue, query, options, shop->scratch, list, &count));
    return count;
}

/* Everything filtered out is allowed, so that all items can be compared. */
static struct fusion_options open_options(void)
{
    struct fusion_options options = fusion_options_default();
    options.filters = (struct fusion_filters){.seen = SEEN_LEARNED};
    options.walk.rules_max = 128;
    return options;
}

/* What must hold of every list: ordered, nothing twice, shares that sum to 1, scores to at most 1. */
static void assert_sound(const struct recommended_item *list, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        double shares = 0;
        sum += (double)list[i].score;
        assert_true(list[i].score >= 0);
        assert_true(!i || list[i].score <= list[i - 1].score);
        for (int j = 0; j < SCORER_COUNT; j++) {
            assert_true(list[i].shares[j] >= 0);
            shares += (double)list[i].shares[j];
        }
        assert_true(fabs(shares - 1) < 1e-5);
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(list[i].item, list[j].item);
    }
    assert_true(sum <= 1);
}

static bool lists(const struct recommended_item *list, uint32_t count, uint32_t item)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i].item == item)
            return true;
    return false;
}

/* Items there is evidence for: learned, or in the session. No other may be listed. */
static uint32_t known_items(const struct query *query, bool with_session)
{
    bool known[NAIVE_ITEMS] = {false};
    uint32_t count = 0;
    for (uint32_t i = 0; i < naive.count; i++)
        for (uint32_t j = 0; j < naive.sessions[i].length; j++)
            known[naive.sessions[i].items[j]] = true;
    for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
        for (uint32_t i = 0; i < query->named[namer].count; i++)
            known[query->named[namer].items[i].item] = true;
    for (uint32_t i = 0; i < query->length; i++)
        known[query->items[i]] = with_session;
    for (uint32_t i = 0; i < NAIVE_ITEMS; i++)
        count += known[i];
    return count;
}

/* ---- */

static void scores_are_those_of_the_formulas(void **state)
{
    (void)state;
    uint64_t seed = test_seed(1);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t run = 0; run < 12; run++) {
        struct shop shop;
        shop_open(&shop, NAIVE_ITEMS, seed * 1000 + run);
        struct fusion_options options = open_options();
        options.list_size = NAIVE_ITEMS;
        for (int cell = 0; cell < MIX_CELLS; cell++) { /* each run its own; before anything is learned */
            float *popular = &shop.learned_options.mixing.weights[MIX_POPULAR][cell];
            *popular = run % 2 ? 0.001f : 0.5f;
            shop.learned_options.mixing.repeat_shifts[cell] = (float)random_unit(&shop.random) - 0.5f;
        }
        shop_restart(&shop);
        for (uint32_t i = 0; i < 6; i++) {
            learn_random(&shop, 10 + 8 * (uint32_t)(run % 6), 8);
            struct naive_session session = random_session(&shop, NAIVE_ITEMS);
            struct query query = query_of(&session);
            struct recommended_item list[NAIVE_ITEMS];
            struct scored_item named[NAMER_COUNT][NAIVE_ITEMS];
            double wanted[NAIVE_ITEMS];
            for (enum namer namer = 0; namer < NAMER_COUNT; namer++)
                if (run >= 6 && (run + i) % 4 != namer) /* one of them sleeps, or none */
                    query.named[namer] = (struct named){named[namer], random_names(&shop, 1 + i * 8, named[namer])};
            uint32_t count = ask(&shop, &query, &options, list);
            assert_int_equal(count, known_items(&query, true));
            assert_sound(list, count);
            naive_fuse(&naive, &query, &options, wanted);
            for (uint32_t j = 0; j < count; j++)
                assert_true(fabs((double)list[j].score - wanted[list[j].item]) <= 2e-4 * wanted[list[j].item] + 1e-7);
        }
        shop_close(&shop);
    }
}

static void shares_and_reasons_name_the_scorers(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, NAIVE_ITEMS, 5);
    struct fusion_options options = open_options();
    uint32_t counts[SCORER_COUNT] = {0};
    for (int i = 0; i < 30; i++) {
        learn_random(&shop, 40, 10);
        struct naive_session session = random_session(&shop, NAIVE_ITEMS);
        struct query query = query_of(&session);
        struct recommended_item list[20];
        uint32_t count = ask(&shop, &query, &options, list);
        for (uint32_t j = 0; j < count; j++) {
            const struct recommended_item *item = &list[j];
            enum scorer_id strongest = SCORER_KNN;
            bool seen = false;
            for (enum scorer_id s = 0; s < SCORER_COUNT; s++)
                if (item->shares[s] > item->shares[strongest])
                    strongest = s;
            for (uint32_t k = 0; k < session.length; k++)
                seen |= session.items[k] == item->item;
            counts[strongest]++;
            assert_int_equal(seen, strongest == SCORER_REPEAT);
            assert_int_equal(item->reason.kind == REASON_REPEAT, strongest == SCORER_REPEAT);
            if (item->reason.kind == REASON_SIMILAR_SESSIONS)
                assert_in_range(item->reason.number, 1, options.knn.neighbours_max);
            if (item->reason.kind == REASON_FOLLOWS || item->reason.kind == REASON_NEAR)
                assert_true(item->reason.item < NAIVE_ITEMS && item->reason.item != item->item);
        }
    }
    assert_true(counts[SCORER_KNN] && counts[SCORER_TRANSITION] && counts[SCORER_REPEAT]);
    shop_close(&shop);
}

/* A session that leads to no new item leaves what its own items do not take to all others. */
static void assert_own_probability(const struct query *query, const struct fusion_options *options,
                                   const struct recommended_item *item)
{
    double wanted[NAIVE_ITEMS];
    naive_fuse(&naive, query, options, wanted);
    assert_true(wanted[item->item] > 0 && wanted[item->item] < 0.5);
    assert_true(fabs((double)item->score - wanted[item->item]) <= 2e-4 * wanted[item->item]);
}

static void nothing_learned_gives_the_session_s_own_items_alone(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 40, 6);
    struct fusion_options options = fusion_options_default();
    const uint32_t clicked[] = {3};
    struct query query = {.items = clicked, .length = 1, .now_ms = shop.time_ms};
    struct recommended_item list[20];
    uint32_t count = ask(&shop, &query, &options, list);
    assert_int_equal(count, 1);
    assert_sound(list, count);
    assert_int_equal(list[0].item, 3); /* all that is known is that clicks repeat */
    assert_int_equal(list[0].reason.kind, REASON_REPEAT);
    assert_own_probability(&query, &options, &list[0]);
    options.filters.seen = SEEN_EXCLUDE;
    assert_int_equal(ask(&shop, &query, &options, list), 0);
    shop_close(&shop);
}

static void an_unknown_session_gets_what_is_popular(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 40, 7);
    struct naive_session popular = {.items = {8, 9, 8, 9}, .length = 4, .time_ms = shop.time_ms};
    struct naive_session rare = {.items = {10, 11}, .length = 2, .time_ms = shop.time_ms};
    naive_learn(&naive, shop.learned, &rare);
    naive_learn(&naive, shop.learned, &popular);
    struct fusion_options options = open_options();
    const uint32_t clicked[] = {30};
    struct query query = {.items = clicked, .length = 1, .now_ms = shop.time_ms};
    struct recommended_item list[20];
    uint32_t count = ask(&shop, &query, &options, list);
    assert_int_equal(count, 5);
    assert_sound(list, count);
    assert_int_equal(list[0].item, 8);
    assert_int_equal(list[1].item, 9);
    assert_int_equal(list[0].reason.kind, REASON_POPULAR);
    assert_int_equal(list[2].item, 10);
    assert_int_equal(list[3].item, 11);
    assert_int_equal(list[4].item, 30);
    assert_own_probability(&query, &options, &list[4]);
    shop_close(&shop);
}

static void seen_items_can_be_left_out(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, NAIVE_ITEMS, 8);
    struct fusion_options options = open_options();
    struct recommended_item list[20];
    bool ever = false;
    for (int i = 0; i < 50; i++) {
        learn_random(&shop, 30, 4);
        struct naive_session session = random_session(&shop, NAIVE_ITEMS);
        struct query query = query_of(&session);
        for (int exclude = 0; exclude < 2; exclude++) {
            options.filters.seen = exclude ? SEEN_EXCLUDE : SEEN_LEARNED;
            uint32_t count = ask(&shop, &query, &options, list);
            uint32_t known = known_items(&query, !exclude);
            assert_int_equal(count, known < 20 ? known : 20);
            assert_sound(list, count);
            bool listed = false;
            for (uint32_t j = 0; j < session.length; j++)
                listed |= lists(list, count, session.items[j]);
            assert_false(exclude && listed);
            ever |= listed;
        }
    }
    assert_true(ever);
    shop_close(&shop);
}

/* Asks after many sessions whether any list has an item of which `is` is true. */
static bool ever_listed(const struct fusion_options *options, bool (*is)(const struct catalogue *, uint32_t))
{
    struct shop shop;
    bool ever = false;
    shop_open(&shop, NAIVE_ITEMS, 9);
    learn_random(&shop, NAIVE_ITEMS, 300);
    for (int i = 0; i < 30; i++) {
        struct recommended_item list[20];
        learn_random(&shop, NAIVE_ITEMS, 4);
        struct naive_session session = random_session(&shop, NAIVE_ITEMS);
        struct query query = query_of(&session);
        uint32_t count = ask(&shop, &query, options, list);
        assert_int_equal(count, 20);
        assert_sound(list, count);
        for (uint32_t j = 0; j < count; j++)
            ever |= is(shop.catalogue, list[j].item);
    }
    shop_close(&shop);
    return ever;
}

static bool is_unavailable(const struct catalogue *catalogue, uint32_t item)
{
    return !catalogue_available(catalogue, item);
}

static bool is_without_record(const struct catalogue *catalogue, uint32_t item)
{
    return !catalogue_has_record(catalogue, item);
}

static bool is_odd(const struct catalogue *catalogue, uint32_t item)
{
    return catalogue_in_category(catalogue, item, BYTES("odd"));
}

static void filters_keep_out_what_they_name_and_nothing_else(void **state)
{
    (void)state;
    const struct bytes odd = BYTES("odd");
    struct fusion_options options = open_options();
    assert_true(ever_listed(&options, is_unavailable));
    assert_true(ever_listed(&options, is_without_record));
    assert_true(ever_listed(&options, is_odd));
    options.filters.available_only = true;
    assert_false(ever_listed(&options, is_unavailable));
    assert_true(ever_listed(&options, is_without_record));
    options.filters.available_only = false;
    options.filters.catalogue_only = true;
    assert_false(ever_listed(&options, is_without_record));
    assert_true(ever_listed(&options, is_unavailable));
    options.filters.catalogue_only = false;
    options.filters.categories_excluded = &odd;
    options.filters.category_count = 1;
    assert_false(ever_listed(&options, is_odd));
    assert_true(ever_listed(&options, is_unavailable));
}

static uint32_t most_of_one_category(struct shop *shop, const struct recommended_item *list, uint32_t count)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t same = 0, category = catalogue_category(shop->catalogue, list[i].item);
        for (uint32_t j = 0; j < count; j++)
            same += category != INTERNER_NONE && category == catalogue_category(shop->catalogue, list[j].item);
        most = same > most ? same : most;
    }
    return most;
}

static void a_category_takes_no_more_than_its_places(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, NAIVE_ITEMS, 10);
    learn_random(&shop, NAIVE_ITEMS, 60);
    struct naive_session session = random_session(&shop, NAIVE_ITEMS);
    struct query query = query_of(&session);
    struct fusion_options options = open_options();
    struct recommended_item list[20];
    options.list_size = 10;
    assert_true(most_of_one_category(&shop, list, ask(&shop, &query, &options, list)) > 2);
    options.filters.per_category_max = 2;
    uint32_t count = ask(&shop, &query, &options, list);
    assert_int_equal(count, 10); /* four categories of two, and items without one */
    assert_sound(list, count);
    assert_int_equal(most_of_one_category(&shop, list, count), 2);
    shop_close(&shop);
}

static void lists_end_where_nothing_passes_any_more(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 30, 11);
    learn_random(&shop, 30, 600);
    struct naive_session session = random_session(&shop, 30);
    struct query query = query_of(&session);
    struct fusion_options options = open_options();
    struct recommended_item list[LIST_SIZE_MAX];
    options.list_size = LIST_SIZE_MAX;
    assert_int_equal(ask(&shop, &query, &options, list), 30);
    options.filters.available_only = true;
    assert_int_equal(ask(&shop, &query, &options, list), 26);
    assert_sound(list, 26);
    shop_close(&shop);
}

static void items_only_the_session_model_knows_are_listed(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, NAIVE_ITEMS, 13);
    struct fusion_options options = fusion_options_default();
    const uint32_t clicked[] = {3};
    const struct scored_item named[] = {{3, 0.5f}, {9, 0.2f}, {6, 0.1f}, {8, 0.05f}};
    struct query query = {.items = clicked, .length = 1, .now_ms = shop.time_ms, .named = {{named, 4}}};
    struct recommended_item list[20];
    uint32_t count = ask(&shop, &query, &options, list);
    assert_int_equal(count, 3); /* 6 is not available */
    assert_sound(list, count);
    assert_int_equal(list[0].item, 9);
    assert_int_equal(list[0].reason.kind, REASON_MODEL);
    assert_true(list[0].shares[SCORER_NEURAL] == 1);
    assert_int_equal(list[1].item, 8);
    assert_int_equal(list[2].item, 3);
    assert_int_equal(list[2].reason.kind, REASON_REPEAT);
    assert_true(fabsf(list[0].score - (1 - list[2].score) * 0.4f) < 1e-4f);
    options.filters.seen = SEEN_EXCLUDE;
    assert_int_equal(ask(&shop, &query, &options, list), 2);
    const struct scored_item itself[] = {{3, 1}};
    query.named[NAMER_NEURAL] = (struct named){itself, 1};
    assert_int_equal(ask(&shop, &query, &options, list), 0); /* it has nothing to say of new items */
    query.named[NAMER_SEMANTIC] = (struct named){named + 1, 1};
    query.named[NAMER_AGENT] = (struct named){(struct scored_item[]){{8, 0.5f}, {9, 0.5f}}, 2};
    assert_int_equal(ask(&shop, &query, &options, list), 2);
    assert_sound(list, 2);
    assert_int_equal(list[0].item, 9); /* two name it */
    assert_true(list[0].shares[SCORER_SEMANTIC] > 0 && list[0].shares[SCORER_AGENT] > 0);
    assert_true(list[1].item == 8 && list[1].shares[SCORER_AGENT] == 1);
    assert_int_equal(list[1].reason.kind, REASON_AGENT);
    shop_close(&shop);
}

/* In sessions of one item that few have. */
static float weight_of(const struct shop *shop, enum mix_scorer scorer)
{
    return learned_mixing(shop->learned)->weights[scorer][0];
}

static void who_names_what_comes_gains_weight(void **state)
{
    (void)state;
    for (int right = 0; right < 2; right++) {
        struct shop shop;
        shop_open(&shop, NAIVE_ITEMS, 14);
        struct fusion_options options = open_options();
        learn_random(&shop, 30, 40);
        float before = weight_of(&shop, MIX_NEURAL), shift = learned_mixing(shop.learned)->repeat_shifts[0];
        for (uint32_t i = 0; i < 200; i++) {
            uint32_t clicked[] = {i % 30}, next = (i + 7) % 30;
            const struct scored_item named[] = {{right ? next : (i + 8) % 30, 0.9f}};
            struct query query = {.items = clicked, .length = 1, .now_ms = shop.time_ms, .named = {{named, 1}}};
            assert_ok(fuse_learn(shop.learned, &query, next, &options, shop.scratch));
        }
        assert_true(right ? weight_of(&shop, MIX_NEURAL) > 0.9f : weight_of(&shop, MIX_NEURAL) < before / 2);
        assert_true(learned_mixing(shop.learned)->repeat_shifts[0] < shift); /* nothing was repeated */
        shop_close(&shop);
    }
}

static void long_sessions_and_big_numbers_are_taken(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, NAIVE_ITEMS, 12);
    learn_random(&shop, NAIVE_ITEMS, 60);
    static uint32_t items[65535];
    for (uint32_t i = 0; i < 65535; i++)
        items[i] = i % NAIVE_ITEMS;
    struct fusion_options options = open_options();
    struct recommended_item list[20];
    struct query query = {.items = items, .length = 65535, .now_ms = shop.time_ms};
    assert_int_equal(ask(&shop, &query, &options, list), 20);
    assert_sound(list, 20);
    options.filters.seen = SEEN_EXCLUDE;
    assert_int_equal(ask(&shop, &query, &options, list), 0); /* all are in the session */
    shop_close(&shop);
}

static void the_same_question_gets_the_same_answer(void **state)
{
    (void)state; /* whatever was asked in between, from whichever scratch */
    struct shop shop;
    shop_open(&shop, NAIVE_ITEMS, 13);
    learn_random(&shop, NAIVE_ITEMS, 100);
    struct fusion_options options = open_options();
    struct naive_session sessions[10];
    struct recommended_item first[10][20], again[20];
    memset(first, 0, sizeof first);
    for (int i = 0; i < 10; i++) {
        sessions[i] = random_session(&shop, NAIVE_ITEMS);
        struct query query = query_of(&sessions[i]);
        assert_int_equal(ask(&shop, &query, &options, first[i]), 20);
    }
    scoring_scratch_close(shop.scratch);
    assert_ok(scoring_scratch_open(&shop.scratch));
    for (int i = 10; i-- > 0;) {
        struct query query = query_of(&sessions[i]);
        memset(again, 0, sizeof again);
        assert_int_equal(ask(&shop, &query, &options, again), 20);
        assert_memory_equal(again, first[i], sizeof again);
    }
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_the_formulas),
        cmocka_unit_test(shares_and_reasons_name_the_scorers),
        cmocka_unit_test(nothing_learned_gives_the_session_s_own_items_alone),
        cmocka_unit_test(an_unknown_session_gets_what_is_popular),
        cmocka_unit_test(seen_items_can_be_left_out),
        cmocka_unit_test(filters_keep_out_what_they_name_and_nothing_else),
        cmocka_unit_test(a_category_takes_no_more_than_its_places),
        cmocka_unit_test(lists_end_where_nothing_passes_any_more),
        cmocka_unit_test(items_only_the_session_model_knows_are_listed),
        cmocka_unit_test(who_names_what_comes_gains_weight),
        cmocka_unit_test(long_sessions_and_big_numbers_are_taken),
        cmocka_unit_test(the_same_question_gets_the_same_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
