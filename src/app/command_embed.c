// SPDX-License-Identifier: Apache-2.0
/* eddy embed: texts into vectors, to see what an embedder makes of them. */
#include "app/arguments.h"
#include "app/command.h"
#include "app/embedding.h"

#include <eddy/io/encoder_folder.h>
#include <eddy/io/file.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES     1024 /* that are embedded at once */
#define INPUT_MAX ((size_t)1 << 30)

struct embed_command {
    const char *provider, *folder, *items, *input;
    bool tokens;
    int64_t width;
};

/* ---- output, a line of JSON for each text */

static struct status print(struct buffer *text)
{
    TRY(buffer_check(text));
    fwrite(text->data, 1, text->size, stdout);
    buffer_clear(text);
    return OK;
}

static void put_vector(const float *vector, uint32_t width, struct buffer *out)
{
    for (uint32_t i = 0; i < width; i++)
        buffer_format(out, "%c%.9g", i ? ',' : '[', (double)vector[i]);
    buffer_append_text(out, "]\n");
}

static void put_tokens(const uint32_t *tokens, uint32_t count, struct buffer *out)
{
    for (uint32_t i = 0; i < count; i++)
        buffer_format(out, "%c%u", i ? ',' : '[', tokens[i]);
    buffer_append_text(out, "]\n");
}

/* ---- input, a text a line */

static size_t take_lines(struct bytes *rest, struct bytes *lines)
{
    size_t count = 0;
    while (rest->size > 0 && count < LINES)
        lines[count++] = bytes_take_line(rest);
    return count;
}

static struct status embed_lines(const struct embedder *embedder, struct bytes rest, float *vectors,
                                 struct complaint *complaint)
{
    AUTO(buffer) out = {0};
    struct bytes lines[LINES];
    for (size_t count; (count = take_lines(&rest, lines)) > 0;) {
        TRY(embedder_embed(embedder, lines, count, vectors, complaint));
        for (size_t i = 0; i < count; i++)
            put_vector(vectors + i * embedder->width, embedder->width, &out);
        TRY(print(&out));
    }
    return OK;
}

static struct status embed(const struct embed_command *command, const struct embedder *embedder,
                           struct complaint *complaint)
{
    AUTO(buffer) input = {.limit = INPUT_MAX};
    float *vectors = malloc(sizeof *vectors * LINES * embedder->width);
    struct status status = vectors ? OK : FAIL(MEMORY, embedder->width, "no memory for vectors");
    if (!failed(status))
        status = file_read(command->input, &input, complaint);
    if (!failed(status))
        status = embed_lines(embedder, buffer_bytes(&input), vectors, complaint);
    free(vectors);
    return status;
}

static struct status print_tokens(const struct embed_command *command, const struct encoder *encoder,
                                  struct complaint *complaint)
{
    AUTO(buffer) input = {.limit = INPUT_MAX};
    AUTO(buffer) out = {0};
    TRY(file_read(command->input, &input, complaint));
    struct bytes rest = buffer_bytes(&input);
    uint32_t *tokens = malloc(sizeof *tokens * encoder_length_max(encoder));
    struct status status = tokens ? OK : FAIL(MEMORY, 0, "no memory for tokens");
    while (!failed(status) && rest.size > 0) {
        struct bytes line = bytes_take_line(&rest);
        put_tokens(tokens, encoder_tokens(encoder, line, tokens), &out);
        status = print(&out);
    }
    free(tokens);
    return status;
}

/* ---- providers */

static struct status run_encoder(const struct embed_command *command, struct complaint *complaint)
{
    struct encoder *encoder;
    TRY(encoder_folder_open(command->folder, &encoder, complaint));
    struct embedder embedder = encoder_embedder(encoder);
    struct status status =
        command->tokens ? print_tokens(command, encoder, complaint) : embed(command, &embedder, complaint);
    embedder_close(&embedder);
    return status;
}

static struct status run_hash(const struct embed_command *command, struct complaint *complaint)
{
    struct hashing_options options = HASHING_OPTIONS_STANDARD;
    struct embedder embedder;
    if (command->width)
        options.width = (uint32_t)command->width;
    TRY(embedding_learn_file(&options, command->items, &embedder, complaint));
    struct status status = embed(command, &embedder, complaint);
    embedder_close(&embedder);
    return status;
}

/* ---- the command */

static bool wrong(const char *text)
{
    fprintf(stderr, "eddy embed: %s\nRun 'eddy embed --help' for what there is.\n", text);
    return false;
}

static bool check(struct embed_command *command, const struct argument_list *inputs)
{
    bool encoder = command->provider && !strcmp(command->provider, "encoder");
    if (!encoder && (!command->provider || strcmp(command->provider, "hash") != 0))
        return wrong("--provider is encoder or hash");
    if (encoder != (command->folder != NULL))
        return wrong(encoder ? "say by --folder where the sentence encoder is" : "--folder is for the encoder");
    if (encoder == (command->items != NULL))
        return wrong(encoder ? "--items is for hash" : "say by --items from which titles hash is to learn");
    if (command->width && encoder)
        return wrong("--width is for hash; an encoder has its own");
    if (command->width < 0 || command->width > HASHING_WIDTH_MAX)
        return wrong("--width is 1 to 256");
    if (command->tokens && !encoder)
        return wrong("--tokens is for the encoder");
    if (inputs->count != 1)
        return wrong("name one file of texts, a line each, or - for standard input");
    command->input = inputs->texts[0];
    return true;
}

static const char about[] =
    "Turns each line of a file into a vector of length 1, printed as a JSON array; the product of two is\n"
    "how alike their texts are. A line in which nothing is found has a vector of zeros.\n\n"
    "  encoder  a sentence encoder of the BERT family from a folder of files (all-MiniLM-L6-v2, which\n"
    "           './dev setup --encoder' fetches)\n"
    "  hash     n-grams of letters, with a projection learned from the titles of --items; no other files\n";

static const char examples[] = "  eddy embed --provider encoder --folder build/encoder titles.txt\n"
                               "  eddy embed --provider hash --items items.tsv.gz -\n";

int command_embed(int argc, char **argv)
{
    struct embed_command command = {0};
    struct argument_list inputs = {0};
    struct complaint complaint = {{0}};
    const struct argument arguments[] = {
        {"provider", "NAME", "encoder or hash", ARGUMENT_TEXT, &command.provider},
        {"folder", "FOLDER", "encoder: where its files are", ARGUMENT_TEXT, &command.folder},
        {"items", "FILE", "hash: items whose titles it learns from", ARGUMENT_TEXT, &command.items},
        {"width", "N", "hash: numbers of a vector (128)", ARGUMENT_NUMBER, &command.width},
        {"tokens", NULL, "encoder: print the texts' tokens instead", ARGUMENT_FLAG, &command.tokens},
        {0},
    };
    const struct usage usage = {"eddy embed --provider NAME [OPTION...] FILE|-", about, arguments, examples};
    switch (arguments_parse(&usage, argc, argv, &inputs)) {
    case ARGUMENTS_OK:
        break;
    case ARGUMENTS_HELP:
        return EXIT_OK;
    default:
        return EXIT_USAGE;
    }
    if (!check(&command, &inputs))
        return EXIT_USAGE;
    struct status status = command.folder ? run_encoder(&command, &complaint) : run_hash(&command, &complaint);
    return failed(status) ? command_fail("embed", status, &complaint) : EXIT_OK;
}
