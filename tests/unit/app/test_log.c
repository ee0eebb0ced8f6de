// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/log.h"
#include "app/log/line.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#define NOON INT64_C(1400000000123)

__attribute__((format(printf, 2, 3))) static char *line_of(const struct line_head *head, const char *format, ...)
{
    AUTO(buffer) out = {0};
    va_list arguments;
    va_start(arguments, format);
    line_write(head, format, arguments, &out);
    va_end(arguments);
    assert_ok(buffer_check(&out));
    return strdup(buffer_text(&out));
}

#define assert_line(head, wanted, ...)                                                                                 \
    do {                                                                                                               \
        char *line_ = line_of(head, __VA_ARGS__);                                                                      \
        assert_string_equal(line_, wanted);                                                                            \
        free(line_);                                                                                                   \
    } while (0)

/* Volatile, so that the compiler does not see the NULL. */
static const char *volatile nothing;

#define HEAD "time=2014-05-13T16:53:20.123Z level=warn event=e"

static void logfmt_quotes_only_what_needs_it(void **state)
{
    (void)state;
    struct line_head head = {.time_ms = NOON, .level = LOG_WARN, .event = "e"};
    assert_line(&head, HEAD "\n", " ");
    assert_line(&head, HEAD " a=x b=-7 c=1.50 d=k:9092 e=ff f=100%\n", "a=%s b=%d c=%.2f d=%s:%u e=%x f=100%%", "x", -7,
                1.5, "k", 9092u, 255u);
    assert_line(&head, HEAD " empty=\"\" blank=\"a b\" quote=\"\\\"\" equals=\"a=b\" line=\"1\\n2\"\n",
                "empty=%s blank=%s quote=%s equals=%s line=%s", "", "a b", "\"", "a=b", "1\n2");
    assert_line(&head, HEAD " big=18446744073709551615 small=-9223372036854775808 size=3\n",
                "big=%llu small=%lld size=%zu", 18446744073709551615ULL, (long long)INT64_MIN, (size_t)3);
    assert_line(&head, HEAD " b=ab none=\"\"\n", "b=%.*s none=%s", 2, "abc", nothing);
    assert_line(&head, HEAD " bad=\"a\\xff\" good=\"\xc3\xa4\"\n", "bad=%s good=%s", "a\xff", "\xc3\xa4");
}

static void json_lines_parse_and_keep_numbers(void **state)
{
    (void)state;
    struct line_head head = {.json = true, .time_ms = NOON, .level = LOG_ERROR, .event = "e", .suppressed = 4};
    char *line = line_of(&head, "text=%s number=%d ratio=%g mixed=%d/%d bad=%s nan=%f", "a \"b\"\n\x01", 5, 0.25, 1, 2,
                         "\xff", (double)NAN);
    json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "time")), "2014-05-13T16:53:20.123Z");
    assert_string_equal(json_string_value(json_object_get(json, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(json, "text")), "a \"b\"\n\x01");
    assert_int_equal(json_integer_value(json_object_get(json, "number")), 5);
    assert_int_equal(json_integer_value(json_object_get(json, "suppressed")), 4);
    assert_true(json_real_value(json_object_get(json, "ratio")) == 0.25);
    assert_string_equal(json_string_value(json_object_get(json, "mixed")), "1/2");
    assert_string_equal(json_string_value(json_object_get(json, "bad")), "\xef\xbf\xbd");
    assert_true(json_is_string(json_object_get(json, "nan")));
    json_decref(json);
    free(line);
}

