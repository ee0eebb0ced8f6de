// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/io/encoder_folder.h>
#include <eddy/io/file.h>

#define GOOD "tests/golden/encoder"

/* A copy of the good folder, in which one file may be another. */
struct copy {
    struct temporary_folder folder;
};

static void put(const struct copy *copy, enum encoder_file file, struct bytes content)
{
    char path[512];
    AUTO(buffer) out = {0};
    snprintf(path, sizeof path, "%s/%s", copy->folder.path, encoder_file_names[file]);
    buffer_append_bytes(&out, content);
    assert_ok(file_write(path, &out, NULL));
}

static struct copy make(void)
{
    struct copy copy = {temporary_folder_make()};
    char path[512];
    snprintf(path, sizeof path, "%s/1_Pooling", copy.folder.path);
    assert_ok(file_make_folder(path, NULL));
    for (enum encoder_file i = 0; i < ENCODER_FILE_COUNT; i++) {
        AUTO(buffer) content = {0};
        snprintf(path, sizeof path, "%s/%s", GOOD, encoder_file_names[i]);
        if (i != ENCODER_MODULES) {
            assert_ok(file_read(path, &content, NULL));
            put(&copy, i, buffer_bytes(&content));
        }
    }
    return copy;
}

static void name_of(const struct copy *copy, char name[EMBEDDER_NAME_SIZE])
{
    struct encoder *encoder;
    assert_ok(encoder_folder_open(copy->folder.path, &encoder, NULL));
    struct embedder embedder = encoder_embedder(encoder);
    memcpy(name, embedder.name, EMBEDDER_NAME_SIZE);
    embedder_close(&embedder);
}

static void refuse(const struct copy *copy, enum fault_kind kind, const char *file, const char *why)
{
    struct encoder *encoder;
    struct complaint complaint = {{0}};
    char path[512];
    snprintf(path, sizeof path, "%s/%s", copy->folder.path, file);
    assert_true(failed_as(encoder_folder_open(copy->folder.path, &encoder, &complaint), kind));
    if (!strstr(complaint.text, path) || !strstr(complaint.text, why))
        fail_msg("does not say '%s' and '%s' but: %s", path, why, complaint.text);
}

static void its_name_follows_from_all_files(void **state)
{
    (void)state;
    char good[EMBEDDER_NAME_SIZE], again[EMBEDDER_NAME_SIZE], other[EMBEDDER_NAME_SIZE];
    struct copy copy = make(), golden = {.folder = {GOOD}};
    name_of(&copy, good);
    name_of(&golden, again);
    assert_string_equal(good, again);
    assert_memory_equal(good, "encoder:", 8);
    put(&copy, ENCODER_SENTENCE, BYTES("{\"max_seq_length\": 17}"));
    name_of(&copy, other);
    assert_string_not_equal(good, other);
    temporary_folder_remove(&copy.folder);
}

static void a_file_that_is_needed_and_missing_is_named(void **state)
{
    (void)state;
    struct copy copy = make();
    char path[512];
    snprintf(path, sizeof path, "%s/vocab.txt", copy.folder.path);
    assert_ok(file_remove(path, NULL));
    refuse(&copy, FAULT_NOT_FOUND, "vocab.txt", "dev setup --encoder");
    put(&copy, ENCODER_VOCABULARY, BYTES(""));
    refuse(&copy, FAULT_BAD_INPUT, "vocab.txt", "missing or empty");
    temporary_folder_remove(&copy.folder);
}

static void files_of_another_model_are_refused(void **state)
{
    (void)state;
    struct copy copy = make();
    static const char config[] =
        "{\"model_type\":\"bert\",\"hidden_size\":%d,\"num_attention_heads\":1,\"num_hidden_layers\":%d,"
        "\"intermediate_size\":40,\"vocab_size\":%d,\"max_position_embeddings\":20}";
    static const struct {
        int width, layers, vocabulary;
        const char *file, *why;
    } cases[] = {{24, 2, 10, "vocab.txt", "vocab_size of config.json is 10"},
                 {24, 3, 66, "model.safetensors", "no tensor 'encoder.layer.2.attention.self.query.weight'"},
                 {12, 2, 66, "model.safetensors", "is not of the shape [66, 12]"},
                 {4096, 2, 4000000, "model.safetensors", "are too few for the model"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400];
        snprintf(text, sizeof text, config, cases[i].width, cases[i].layers, cases[i].vocabulary);
        put(&copy, ENCODER_CONFIG, bytes_of_text(text));
        put(&copy, ENCODER_POOLING, BYTES("{}"));
        refuse(&copy, FAULT_BAD_INPUT, cases[i].file, cases[i].why);
    }
    put(&copy, ENCODER_WEIGHTS, BYTES("x"));
    refuse(&copy, FAULT_BAD_INPUT, "model.safetensors", "no safetensors file");
    temporary_folder_remove(&copy.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_name_follows_from_all_files),
        cmocka_unit_test(a_file_that_is_needed_and_missing_is_named),
        cmocka_unit_test(files_of_another_model_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
