// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/encoder/settings.h"

#define CONFIG                                                                                                         \
    "{\"model_type\":\"bert\",\"hidden_act\":\"gelu\",\"hidden_size\":12,\"num_attention_heads\":3,"                   \
    "\"num_hidden_layers\":2,\"intermediate_size\":40,\"vocab_size\":9,\"max_position_embeddings\":32"

static struct encoder_files config_only(void)
{
    return (struct encoder_files){{[ENCODER_CONFIG] = bytes_of_text(CONFIG "}")}};
}

static void what_is_not_said_is_the_standard(void **state)
{
    (void)state;
    struct encoder_files files = config_only();
    struct encoder_settings settings;
    assert_ok(encoder_settings_read(&files, &settings, NULL));
    assert_int_equal(settings.width, 12);
    assert_int_equal(settings.heads, 3);
    assert_int_equal(settings.layers, 2);
    assert_int_equal(settings.inner, 40);
    assert_int_equal(settings.types, 2);
    assert_int_equal(settings.length_max, 32);
    assert_true(settings.epsilon > 0.9e-12f && settings.epsilon < 1.1e-12f);
    assert_true(settings.rules.lower_case && settings.rules.strip_accents && settings.rules.ideographs_apart);
}

static void what_is_said_is_honoured(void **state)
{
    (void)state;
    struct encoder_settings settings;
    struct encoder_files files = {{
        [ENCODER_CONFIG] = bytes_of_text(CONFIG ",\"layer_norm_eps\":0.5,\"type_vocab_size\":1}"),
        [ENCODER_TOKENIZER] = bytes_of_text("{\"do_lower_case\":false,\"tokenize_chinese_chars\":false,"
                                            "\"model_max_length\":1e30,\"mask_token\":{\"content\":\"[MASK]\"}}"),
        [ENCODER_SENTENCE] = bytes_of_text("{\"max_seq_length\":16}"),
        [ENCODER_POOLING] = bytes_of_text("{\"embedding_dimension\":12,\"pooling_mode\":\"mean\"}"),
        [ENCODER_MODULES] = bytes_of_text("[{\"type\":\"a.Transformer\"},{\"type\":\"a.pooling.Pooling\"}]"),
    }};
    assert_ok(encoder_settings_read(&files, &settings, NULL));
    assert_int_equal(settings.types, 1);
    assert_int_equal(settings.length_max, 16);
    assert_true(settings.epsilon == 0.5f);
    assert_false(settings.rules.lower_case || settings.rules.strip_accents || settings.rules.ideographs_apart);
    files.content[ENCODER_SENTENCE] = bytes_of_text("{\"max_seq_length\":64}"); /* more than there are positions */
    assert_ok(encoder_settings_read(&files, &settings, NULL));
    assert_int_equal(settings.length_max, 32);
}

static void refuse(enum encoder_file file, const char *content, const char *why)
{
    struct encoder_files files = config_only();
    struct encoder_settings settings;
    struct complaint complaint = {{0}};
    files.content[file] = bytes_of_text(content);
    struct status status = encoder_settings_read(&files, &settings, &complaint);
    assert_true(failed_as(status, FAULT_BAD_INPUT) || failed_as(status, FAULT_LIMIT));
    if (!strstr(complaint.text, why) || !strstr(complaint.text, encoder_file_names[file]))
        fail_msg("%s: does not say '%s' but: %s", content, why, complaint.text);
}

static void what_cannot_be_honoured_is_refused(void **state)
{
    (void)state;
    refuse(ENCODER_CONFIG, "", "no JSON");
    refuse(ENCODER_CONFIG, "[1]", "not a JSON object");
    refuse(ENCODER_CONFIG, "{}", "'model_type' is missing");
    refuse(ENCODER_CONFIG, "{\"model_type\":\"roberta\"}", "'model_type' is not \"bert\"");
    refuse(ENCODER_CONFIG, "{\"model_type\":\"bert\",\"hidden_size\":12}", "'num_attention_heads' is missing");
    refuse(ENCODER_CONFIG, "{\"model_type\":\"bert\",\"hidden_size\":1000000}", "'hidden_size' is over 4096");
    refuse(ENCODER_CONFIG, "{\"model_type\":\"bert\",\"hidden_size\":-1}", "'hidden_size' is not a whole number");
    refuse(ENCODER_CONFIG, "{\"model_type\":\"bert\",\"hidden_act\":\"gelu_new\"}", "'hidden_act'");
    refuse(ENCODER_CONFIG, CONFIG ",\"position_embedding_type\":\"relative_key\"}", "'position_embedding_type'");
    refuse(ENCODER_CONFIG, CONFIG ",\"is_decoder\":true}", "'is_decoder' is true");
    refuse(ENCODER_CONFIG, CONFIG ",\"layer_norm_eps\":0}", "'layer_norm_eps'");
    refuse(ENCODER_CONFIG, CONFIG ",\"hidden_size\":12}", "duplicate");
    refuse(ENCODER_CONFIG,
           "{\"model_type\":\"bert\",\"hidden_size\":12,\"num_attention_heads\":5,"
           "\"num_hidden_layers\":1,\"intermediate_size\":1,\"vocab_size\":9,"
           "\"max_position_embeddings\":9}",
           "'num_attention_heads' does not divide");
    refuse(ENCODER_TOKENIZER, "{\"do_basic_tokenize\":false}", "'do_basic_tokenize'");
    refuse(ENCODER_TOKENIZER, "{\"tokenizer_class\":\"XLMRobertaTokenizer\"}", "'tokenizer_class'");
    refuse(ENCODER_TOKENIZER, "{\"cls_token\":\"<s>\"}", "'cls_token'");
    refuse(ENCODER_TOKENIZER, "{\"never_split\":[\"a\"]}", "'never_split'");
    refuse(ENCODER_TOKENIZER, "{\"do_lower_case\":1}", "'do_lower_case' is neither true nor false");
    refuse(ENCODER_TOKENIZER, "{\"truncation_side\":\"left\"}", "'truncation_side'");
    refuse(ENCODER_SENTENCE, "{\"max_seq_length\":2}", "'max_seq_length'");
    refuse(ENCODER_SENTENCE, "{\"max_seq_length\":\"x\"}", "'max_seq_length'");
    refuse(ENCODER_POOLING, "{\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":false}", "take the mean");
    refuse(ENCODER_POOLING, "{\"pooling_mode_mean_tokens\":true,\"pooling_mode_max_tokens\":true}", "max_tokens'");
    refuse(ENCODER_POOLING, "{\"pooling_mode\":\"lasttoken\"}", "'pooling_mode'");
    refuse(ENCODER_POOLING, "{\"word_embedding_dimension\":13}", "is not the hidden_size");
    refuse(ENCODER_MODULES, "[{\"type\":\"a.Transformer\"},{\"type\":\"a.Pooling\"},{\"type\":\"a.Dense\"}]",
           "a.Dense");
    refuse(ENCODER_MODULES, "[{\"type\":\"a.Pooling\"}]", "a.Pooling");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_is_the_standard),
        cmocka_unit_test(what_is_said_is_honoured),
        cmocka_unit_test(what_cannot_be_honoured_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
