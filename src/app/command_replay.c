// SPDX-License-Identifier: Apache-2.0
/* eddy replay: recorded clicks through the engine, prequentially. */
#include "app/plot.h"
#include "app/replay_command.h"

#include <eddy/base/timestamp.h>
#include <eddy/io/file.h>

#include <stdlib.h>

static struct status write_reports(const struct replay_command *command, const struct replay_result *result,
                                   bool stdout_taken, struct complaint *complaint)
{
    if (!stdout_taken)
        replay_report_table(&command->options, result, stdout);
    if (command->json) {
        AUTO(buffer) json = {0};
        replay_report_json(&command->options, result, &json);
        TRY(file_write(command->json, &json, complaint));
    }
    return command->plots ? replay_report_plots(result, command->plots, complaint) : OK;
}

static struct status try_reports(const struct replay_command *command, struct complaint *complaint)
{
    TRY(file_try(command->json, complaint));
    return plot_try(command->plots, complaint);
}

/* Single clicks of a time far ahead were refused; in a log that is in no order of time, many are late. */
static void warn_of_late_clicks(const struct replay_command *command, const struct replay_result *result)
{
    char last[TIMESTAMP_TEXT_MAX];
    if (result->late * 10 <= result->reading.records)
        return;
    fprintf(stderr,
            "eddy %s: %llu of %llu clicks were late and not answered: older than the newest before them by more than\n"
            "session.gap_ms and session.grace_ms. Is the log in order of time? The latest time in it is %s.\n",
            command->name, (unsigned long long)result->late, (unsigned long long)result->reading.records,
            timestamp_text(result->last_ms, last));
}

/* Lists are as they would be published; measures beyond their end are those of their end. */
static void warn_of_short_lists(const struct replay_command *command, const struct config *config)
{
    uint32_t size = config->engine.fusion.list_size;
    if (size < REPLAY_PLACES)
        fprintf(stderr, "eddy %s: fusion.list_size is %u: measures @%u are of lists of %u\n", command->name, size,
                (unsigned)REPLAY_PLACES, size);
}

int replay_command_run(const struct replay_command *command)
{
    struct config config;
    struct complaint complaint = {{0}};
    const char *outputs[] = {command->json, command->options.output, command->options.dump, command->options.state};
    bool stdout_taken;
    if (!arguments_check_outputs(command->name, outputs, sizeof outputs / sizeof *outputs, &stdout_taken))
        return EXIT_USAGE;
    int code = config_from_arguments(command->name, &command->config, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    warn_of_short_lists(command, &config);
    struct replay_result *result = malloc(sizeof *result);
    struct status status = result ? OK : FAIL(MEMORY, sizeof *result, "no memory for a replay");
    if (!failed(status))
        status = try_reports(command, &complaint);
    if (!failed(status))
        status = replay_run(&command->options, &config, result, &complaint);
    if (!failed(status))
        status = write_reports(command, result, stdout_taken, &complaint);
    if (!failed(status))
        warn_of_late_clicks(command, result);
    free(result);
    config_release(&config);
    return failed(status) ? command_fail(command->name, status, &complaint) : EXIT_OK;
}

/* A whole number is an offset, all else a time. */
static bool bound_of(const char *text, struct kafka_bound *ret_bound)
{
    if (!text)
        return true;
    int64_t value;
    if (bytes_to_int64(bytes_of_text(text), &value) && value >= 0)
        *ret_bound = (struct kafka_bound){KAFKA_BOUND_OFFSET, value};
    else if (arguments_time(text, &value) && value >= 0)
        *ret_bound = (struct kafka_bound){KAFKA_BOUND_TIME, value};
    else
        fprintf(stderr, "eddy replay: '%s' is no offset, nor a time like 2014-04-07T10:51:09Z or 2014-04-07\n", text);
    return ret_bound->kind != KAFKA_BOUND_NONE;
}

static bool check_source(const struct replay_options *options, bool bounded)
{
    if (options->topic ? options->file_count > 0 : options->file_count == 0) {
        fputs("eddy replay: name either files or --topic. Run 'eddy replay --help'.\n", stderr);
        return false;
    }
    if (bounded && !options->topic) {
        fputs("eddy replay: --from and --to are for --topic\n", stderr);
        return false;
    }
    return true;
}

int command_replay(int argc, char **argv)
{
    struct replay_command command = {.name = "replay"};
    struct argument_list files = {0};
    const char *from = NULL, *to = NULL;
    const struct argument arguments[] = {
        {"topic", "NAME", "replay this topic of the configured cluster instead of files", ARGUMENT_TEXT,
         &command.options.topic},
        {"from", "OFFSET|TIME", "where in the topic to begin, of every partition (its start)", ARGUMENT_TEXT, &from},
        {"to", "OFFSET|TIME", "where to stop, not included (its end as of now)", ARGUMENT_TEXT, &to},
        {"items", "FILE", "catalogue, read first", ARGUMENT_TEXT, &command.options.items},
        CONFIG_ARGUMENTS(command.config),
        {"json", "FILE", "write the report as JSON", ARGUMENT_TEXT, &command.json},
        {"svg", "FOLDER", "write plots into it; it is made if need be", ARGUMENT_TEXT, &command.plots},
        {"dump", "FILE", "write every list: session_id, position and item of the click, list", ARGUMENT_TEXT,
         &command.options.dump},
        {"output", "FILE", "write the recommendations as they would be published", ARGUMENT_TEXT,
         &command.options.output},
        {"into-state", "FILE", "close all sessions and write what was learned, for learn.snapshot", ARGUMENT_TEXT,
         &command.options.state},
        {"strict", NULL, "stop at the first broken record", ARGUMENT_FLAG, &command.options.strict},
        {0},
    };
    static const char about[] =
        "Runs recorded clicks through the engine as if they came now: each click is answered, then learned from, and\n"
        "each next click judges the list before it.\n\n" LOG_READING_HELP;
    static const char examples[] =
        "  eddy replay clicks.tsv.gz\n"
        "  eddy replay --items items.tsv.gz --json report.json --dump lists.tsv.gz clicks.tsv.gz\n"
        "  eddy replay --config eddy.yaml --into-state learned.state may.jsonl.zst june.jsonl.zst\n"
        "  eddy replay --config eddy.yaml --topic clicks --from 2024-05-01\n";
    const struct usage usage = {"eddy replay [OPTION...] FILE... | --topic NAME", about, arguments, examples};
    enum arguments_result result = arguments_parse(&usage, argc, argv, &files);
    if (result != ARGUMENTS_OK)
        return result == ARGUMENTS_HELP ? EXIT_OK : EXIT_USAGE;
    command.options.files = files.texts;
    command.options.file_count = files.count;
    if (!bound_of(from, &command.options.from) || !bound_of(to, &command.options.to) ||
        !check_source(&command.options, from || to))
        return EXIT_USAGE;
    return replay_command_run(&command);
}
