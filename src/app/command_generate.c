// SPDX-License-Identifier: Apache-2.0
/* eddy generate: the synthetic clickstream of core/generate, into files or into topics. */
#include "app/config_arguments.h"
#include "app/topic_writer.h"

#include <eddy/base/timestamp.h>
#include <eddy/core/generate.h>
#include <eddy/io/file.h>
#include <eddy/io/log_writer.h>
#include <eddy/io/system.h>

#include <stdio.h>
#include <string.h>

#define START_DEFAULT INT64_MIN

struct generate_command {
    struct generate_options options;
    int64_t clicks, items, sessions, interests, rate, seed;
    int64_t start_ms; /* START_DEFAULT: in files long ago and always the same, in topics so that the last is now */
    const char *format, *output, *items_output;
    bool kafka;
    int64_t pace; /* clicks a second by the wall clock; 0: as fast as possible */
    struct config_arguments from;
};

/* ---- into files */

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
    TRY(file_try(clicks, complaint));
    if (items)
        TRY(write_file(generator, items, RECORD_ITEM, format_of(command, items), command->items, complaint));
    return write_file(generator, clicks, RECORD_CLICK, format_of(command, clicks), command->clicks, complaint);
}

/* ---- into topics */

/* The last click is of the time at which it is written, and none is ahead of that: later clicks of others, which are of
 * the present too, then find no watermark beyond them, nor put these behind one. */
static int64_t start_for_topics(const struct generate_command *command)
{
    struct time_source time = system_time();
    int64_t span_ms = generate_span_ms(&command->options, command->clicks), writing_ms = 0;
    if (command->pace > 0)
        writing_ms = (int64_t)((double)(command->clicks - 1) * 1e3 / (double)command->pace);
    int64_t before_ms = span_ms > writing_ms ? span_ms - writing_ms : 0;
    return time.ops->wall_ms(time.self) - before_ms;
}

/* Waits until click `index` is due. */
static void wait_due(const struct generate_command *command, struct time_source time, int64_t start_us, int64_t index)
{
    if (command->pace == 0)
        return;
    int64_t due_us = start_us + (int64_t)((double)index * 1e6 / (double)command->pace), now_us;
    while ((now_us = time.ops->monotonic_us(time.self)) < due_us)
        system_wait_ms((int)((due_us - now_us + 999) / 1000));
}

static struct status write_topics(struct generator *generator, const struct generate_command *command,
                                  struct topic_writer *writer, int64_t items)
{
    struct time_source time = system_time();
    for (int64_t i = 0; i < items; i++) {
        struct item item;
        generator_item(generator, (uint32_t)i, &item);
        TRY(topic_writer_item(writer, &item));
    }
    TRY(topic_writer_flush(writer));
    int64_t start_us = time.ops->monotonic_us(time.self), last_ms = command->options.start_ms;
    for (int64_t i = 0; i < command->clicks; i++) {
        struct click click;
        generator_next(generator, &click);
        wait_due(command, time, start_us, i);
        TRY(topic_writer_click(writer, &click));
        last_ms = click.time_ms;
    }
    TRY(topic_writer_flush(writer));
    double took_s = (double)(time.ops->monotonic_us(time.self) - start_us) * 1e-6;
    char from[TIMESTAMP_TEXT_MAX], to[TIMESTAMP_TEXT_MAX];
    fprintf(stderr, "%lld items and %lld clicks, dated %s to %s, %.0f clicks a second\n", (long long)items,
            (long long)command->clicks, timestamp_text(command->options.start_ms, from), timestamp_text(last_ms, to),
            (double)command->clicks / (took_s > 0 ? took_s : 1));
    return OK;
}

/* ---- the command */

static struct status write_to_kafka(struct generator *generator, const struct generate_command *command,
                                    const struct config *config, struct complaint *complaint)
{
    struct kafka_options kafka;
    struct topic_writer *writer;
    TRY(config_kafka_options(config, &kafka, complaint));
    TRY(topic_writer_open(config, &kafka, &writer, complaint));
    struct status status = write_topics(generator, command, writer, config->items_enabled ? command->items : 0);
    topic_writer_close(writer);
    if (failed_as(status, FAULT_UNAVAILABLE))
        return complain(complaint, status, "%s: no broker has taken records for %d s", kafka.bootstrap,
                        TOPIC_WRITER_PATIENCE_MS / 1000);
    return status;
}

