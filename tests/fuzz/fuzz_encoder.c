// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as the small files of an encoder's folder: settings and vocabulary; what is accepted must tokenise.
 * Input: files one behind the other, a byte 0xff between two: config, tokenizer, sentence, pooling, modules,
 * vocabulary, a text. */
#include "core/encoder/settings.h"
#include "core/text/wordpiece.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes take(struct bytes *rest)
{
    const uint8_t *end = rest->size ? memchr(rest->data, 0xff, rest->size) : NULL;
    struct bytes file = bytes_of(rest->data, end ? (size_t)(end - rest->data) : rest->size);
    size_t taken = file.size + (end != NULL);
    *rest = bytes_of(rest->data + taken, rest->size - taken);
    return file.size ? file : (struct bytes){0};
}

static void tokenise(const struct encoder_settings *settings, struct bytes vocabulary, struct bytes text)
{
    struct wordpiece *wordpiece;
    struct complaint complaint;
    if (failed(wordpiece_open(vocabulary, "vocab.txt", settings->rules, &wordpiece, &complaint)))
        return;
    uint32_t *tokens = malloc(settings->length_max * sizeof *tokens);
    uint32_t count = tokens ? wordpiece_encode(wordpiece, text, settings->length_max, tokens) : 0;
    if (count < 2 || count > settings->length_max)
        abort();
    for (uint32_t i = 0; i < count; i++)
        if (tokens[i] >= wordpiece_count(wordpiece))
            abort();
    free(tokens);
    wordpiece_close(wordpiece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum encoder_file order[] = {ENCODER_CONFIG, ENCODER_TOKENIZER, ENCODER_SENTENCE, ENCODER_POOLING,
                                              ENCODER_MODULES};
    struct encoder_files files = {0};
    struct encoder_settings settings;
    struct complaint complaint;
    struct bytes rest = bytes_of(data, size);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        files.content[order[i]] = take(&rest);
    struct bytes vocabulary = take(&rest);
    if (failed(encoder_settings_read(&files, &settings, &complaint)))
        return 0;
    if (settings.length_max < 3 || settings.length_max > settings.positions || settings.width % settings.heads)
        abort();
    tokenise(&settings, vocabulary, rest);
    return 0;
}
