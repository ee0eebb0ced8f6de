// SPDX-License-Identifier: Apache-2.0
#include "app/arguments.h"

#include "app/command.h"

#include <eddy/base/timestamp.h>

#include <stdio.h>
#include <string.h>

static void print_help(const struct usage *usage)
{
    printf("usage: %s\n\n%s\noptions:\n", usage->synopsis, usage->about);
    for (const struct argument *argument = usage->arguments; argument->name; argument++) {
        char head[64];
        snprintf(head, sizeof head, "--%s%s%s", argument->name, argument->value ? " " : "",
                 argument->value ? argument->value : "");
        printf("  %-28s %s\n", head, argument->help);
    }
    printf("  %-28s %s\n", "--help", "print this");
    if (usage->examples)
        printf("\nexamples:\n%s", usage->examples);
}

__attribute__((format(printf, 2, 3))) static enum arguments_result wrong(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "eddy %s: ", command);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nRun 'eddy %s --help' for its options.\n", command);
    va_end(arguments);
    return ARGUMENTS_WRONG;
}

static enum arguments_result unknown(const struct usage *usage, const char *command, const char *text)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
    const char *names[ARGUMENT_LIST_MAX + 1] = {0};
    size_t count = 0;
    for (const struct argument *argument = usage->arguments; argument->name && count < ARGUMENT_LIST_MAX; argument++)
        names[count++] = argument->name;
    const char *near = suggest(name, names);
    if (near)
        return wrong(command, "no option '--%s'; did you mean '--%s'?", name, near);
    return wrong(command, "no option '--%s'", name);
}

static bool list_add(struct argument_list *list, const char *text)
{
    if (list->count == ARGUMENT_LIST_MAX)
        return false;
    list->texts[list->count++] = text;
    return true;
}

bool arguments_time(const char *text, int64_t *ret_time_ms)
{
    char midnight[TIMESTAMP_TEXT_MAX];
    if (timestamp_parse_any(bytes_of_text(text), ret_time_ms))
        return true;
    int size = snprintf(midnight, sizeof midnight, "%sT00:00:00Z", text);
    return size < (int)sizeof midnight && timestamp_parse(bytes_of_text(midnight), ret_time_ms);
}

/* `value` is NULL for a flag. */
static enum arguments_result take(const struct argument *argument, const char *command, const char *value)
{
    if (value && !*value)
        return wrong(command, "--%s wants a value: %s", argument->name, argument->value);
    switch (argument->kind) {
    case ARGUMENT_FLAG:
        *(bool *)argument->target = true;
        break;
    case ARGUMENT_TEXT:
        *(const char **)argument->target = value;
        break;
    case ARGUMENT_NUMBER:
        if (!bytes_to_int64(bytes_of_text(value), argument->target))
            return wrong(command, "--%s wants a whole number, not '%s'", argument->name, value);
        break;
    case ARGUMENT_TIME:
        if (!arguments_time(value, argument->target))
            return wrong(command,
                         "--%s wants a time like 2014-04-07T10:51:09Z or 2014-04-07, or milliseconds, not '%s'",
                         argument->name, value);
        break;
    case ARGUMENT_TEXTS:
        if (!list_add(argument->target, value))
            return wrong(command, "--%s stands more than %d times", argument->name, ARGUMENT_LIST_MAX);
        break;
    }
    return ARGUMENTS_OK;
}

/* The row whose name is the first `size` bytes of `name`. */
static const struct argument *find(const struct usage *usage, const char *name, size_t size)
{
    for (const struct argument *argument = usage->arguments; argument->name; argument++)
        if (strlen(argument->name) == size && !memcmp(argument->name, name, size))
            return argument;
    return NULL;
}

/* Parses the option at argv[*index], moving *index to the value when that is an argument of its own. */
static enum arguments_result parse_option(const struct usage *usage, int argc, char **argv, int *index)
{
    const char *name = argv[*index] + 2, *equals = strchr(name, '=');
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    const struct argument *argument = find(usage, name, size);
    if (!argument)
        return unknown(usage, argv[0], name);
    if (argument->kind == ARGUMENT_FLAG)
        return equals ? wrong(argv[0], "--%s takes no value", argument->name) : take(argument, argv[0], NULL);
    if (equals)
        return take(argument, argv[0], equals + 1);
    if (*index + 1 == argc)
        return wrong(argv[0], "--%s wants a value: %s", argument->name, argument->value);
    return take(argument, argv[0], argv[++*index]);
}

static enum arguments_result take_positional(const char *command, const char *text, struct argument_list *positional)
{
    if (!positional)
        return wrong(command, "'%s' stands where only options may", text);
    return list_add(positional, text) ? ARGUMENTS_OK : wrong(command, "more than %d files", ARGUMENT_LIST_MAX);
}

enum arguments_result arguments_parse(const struct usage *usage, int argc, char **argv,
                                      struct argument_list *positional)
{
    bool options_ended = false;
    enum arguments_result result = ARGUMENTS_OK;
    for (int i = 1; i < argc && result == ARGUMENTS_OK; i++) {
        const char *text = argv[i];
        bool option = !options_ended && text[0] == '-' && text[1];
        if (!option) {
            result = take_positional(argv[0], text, positional);
        } else if (!strcmp(text, "--")) {
            options_ended = true;
        } else if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
            print_help(usage);
            result = ARGUMENTS_HELP;
        } else if (text[1] == '-') {
            result = parse_option(usage, argc, argv, &i);
        } else {
            result = wrong(argv[0], "no option '%s'; long options begin with two dashes", text);
        }
    }
    return result;
}

bool arguments_check_outputs(const char *command, const char *const *paths, size_t count, bool *ret_taken)
{
    size_t standard = 0;
    for (size_t i = 0; i < count; i++)
        standard += paths[i] && !strcmp(paths[i], "-");
    *ret_taken = standard > 0;
    return standard <= 1 || wrong(command, "only one output can be '-', standard output") == ARGUMENTS_OK;
}
