// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/hashing/ngrams.h"

#include <eddy/core/hashing.h>
#include <math.h>

#define COUNT 300
#define WIDTH 32
#define KINDS 3

static char ids[COUNT][16], texts[COUNT][64];
static struct hashing_title titles[COUNT];

/* Things of three kinds, each with words of its own. */
static void make_titles(void)
{
    static const char *const kinds[KINDS][4] = {{"garden", "spade", "flower", "rake"},
                                                {"kitchen", "kettle", "spoon", "pan"},
                                                {"bicycle", "saddle", "pedal", "chain"}};
    for (int i = 0; i < COUNT; i++) {
        const char *const *words = kinds[i % KINDS];
        snprintf(ids[i], sizeof ids[i], "i%d", i);
        snprintf(texts[i], sizeof texts[i], "%s %s No. %d", words[i / 3 % 4], words[i / 12 % 4], i);
        titles[i] = (struct hashing_title){bytes_of_text(ids[i]), bytes_of_text(texts[i])};
    }
}

static struct embedder learn(const struct hashing_title *from, size_t count, uint32_t width, uint64_t seed)
{
    struct embedder embedder;
    const struct hashing_options options = {width, seed};
    assert_ok(hashing_learn(&options, from, count, &embedder));
    assert_int_equal(embedder.width, width);
    return embedder;
}

static void embed(const struct embedder *embedder, const char *text, float vector[WIDTH])
{
    struct bytes bytes = bytes_of_text(text);
    assert_ok(embedder_embed(embedder, &bytes, 1, vector, NULL));
}

static float product(const float *a, const float *b)
{
    float sum = 0;
    for (int i = 0; i < WIDTH; i++)
        sum += a[i] * b[i];
    return sum;
}

static void ngrams_are_those_of_each_word_with_its_edges(void **state)
{
    (void)state;
    static struct ngram ngrams[HASHING_GRAMS_MAX];
    assert_int_equal(ngrams_of(BYTES("a"), ngrams), 1);           /* " a " */
    assert_int_equal(ngrams_of(BYTES("toy"), ngrams), 3 + 2 + 1); /* of " toy " */
    assert_int_equal(ngrams_of(BYTES("Toy! TOY; t\xc3\xb6y"), ngrams), 6);
    uint32_t times = 0;
    for (int i = 0; i < 6; i++)
        times += ngrams[i].times;
    assert_int_equal(times, 18);
    assert_int_equal(ngrams_of(BYTES(" ...!"), ngrams), 0);
    static char text[20000];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < sizeof text; i += 7)
        text[i] = ' ';
    assert_true(ngrams_of(bytes_of(text, sizeof text), ngrams) < 20);
}

/* With a direction for each kind, and one for what is in all titles. */
static void what_is_written_alike_lies_close_together(void **state)
{
    (void)state;
    struct embedder embedder = learn(titles, COUNT, KINDS + 1, 1);
    float spade[WIDTH] = {0}, spades[WIDTH] = {0}, kettle[WIDTH] = {0}, garden[WIDTH] = {0};
    embed(&embedder, "flower spade", spade);
    embed(&embedder, "SPADES, flowery", spades); /* never seen */
    embed(&embedder, "garden", garden);
    embed(&embedder, "kitchen kettle", kettle);
    assert_true(fabsf(product(spade, spade) - 1) < 1e-5f);
    assert_true(product(spade, spades) > 0.7f);
    assert_true(product(spade, garden) > product(spade, kettle) + 0.1f); /* they stand together, "kettle" elsewhere */
    embedder_close(&embedder);
}

static void a_text_without_anything_known_has_a_vector_of_zeros(void **state)
{
    (void)state;
    static const char *const strange[] = {"", "  ", "...", "\xe5\xb1\xb1", "qqqqwwww"};
    struct embedder embedder = learn(titles, COUNT, WIDTH, 1), nothing = learn(NULL, 0, WIDTH, 1);
    float vector[WIDTH];
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        embed(&embedder, strange[i], vector);
        assert_true(product(vector, vector) == 0);
    }
    embed(&nothing, "garden", vector);
    assert_true(product(vector, vector) == 0);
    embedder_close(&embedder);
    embedder_close(&nothing);
    embedder_close(&nothing);
}

static void the_same_titles_in_any_order_make_the_same_embedder(void **state)
{
    (void)state;
    static struct hashing_title turned[COUNT];
    for (int i = 0; i < COUNT; i++)
        turned[i] = titles[(i * 7 + 5) % COUNT];
    struct embedder embedder = learn(titles, COUNT, WIDTH, 1), again = learn(turned, COUNT, WIDTH, 1);
    struct embedder other = learn(titles, COUNT - 1, WIDTH, 1), seeded = learn(titles, COUNT, WIDTH, 2);
    float a[WIDTH], b[WIDTH];
    assert_string_equal(embedder.name, again.name);
    assert_string_not_equal(embedder.name, other.name);
    assert_string_not_equal(embedder.name, seeded.name);
    embed(&embedder, "garden chain", a);
    embed(&again, "garden chain", b);
    assert_memory_equal(a, b, sizeof a);
    embedder_close(&embedder);
    embedder_close(&again);
    embedder_close(&other);
    embedder_close(&seeded);
}

/* With as many directions as there are titles nothing is lost that tells them apart. */
static void a_handful_of_titles_is_told_apart(void **state)
{
    (void)state;
    struct embedder embedder = learn(titles, 5, WIDTH, 1);
    float vectors[5][WIDTH];
    for (int i = 0; i < 5; i++)
        embed(&embedder, texts[i], vectors[i]);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++)
            assert_true(product(vectors[i], vectors[j]) < 0.9f);
    embedder_close(&embedder);
}

static int begin(void **state)
{
    (void)state;
    make_titles();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ngrams_are_those_of_each_word_with_its_edges),
        cmocka_unit_test(what_is_written_alike_lies_close_together),
        cmocka_unit_test(a_text_without_anything_known_has_a_vector_of_zeros),
        cmocka_unit_test(the_same_titles_in_any_order_make_the_same_embedder),
        cmocka_unit_test(a_handful_of_titles_is_told_apart),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
