// SPDX-License-Identifier: Apache-2.0
/* eddy replay: recorded clicks through the engine, prequentially. */
#include "app/replay_command.h"
#include "app/text_file.h"

#include <stdlib.h>

static int fail(const char *name, struct status status, const struct complaint *complaint)
{
    char text[256];
    fprintf(stderr, "eddy %s: %s\n", name,
            complaint->text[0] ? complaint->text : status_text(status, text, sizeof text));
    return failed_as(status, FAULT_BAD_INPUT) ? EXIT_DATA : EXIT_FAILED;
}

static struct status write_reports(const struct replay_command *command, const struct replay_result *result,
                                   struct complaint *complaint)
{
    const char *output = command->options.output;
    bool stdout_taken = (command->json && !strcmp(command->json, "-")) || (output && !strcmp(output, "-"));
    if (!stdout_taken)
        replay_report_table(result, stdout);
    if (command->json) {
        AUTO(buffer) json = {0};
        replay_report_json(&command->options, result, &json);
        TRY(text_file_write(command->json, &json, complaint));
    }
    return command->plots ? replay_report_plots(result, command->plots, complaint) : OK;
}

int replay_command_run(const struct replay_command *command)
{
    struct config config;
    struct complaint complaint = {{0}};
    int code = config_from_arguments(command->name, &command->config, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    struct replay_result *result = malloc(sizeof *result);
    struct status status = result ? replay_run(&command->options, &config, result, &complaint)
                                  : FAIL(MEMORY, sizeof *result, "no memory for a replay");
    if (!failed(status))
        status = write_reports(command, result, &complaint);
    free(result);
    config_release(&config);
    return failed(status) ? fail(command->name, status, &complaint) : EXIT_OK;
}

int command_replay(int argc, char **argv)
{
    struct replay_command command = {.name = "replay"};
    struct argument_list files = {0};
    const struct argument arguments[] = {
        {"items", "FILE", "catalogue, read first", ARGUMENT_TEXT, &command.options.items},
        CONFIG_ARGUMENTS(command.config),
        {"json", "FILE", "write the report as JSON", ARGUMENT_TEXT, &command.json},
        {"svg", "FOLDER", "write plots", ARGUMENT_TEXT, &command.plots},
        {"dump", "FILE", "write every list: session_id, position and item of the click, list", ARGUMENT_TEXT,
         &command.options.dump},
        {"output", "FILE", "write the recommendations as they would be published", ARGUMENT_TEXT,
         &command.options.output},
        {"strict", NULL, "stop at the first broken record", ARGUMENT_FLAG, &command.options.strict},
        {0},
    };
    static const char about[] =
        "Runs recorded clicks through the engine as if they came now: each click is answered, then learned from, and\n"
        "each next click judges the list before it. Files: TSV, CSV, JSON Lines, Avro; plain, gzip, zstd; - is "
        "stdin.\n";
    const struct usage usage = {"eddy replay [OPTION...] FILE...", about, arguments};
    enum arguments_result result = arguments_parse(&usage, argc, argv, &files);
    if (result != ARGUMENTS_OK)
        return result == ARGUMENTS_HELP ? EXIT_OK : EXIT_USAGE;
    if (files.count == 0) {
        fputs("eddy replay: no file is named. Run 'eddy replay --help'.\n", stderr);
        return EXIT_USAGE;
    }
    command.options.files = files.texts;
    command.options.file_count = files.count;
    return replay_command_run(&command);
}
