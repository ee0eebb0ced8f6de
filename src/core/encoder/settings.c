// SPDX-License-Identifier: Apache-2.0
#include "core/encoder/settings.h"

#include <jansson.h>
#include <stdlib.h>

#define LENGTH_MAX 4096

/* A parsed file; what is read of one that is not there is the standard value. */
struct source {
    json_t *root;
    const char *name;
    struct complaint *complaint;
};

static struct status refuse(const struct source *source, const char *key, const char *why)
{
    return complain(source->complaint, FAIL(BAD_INPUT, 0, "a model's settings cannot be honoured"), "%s: '%s' %s",
                    source->name, key, why);
}

static struct status load(const struct encoder_files *files, enum encoder_file file, struct source *source)
{
    json_error_t error;
    struct bytes content = files->content[file];
    source->name = encoder_file_names[file];
    source->root = NULL;
    if (!content.data)
        return OK;
    source->root = json_loadb((const char *)content.data, content.size, JSON_REJECT_DUPLICATES, &error);
    if (!source->root)
        return complain(source->complaint, FAIL(BAD_INPUT, error.line, "a model's settings are no JSON"),
                        "%s:%d: no JSON: %s", source->name, error.line, error.text);
    return OK;
}

/* A value that is not there, or null, is NULL. */
static const json_t *value_of(const struct source *source, const char *key)
{
    const json_t *value = json_object_get(source->root, key);
    return json_is_null(value) ? NULL : value;
}

