// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <zlib.h>
#include <zstd.h>

#include <eddy/base/buffer.h>
#include <eddy/io/log_file.h>

/* Reads a whole log and writes what became of each record, one line each: "number session item time type|reason". */
static const char *read_clicks(struct bytes content, struct buffer *out)
{
    struct log_file *log;
    struct complaint complaint = {0};
    buffer_clear(out);
    if (failed(log_file_open_bytes(content, "log", LOG_FILE_CLICKS, &log, &complaint))) {
        buffer_format(out, "! %s\n", complaint.text);
        return buffer_text(out);
    }
    for (;;) {
        struct click click;
        bool found;
        if (failed(log_file_next_click(log, &click, &found, &complaint))) {
            buffer_format(out, "! %s\n", complaint.text);
            continue;
        }
        if (!found)
            break;
        buffer_format(out, "%llu " BYTES_FORMAT " " BYTES_FORMAT " %lld", (unsigned long long)log_file_number(log),
                      BYTES_ARGS(click.session_id), BYTES_ARGS(click.item_id), (long long)click.time_ms);
        if (click.type != CLICK_TYPE_VIEW || click.user_id.size || click.event_id.size)
            buffer_format(out, " %s/" BYTES_FORMAT "/" BYTES_FORMAT, click_type_text(click.type),
                          BYTES_ARGS(click.user_id), BYTES_ARGS(click.event_id));
        buffer_append_byte(out, '\n');
    }
    log_file_close(log);
    return buffer_text(out);
}

static void check(const char *content, const char *wanted)
{
    AUTO(buffer) out = {0};
    assert_string_equal(read_clicks(bytes_of_text(content), &out), wanted);
}

static void log_reads_tab_separated_clicks(void **state)
{
    (void)state;
    check("session_id\ttimestamp_ms\titem_id\n"
          "s1\t1600000000000\ta\n"
          "s2\t1600000001000\tb\n",
          "2 s1 a 1600000000000\n3 s2 b 1600000001000\n");
}

static void log_takes_columns_by_name_and_ignores_others(void **state)
{
    (void)state;
    check("split\titem_id\ttype\tuser_id\tsession_id\tevent_id\ttimestamp\n"
          "train\ta\tpurchase\tu1\ts1\te1\t2020-09-13T12:26:40Z\n"
          "test\tb\t\t\ts1\t\t1600000001000\n",
          "2 s1 a 1600000000000 purchase/u1/e1\n3 s1 b 1600000001000\n");
    check("session_id\ttimestamp\ttimestamp_ms\titem_id\ns\t7\t1600000000000\ta\n", "2 s a 1600000000000\n");
    check("session_id\ttimestamp_ms\ttimestamp\titem_id\ns\t1600000000000\t7\ta\n", "2 s a 1600000000000\n");
    check("user_id\ttimestamp_ms\titem_id\nu\t1600000000000\ta\n", "2  a 1600000000000 view/u/\n");
}

static void log_reads_quoted_csv_with_line_breaks(void **state)
{
    (void)state;
    check("\"session_id\",item_id,timestamp_ms,note\r\n"
          "s1,\"a,\"\"1\"\"\",1600000000000,\"two\r\nlines, and \"\"quotes\"\"\n\"\r\n"
          "s2,\"\",1600000000000,x\r\n"
          "s2,b,1600000000000,\r\n",
          "2 s1 a,\"1\" 1600000000000\n"
          "! log: line 5: item_id is missing or empty\n"
          "6 s2 b 1600000000000\n");
}

static void log_goes_on_behind_a_quote_that_is_never_closed(void **state)
{
    (void)state;
    check("session_id,item_id,timestamp_ms\n"
          "s1,\"a,1600000000000\n"
          "s2,b,1600000000000\n"
          "s3,c,1600000000000",
          "! log: line 2: a quoted field is not closed\n3 s2 b 1600000000000\n4 s3 c 1600000000000\n");
    check("session_id,item_id,timestamp_ms\ns1,a,\"1600000000000", "! log: line 2: a quoted field is not closed\n");
    check("session_id,item_id,timestamp_ms\ns1,\"a\"b,1600000000000\ns2,b,1600000000000\n",
          "! log: line 2: field 2 has text behind its closing quote\n3 s2 b 1600000000000\n");
}

