// SPDX-License-Identifier: Apache-2.0
#include "app/command.h"

#include "app/config_arguments.h"

#include <eddy/base/metrics.h>

#include <stdio.h>

enum task { TASK_DUMP, TASK_CHECK, TASK_DOCS, TASK_COUNT };
static const char *const task_names[TASK_COUNT + 1] = {"dump", "check", "docs", NULL};

struct line {
    struct config_arguments from;
    bool tasks[TASK_COUNT]; /* --dump, --check, --docs */
    bool metrics;
    struct argument_list words; /* dump, check, docs */
};

static bool parse(int argc, char **argv, struct line *line, int *ret_code)
{
    const struct argument table[] = {
        CONFIG_ARGUMENTS(line->from),
        {"dump", NULL, "same as the word dump", ARGUMENT_FLAG, &line->tasks[TASK_DUMP]},
        {"check", NULL, "same as the word check", ARGUMENT_FLAG, &line->tasks[TASK_CHECK]},
        {"docs", NULL, "same as the word docs", ARGUMENT_FLAG, &line->tasks[TASK_DOCS]},
        {"metrics", NULL, "with docs: the reference of metrics instead", ARGUMENT_FLAG, &line->metrics},
        {0},
    };
    const struct usage usage = {
        "eddy config dump|check|docs [OPTION...]",
        "dump   every option in force, as YAML, with the place it was set at; secrets are ***\n"
        "check  say whether the configuration is right, and nothing else\n"
        "docs   the reference of all options, as Markdown\n",
        table,
        "  eddy config check --config eddy.yaml\n"
        "  eddy config dump --set session.gap_ms=20min\n"
        "  eddy config docs\n",
    };
    enum arguments_result result = arguments_parse(&usage, argc, argv, &line->words);
    *ret_code = result == ARGUMENTS_HELP ? EXIT_OK : EXIT_USAGE;
    return result == ARGUMENTS_OK;
}

static int wrong(const char *text)
{
    fprintf(stderr, "eddy config: %s\nRun 'eddy config --help' for the list.\n", text);
    return EXIT_USAGE;
}

/* The only task asked for, as a word or as a flag. */
static int find_task(struct line *line, enum task *ret_task)
{
    for (size_t i = 0; i < line->words.count; i++) {
        size_t task = 0;
        while (task < TASK_COUNT && strcmp(task_names[task], line->words.texts[i]) != 0)
            task++;
        if (task == TASK_COUNT) {
            const char *near = suggest(line->words.texts[i], task_names);
            fprintf(stderr, "eddy config: no '%s'%s%s%s\n", line->words.texts[i], near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
            return EXIT_USAGE;
        }
        line->tasks[task] = true;
    }
    int count = 0;
    for (int task = 0; task < TASK_COUNT; task++)
        if (line->tasks[task]) {
            *ret_task = (enum task)task;
            count++;
        }
    return count == 1 ? EXIT_OK : wrong("say one of dump, check and docs");
}

static int print(struct buffer *out)
{
    if (failed(buffer_check(out))) {
        fputs("eddy config: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    bool written = fwrite(out->data, 1, out->size, stdout) == out->size && fflush(stdout) == 0;
    if (!written)
        perror("eddy config: cannot write");
    return written ? EXIT_OK : EXIT_FAILED;
}

int command_config(int argc, char **argv)
{
    struct line line = {0};
    enum task task = TASK_DUMP;
    int code;
    if (!parse(argc, argv, &line, &code))
        return code;
    if ((code = find_task(&line, &task)) != EXIT_OK)
        return code;
    if (line.metrics && task != TASK_DOCS)
        return wrong("--metrics goes with docs");
    AUTO(buffer) out = {0};
    if (task == TASK_DOCS) {
        if (line.metrics)
            metrics_document(&out);
        else
            config_document(&out);
        return print(&out);
    }
    AUTO(config) config = {0};
    if ((code = config_from_arguments(argv[0], &line.from, CONFIG_ONLY, &config)) != EXIT_OK)
        return code;
    struct complaint complaint = {""};
    if (failed(config_check_kafka(&config, &complaint))) {
        fprintf(stderr, "eddy config: %s\n", complaint.text);
        return EXIT_CONFIG;
    }
    if (task == TASK_CHECK) {
        fputs("eddy config: all right\n", stderr);
        return EXIT_OK;
    }
    config_dump(&config, &out);
    return print(&out);
}
