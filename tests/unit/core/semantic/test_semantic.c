// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/semantic.h>

#include <math.h>

#define WIDTH   24
#define ITEMS   300
#define NUMBERS 1000

struct rig {
    struct semantic_item items[ITEMS];
    char titles[ITEMS][32];
    float vectors[ITEMS][WIDTH];
    struct semantic *semantic;
    struct arena arena;
    struct random random;
};

static void random_vector(struct random *random, float *vector)
{
    float square = 0;
    for (int j = 0; j < WIDTH; j++) {
        vector[j] = (float)random_unit(random) - 0.5f;
        square += vector[j] * vector[j];
    }
    for (int j = 0; j < WIDTH; j++)
        vector[j] /= sqrtf(square);
}

/* Item i has the number 3 i + 1 and the title "Thing <i>, The". */
static void rig_open(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    random_seed(&rig->random, test_seed(5));
    for (uint32_t i = 0; i < ITEMS; i++) {
        snprintf(rig->titles[i], sizeof rig->titles[i], "Thing %u, The", i);
        rig->items[i] = (struct semantic_item){3 * i + 1, bytes_of_text(rig->titles[i])};
        random_vector(&rig->random, rig->vectors[i]);
    }
    assert_ok(semantic_open(rig->items, rig->vectors[0], ITEMS, WIDTH, NUMBERS, &rig->semantic));
}

static void rig_close(struct rig *rig)
{
    semantic_close(rig->semantic);
    arena_release(&rig->arena);
}

static float cosine(const struct rig *rig, uint32_t i, const float *vector)
{
    float dot = 0, square = 0;
    for (int j = 0; j < WIDTH; j++) {
        dot += rig->vectors[i][j] * vector[j];
        square += vector[j] * vector[j];
    }
    return dot / sqrtf(square);
}

static bool is_clicked(const struct query *query, uint32_t item)
{
    for (uint32_t i = 0; i < query->length; i++)
        if (query->items[i] == item)
            return true;
    return false;
}

/* Whether the list is of those nearest among all that the session does not have, with a softmax over their cosines. */
static void assert_nearest(const struct rig *rig, const struct query *query, const float *vector, float temperature)
{
    const struct named *named = &query->named[NAMER_SEMANTIC];
    double sum = 0;
    for (uint32_t place = 0; place < named->count; place++)
        sum += exp((double)cosine(rig, (named->items[place].item - 1) / 3, vector) / (double)temperature);
    for (uint32_t place = 0; place < named->count; place++) {
        uint32_t i = (named->items[place].item - 1) / 3, better = 0;
        float own = cosine(rig, i, vector);
        assert_false(is_clicked(query, named->items[place].item));
        for (uint32_t other = 0; other < ITEMS; other++)
            better += !is_clicked(query, 3 * other + 1) && cosine(rig, other, vector) > own + 1e-5f;
        assert_true(better <= place);
        double wanted = exp((double)own / (double)temperature) / sum;
        assert_true(fabs((double)named->items[place].score - wanted) < 0.01 * wanted);
    }
}

static void a_session_is_near_to_what_its_titles_are_near_to(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    const struct semantic_options options = {.candidates_max = 20, .items_max = 3, .temperature = 0.1f};
    struct query queries[70];
    uint32_t clicked[70][6];
    for (int i = 0; i < 70; i++) {
        for (int j = 0; j < 6; j++)
            clicked[i][j] = 3 * random_below(&rig.random, ITEMS) + 1;
        clicked[i][4] = clicked[i][5]; /* clicked twice, counted once */
        clicked[i][2] = 3;             /* has no title, and a place among the distinct items all the same */
        queries[i] = (struct query){.items = clicked[i], .length = 6};
    }
    assert_ok(semantic_ask(rig.semantic, queries, 70, &options, &rig.arena));
    for (int i = 0; i < 70; i++) {
        float vector[WIDTH];
        for (int j = 0; j < WIDTH; j++)
            vector[j] = rig.vectors[(clicked[i][5] - 1) / 3][j] + rig.vectors[(clicked[i][3] - 1) / 3][j] / 2;
        assert_int_equal(queries[i].named[NAMER_SEMANTIC].count, 20);
        if (clicked[i][3] != clicked[i][5])
            assert_nearest(&rig, &queries[i], vector, 0.1f);
    }
    rig_close(&rig);
}

static void a_session_without_titles_is_near_to_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    const struct semantic_options options = {.candidates_max = 5, .items_max = 8, .temperature = 0.1f};
    const uint32_t strangers[] = {2, NUMBERS + 7}, one[] = {1};
    struct query queries[] = {{.items = strangers, .length = 2}, {.items = one, .length = 1}};
    queries[0].named[NAMER_SEMANTIC].count = 9;
    assert_ok(semantic_ask(rig.semantic, queries, 2, &options, &rig.arena));
    assert_int_equal(queries[0].named[NAMER_SEMANTIC].count, 0);
    assert_int_equal(queries[1].named[NAMER_SEMANTIC].count, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_not_equal(queries[1].named[NAMER_SEMANTIC].items[i].item, 1);
    rig_close(&rig);
}

