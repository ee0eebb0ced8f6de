// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/arguments.h"

static struct {
    bool strict;
    const char *file;
    int64_t count, time_ms;
    struct argument_list sets, files;
} got;

static const struct argument table[] = {
    {"strict", NULL, "stop", ARGUMENT_FLAG, &got.strict},
    {"file", "FILE", "a file", ARGUMENT_TEXT, &got.file},
    {"count", "N", "how many", ARGUMENT_NUMBER, &got.count},
    {"from", "TIME", "since when", ARGUMENT_TIME, &got.time_ms},
    {"set", "KEY=VALUE", "set an option", ARGUMENT_TEXTS, &got.sets},
    {0},
};
static const struct usage usage = {"eddy test [OPTION...] FILE...", "Tests.\n", table, "  eddy test x\n"};

#define WORDS_MAX 80

static enum arguments_result parse(const char *const *words, bool positional)
{
    static char texts[WORDS_MAX][32];
    char *argv[WORDS_MAX] = {texts[0]};
    int argc = 1;
    snprintf(texts[0], sizeof texts[0], "test");
    for (; *words; words++, argc++) {
        snprintf(texts[argc], sizeof texts[argc], "%s", *words);
        argv[argc] = texts[argc];
    }
    memset(&got, 0, sizeof got);
    return arguments_parse(&usage, argc, argv, positional ? &got.files : NULL);
}
#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL}, true)

static void arguments_fill_their_targets(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--strict", "a", "--file", "f", "--count=-7", "-", "--set", "x=1", "--set=y=2", "--from",
                           "1970-01-01T00:00:01Z", "--", "--strict"),
                     ARGUMENTS_OK);
    assert_true(got.strict);
    assert_string_equal(got.file, "f");
    assert_int_equal(got.count, -7);
    assert_int_equal(got.time_ms, 1000);
    assert_int_equal(got.sets.count, 2);
    assert_string_equal(got.sets.texts[0], "x=1");
    assert_string_equal(got.sets.texts[1], "y=2");
    assert_int_equal(got.files.count, 3);
    assert_string_equal(got.files.texts[0], "a");
    assert_string_equal(got.files.texts[1], "-");
    assert_string_equal(got.files.texts[2], "--strict");
}

static void arguments_take_a_date_for_its_midnight(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--from", "1970-01-02"), ARGUMENTS_OK);
    assert_int_equal(got.time_ms, 86400000);
    assert_int_equal(PARSE("--from", "1970-01-32"), ARGUMENTS_WRONG);
    assert_int_equal(PARSE("--from", "yesterday"), ARGUMENTS_WRONG);
}

static void arguments_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--strikt"), ARGUMENTS_WRONG);
    assert_int_equal(PARSE("-s"), ARGUMENTS_WRONG);
    assert_int_equal(PARSE("--strict=yes"), ARGUMENTS_WRONG);
    assert_int_equal(PARSE("--file"), ARGUMENTS_WRONG);
    assert_int_equal(PARSE("--count", "7x"), ARGUMENTS_WRONG);
    assert_int_equal(PARSE("--from=yesterday"), ARGUMENTS_WRONG);
    const char *word[] = {"a", NULL};
    assert_int_equal(parse(word, false), ARGUMENTS_WRONG);
    const char *many[WORDS_MAX] = {0};
    for (int i = 0; i <= ARGUMENT_LIST_MAX; i++)
        many[i] = "a";
    assert_int_equal(parse(many, true), ARGUMENTS_WRONG);
    assert_int_equal(PARSE("--help", "--strikt"), ARGUMENTS_HELP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_fill_their_targets),
        cmocka_unit_test(arguments_take_a_date_for_its_midnight),
        cmocka_unit_test(arguments_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
