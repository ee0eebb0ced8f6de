// SPDX-License-Identifier: Apache-2.0
/* eddy generate: the synthetic clickstream of core/generate, into a file. */
#include "app/arguments.h"
#include "app/command.h"

#include <eddy/core/codec.h>
#include <eddy/core/generate.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_BYTES 65536

struct generate_command {
    struct generate_options options;
    int64_t clicks, items, sessions, interests, rate, seed;
    const char *format, *output, *items_output;
};

/* A file being written; "-" is standard output. */
struct text_file {
    const char *path;
    FILE *stream;
    struct buffer text;
};

static bool text_file_open(struct text_file *file, const char *path)
{
    *file = (struct text_file){.path = path, .stream = strcmp(path, "-") ? fopen(path, "wb") : stdout};
    if (!file->stream)
        fprintf(stderr, "eddy generate: cannot write %s: %s\n", path, strerror(errno));
    return file->stream != NULL;
}

/* Writes what has been gathered, when it is worth it. */
static bool text_file_write(struct text_file *file, size_t bytes_min)
{
    if (file->text.size < bytes_min)
        return true;
    bool written = !failed(buffer_check(&file->text)) &&
                   fwrite(file->text.data, 1, file->text.size, file->stream) == file->text.size;
    if (!written)
        fprintf(stderr, "eddy generate: cannot write %s: %s\n", file->path, strerror(errno));
    buffer_clear(&file->text);
    return written;
}

static bool text_file_close(struct text_file *file)
{
    bool written = text_file_write(file, 1);
    buffer_release(&file->text);
    int result = file->stream == stdout ? fflush(stdout) : fclose(file->stream);
    if (written && result)
        fprintf(stderr, "eddy generate: cannot write %s: %s\n", file->path, strerror(errno));
    return written && !result;
}

static const struct encoding as_json = {.format = RECORD_JSON};

static void append_click(struct generator *generator, uint32_t index, bool json, struct buffer *out)
{
    (void)index;
    struct click click;
    generator_next(generator, &click);
    if (json)
        encode_click(as_json, &click, out);
    else
        generate_tsv_click(&click, out);
}

static void append_item(struct generator *generator, uint32_t index, bool json, struct buffer *out)
{
    struct item item;
    generator_item(generator, index, &item);
    if (json)
        encode_item(as_json, &item, out);
    else
        generate_tsv_item(&item, out);
}

/* Writes `count` records; `columns` is the first line of a TSV file. */
static bool write_records(struct generator *generator, const char *path, bool json, const char *columns, int64_t count,
                          void (*append)(struct generator *, uint32_t, bool, struct buffer *))
{
    struct text_file file;
    if (!text_file_open(&file, path))
        return false;
    if (!json)
        buffer_append_text(&file.text, columns);
    bool written = true;
    for (int64_t i = 0; i < count && written; i++) {
        append(generator, (uint32_t)i, json, &file.text);
        if (json)
            buffer_append_byte(&file.text, '\n');
        written = text_file_write(&file, CHUNK_BYTES);
    }
    return text_file_close(&file) && written;
}

static bool write_files(struct generator *generator, const struct generate_command *command)
{
    bool json = !strcmp(command->format, "jsonl");
    if (command->items_output &&
        !write_records(generator, command->items_output, json, GENERATE_TSV_ITEMS, command->items, append_item))
        return false;
    return write_records(generator, command->output, json, GENERATE_TSV_CLICKS, command->clicks, append_click);
}

static int generate(struct generate_command *command)
{
    struct generator *generator;
    struct complaint complaint = {0};
    struct status status = generator_open(&command->options, &complaint, &generator);
    if (failed(status)) {
        char text[256];
        fprintf(stderr, "eddy generate: %s\n",
                *complaint.text ? complaint.text : status_text(status, text, sizeof text));
        return failed_as(status, FAULT_CONFIG) ? EXIT_USAGE : EXIT_FAILED;
    }
    bool written = write_files(generator, command);
    generator_close(generator);
    return written ? EXIT_OK : EXIT_FAILED;
}

/* False, with a sentence, for what generator_open() cannot see: numbers too large for its fields. */
static bool take_numbers(struct generate_command *command)
{
    const struct {
        const char *name;
        int64_t value;
        uint32_t *target;
    } rows[] = {{"items", command->items, &command->options.items},
                {"sessions", command->sessions, &command->options.sessions},
                {"interests", command->interests, &command->options.interests}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].value < 0 || rows[i].value > UINT32_MAX) {
            fprintf(stderr, "eddy generate: --%s cannot be %lld\n", rows[i].name, (long long)rows[i].value);
            return false;
        }
        *rows[i].target = (uint32_t)rows[i].value;
    }
    command->options.seed = (uint64_t)command->seed;
    command->options.clicks_per_second = (double)command->rate;
    if (command->clicks < 0) {
        fprintf(stderr, "eddy generate: --clicks cannot be negative\n");
        return false;
    }
    if (strcmp(command->format, "tsv") && strcmp(command->format, "jsonl")) {
        fprintf(stderr, "eddy generate: --format is tsv or jsonl, not '%s'\n", command->format);
        return false;
    }
    return true;
}

int command_generate(int argc, char **argv)
{
    struct generate_command command = {
        .options = generate_defaults(), .clicks = 1000000, .format = "tsv", .output = "-"};
    command.items = command.options.items;
    command.sessions = command.options.sessions;
    command.seed = (int64_t)command.options.seed;
    const struct argument table[] = {
        {"clicks", "N", "how many clicks (1000000)", ARGUMENT_NUMBER, &command.clicks},
        {"items", "N", "items of the shop (10000)", ARGUMENT_NUMBER, &command.items},
        {"sessions", "N", "sessions open at once, interleaved (1000)", ARGUMENT_NUMBER, &command.sessions},
        {"interests", "N", "latent interests (one for every 100 items)", ARGUMENT_NUMBER, &command.interests},
        {"rate", "N", "clicks a second in event time (a session clicks every 20 s)", ARGUMENT_NUMBER, &command.rate},
        {"start-ms", "TIME", "event time of the first click (2024-01-01)", ARGUMENT_TIME, &command.options.start_ms},
        {"seed", "N", "another seed, another stream (1)", ARGUMENT_NUMBER, &command.seed},
        {"format", "FORMAT", "tsv or jsonl (tsv)", ARGUMENT_TEXT, &command.format},
        {"output", "FILE", "where the clicks go (-: standard output)", ARGUMENT_TEXT, &command.output},
        {"items-output", "FILE", "write the catalogue too", ARGUMENT_TEXT, &command.items_output},
        {0}};
    static const char about[] =
        "Makes a clickstream that has structure to learn: items and session lengths follow power\n"
        "laws, sessions follow interests, popularity drifts. Same options, same clicks.\n";
    struct usage usage = {"eddy generate [OPTION...]", about, table};
    switch (arguments_parse(&usage, argc, argv, NULL)) {
    case ARGUMENTS_HELP:
        return EXIT_OK;
    case ARGUMENTS_WRONG:
        return EXIT_USAGE;
    case ARGUMENTS_OK:
        break;
    }
    return take_numbers(&command) ? generate(&command) : EXIT_USAGE;
}
