// SPDX-License-Identifier: Apache-2.0
#pragma once
/* arguments: the command line of one command as a table, which parses it and prints its --help.
 *
 *   static const struct argument table[] = {
 *       {"clicks", "FILE", "log of clicks", ARGUMENT_TEXT, &clicks},
 *       {"strict", NULL, "stop at the first broken record", ARGUMENT_FLAG, &strict},
 *       {0}};
 *
 * `--name value`, `--name=value`, flags without a value; what does not begin with `--` is positional, and so is `-`
 * and everything behind `--`. A value is never empty. An option that stands twice takes the last value, unless it is a
 * list. Texts are borrowed from argv. */
#include <eddy/base/status.h>

#include <stddef.h>

enum argument_kind {
    ARGUMENT_FLAG,   /* bool: set to true */
    ARGUMENT_TEXT,   /* const char * */
    ARGUMENT_NUMBER, /* int64_t, a whole number */
    ARGUMENT_TIME,   /* int64_t: milliseconds since 1970, RFC 3339, or a date, which is its midnight UTC */
    ARGUMENT_TEXTS,  /* struct argument_list, one more each time */
};

#define ARGUMENT_LIST_MAX 64

struct argument_list {
    const char *texts[ARGUMENT_LIST_MAX];
    size_t count;
};

struct argument {
    const char *name;  /* without dashes */
    const char *value; /* "FILE" in the help; NULL for a flag */
    const char *help;
    enum argument_kind kind;
    void *target;
};

struct usage {
    const char *synopsis; /* "eddy replay [OPTION...] FILE..." */
    const char *about;    /* a paragraph, ends with a newline */
    const struct argument *arguments;
    const char *examples; /* lines of commands, each ends with a newline; NULL: none */
};

enum arguments_result { ARGUMENTS_OK, ARGUMENTS_HELP, ARGUMENTS_WRONG };

/* Parses argv[1..]. Positional arguments go to `positional`; NULL allows none. HELP has printed the help on stdout,
 * WRONG a sentence on stderr: the command ends with EXIT_OK or EXIT_USAGE. */
MUST_CHECK enum arguments_result arguments_parse(const struct usage *usage, int argc, char **argv,
                                                 struct argument_list *positional);

/* ARGUMENT_TIME's reading of a text. */
bool arguments_time(const char *text, int64_t *ret_time_ms);

/* False, after a sentence, when more than one of the paths is "-": standard output would mix them. *ret_taken: one is,
 * so that nothing else may go there. NULLs are fine. */
bool arguments_check_outputs(const char *command, const char *const *paths, size_t count, bool *ret_taken);
