// SPDX-License-Identifier: Apache-2.0
#include "core/encoder/forward.h"
#include "core/text/wordpiece.h"

#include <eddy/base/sha256.h>
#include <stdio.h>
#include <stdlib.h>

/* Tokens that are computed at once: enough for products at full speed, few enough that what is between two of them
 * stays in a cache of 2 MiB, and that who waits for a turn at products does so for milliseconds. */
#define ROWS        256
#define EMPTY       2  /* [CLS] [SEP] */
#define NAME_DIGITS 32 /* of the SHA-256 */

struct encoder {
    struct encoder_settings settings;
    struct encoder_weights weights;
    struct wordpiece *wordpiece;
    char digest[SHA256_TEXT_SIZE];
};

const char *const encoder_file_names[ENCODER_FILE_COUNT] = {
    [ENCODER_WEIGHTS] = "model.safetensors",
    [ENCODER_VOCABULARY] = "vocab.txt",
    [ENCODER_CONFIG] = "config.json",
    [ENCODER_SENTENCE] = "sentence_bert_config.json",
    [ENCODER_POOLING] = "1_Pooling/config.json",
    [ENCODER_TOKENIZER] = "tokenizer_config.json",
    [ENCODER_MODULES] = "modules.json",
};

/* ---- opening */

static struct status digest(const struct encoder_files *files, char text[SHA256_TEXT_SIZE])
{
    struct sha256 *hash;
    TRY(sha256_open(&hash));
    for (size_t i = 0; i < ENCODER_FILE_COUNT; i++) {
        char head[128];
        struct bytes content = files->content[i];
        int size = snprintf(head, sizeof head, "%s %zu\n", encoder_file_names[i], content.size);
        sha256_add(hash, bytes_of(head, (size_t)size));
        sha256_add(hash, content);
    }
    sha256_text(hash, text);
    sha256_close(hash);
    return OK;
}

static struct status read_weights(struct encoder *encoder, struct bytes file, struct complaint *complaint)
{
    struct safetensors *tensors;
    TRY(safetensors_open(file, encoder_file_names[ENCODER_WEIGHTS], &tensors, complaint));
    struct status status = encoder_weights_read(&encoder->settings, tensors, file.size, &encoder->weights, complaint);
    safetensors_close(tensors);
    return status;
}

static struct status read_files(struct encoder *encoder, const struct encoder_files *files, struct complaint *complaint)
{
    const char *name = encoder_file_names[ENCODER_VOCABULARY];
    for (size_t i = 0; i < ENCODER_NEEDED; i++)
        if (!files->content[i].data)
            return complain(complaint, FAIL(BAD_INPUT, (int64_t)i, "an encoder's file is missing"),
                            "%s: the file is missing or empty", encoder_file_names[i]);
    TRY(encoder_settings_read(files, &encoder->settings, complaint));
    TRY(wordpiece_open(files->content[ENCODER_VOCABULARY], name, encoder->settings.rules, &encoder->wordpiece,
                       complaint));
    if (wordpiece_count(encoder->wordpiece) > encoder->settings.vocabulary)
        return complain(complaint, FAIL(BAD_INPUT, encoder->settings.vocabulary, "a vocabulary is larger than a model"),
                        "%s: %u tokens, but vocab_size of %s is %u: the files are not of one model", name,
                        wordpiece_count(encoder->wordpiece), encoder_file_names[ENCODER_CONFIG],
                        encoder->settings.vocabulary);
    TRY(read_weights(encoder, files->content[ENCODER_WEIGHTS], complaint));
    return digest(files, encoder->digest);
}

struct status encoder_open(const struct encoder_files *files, struct encoder **ret_encoder, struct complaint *complaint)
{
    struct encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return FAIL(MEMORY, sizeof *encoder, "no memory for an encoder");
    struct status status = read_files(encoder, files, complaint);
    if (failed(status)) {
        encoder_close(encoder);
        return status;
    }
    *ret_encoder = encoder;
    return OK;
}

void encoder_close(struct encoder *encoder)
{
    if (!encoder)
        return;
    wordpiece_close(encoder->wordpiece);
    encoder_weights_release(&encoder->weights);
    free(encoder);
}

uint32_t encoder_length_max(const struct encoder *encoder)
{
    return encoder->settings.length_max;
}

uint32_t encoder_tokens(const struct encoder *encoder, struct bytes text, uint32_t *tokens)
{
    return wordpiece_encode(encoder->wordpiece, text, encoder->settings.length_max, tokens);
}