static void a_text_comes_to_the_items_it_is_near_to(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    struct localize_options options = {.nearest = 5, .temperature = 0.1f, .similarity_min = -1};
    struct scored_item items[5];
    uint32_t count;
    assert_ok(localize_text(rig.semantic, rig.vectors[7], &options, &rig.arena, items, &count));
    assert_int_equal(count, 5);
    assert_int_equal(items[0].item, 22);
    float sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        float own = cosine(&rig, (items[i].item - 1) / 3, rig.vectors[7]);
        assert_true(fabsf(items[i].score / items[0].score - expf((own - 1) / 0.1f)) < 1e-3f);
        sum += items[i].score;
    }
    assert_true(fabsf(sum - 1) < 1e-5f);
    options.similarity_min = 0.95f;
    assert_ok(localize_text(rig.semantic, rig.vectors[7], &options, &rig.arena, items, &count));
    assert_true(count == 1 && items[0].score == 1);
    float away[WIDTH] = {0};
    assert_ok(localize_text(rig.semantic, away, &options, &rig.arena, items, &count));
    assert_int_equal(count, 0);
    away[0] = NAN;
    assert_ok(localize_text(rig.semantic, away, &options, &rig.arena, items, &count));
    assert_int_equal(count, 0);
    rig_close(&rig);
}

static void assert_title(struct rig *rig, const char *title, const float *vector, enum localized how, uint32_t item)
{
    const struct localize_options options = {.nearest = 1, .temperature = 1, .named_min = 0.9f};
    struct scored_item got;
    enum localized got_how;
    assert_ok(localize_title(rig->semantic, bytes_of_text(title), vector, &options, &rig->arena, &got, &got_how));
    assert_int_equal(got_how, how);
    assert_int_equal(got.item, item);
    assert_true(how == LOCALIZED_FOUND ? got.score == 1 : how == LOCALIZED_NEAR ? got.score >= 0.9f : got.score == 0);
}

static void a_title_comes_to_the_item_that_has_it(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_title(&rig, rig.titles[i], rig.vectors[(i + 1) % ITEMS], LOCALIZED_FOUND, 3 * i + 1);
    assert_title(&rig, "  th\xc3\xadNG 12 \xe2\x80\x94 the!", NULL, LOCALIZED_FOUND, 37); /* i with an accent, a dash */
    assert_title(&rig, "A thing like 12", rig.vectors[12], LOCALIZED_NEAR, 37);
    assert_title(&rig, "A thing like 12", NULL, LOCALIZED_REJECTED, ITEM_NONE);
    float far[WIDTH];
    for (int j = 0; j < WIDTH; j++)
        far[j] = -rig.vectors[12][j];
    assert_title(&rig, "Thing 1234, The", far, LOCALIZED_REJECTED, ITEM_NONE);
    assert_title(&rig, "...", far, LOCALIZED_REJECTED, ITEM_NONE);
    rig_close(&rig);
}

static void of_several_with_one_title_the_first_has_it(void **state)
{
    (void)state;
    const struct semantic_item items[] = {{9, BYTES("Lamp")}, {4, BYTES("lamp")}, {5, BYTES("LAMP!")}, {0, BYTES("")}};
    static const float vectors[4][2] = {{1, 0}, {1, 0}, {1, 0}, {0, 0}};
    struct rig rig;
    memset(&rig, 0, sizeof rig);
    assert_ok(semantic_open(items, vectors[0], 4, 2, 10, &rig.semantic));
    assert_title(&rig, "Lamp", NULL, LOCALIZED_FOUND, 4);
    assert_title(&rig, "", NULL, LOCALIZED_REJECTED, ITEM_NONE);
    struct scored_item nearest[4]; /* who has no vector is near to nothing */
    uint32_t count;
    assert_ok(
        localize_text(rig.semantic, vectors[0], &(struct localize_options){4, 1, -1, -1}, &rig.arena, nearest, &count));
    assert_int_equal(count, 3);
    rig_close(&rig);
    struct semantic *none;
    assert_fails(LIMIT, semantic_open(items, vectors[0], 1, 100000, 10, &none));
    assert_ok(semantic_open(items, vectors[0], 0, 2, 0, &none));
    assert_ok(localize_text(none, vectors[0], &(struct localize_options){4, 1, -1, -1}, &rig.arena, nearest, &count));
    assert_int_equal(count, 0);
    arena_release(&rig.arena);
    semantic_close(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_near_to_what_its_titles_are_near_to),
        cmocka_unit_test(a_session_without_titles_is_near_to_nothing),
        cmocka_unit_test(a_text_comes_to_the_items_it_is_near_to),
        cmocka_unit_test(a_title_comes_to_the_item_that_has_it),
        cmocka_unit_test(of_several_with_one_title_the_first_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
