// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/run/embedded.h"
#include "app/run/first_steps.h"

/* What is printed with the embedded broker and these settings. */
static void print(const char *const *assignments, size_t count, const char *file, struct buffer *out)
{
    AUTO(config) config = {0};
    struct embedded *embedded;
    struct complaint complaint = {""};
    assert_ok(config_make(&config, file, assignments, count, &complaint));
    assert_ok(embedded_open(&config, &embedded, &complaint));
    buffer_clear(out);
    first_steps_write(&config, out);
    assert_ok(buffer_check(out));
    assert_non_null(strstr(buffer_text(out), embedded_bootstrap(embedded)));
    embedded_close(embedded);
}

#define PRINT(out, ...)                                                                                                \
    print((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), NULL, out)

static void assert_says(const struct buffer *text, const char *wanted)
{
    if (!strstr((const char *)text->data, wanted))
        fail_msg("wanted '%s' in:\n%s", wanted, (const char *)text->data);
}

static void assert_says_not(const struct buffer *text, const char *unwanted)
{
    if (strstr((const char *)text->data, unwanted))
        fail_msg("did not want '%s' in:\n%s", unwanted, (const char *)text->data);
}

static void clicks_go_by_hand_when_nothing_is_said_of_formats(void **state)
{
    (void)state;
    AUTO(buffer) text = {0};
    PRINT(&text, "topics.partitions=1");
    assert_says(&text, "\n  eddy generate --kafka ");
    assert_says(&text, " --set formats.clicks=json --set formats.items=json\n");
    assert_says(&text, "\n  printf 'visit-1\\t{\"session_id\":\"visit-1\",\"item_id\":\"i0\"");
    assert_says(&text, " -P -t clicks -K '\\t'\n");
    assert_says(&text, " -C -t recommendations -o -100 -e -q | grep visit-1\n");
    assert_says(&text, " -P -t items -K '\\t'\n");
    assert_says_not(&text, "--config");
}

static void names_and_key_are_those_of_the_configuration(void **state)
{
    (void)state;
    AUTO(buffer) text = {0};
    PRINT(&text, "topics.prefix=my.", "session.key=user_id");
    assert_says(&text, " --set topics.prefix=\"my.\" ");
    assert_says(&text, " --set session.key=user_id\n");
    assert_says(&text, "\n  printf 'user-1\\t{\"session_id\":\"visit-1\",\"user_id\":\"user-1\",\"item_id\":\"i0\"");
    assert_says(&text, " -P -t my.clicks ");
    assert_says(&text, " | grep user-1\n");
    print(NULL, 0, "config/eddy.yaml", &text);
    assert_says(&text, " --clicks 30000 --config config/eddy.yaml --set kafka.bootstrap.servers=");
    assert_says_not(&text, "--set formats");
}

static void formats_that_the_user_has_set_stay_and_kcat_is_not_offered_what_it_cannot_do(void **state)
{
    (void)state;
    AUTO(buffer) text = {0};
    PRINT(&text, "formats.clicks=avro", "formats.recommendations=avro", "items.enabled=false");
    assert_says(&text, " --set items.enabled=false --set formats.clicks=avro --set formats.items=json\n");
    assert_says(&text, "because formats.clicks is not json");
    assert_says(&text, " -C -t recommendations -o -100 -e -q\n");
    assert_says_not(&text, " -P -t ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clicks_go_by_hand_when_nothing_is_said_of_formats),
        cmocka_unit_test(names_and_key_are_those_of_the_configuration),
        cmocka_unit_test(formats_that_the_user_has_set_stay_and_kcat_is_not_offered_what_it_cannot_do),
    };
    return cmocka_run_group_tests_name("first steps", tests, NULL, NULL);
}
