// SPDX-License-Identifier: Apache-2.0
/* What is generated or shipped must agree with the binary. */
#include "support/support.h"

#include "app/config.h"

#include <eddy/base/metrics.h>

static void read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s; run this from the top of the repository", path);
    for (int byte; (byte = fgetc(file)) != EOF;)
        buffer_append_byte(out, (uint8_t)byte);
    fclose(file);
    assert_ok(buffer_check(out));
}

static void assert_current(const char *path, const struct buffer *wanted, const char *command)
{
    AUTO(buffer) found = {0};
    read_file(path, &found);
    if (!bytes_equal(buffer_bytes(&found), buffer_bytes(wanted)))
        fail_msg("%s is not current; run: %s > %s", path, command, path);
}

static void the_reference_of_options_is_current(void **state)
{
    (void)state;
    AUTO(buffer) wanted = {0};
    config_document(&wanted);
    assert_ok(buffer_check(&wanted));
    assert_current("docs/CONFIGURATION.md", &wanted, "eddy config docs");
}

static void the_reference_of_metrics_is_current(void **state)
{
    (void)state;
    AUTO(buffer) wanted = {0};
    metrics_document(&wanted);
    assert_ok(buffer_check(&wanted));
    assert_current("docs/METRICS.md", &wanted, "eddy config docs --metrics");
}

static void load(const struct buffer *text)
{
    AUTO(config) config = {0};
    struct complaint complaint = {""};
    assert_ok(config_defaults(&config, &complaint));
    struct status status = config_load_text(&config, "config/eddy.yaml", buffer_bytes(text), &complaint);
    if (!failed(status))
        status = config_check(&config, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
}

static void the_example_configuration_is_right(void **state)
{
    (void)state;
    AUTO(buffer) text = {0};
    read_file("config/eddy.yaml", &text);
    load(&text);
}

static void the_example_is_right_with_every_commented_option_in_force(void **state)
{
    (void)state;
    AUTO(buffer) text = {0};
    AUTO(buffer) uncommented = {0};
    read_file("config/eddy.yaml", &text);
    int count = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool line_starts = i == 0 || text.data[i - 1] == '\n';
        bool is_option = line_starts && text.data[i] == '#' && i + 3 < text.size && text.data[i + 1] == ' ' &&
                         text.data[i + 2] == ' ' && text.data[i + 3] != ' ';
        count += is_option;
        if (!is_option)
            buffer_append_byte(&uncommented, text.data[i]);
    }
    assert_true(count > 5);
    setenv("KAFKA_PASSWORD", "x", 1);
    load(&uncommented);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_of_options_is_current),
        cmocka_unit_test(the_reference_of_metrics_is_current),
        cmocka_unit_test(the_example_configuration_is_right),
        cmocka_unit_test(the_example_is_right_with_every_commented_option_in_force),
    };
    return cmocka_run_group_tests_name("documents", tests, NULL, NULL);
}