static void log_survives_byte_order_marks_blank_lines_and_a_missing_last_newline(void **state)
{
    (void)state;
    check("\xef\xbb\xbfsession_id\ttimestamp_ms\titem_id\r\n\r\ns1\t1600000000000\ta\r\n\n\ns2\t1600000000000\tb",
          "3 s1 a 1600000000000\n6 s2 b 1600000000000\n");
}

static void log_names_file_line_and_reason_of_every_broken_line(void **state)
{
    (void)state;
    check("session_id\ttimestamp_ms\titem_id\ttype\n"
          "s1\t1600000000000\ta\n"
          "s1\t1600000000000\ta\tview\tmore\n"
          "\t1600000000000\ta\tview\n"
          "s1\t1600000000000\t\tview\n"
          "s1\tyesterday\ta\tview\n"
          "s1\t\ta\tview\n"
          "s1\t1600000000\ta\tview\n"
          "s1\t1600000000000\t\xff\xfe\tview\n"
          "s1\t\x1b[2J\ta\tview\n"
          "s1\t1600000000000\ta\tview\n",
          "! log: line 2: there are 3 fields where the first line names 4 columns\n"
          "! log: line 3: there are 5 fields where the first line names 4 columns\n"
          "! log: line 4: session_id is missing or empty\n"
          "! log: line 5: item_id is missing or empty\n"
          "! log: line 6: timestamp is 'yesterday', wanted milliseconds or a time like 2014-04-07T10:51:09.277Z\n"
          "! log: line 7: timestamp is '', wanted milliseconds or a time like 2014-04-07T10:51:09.277Z\n"
          "! log: line 8: timestamp 1600000000 is not a time in milliseconds between the years 1990 and 9999\n"
          "! log: line 9: item_id is not valid UTF-8\n"
          "! log: line 10: timestamp is '?[2J', wanted milliseconds or a time like " /* nothing for a terminal */
          "2014-04-07T10:51:09.277Z\n"
          "11 s1 a 1600000000000\n");
}

#define JSON_CLICK(item, type)                                                                                         \
    "{\"session_id\":\"s\",\"timestamp\":1600000000000,\"item_id\":\"" item "\",\"type\":\"" type "\"}\n"

/* In every format, as in topics: to lose the click would be worse. */
static void log_takes_clicks_of_unknown_types_for_views_and_says_so(void **state)
{
    (void)state;
    static const char *const files[] = {
        "session_id\ttimestamp_ms\titem_id\ttype\ns\t1600000000000\ta\twishlist\ns\t1600000000000\tb\tpurchase\n",
        "session_id,timestamp_ms,item_id,type\ns,1600000000000,a,wishlist\ns,1600000000000,b,purchase\n",
        JSON_CLICK("a", "wishlist") JSON_CLICK("b", "purchase"),
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct log_file *log;
        struct click click;
        bool found;
        assert_ok(log_file_open_bytes(bytes_of_text(files[i]), "log", LOG_FILE_CLICKS, &log, NULL));
        assert_ok(log_file_next_click(log, &click, &found, NULL));
        assert_int_equal(click.type, CLICK_TYPE_VIEW);
        assert_bytes(click.unknown_type, "wishlist");
        assert_ok(log_file_next_click(log, &click, &found, NULL));
        assert_int_equal(click.type, CLICK_TYPE_PURCHASE);
        assert_int_equal(click.unknown_type.size, 0);
        log_file_close(log);
    }
}