/* ---- embedding */

/* Texts that are gathered until their tokens make a batch. */
struct gathering {
    const struct encoder *encoder;
    struct forward_work *work;
    uint32_t rows;    /* of a batch */
    uint32_t *tokens; /* (rows + length_max) */
    uint32_t *starts; /* (rows + 1) */
    float **places;   /* (rows) where each text's vector goes */
    float *vectors;   /* (rows / 3, width): a text that is computed has three tokens at least */
    uint32_t count;
};

static void gathering_release(struct gathering *gathering)
{
    forward_work_close(gathering->work);
    free(gathering->tokens);
    free(gathering->starts);
    free(gathering->places);
    free(gathering->vectors);
}

/* No more rows than the texts can have: each byte is a token at most. */
static struct status gathering_open(const struct encoder *encoder, const struct bytes *texts, size_t count,
                                    struct gathering *gathering)
{
    uint32_t length_max = encoder->settings.length_max, rows_max = ROWS > length_max ? ROWS : length_max;
    size_t rows = 0, longest = 0;
    for (size_t i = 0; i < count && rows < rows_max; i++) {
        rows += texts[i].size < length_max ? texts[i].size + EMPTY : length_max;
        longest = rows;
    }
    gathering->encoder = encoder;
    gathering->rows = rows < rows_max ? (uint32_t)rows : rows_max;
    longest = longest < length_max ? longest : length_max;
    gathering->tokens = malloc((gathering->rows + length_max) * sizeof *gathering->tokens);
    gathering->starts = calloc(gathering->rows + 1, sizeof *gathering->starts);
    gathering->places = malloc(gathering->rows * sizeof *gathering->places);
    gathering->vectors =
        malloc((gathering->rows / (EMPTY + 1) + 1) * encoder->settings.width * sizeof *gathering->vectors);
    if (!gathering->tokens || !gathering->starts || !gathering->places || !gathering->vectors)
        return FAIL(MEMORY, gathering->rows, "no memory to encode texts in");
    return forward_work_open(&encoder->settings, gathering->rows, (uint32_t)longest, &gathering->work);
}

static struct status flush(struct gathering *gathering)
{
    const struct encoder *encoder = gathering->encoder;
    uint32_t width = encoder->settings.width;
    struct token_batch batch = {gathering->count, gathering->starts, gathering->tokens};
    if (batch.count == 0)
        return OK;
    TRY(forward(&encoder->settings, &encoder->weights, &batch, gathering->work, gathering->vectors));
    for (uint32_t i = 0; i < batch.count; i++)
        memcpy(gathering->places[i], gathering->vectors + (size_t)i * width, width * sizeof(float));
    gathering->count = 0;
    return OK;
}

static struct status gather(struct gathering *gathering, struct bytes text, float *vector)
{
    uint32_t *end = &gathering->starts[gathering->count];
    uint32_t count = encoder_tokens(gathering->encoder, text, gathering->tokens + *end);
    if (count <= EMPTY) {
        memset(vector, 0, gathering->encoder->settings.width * sizeof *vector);
        return OK;
    }
    if (*end + count > gathering->rows) {
        uint32_t behind = *end;
        TRY(flush(gathering));
        memmove(gathering->tokens, gathering->tokens + behind, count * sizeof *gathering->tokens);
    }
    gathering->places[gathering->count] = vector;
    gathering->starts[gathering->count + 1] = gathering->starts[gathering->count] + count;
    gathering->count++;
    return OK;
}

static struct status embed(void *self, const struct bytes *texts, size_t count, float *vectors,
                           struct complaint *complaint)
{
    const struct encoder *encoder = self;
    struct gathering gathering = {0};
    (void)complaint;
    if (count == 0)
        return OK;
    struct status status = gathering_open(encoder, texts, count, &gathering);
    for (size_t i = 0; i < count && !failed(status); i++)
        status = gather(&gathering, texts[i], vectors + i * encoder->settings.width);
    if (!failed(status))
        status = flush(&gathering);
    gathering_release(&gathering);
    return status;
}

static void close_encoder(void *self)
{
    encoder_close(self);
}

struct embedder encoder_embedder(struct encoder *encoder)
{
    static const struct embedder_ops ops = {embed, close_encoder};
    struct embedder embedder = {.ops = &ops, .self = encoder, .width = encoder->settings.width};
    snprintf(embedder.name, sizeof embedder.name, "encoder:%.*s", NAME_DIGITS, encoder->digest);
    return embedder;
}