static void long_values_and_lines_are_cut(void **state)
{
    (void)state;
    char *big = malloc(100001);
    memset(big, 'x', 100000);
    big[100000] = '\0';
    struct line_head head = {.json = true, .time_ms = NOON, .level = LOG_INFO, .event = "e"};
    char *line = line_of(&head, "a=%.*s b=%d", 5000, big, 7);
    json_t *json = json_loads(line, 0, NULL);
    assert_int_equal(json_string_length(json_object_get(json, "a")), VALUE_MAX_BYTES + 3);
    assert_int_equal(json_integer_value(json_object_get(json, "b")), 7);
    json_decref(json);
    free(line);
    for (int i = 0; i < 100000; i++)
        big[i] = "\xc3\xa4"[i % 2];
    line = line_of(&head, "a=x%s", big);
    json = json_loads(line, 0, NULL); /* cut between code points */
    assert_int_equal(json_string_length(json_object_get(json, "a")), VALUE_MAX_BYTES - 1 + 3);
    assert_non_null(strstr(line, "\xc3\xa4..."));
    json_decref(json);
    free(line);
    line = line_of(&head, "a=%s b=%s c=%s d=%s e=%s f=%s g=%s h=%s i=%s", big, big, big, big, big, big, big, big, big);
    json = json_loads(line, 0, NULL);
    assert_non_null(json_object_get(json, "a"));
    assert_null(json_object_get(json, "i"));
    assert_true(strlen(line) <= LINE_MAX_BYTES + 2);
    json_decref(json);
    free(line);
    free(big);
}

/* ---- the process's log, into a file */

static int count_lines(FILE *file, const char *must_contain)
{
    char line[LINE_MAX_BYTES + 8];
    int count = 0;
    rewind(file);
    while (fgets(line, sizeof line, file)) {
        assert_int_equal(line[strlen(line) - 1], '\n');
        count += strstr(line, must_contain) != NULL;
    }
    return count;
}

static void a_call_site_is_limited_and_tells_what_it_dropped(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    log_configure(LOG_INFO, LOG_FORMAT_LOGFMT, fileno(file));
    struct log_site site = {0};
    for (int i = 0; i < 25; i++)
        log_write(&site, LOG_INFO, "flood", "i=%d", i);
    assert_int_equal(count_lines(file, "event=flood"), LOG_BURST);
    site.window_start_ms -= LOG_WINDOW_MS;
    log_write(&site, LOG_INFO, "flood", "i=%d", 25);
    assert_int_equal(count_lines(file, "suppressed=15 i=25"), 1);
    for (int i = 0; i < 25; i++)
        log_always(LOG_INFO, "kept", "i=%d", i);
    assert_int_equal(count_lines(file, "event=kept"), 25);
    log_configure(LOG_INFO, LOG_FORMAT_AUTO, STDERR_FILENO);
    fclose(file);
}

static void levels_below_the_configured_one_are_silent(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    log_configure(LOG_WARN, LOG_FORMAT_AUTO, fileno(file));
    assert_false(log_wants(LOG_INFO));
    log_event(LOG_INFO, "quiet");
    log_event(LOG_WARN, "loud");
    log_event(LOG_ERROR, "louder", "a=%d", 1);
    assert_int_equal(count_lines(file, ""), 2);
    assert_int_equal(count_lines(file, "{\"time\":\""), 2); /* not a terminal: JSON */
    log_configure(LOG_INFO, LOG_FORMAT_AUTO, STDERR_FILENO);
    fclose(file);
}

static void *log_a_lot(void *argument)
{
    for (int i = 0; i < 500; i++)
        log_always(LOG_INFO, "thread", "name=%s i=%d", (const char *)argument, i);
    return NULL;
}

static void lines_of_many_threads_stay_whole(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    log_configure(LOG_INFO, LOG_FORMAT_JSON, fileno(file));
    pthread_t threads[4];
    static char names[4][8] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_a_lot, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    char line[256];
    int count = 0;
    rewind(file);
    for (; fgets(line, sizeof line, file); count++) {
        json_t *json = json_loads(line, 0, NULL);
        assert_non_null(json);
        json_decref(json);
    }
    assert_int_equal(count, 2000);
    log_configure(LOG_INFO, LOG_FORMAT_AUTO, STDERR_FILENO);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logfmt_quotes_only_what_needs_it),
        cmocka_unit_test(json_lines_parse_and_keep_numbers),
        cmocka_unit_test(long_values_and_lines_are_cut),
        cmocka_unit_test(a_call_site_is_limited_and_tells_what_it_dropped),
        cmocka_unit_test(levels_below_the_configured_one_are_silent),
        cmocka_unit_test(lines_of_many_threads_stay_whole),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
