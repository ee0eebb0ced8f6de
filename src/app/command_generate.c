// SPDX-License-Identifier: Apache-2.0
/* eddy generate: the synthetic clickstream of core/generate, into a file. */
#include "app/arguments.h"
#include "app/command.h"

#include <eddy/core/generate.h>
#include <eddy/io/log_writer.h>

#include <stdio.h>
#include <string.h>

struct generate_command {
    struct generate_options options;
    int64_t clicks, items, sessions, interests, rate, seed;
    const char *format, *output, *items_output;
};

/* Writes `count` records of a type to a file. */
static struct status write_file(struct generator *generator, const char *path, enum record_type type,
                                enum log_file_format format, int64_t count, struct complaint *complaint)
{
    struct log_writer *writer;
    TRY(log_writer_open(path, type, format, &writer, complaint));
    for (int64_t i = 0; i < count; i++) {
        struct click click;
        struct item item;
        struct status status;
        if (type == RECORD_CLICK) {
            generator_next(generator, &click);
            status = log_writer_click(writer, &click, complaint);
        } else {
            generator_item(generator, (uint32_t)i, &item);
            status = log_writer_item(writer, &item, complaint);
        }
        if (failed(status)) {
            log_writer_abandon(writer);
            return status;
        }
    }
    return log_writer_close(writer, complaint);
}

/* In the order of enum log_file_format. */
static const char *const format_words[] = {"tsv", "csv", "jsonl", "avro"};

#define FORMAT_COUNT (sizeof format_words / sizeof *format_words)

/* What --format says, else what the file's name says. */
static enum log_file_format format_of(const struct generate_command *command, const char *path)
{
    for (size_t i = 0; command->format && i < FORMAT_COUNT; i++)
        if (!strcmp(command->format, format_words[i]))
            return (enum log_file_format)i;
    return log_writer_format(path);
}

static struct status write_files(struct generator *generator, const struct generate_command *command,
                                 struct complaint *complaint)
{
    const char *items = command->items_output, *clicks = command->output;
    if (items)
        TRY(write_file(generator, items, RECORD_ITEM, format_of(command, items), command->items, complaint));
    return write_file(generator, clicks, RECORD_CLICK, format_of(command, clicks), command->clicks, complaint);
}

static int generate(struct generate_command *command)
{
    struct generator *generator;
    struct complaint complaint = {0};
    struct status status = generator_open(&command->options, &complaint, &generator);
    if (!failed(status)) {
        status = write_files(generator, command, &complaint);
        generator_close(generator);
    }
    if (!failed(status))
        return EXIT_OK;
    char text[256];
    fprintf(stderr, "eddy generate: %s\n", *complaint.text ? complaint.text : status_text(status, text, sizeof text));
    return failed_as(status, FAULT_CONFIG) ? EXIT_USAGE : EXIT_FAILED;
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
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (!command->format || !strcmp(command->format, format_words[i]))
            return true;
    fprintf(stderr, "eddy generate: --format is tsv, csv, jsonl or avro, not '%s'\n", command->format);
    return false;
}

int command_generate(int argc, char **argv)
{
    struct generate_command command = {.options = generate_defaults(), .clicks = 1000000, .output = "-"};
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
        {"format", "FORMAT", "tsv, csv, jsonl or avro (as the file is called, else tsv)", ARGUMENT_TEXT,
         &command.format},
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