/* `config` is NULL for files. */
static int generate(struct generate_command *command, const struct config *config)
{
    struct generator *generator;
    struct complaint complaint = {0};
    if (config && config->engine.session.by_user)
        command->options.user_rate = 1;
    if (command->start_ms != START_DEFAULT)
        command->options.start_ms = command->start_ms;
    else if (config)
        command->options.start_ms = start_for_topics(command);
    struct status status = generator_open(&command->options, &complaint, &generator);
    if (failed(status)) {
        int code = command_fail("generate", status, &complaint);
        return code == EXIT_CONFIG ? EXIT_USAGE : code;
    }
    status =
        config ? write_to_kafka(generator, command, config, &complaint) : write_files(generator, command, &complaint);
    generator_close(generator);
    return failed(status) ? command_fail("generate", status, &complaint) : EXIT_OK;
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
    if (command->clicks < 0 || command->pace < 0) {
        fprintf(stderr, "eddy generate: --clicks and --pace cannot be negative\n");
        return false;
    }
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (!command->format || !strcmp(command->format, format_words[i]))
            return true;
    fprintf(stderr, "eddy generate: --format is tsv, csv, jsonl or avro, not '%s'\n", command->format);
    return false;
}

/* An option that would have no effect is a mistake. */
static bool check_goal(const struct generate_command *command)
{
    bool file_options = command->output || command->items_output || command->format;
    bool kafka_options = command->pace != 0 || command->from.files.count > 0 || command->from.sets.count > 0;
    if (command->kafka && file_options)
        fputs("eddy generate: --output, --items-output and --format are for files, not for --kafka\n", stderr);
    else if (!command->kafka && kafka_options)
        fputs("eddy generate: --pace, --config and --set go with --kafka\n", stderr);
    return command->kafka ? !file_options : !kafka_options;
}

int command_generate(int argc, char **argv)
{
    struct generate_command command = {.options = generate_defaults(), .clicks = 1000000, .start_ms = START_DEFAULT};
    command.items = command.options.items;
    command.sessions = command.options.sessions;
    command.seed = (int64_t)command.options.seed;
    const struct argument table[] = {
        {"clicks", "N", "how many clicks (1000000)", ARGUMENT_NUMBER, &command.clicks},
        {"items", "N", "items of the shop (10000)", ARGUMENT_NUMBER, &command.items},
        {"sessions", "N", "sessions open at once, interleaved (1000)", ARGUMENT_NUMBER, &command.sessions},
        {"interests", "N", "latent interests (one for every 100 items)", ARGUMENT_NUMBER, &command.interests},
        {"rate", "N", "clicks a second in event time (a session clicks every 20 s)", ARGUMENT_NUMBER, &command.rate},
        {"start-ms", "TIME", "event time of the first click (2024-01-01; with --kafka so that the last is now)",
         ARGUMENT_TIME, &command.start_ms},
        {"seed", "N", "another seed, another stream (1)", ARGUMENT_NUMBER, &command.seed},
        {"format", "FORMAT", "tsv, csv, jsonl or avro (as the file is called, else tsv)", ARGUMENT_TEXT,
         &command.format},
        {"output", "FILE", "where the clicks go (-: standard output)", ARGUMENT_TEXT, &command.output},
        {"items-output", "FILE", "write the catalogue too", ARGUMENT_TEXT, &command.items_output},
        {"kafka", NULL, "write the items and clicks topics of the configuration, not files", ARGUMENT_FLAG,
         &command.kafka},
        {"pace", "N", "with --kafka: clicks a second by the wall clock (as fast as possible)", ARGUMENT_NUMBER,
         &command.pace},
        CONFIG_ARGUMENTS(command.from),
        {0}};
    static const char about[] =
        "Makes a clickstream that has structure to learn: items and session lengths follow power laws, sessions\n"
        "follow interests, popularity drifts. Same options, same clicks; into topics they are dated so that the\n"
        "last falls on the present. A file is compressed if its name ends in .gz or .zst.\n";
    static const char examples[] =
        "  eddy generate --clicks 100000 --output clicks.tsv.gz --items-output items.tsv.gz\n"
        "  eddy generate --kafka --config eddy.yaml --sessions 200 --clicks 60000 --pace 2000\n";
    struct usage usage = {"eddy generate [OPTION...]", about, table, examples};
    switch (arguments_parse(&usage, argc, argv, NULL)) {
    case ARGUMENTS_HELP:
        return EXIT_OK;
    case ARGUMENTS_WRONG:
        return EXIT_USAGE;
    case ARGUMENTS_OK:
        break;
    }
    bool stdout_taken, sensible = take_numbers(&command) && check_goal(&command);
    command.output = command.output ? command.output : "-";
    const char *outputs[] = {command.output, command.items_output};
    if (!sensible || !arguments_check_outputs(argv[0], outputs, 2, &stdout_taken))
        return EXIT_USAGE;
    if (!command.kafka)
        return generate(&command, NULL);
    struct config config;
    int code = config_from_arguments(argv[0], &command.from, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    code = generate(&command, &config);
    config_release(&config);
    return code;
}
