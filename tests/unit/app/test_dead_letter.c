// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/dead_letter.h"

#include <jansson.h>

#define TIME_MS      INT64_C(1396867869277) /* 2014-04-07T10:51:09.277Z */

#define HEADER_COUNT 6

static struct message record_of_a_letter(void)
{
    return (struct message){.partition = 1,
                            .attempt = 2,
                            .offset = 17,
                            .timestamp_ms = TIME_MS,
                            .key = BYTES("visit\n1"),
                            .value = BYTES("\x80\x81")};
}

static struct dead_letter letter_with(size_t header_count)
{
    const struct header headers[HEADER_COUNT] = {
        {ORIGIN_TOPIC_HEADER, BYTES("clicks")},    {ORIGIN_PARTITION_HEADER, BYTES("3")},
        {ORIGIN_OFFSET_HEADER, BYTES("1234")},     {REASON_CLASS_HEADER, BYTES("bad input")},
        {REASON_HEADER, BYTES("no \x1b[31mitem")}, {CUT_HEADER, BYTES("500000")},
    };
    struct message record = record_of_a_letter();
    return dead_letter_read("dead-letters", &record, headers, header_count);
}

static void a_letter_is_read_from_its_headers(void **state)
{
    (void)state;
    struct dead_letter letter = letter_with(HEADER_COUNT);
    assert_bytes(letter.origin_topic, "clicks");
    assert_int_equal(letter.origin_partition, 3);
    assert_int_equal(letter.origin_offset, 1234);
    assert_bytes(letter.reason_class, "bad input");
    assert_int_equal(letter.cut_from_bytes, 500000);
    letter = letter_with(0);
    assert_int_equal(letter.origin_topic.size, 0);
    assert_int_equal(letter.origin_partition, -1);
    assert_int_equal(letter.origin_offset, -1);
    assert_int_equal(letter.cut_from_bytes, 0);
}

static void headers_that_are_no_numbers_say_nothing(void **state)
{
    (void)state;
    const struct header odd[] = {{ORIGIN_PARTITION_HEADER, BYTES("3")},
                                 {ORIGIN_PARTITION_HEADER, BYTES("-3")}, /* the last one counts */
                                 {ORIGIN_OFFSET_HEADER, BYTES("12x")},
                                 {CUT_HEADER, {0}}};
    struct message record = record_of_a_letter();
    struct dead_letter letter = dead_letter_read("t", &record, odd, 4);
    assert_int_equal(letter.origin_partition, -1);
    assert_int_equal(letter.origin_offset, -1);
    assert_int_equal(letter.cut_from_bytes, 0);
}

