// SPDX-License-Identifier: Apache-2.0
/* A small random sentence encoder (tools/golden_encoder.py): tokens and vectors are those of transformers. */
#include "support/support.h"

#include "support/golden_tensors.h"

#include <eddy/io/encoder_folder.h>
#include <eddy/io/file.h>

#define FOLDER    "tests/golden/encoder"
#define WIDTH     24
#define LENGTH    18
#define TEXTS_MAX 64

struct rig {
    struct encoder *encoder;
    struct embedder embedder;
    struct golden_tensors *expected;
    struct buffer file;
    struct bytes texts[TEXTS_MAX];
    uint32_t count;
};

static int begin(void **state)
{
    static struct rig rig;
    assert_ok(encoder_folder_open(FOLDER, &rig.encoder, NULL));
    rig.embedder = encoder_embedder(rig.encoder);
    rig.expected = golden_tensors_open(FOLDER "/expected.txt");
    assert_ok(file_read(FOLDER "/texts.txt", &rig.file, NULL));
    for (struct bytes rest = buffer_bytes(&rig.file); rest.size > 0; rig.count++) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        assert_true(end && rig.count < TEXTS_MAX);
        rig.texts[rig.count] = bytes_of(rest.data, (size_t)(end - rest.data));
        rest = bytes_of(end + 1, rest.size - rig.texts[rig.count].size - 1);
    }
    *state = &rig;
    return 0;
}

static int end(void **state)
{
    struct rig *rig = *state;
    embedder_close(&rig->embedder);
    golden_tensors_close(rig->expected);
    buffer_release(&rig->file);
    return 0;
}

static void tokens_are_those_of_transformers(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(encoder_length_max(rig->encoder), LENGTH);
    assert_true(rig->count >= 18);
    for (uint32_t i = 0; i < rig->count; i++) {
        char name[32];
        uint32_t tokens[LENGTH], wanted[LENGTH], count = encoder_tokens(rig->encoder, rig->texts[i], tokens);
        snprintf(name, sizeof name, "tokens.%u", i);
        golden_indices(rig->expected, name, count, wanted);
        assert_memory_equal(tokens, wanted, count * sizeof *tokens);
    }
}

static void check_vector(struct rig *rig, uint32_t text, const float *vector)
{
    char name[32];
    snprintf(name, sizeof name, "vector.%u", text);
    golden_compare(rig->expected, name, 1, WIDTH, vector);
}

static void vectors_are_those_of_transformers(void **state)
{
    struct rig *rig = *state;
    float vectors[TEXTS_MAX * WIDTH];
    assert_int_equal(rig->embedder.width, WIDTH);
    assert_ok(embedder_embed(&rig->embedder, rig->texts, rig->count, vectors, NULL));
    for (uint32_t i = 0; i < rig->count; i++)
        check_vector(rig, i, vectors + i * WIDTH);
}

/* Many batches, ends of which fall anywhere, and each text alone. */
static void what_stands_beside_a_text_does_not_matter(void **state)
{
    struct rig *rig = *state;
    enum { COUNT = 1000 };
    static struct bytes texts[COUNT];
    static float vectors[COUNT * WIDTH];
    for (uint32_t i = 0; i < COUNT; i++)
        texts[i] = rig->texts[(i * 7 + i / 13) % rig->count];
    assert_ok(embedder_embed(&rig->embedder, texts, COUNT, vectors, NULL));
    for (uint32_t i = 0; i < COUNT; i++)
        check_vector(rig, (i * 7 + i / 13) % rig->count, vectors + i * WIDTH);
    for (uint32_t i = 0; i < rig->count; i++) {
        assert_ok(embedder_embed(&rig->embedder, &rig->texts[i], 1, vectors, NULL));
        check_vector(rig, i, vectors);
    }
    assert_ok(embedder_embed(&rig->embedder, NULL, 0, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_those_of_transformers),
        cmocka_unit_test(vectors_are_those_of_transformers),
        cmocka_unit_test(what_stands_beside_a_text_does_not_matter),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