/* A whole number 1 .. `largest`; `standard` when it is not there, 0: it must be. */
static struct status read_count(const struct source *source, const char *key, uint32_t largest, uint32_t standard,
                                uint32_t *ret_count)
{
    const json_t *value = value_of(source, key);
    if (!value && standard) {
        *ret_count = standard;
        return OK;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return refuse(source, key, value ? "is not a whole number above 0" : "is missing");
    if (json_integer_value(value) > largest)
        return complain(source->complaint, FAIL(LIMIT, json_integer_value(value), "a model is too large"),
                        "%s: '%s' is over %u, the most that is computed with", source->name, key, largest);
    *ret_count = (uint32_t)json_integer_value(value);
    return OK;
}

/* Like read_count(), of a number that others write as 1e30 for "no limit". */
static struct status read_length(const struct source *source, const char *key, uint32_t standard, uint32_t *ret_length)
{
    const json_t *value = value_of(source, key);
    double length = json_number_value(value);
    if (value && (!json_is_number(value) || length < 3))
        return refuse(source, key, "is not a number of tokens, 3 at least");
    *ret_length = value && length < standard ? (uint32_t)length : standard;
    return OK;
}

static struct status read_truth(const struct source *source, const char *key, bool standard, bool *ret_truth)
{
    const json_t *value = value_of(source, key);
    if (value && !json_is_boolean(value))
        return refuse(source, key, "is neither true nor false");
    *ret_truth = value ? json_is_true(value) : standard;
    return OK;
}

/* The value is that text, or is not there. */
static struct status want_text(const struct source *source, const char *key, const char *wanted, const char *why)
{
    const json_t *value = value_of(source, key);
    const char *text = json_string_value(value);
    return !value || (text && !strcmp(text, wanted)) ? OK : refuse(source, key, why);
}

static struct status want_false(const struct source *source, const char *key)
{
    bool truth;
    TRY(read_truth(source, key, false, &truth));
    return truth ? refuse(source, key, "is true, which cannot be honoured") : OK;
}

/* ---- config.json */

static struct status read_shape(const struct source *source, struct encoder_settings *settings)
{
    TRY(read_count(source, "hidden_size", EMBEDDER_WIDTH_MAX, 0, &settings->width));
    TRY(read_count(source, "num_attention_heads", 256, 0, &settings->heads));
    TRY(read_count(source, "num_hidden_layers", 128, 0, &settings->layers));
    TRY(read_count(source, "intermediate_size", 4 * EMBEDDER_WIDTH_MAX, 0, &settings->inner));
    TRY(read_count(source, "vocab_size", 1 << 22, 0, &settings->vocabulary));
    TRY(read_count(source, "max_position_embeddings", LENGTH_MAX, 0, &settings->positions));
    TRY(read_count(source, "type_vocab_size", 1 << 10, 2, &settings->types));
    if (settings->width % settings->heads)
        return refuse(source, "num_attention_heads", "does not divide hidden_size");
    return settings->positions >= 3 ? OK : refuse(source, "max_position_embeddings", "is not 3 at least");
}

static struct status read_config(const struct source *source, struct encoder_settings *settings)
{
    const json_t *epsilon = value_of(source, "layer_norm_eps");
    if (!json_is_object(source->root))
        return complain(source->complaint, FAIL(BAD_INPUT, 0, "a model's settings are no object"),
                        "%s: not a JSON object", source->name);
    if (!value_of(source, "model_type"))
        return refuse(source, "model_type", "is missing; it would be \"bert\"");
    TRY(want_text(source, "model_type", "bert", "is not \"bert\", the one architecture that there is"));
    TRY(want_text(source, "hidden_act", "gelu",
                  "is not \"gelu\" (by the error function), the one activation there is"));
    TRY(want_text(source, "position_embedding_type", "absolute", "is not \"absolute\", the one kind there is"));
    TRY(want_false(source, "is_decoder"));
    TRY(want_false(source, "add_cross_attention"));
    double value = epsilon ? json_number_value(epsilon) : 1e-12;
    if (!(value > 0 && value < 1))
        return refuse(source, "layer_norm_eps", "is not a number between 0 and 1");
    settings->epsilon = (float)value;
    return read_shape(source, settings);
}

/* ---- the tokenizer's */

static struct status check_tokens(const struct source *source)
{
    static const char *const keys[] = {"unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};
    static const char *const texts[] = {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"};
    const json_t *never = value_of(source, "never_split");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = value_of(source, keys[i]);
        const char *text = json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);
        if (value && (!text || strcmp(text, texts[i]) != 0))
            return refuse(source, keys[i], "is not what BERT calls it ([UNK], [SEP], [PAD], [CLS], [MASK])");
    }
    return json_array_size(never) == 0 ? OK : refuse(source, "never_split", "names tokens, which cannot be honoured");
}

static struct status read_tokenizer(const struct source *source, struct encoder_settings *settings)
{
    struct word_rules *rules = &settings->rules;
    bool basic;
    TRY(read_truth(source, "do_lower_case", true, &rules->lower_case));
    TRY(read_truth(source, "strip_accents", rules->lower_case, &rules->strip_accents));
    TRY(read_truth(source, "tokenize_chinese_chars", true, &rules->ideographs_apart));
    TRY(read_truth(source, "do_basic_tokenize", true, &basic));
    if (!basic)
        return refuse(source, "do_basic_tokenize", "is false, which cannot be honoured");
    const char *kind = json_string_value(value_of(source, "tokenizer_class"));
    if (kind && strcmp(kind, "BertTokenizer") != 0 && strcmp(kind, "BertTokenizerFast") != 0)
        return refuse(source, "tokenizer_class", "is not BertTokenizer, the one that there is");
    TRY(want_text(source, "truncation_side", "right", "is not \"right\", where texts are cut"));
    TRY(read_length(source, "model_max_length", settings->positions, &settings->length_max));
    return check_tokens(source);
}

/* ---- the sentence's */

static struct status read_sentence(const struct source *source, struct encoder_settings *settings)
{
    bool lower;
    TRY(read_truth(source, "do_lower_case", false, &lower));
    if (lower && !settings->rules.lower_case)
        return refuse(source, "do_lower_case", "is true, while the tokenizer's is false, which cannot be honoured");
    if (value_of(source, "max_seq_length"))
        TRY(read_length(source, "max_seq_length", settings->positions, &settings->length_max));
    return OK;
}

/* All ways of pooling are switches of their own; in newer files there is one word. */
static struct status read_pooling(const struct source *source, const struct encoder_settings *settings)
{
    static const char mean_wanted[] = "says otherwise than to take the mean over all tokens, the one way there is";
    const char *key;
    json_t *value;
    uint32_t width;
    bool mean;
    TRY(want_text(source, "pooling_mode", "mean", mean_wanted));
    TRY(read_truth(source, "pooling_mode_mean_tokens", true, &mean));
    if (!mean)
        return refuse(source, "pooling_mode_mean_tokens", mean_wanted);
    json_object_foreach(source->root, key, value) if (!strncmp(key, "pooling_mode_", 13) &&
                                                      strcmp(key, "pooling_mode_mean_tokens") != 0 &&
                                                      json_is_true(value)) return refuse(source, key, mean_wanted);
    key = value_of(source, "embedding_dimension") ? "embedding_dimension" : "word_embedding_dimension";
    TRY(read_count(source, key, EMBEDDER_WIDTH_MAX, settings->width, &width));
    return width == settings->width ? OK : refuse(source, key, "is not the hidden_size of config.json");
}

static bool ends_with(const char *text, const char *end)
{
    return text && bytes_end_with(bytes_of_text(text), end);
}

/* "sentence_transformers.models.Transformer", and the like of other versions */
static struct status read_modules(const struct source *source)
{
    static const char *const kinds[] = {".Transformer", ".Pooling", ".Normalize"};
    size_t i;
    json_t *module;
    json_array_foreach(source->root, i, module)
    {
        const char *type = json_string_value(json_object_get(module, "type"));
        if (i >= sizeof kinds / sizeof *kinds || !ends_with(type, kinds[i]))
            return refuse(source, type ? type : "type",
                          "is no module that can be honoured there: Transformer, Pooling, Normalize, in that order");
    }
    return OK;
}

/* ---- all of them */

static struct status read_file(const struct source *source, enum encoder_file file, struct encoder_settings *settings)
{
    switch (file) {
    case ENCODER_CONFIG:
        return read_config(source, settings);
    case ENCODER_TOKENIZER:
        return read_tokenizer(source, settings);
    case ENCODER_SENTENCE:
        return read_sentence(source, settings);
    case ENCODER_POOLING:
        return read_pooling(source, settings);
    default:
        return read_modules(source);
    }
}

struct status encoder_settings_read(const struct encoder_files *files, struct encoder_settings *ret_settings,
                                    struct complaint *complaint)
{
    static const enum encoder_file order[] = {ENCODER_CONFIG, ENCODER_TOKENIZER, ENCODER_SENTENCE, ENCODER_POOLING,
                                              ENCODER_MODULES};
    struct encoder_settings settings = {0};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct source source = {NULL, NULL, complaint};
        struct status status = load(files, order[i], &source);
        if (!failed(status))
            status = read_file(&source, order[i], &settings);
        json_decref(source.root);
        TRY(status);
    }
    *ret_settings = settings;
    return OK;
}
