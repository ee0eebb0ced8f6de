// SPDX-License-Identifier: Apache-2.0
#pragma once
/* command: the verbs of the binary. A command is a file command_<name>.c with one function, and a row in command.c.
 * A command writes its data on stdout and everything else on stderr, and returns an exit code. */
#include <eddy/base/status.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_CONFIG = 3,
    EXIT_UNAVAILABLE = 4, /* broker or registry unreachable, authentication refused, http.listen taken: may pass */
    EXIT_DATA = 5,        /* a data threshold was passed: dead letters, --strict, a quality gate */
    EXIT_STATE = 6,       /* state corrupt or written by a newer version */
    EXIT_LOCKED = 7,      /* fenced, or the state directory belongs to another process */
};

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Says on stderr why the command could not go on, and returns its exit code: of bad or damaged data EXIT_DATA. */
int command_fail(const char *command, struct status status, const struct complaint *complaint);

/* Finds and runs argv[1]; prints help or a suggestion otherwise. */
int command_main(int argc, char **argv);

/* The candidate nearest to `word` by edit distance, NULL when none is near (for "did you mean"). The list ends with
 * NULL. */
const char *suggest(const char *word, const char *const *candidates);

/* The commands, one in each command_<name>.c. */
int command_config(int argc, char **argv);
int command_dead_letters(int argc, char **argv);
int command_demo(int argc, char **argv);
int command_embed(int argc, char **argv);
int command_evaluate(int argc, char **argv);
int command_generate(int argc, char **argv);
int command_import(int argc, char **argv);
int command_model(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_run(int argc, char **argv);
int command_schemas(int argc, char **argv);
int command_topics(int argc, char **argv);
int command_train(int argc, char **argv);