static void log_refuses_files_without_the_columns_it_needs(void **state)
{
    (void)state;
    check("", "! log: the file is empty\n");
    check("\n\n", "! log: the file is empty\n");
    check("[{\"item_id\":\"a\"}]",
          "! log: this is one JSON array; JSON is read with an object on each line (jq -c '.[]' "
          "makes it so)\n");
    check("s1\t1600000000000\ta\n", "! log: line 1: there is no column item_id; the first line must name the "
                                    "columns, it has: s1, 1600000000000, a\n");
    check("item_id,timestamp\n", "! log: line 1: there is no column session_id (or user_id); the first line must "
                                 "name the columns, it has: item_id, timestamp\n");
    check("item_id,session_id\n", "! log: line 1: there is no column timestamp_ms (or timestamp); the first line "
                                  "must name the columns, it has: item_id, session_id\n");
    check("item_id,session_id,item_id,timestamp\n", "! log: line 1: column item_id stands twice\n");
    AUTO(buffer) wide = {0};
    for (int i = 0; i < 300; i++)
        buffer_append_text(&wide, "x,");
    check(buffer_text(&wide), "! log: line 1: there are more than 256 fields\n");
    struct log_file *log;
    struct complaint complaint;
    assert_fails(NOT_FOUND, log_file_open("/no/such/file", LOG_FILE_CLICKS, &log, &complaint));
    assert_string_equal(complaint.text, "/no/such/file: No such file or directory");
    assert_fails(IO, log_file_open("/", LOG_FILE_CLICKS, &log, &complaint));
    assert_string_equal(complaint.text, "/: Is a directory");
}

static void log_skips_lines_that_are_too_long(void **state)
{
    (void)state;
    static const size_t sizes[] = {LOG_FILE_LINE_MAX, 3 * LOG_FILE_LINE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        AUTO(buffer) content = {0}, out = {0};
        buffer_append_text(&content, "session_id\ttimestamp_ms\titem_id\ns\t1600000000000\t");
        uint8_t *room = buffer_reserve(&content, sizes[i]);
        memset(room, 'a', sizes[i]);
        content.size += sizes[i];
        size_t cut = content.size;
        buffer_append_text(&content, "\ns2\t1600000000000\tb\n");
        assert_string_equal(read_clicks(buffer_bytes(&content), &out),
                            "! log: line 2: the line is longer than 1 MiB\n3 s2 b 1600000000000\n");
        assert_string_equal(read_clicks(bytes_of(content.data, cut), &out),
                            "! log: line 2: the line is longer than 1 MiB\n");
    }
}

