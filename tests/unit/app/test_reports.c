// SPDX-License-Identifier: Apache-2.0
/* JSON and SVG as the reports write them. */
#include "support/support.h"

#include "app/json_writer.h"
#include "app/plot.h"

#include <jansson.h>
#include <math.h>

static void json_is_written_in_the_order_of_the_calls(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    struct json_writer json = json_writer_of(&out);
    json_begin_object(&json, NULL);
    json_text(&json, "te\"xt", BYTES("a\\b\n\x01\xc3\xa9"));
    json_number(&json, "half", 0.5);
    json_number(&json, "nothing", NAN);
    json_begin_array(&json, "list");
    json_whole_number(&json, NULL, INT64_MIN);
    json_begin_object(&json, NULL);
    json_end_object(&json);
    json_end_array(&json);
    json_begin_array(&json, "none");
    json_end_array(&json);
    json_end_object(&json);
    assert_string_equal(buffer_text(&out), "{\n  \"te\\\"xt\": \"a\\\\b\\u000a\\u0001\xc3\xa9\",\n  \"half\": 0.5,\n"
                                           "  \"nothing\": null,\n  \"list\": [\n    -9223372036854775808,\n    {}\n"
                                           "  ],\n  \"none\": []\n}\n");
    json_t *root = json_loads(buffer_text(&out), 0, NULL);
    assert_non_null(root);
    json_decref(root);
}

static void json_lines_hold_no_control_character(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    struct json_writer json = json_lines_of(&out);
    for (int i = 0; i < 2; i++) {
        json_begin_object(&json, NULL);
        json_text(&json, "text", BYTES("\x1b[2J\x7f\xc2\x9b\xc2\xa0\xc2"));
        json_none(&json, "none");
        json_end_object(&json);
    }
    const char *line = "{\"text\":\"\\u001b[2J\\u007f\\u009b\xc2\xa0\xc2\",\"none\":null}\n";
    assert_int_equal(out.size, 2 * strlen(line));
    assert_int_equal(strncmp(buffer_text(&out), line, strlen(line)), 0);
    assert_string_equal(buffer_text(&out) + strlen(line), line);
}

/* Tags open and close in order, attributes are quoted: all that our plots need of XML. */
static void assert_well_formed(const char *text)
{
    const char *open[16];
    int depth = 0;
    for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        if (at[1] == '/') {
            assert_true(depth > 0);
            const char *name = open[--depth];
            assert_int_equal(strncmp(at + 2, name, (size_t)(end - at - 2)), 0);
            continue;
        }
        int quotes = 0;
        for (const char *c = at; c < end; c++)
            quotes += *c == '"';
        assert_int_equal(quotes % 2, 0);
        if (end[-1] != '/') {
            assert_true(depth < 16);
            open[depth++] = at + 1;
        }
    }
    assert_int_equal(depth, 0);
}

static void plots_are_self_contained_and_hold_every_series(void **state)
{
    (void)state;
    static const double x[] = {1, 5, 10, 20}, y[] = {0.1, 0.4, 0.5, 0.6};
    AUTO(buffer) out = {0};
    struct plot plot = {.title = "a < b & c",
                        .x_label = "K",
                        .y_label = "HR",
                        .series = {{"first", x, y, 4}, {"second <2>", x, y, 4}},
                        .series_count = 2};
    plot_write(&plot, &out);
    const char *text = buffer_text(&out);
    assert_well_formed(text);
    assert_non_null(strstr(text, ">a &lt; b &amp; c</text>"));
    assert_non_null(strstr(text, ">second &lt;2>"));
    assert_null(strstr(text, "href"));
    assert_null(strstr(text, "<script"));
    const char *line = strstr(text, "d=\"M64.0 "); /* the axis; then the series begin at the left border */
    assert_non_null(line);
    assert_non_null(strstr(text, "L540.0 ")); /* and end at the right one */
}

/* Sixteen names as long as they get: each line of the legend ends within the drawing, and not a byte is missing. */
static void plots_have_room_for_long_names(void **state)
{
    (void)state;
    static const double x[] = {1, 2}, y[] = {0.1, 0.4};
    static const char name[] = "some/folder/of/configurations/mine.yaml,fusion.list_size=50,filters.seen=exclude,"
                               "scorers.knn.neighbours=1500,x=\xc3\xa9";
    AUTO(buffer) out = {0}, legend = {0};
    struct plot plot = {.title = "t", .x_label = "x", .y_label = "y", .series_count = PLOT_SERIES_MAX};
    for (size_t i = 0; i < PLOT_SERIES_MAX; i++)
        plot.series[i] = (struct plot_series){name, x, y, 2};
    plot_write(&plot, &out);
    assert_well_formed(buffer_text(&out));
    double width, height, left, top;
    assert_int_equal(sscanf(strstr(buffer_text(&out), "viewBox"), "viewBox=\"0 0 %lf %lf\"", &width, &height), 2);
    for (const char *at = buffer_text(&out); (at = strstr(at, "<text x=\"576.0\"")); at++) {
        const char *text = strchr(at, '>') + 1;
        size_t size = (size_t)(strchr(text, '<') - text);
        assert_int_equal(sscanf(at, "<text x=\"%lf\" y=\"%lf\"", &left, &top), 2);
        assert_true(size > 0 && left + 7.5 * (double)size <= width && top + 4 <= height);
        buffer_append(&legend, text, size);
    }
    assert_int_equal(legend.size, PLOT_SERIES_MAX * strlen(name));
    assert_memory_equal(legend.data, name, strlen(name));
}

static void plots_survive_any_numbers(void **state)
{
    (void)state;
    static const struct {
        double x[3], y[3];
        size_t count;
    } cases[] = {
        {{0}, {0}, 0},
        {{5}, {5}, 1},
        {{NAN, INFINITY, -INFINITY}, {1, 2, 3}, 3},
        {{1, 2, 3}, {NAN, NAN, NAN}, 3},
        {{0, 0, 0}, {0, 0, 0}, 3},
        {{1e-300, 1, 1e300}, {-1e300, 0, 1e300}, 3},
        {{-1, -2, -3}, {1, 1, 1}, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int logarithmic = 0; logarithmic < 2; logarithmic++) {
            AUTO(buffer) out = {0};
            struct plot plot = {.title = "t",
                                .x_label = "x",
                                .y_label = "y",
                                .x_logarithmic = logarithmic,
                                .series = {{"s", cases[i].x, cases[i].y, cases[i].count}},
                                .series_count = 1};
            plot_write(&plot, &out);
            assert_well_formed(buffer_text(&out));
            assert_true(out.size < 100000);
            assert_null(strstr(buffer_text(&out), "nan"));
            assert_null(strstr(buffer_text(&out), "inf"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines_hold_no_control_character),
        cmocka_unit_test(json_is_written_in_the_order_of_the_calls),
        cmocka_unit_test(plots_are_self_contained_and_hold_every_series),
        cmocka_unit_test(plots_have_room_for_long_names),
        cmocka_unit_test(plots_survive_any_numbers),
    };
    return cmocka_run_group_tests_name("reports", tests, NULL, NULL);
}