static void places_are_partition_and_offset(void **state)
{
    (void)state;
    struct dead_letter_place place;
    assert_true(dead_letter_place_parse("12:3456789012", &place));
    assert_int_equal(place.partition, 12);
    assert_int_equal(place.offset, INT64_C(3456789012));
    const char *const wrong[] = {"", ":", "1", "1:", ":1", "-1:1", "1:-1", "1:2:3", "99999999999:1", "a:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(dead_letter_place_parse(wrong[i], &place));
}

static void filters_are_time_reason_and_place(void **state)
{
    (void)state;
    struct dead_letter letter = letter_with(HEADER_COUNT);
    const struct dead_letter_place here = {1, 17}, there[] = {{1, 18}, {0, 17}};
    const struct {
        struct dead_letter_filter filter;
        bool meant;
    } rows[] = {
        {{.until_ms = INT64_MAX}, true},
        {{.since_ms = TIME_MS, .until_ms = TIME_MS + 1}, true},
        {{.since_ms = TIME_MS + 1, .until_ms = INT64_MAX}, false},
        {{.until_ms = TIME_MS}, false},
        {{.until_ms = INT64_MAX, .reason = "BAD"}, true},
        {{.until_ms = INT64_MAX, .reason = "Item"}, true},
        {{.until_ms = INT64_MAX, .reason = "items"}, false},
        {{.until_ms = INT64_MAX, .places = &here, .place_count = 1}, true},
        {{.until_ms = INT64_MAX, .places = there, .place_count = 2}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(dead_letter_matches(&letter, &rows[i].filter), rows[i].meant);
    letter = letter_with(0);
    assert_false(dead_letter_matches(&letter, &rows[4].filter));
}

static void a_row_has_no_control_characters_and_is_one_line(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    struct dead_letter letter = letter_with(HEADER_COUNT);
    dead_letter_write_row(&letter, &out);
    assert_string_equal(buffer_text(&out),
                        "1:17         2014-04-07T10:51:09.277Z clicks:3:1234            9        visit 1              "
                        "bad input      [cut, was 500000 bytes] [retried, 2] no ?[31mitem\n");
    char longest[5000];
    memset(longest, 'x', sizeof longest);
    letter.reason = letter.record.key = letter.origin_topic = letter.reason_class = bytes_of(longest, sizeof longest);
    buffer_clear(&out);
    dead_letter_write_row(&letter, &out);
    assert_true(out.size < 1000);
    letter = letter_with(0);
    letter.record.key = (struct bytes){0};
    buffer_clear(&out);
    dead_letter_write_row(&letter, &out);
    assert_non_null(strstr(buffer_text(&out), "  -  "));
}

static void a_line_of_json_has_always_the_same_keys(void **state)
{
    (void)state;
    for (size_t count = 0; count <= HEADER_COUNT; count += HEADER_COUNT) {
        AUTO(buffer) out = {0};
        struct dead_letter letter = letter_with(count);
        dead_letter_write_json(&letter, &out);
        assert_null(memchr(out.data, '\n', out.size - 1));
        json_t *root = json_loads(buffer_text(&out), 0, NULL);
        assert_int_equal(json_object_size(root), 15);
        assert_string_equal(json_string_value(json_object_get(root, "key")), "visit\n1");
        assert_true(json_is_null(json_object_get(root, "key_base64")));
        assert_true(json_is_null(json_object_get(root, "value")));
        assert_string_equal(json_string_value(json_object_get(root, "value_base64")), "gIE=");
        assert_int_equal(json_integer_value(json_object_get(root, "attempt")), 2);
        assert_int_equal(json_is_null(json_object_get(root, "origin_offset")), count == 0);
        assert_int_equal(json_is_null(json_object_get(root, "reason")), count == 0);
        assert_int_equal(json_integer_value(json_object_get(root, "cut_from_bytes")), count ? 500000 : 0);
        json_decref(root);
    }
}

static void base64_is_as_the_standard_has_it(void **state)
{
    (void)state;
    const struct {
        struct bytes bytes;
        const char *text;
    } rows[] = {{BYTES("\xff"), "\"value_base64\":\"/w==\""},
                {BYTES("\xff\xfe"), "\"value_base64\":\"//4=\""},
                {BYTES("\xff\xfe\xfd"), "\"value_base64\":\"//79\""},
                {BYTES("\xff\x00\x10\x83"), "\"value_base64\":\"/wAQgw==\""},
                {BYTES(""), "\"value\":\"\",\"value_base64\":null"},
                {{NULL, 0}, "\"value\":null,\"value_base64\":null"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buffer) out = {0};
        struct dead_letter letter = letter_with(0);
        letter.record.value = rows[i].bytes;
        dead_letter_write_json(&letter, &out);
        assert_non_null(strstr(buffer_text(&out), rows[i].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_is_read_from_its_headers),
        cmocka_unit_test(headers_that_are_no_numbers_say_nothing),
        cmocka_unit_test(places_are_partition_and_offset),
        cmocka_unit_test(filters_are_time_reason_and_place),
        cmocka_unit_test(a_row_has_no_control_characters_and_is_one_line),
        cmocka_unit_test(a_line_of_json_has_always_the_same_keys),
        cmocka_unit_test(base64_is_as_the_standard_has_it),
    };
    return cmocka_run_group_tests_name("dead_letter", tests, NULL, NULL);
}