static void gzip_bytes(struct bytes content, struct buffer *out)
{
    z_stream gzip = {0};
    assert_int_equal(deflateInit2(&gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&gzip, content.size);
    gzip.next_in = (uint8_t *)(uintptr_t)content.data;
    gzip.avail_in = (uInt)content.size;
    gzip.next_out = buffer_reserve(out, bound);
    gzip.avail_out = (uInt)bound;
    assert_int_equal(deflate(&gzip, Z_FINISH), Z_STREAM_END);
    out->size += gzip.total_out;
    deflateEnd(&gzip);
}

static void zstd_bytes(struct bytes content, struct buffer *out)
{
    size_t bound = ZSTD_compressBound(content.size);
    size_t size = ZSTD_compress(buffer_reserve(out, bound), bound, content.data, content.size, 3);
    assert_false(ZSTD_isError(size));
    out->size += size;
}

/* Many clicks, so that every buffer is refilled several times. */
static void make_clicks(struct buffer *out, int count)
{
    buffer_append_text(out, "session_id\ttimestamp_ms\titem_id\n");
    for (int i = 0; i < count; i++)
        buffer_format(out, "session-%d\t%lld\titem-%u\n", i, 1600000000000LL + i, (unsigned)i * 2654435761u);
}

static void log_reads_compressed_files_of_many_parts(void **state)
{
    (void)state;
    AUTO(buffer) plain = {.limit = 1 << 28}, wanted = {.limit = 1 << 28}, got = {.limit = 1 << 28}, packed = {0};
    make_clicks(&plain, 50000);
    read_clicks(buffer_bytes(&plain), &wanted);
    void (*const packers[])(struct bytes, struct buffer *) = {gzip_bytes, zstd_bytes};
    for (size_t i = 0; i < 2; i++) {
        size_t half = plain.size / 2;
        buffer_clear(&packed);
        packers[i](bytes_of(plain.data, half), &packed);
        packers[i](bytes_of(plain.data + half, 0), &packed);
        packers[i](bytes_of(plain.data + half, plain.size - half), &packed);
        read_clicks(buffer_bytes(&packed), &got);
        assert_true(bytes_equal(buffer_bytes(&got), buffer_bytes(&wanted)));
    }
}

/* A gzip member whose header carries `padding` bytes that mean nothing. */
static void gzip_padded(struct bytes content, uint32_t padding, struct buffer *out)
{
    static uint8_t zeros[1 << 16];
    z_stream gzip = {0};
    gz_header header = {.extra = zeros, .extra_len = padding};
    size_t bound = content.size + padding + 200;
    assert_int_equal(deflateInit2(&gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflateSetHeader(&gzip, &header), Z_OK);
    gzip.next_in = (uint8_t *)(uintptr_t)content.data;
    gzip.avail_in = (uInt)content.size;
    gzip.next_out = buffer_reserve(out, bound);
    gzip.avail_out = (uInt)bound;
    assert_int_equal(deflate(&gzip, Z_FINISH), Z_STREAM_END);
    out->size += gzip.total_out;
    deflateEnd(&gzip);
}

/* The second member begins at every place around the end of the first 64 KiB that are read at once. */
static void log_reads_members_that_begin_at_a_buffers_end(void **state)
{
    (void)state;
    AUTO(buffer) first = {0}, second = {0}, packed = {0};
    buffer_append_text(&first, "session_id\ttimestamp_ms\titem_id\ns\t1600000000000\ta\n");
    buffer_append_text(&second, "s\t1600000000001\tb\n");
    gzip_padded(buffer_bytes(&first), 0, &packed);
    uint32_t bare = (uint32_t)packed.size;
    for (uint32_t size = 65533; size <= 65538; size++) {
        buffer_clear(&packed);
        gzip_padded(buffer_bytes(&first), size - bare, &packed);
        assert_int_equal(packed.size, size);
        gzip_padded(buffer_bytes(&second), 0, &packed);
        AUTO(buffer) out = {0};
        assert_string_equal(read_clicks(buffer_bytes(&packed), &out), "2 s a 1600000000000\n3 s b 1600000000001\n");
    }
}

static void log_keeps_what_comes_before_a_truncation_and_reports_it_once(void **state)
{
    (void)state;
    AUTO(buffer) plain = {0}, packed = {0}, got = {.limit = 1 << 28};
    void (*const packers[])(struct bytes, struct buffer *) = {gzip_bytes, zstd_bytes};
    const char *const names[] = {"gzip", "zstd"};
    make_clicks(&plain, 20000);
    for (size_t i = 0; i < 2; i++) {
        buffer_clear(&packed);
        packers[i](buffer_bytes(&plain), &packed);
        const char *text = read_clicks(bytes_of(packed.data, packed.size * 3 / 4), &got);
        const char *report = strchr(text, '!');
        assert_non_null(report);
        unsigned line = 0;
        char wanted[200];
        assert_non_null(strstr(report, "line "));
        line = (unsigned)strtoul(strstr(report, "line ") + 5, NULL, 10);
        assert_true(line > 100 && line < 20000);
        snprintf(wanted, sizeof wanted, "! log: line %u: the %s data ends early, the file is truncated\n", line,
                 names[i]);
        assert_string_equal(report, wanted); /* and nothing follows it */
        unsigned lines = 1;
        for (const char *c = text; c < report; c++)
            lines += *c == '\n';
        assert_int_equal(lines + 1, line); /* every whole line before it came out */
    }
}

static void log_does_not_call_a_truncated_file_empty(void **state)
{
    (void)state;
    AUTO(buffer) plain = {0}, packed = {0}, got = {0};
    buffer_append_text(&plain, "session_id\ttimestamp_ms\titem_id\ns\t1600000000000\ta\n");
    zstd_bytes(buffer_bytes(&plain), &packed);
    for (size_t size = 4; size < packed.size; size++) /* of its only block */
        assert_string_equal(read_clicks(bytes_of(packed.data, size), &got),
                            "! log: the zstd data ends early, the file is truncated\n");
    buffer_clear(&packed);
    gzip_bytes(buffer_bytes(&plain), &packed);
    assert_string_equal(read_clicks(bytes_of(packed.data, 10), &got), /* its header */
                        "! log: the gzip data ends early, the file is truncated\n");
    buffer_clear(&packed);
    zstd_bytes(bytes_of(plain.data, 0), &packed);
    assert_string_equal(read_clicks(buffer_bytes(&packed), &got), "! log: the file is empty\n");
}

static void log_reports_damaged_compression(void **state)
{
    (void)state;
    AUTO(buffer) plain = {0}, packed = {0}, got = {.limit = 1 << 28};
    make_clicks(&plain, 20000);
    gzip_bytes(buffer_bytes(&plain), &packed);
    packed.data[packed.size - 6] ^= 0x55; /* the checksum */
    assert_non_null(strstr(read_clicks(buffer_bytes(&packed), &got), ": the gzip data is damaged\n"));
    packed.data[packed.size - 6] ^= 0x55;
    buffer_append_text(&packed, "tail");
    assert_non_null(strstr(read_clicks(buffer_bytes(&packed), &got),
                           "\n! log: line 20002: there is something else behind the gzip data\n"));
    buffer_clear(&packed);
    zstd_bytes(buffer_bytes(&plain), &packed);
    buffer_append_text(&packed, "tail!");
    assert_non_null(strstr(read_clicks(buffer_bytes(&packed), &got), ": the zstd data is damaged\n"));
}

static void log_reads_items(void **state)
{
    (void)state;
    struct log_file *log;
    struct complaint complaint;
    struct item item;
    bool found;
    assert_ok(log_file_open_bytes(BYTES("item_id,title_composed,category,price,available,asin\n"
                                        "a,\"Boots, red\",shop|shoes,19.5,false,x\n"
                                        "b,,,,,\n"
                                        "c,,,cheap,,\n"
                                        "d,,,1,perhaps,\n"
                                        ",,,1,,\n"
                                        "e,\xff,,1,,\n"),
                                  "items", LOG_FILE_ITEMS, &log, &complaint));
    assert_int_equal(log_file_format(log), LOG_FILE_CSV);
    assert_ok(log_file_next_item(log, &item, &found, &complaint));
    assert_true(found);
    assert_bytes(item.item_id, "a");
    assert_bytes(item.title, "Boots, red");
    assert_int_equal(item.category_count, 2);
    assert_bytes(item.categories[1], "shoes");
    assert_true(item.has_price && !item.available);
    assert_true(item.price > 19.4 && item.price < 19.6);
    assert_ok(log_file_next_item(log, &item, &found, &complaint));
    assert_true(found && !item.has_price && item.available && item.category_count == 0);
    static const char *const wanted[] = {
        "items: line 4: price is 'cheap', wanted a number",
        "items: line 5: available is 'perhaps', wanted true or false",
        "items: line 6: item_id is missing or empty",
        "items: line 7: a field is not valid UTF-8",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_fails(BAD_INPUT, log_file_next_item(log, &item, &found, &complaint));
        assert_string_equal(complaint.text, wanted[i]);
    }
    assert_ok(log_file_next_item(log, &item, &found, &complaint));
    assert_false(found);
    log_file_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_reads_tab_separated_clicks),
        cmocka_unit_test(log_takes_columns_by_name_and_ignores_others),
        cmocka_unit_test(log_reads_quoted_csv_with_line_breaks),
        cmocka_unit_test(log_goes_on_behind_a_quote_that_is_never_closed),
        cmocka_unit_test(log_survives_byte_order_marks_blank_lines_and_a_missing_last_newline),
        cmocka_unit_test(log_takes_clicks_of_unknown_types_for_views_and_says_so),
        cmocka_unit_test(log_names_file_line_and_reason_of_every_broken_line),
        cmocka_unit_test(log_refuses_files_without_the_columns_it_needs),
        cmocka_unit_test(log_skips_lines_that_are_too_long),
        cmocka_unit_test(log_reads_compressed_files_of_many_parts),
        cmocka_unit_test(log_reads_members_that_begin_at_a_buffers_end),
        cmocka_unit_test(log_keeps_what_comes_before_a_truncation_and_reports_it_once),
        cmocka_unit_test(log_does_not_call_a_truncated_file_empty),
        cmocka_unit_test(log_reports_damaged_compression),
        cmocka_unit_test(log_reads_items),
    };
    return cmocka_run_group_tests_name("log_file", tests, NULL, NULL);
}
