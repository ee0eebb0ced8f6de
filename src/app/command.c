// SPDX-License-Identifier: Apache-2.0
#include "app/command.h"

#include <stdio.h>
#include <string.h>

static int command_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("eddy " EDDY_VERSION);
    return EXIT_OK;
}

/* In the order of the help text. */
static const struct command commands[] = {
    {"config", "show, check and document the configuration", command_config},
    {"dead-letters", "list what could not be used, and send it again", command_dead_letters},
    {"demo", "watch recommendations for a real clickstream, no broker needed", command_demo},
    {"embed", "turn texts into vectors", command_embed},
    {"evaluate", "score configurations on recorded sessions", command_evaluate},
    {"generate", "make a synthetic clickstream, for load", command_generate},
    {"import", "turn public data sets into clicks and items", command_import},
    {"model", "list, publish and take back versions of session models", command_model},
    {"replay", "run recorded clicks through the engine", command_replay},
    {"run", "serve: clicks from Kafka in, recommendations out", command_run},
    {"schemas", "register or check the schemas in a schema registry", command_schemas},
    {"topics", "create or check the topics on the cluster", command_topics},
    {"train", "train a session model on recorded sessions", command_train},
    {"version", "print the version", command_version},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_help(FILE *out)
{
    fputs("eddy: a streaming recommender. Clicks in from Kafka, recommendations out.\n\n"
          "usage: eddy COMMAND [OPTION...]      eddy COMMAND --help\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("\nexamples:\n"
          "  eddy demo                          watch recommendations for a real clickstream, no broker needed\n"
          "  eddy run --config eddy.yaml        serve your own Kafka\n"
          "  eddy replay clicks.tsv.gz          what eddy would have recommended, and how often it was right\n"
          "  eddy generate --output clicks.tsv  clicks to try that with\n\n"
          "exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong configuration, 4 no broker or registry, or\n"
          "http.listen taken, 5 bad data, 6 damaged state, 7 state in use by another process\n",
          out);
}

static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[64];
    size_t m = strlen(b);
    if (m + 1 > sizeof row / sizeof *row || strlen(a) > 63)
        return 99;
    for (unsigned j = 0; j <= m; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            unsigned above = row[j];
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[m];
}

const char *suggest(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    unsigned best_distance = (unsigned)(strlen(word) / 3 + 2);
    for (; *candidates; candidates++) {
        unsigned distance = edit_distance(word, *candidates);
        if (distance < best_distance) {
            best_distance = distance;
            best = *candidates;
        }
    }
    return best;
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT + 1] = {0};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *near = suggest(name, names);
    fprintf(stderr, "eddy: no command '%s'", name);
    if (near)
        fprintf(stderr, "; did you mean '%s'?", near);
    fputs("\nRun 'eddy --help' for the list.\n", stderr);
    return EXIT_USAGE;
}

int command_fail(const char *command, struct status status, const struct complaint *complaint)
{
    char text[256];
    fprintf(stderr, "eddy %s: %s\n", command,
            *complaint->text ? complaint->text : status_text(status, text, sizeof text));
    switch (status.fault->kind) {
    case FAULT_CONFIG:
        return EXIT_CONFIG;
    case FAULT_UNAVAILABLE:
        return EXIT_UNAVAILABLE;
    case FAULT_BAD_INPUT:
    case FAULT_CORRUPT:
        return EXIT_DATA;
    default:
        return EXIT_FAILED;
    }
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(name, commands[i].name))
            return &commands[i];
    return NULL;
}

/* `eddy help NAME` is `eddy NAME --help`. */
static int help_on(char *name)
{
    static char option[] = "--help";
    char *words[] = {name, option, NULL};
    const struct command *command = find(name);
    return command ? command->run(2, words) : unknown_command(name);
}

int command_main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *name = strcmp(argv[1], "--version") ? argv[1] : "version";
    bool help = !strcmp(name, "help");
    if (help && argc > 2)
        return help_on(argv[2]);
    if (help || !strcmp(name, "--help") || !strcmp(name, "-h")) {
        print_help(stdout);
        return EXIT_OK;
    }
    const struct command *command = find(name);
    return command ? command->run(argc - 1, argv + 1) : unknown_command(name);
}
