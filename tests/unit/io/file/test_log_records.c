// SPDX-License-Identifier: Apache-2.0
/* JSON Lines and Avro containers; the containers are written by Avro-C, and damaged by hand. */
#include "support/support.h"

#include <avro.h>
#include <zlib.h>
#include <zstd.h>

#include <eddy/base/buffer.h>
#include <eddy/core/codec.h>
#include <eddy/io/log_file.h>

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
        buffer_format(out, "%llu " BYTES_FORMAT " " BYTES_FORMAT " %lld %s\n", (unsigned long long)log_file_number(log),
                      BYTES_ARGS(click.session_id), BYTES_ARGS(click.item_id), (long long)click.time_ms,
                      click_type_text(click.type));
    }
    log_file_close(log);
    return buffer_text(out);
}

static void check(struct bytes content, const char *wanted)
{
    AUTO(buffer) out = {0};
    assert_string_equal(read_clicks(content, &out), wanted);
}

static void log_reads_json_lines(void **state)
{
    (void)state;
    check(
        BYTES("\xef\xbb\xbf{\"session_id\":\"s\",\"item_id\":17,\"timestamp\":1600000000000,\"more\":[1]}\r\n"
              "\n"
              "{\"session_id\":\"s\",\"item_id\":\"b\",\"timestamp\":\"2020-09-13T12:26:40Z\",\"type\":\"purchase\"}"),
        "1 s 17 1600000000000 view\n3 s b 1600000000000 purchase\n");
}

static void log_names_line_and_reason_of_broken_json(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    const char *text = read_clicks(BYTES("{\"session_id\":\"s\",\"item_id\":\"a\",\"timestamp\":1600000000000}\n"
                                         "{\"session_id\":\"s\",\"item_id\":\"a\"\n"
                                         "{\"session_id\":\"s\",\"timestamp\":1600000000000}\n"
                                         "{\"session_id\":\"s\",\"item_id\":\"\",\"timestamp\":1600000000000}\n"
                                         "{\"session_id\":\"s\",\"item_id\":\"b\",\"timestamp\":1600000000000}\n"),
                                   &out);
    assert_ptr_equal(strstr(text, "1 s a 1600000000000 view\n! log: line 2: "), text);
    assert_non_null(strstr(text, "\n! log: line 3: item_id"));
    assert_non_null(strstr(text, "\n! log: line 4: item_id is missing or empty\n5 s b 1600000000000 view\n"));
}

/* ---- Avro */

static void read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got;
    do {
        got = fread(buffer_reserve(out, 4096), 1, 4096, file);
        out->size += got;
    } while (got > 0);
    fclose(file);
}

#define assert_avro(call) assert_int_equal(call, 0)

/* Clicks 0..count-1 of item-<i>, written by Avro-C in `schema_text`, which has session_id, item_id and timestamp. */
static void write_container(const char *schema_text, const char *codec, int count, struct buffer *out)
{
    struct temporary_folder folder = temporary_folder_make();
    char path[300];
    snprintf(path, sizeof path, "%s/clicks.avro", folder.path);
    avro_schema_t schema;
    avro_file_writer_t writer;
    assert_avro(avro_schema_from_json_length(schema_text, strlen(schema_text), &schema));
    assert_avro(avro_file_writer_create_with_codec(path, schema, &writer, codec, 1 << 12));
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_value_t value, field, branch;
    assert_avro(avro_generic_value_new(iface, &value));
    for (int i = 0; i < count; i++) {
        char item[32];
        snprintf(item, sizeof item, "item-%d", i);
        avro_value_reset(&value);
        assert_avro(avro_value_get_by_name(&value, "session_id", &field, NULL));
        assert_avro(avro_value_set_string(&field, "s"));
        assert_avro(avro_value_get_by_name(&value, "item_id", &field, NULL));
        assert_avro(avro_value_set_string(&field, item));
        assert_avro(avro_value_get_by_name(&value, "timestamp", &field, NULL));
        assert_avro(avro_value_set_long(&field, 1600000000000 + i));
        if (avro_value_get_by_name(&value, "user_id", &field, NULL) == 0)
            assert_avro(avro_value_set_branch(&field, 0, &branch));
        if (avro_value_get_by_name(&value, "event_id", &field, NULL) == 0)
            assert_avro(avro_value_set_branch(&field, 0, &branch));
        assert_avro(avro_file_writer_append_value(writer, &value));
    }
    assert_avro(avro_file_writer_close(writer));
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    read_file(path, out);
    temporary_folder_remove(&folder);
}

static void expect_clicks(int count, struct buffer *out)
{
    for (int i = 0; i < count; i++)
        buffer_format(out, "%d s item-%d %lld view\n", i + 1, i, 1600000000000LL + i);
}

static void log_reads_containers_written_by_another_library(void **state)
{
    (void)state;
    static const char *const codecs[] = {"null", "deflate"};
    static const char other[] = "{\"type\":\"record\",\"name\":\"ClickEvent\",\"namespace\":\"eddy\",\"fields\":["
                                "{\"name\":\"item_id\",\"type\":\"string\"},{\"name\":\"timestamp\",\"type\":\"long\"},"
                                "{\"name\":\"session_id\",\"type\":\"string\"}]}";
    const char *schemas[] = {record_schema(RECORD_CLICK), other};
    AUTO(buffer) wanted = {0};
    expect_clicks(1000, &wanted);
    for (size_t i = 0; i < 4; i++) {
        AUTO(buffer) content = {0}, packed = {0};
        write_container(schemas[i / 2], codecs[i % 2], 1000, &content);
        check(buffer_bytes(&content), buffer_text(&wanted));
        size_t bound = ZSTD_compressBound(content.size);
        packed.size = ZSTD_compress(buffer_reserve(&packed, bound), bound, content.data, content.size, 1);
        check(buffer_bytes(&packed), buffer_text(&wanted)); /* a container within zstd */
    }
}

/* ---- by hand: what the library above cannot write */

static void put_long(struct buffer *out, int64_t value)
{
    uint64_t raw = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    for (; raw >= 0x80; raw >>= 7)
        buffer_append_byte(out, (uint8_t)(raw | 0x80));
    buffer_append_byte(out, (uint8_t)raw);
}

static void put_text(struct buffer *out, const char *text)
{
    put_long(out, (int64_t)strlen(text));
    buffer_append_text(out, text);
}

#define SYNC "0123456789abcdef"

static void put_header(struct buffer *out, const char *codec)
{
    buffer_clear(out);
    buffer_append(out, "Obj\1", 4);
    put_long(out, -2); /* a block of metadata with its size */
    put_long(out, 12345);
    put_text(out, "avro.codec");
    put_text(out, codec);
    put_text(out, "avro.schema");
    put_text(out, record_schema(RECORD_CLICK));
    put_long(out, 0);
    buffer_append_text(out, SYNC);
}

static void put_block(struct buffer *out, int64_t count, struct bytes content)
{
    put_long(out, count);
    put_long(out, (int64_t)content.size);
    buffer_append_bytes(out, content);
    buffer_append_text(out, SYNC);
}

/* The only block of the file, behind a header of that size, is lost for the reason. */
static void check_lost(struct bytes file, size_t header, const char *reason, const char *block)
{
    char wanted[400];
    snprintf(wanted, sizeof wanted, "! log: record 1: %s; lost is the block at byte %zu, of %s\n", reason, header,
             block);
    check(file, wanted);
}

#define BLOCK_DAMAGED "a block's compressed data is damaged, or more than 16 MiB"

static void put_click(struct buffer *out, const char *item)
{
    struct click click = {.session_id = BYTES("s"), .item_id = bytes_of_text(item), .time_ms = 1600000000000};
    encode_click((struct encoding){.format = RECORD_AVRO}, &click, out);
}

static void log_reads_zstandard_blocks_and_goes_on_behind_a_damaged_one(void **state)
{
    (void)state;
    AUTO(buffer) file = {0}, records = {0}, packed = {0};
    put_click(&records, "a");
    put_click(&records, "b");
    size_t bound = ZSTD_compressBound(records.size);
    packed.size = ZSTD_compress(buffer_reserve(&packed, bound), bound, records.data, records.size, 1);
    put_header(&file, "zstandard");
    size_t header = file.size;
    put_block(&file, 2, buffer_bytes(&packed));
    put_block(&file, 2, BYTES("not zstandard"));
    put_block(&file, 2, bytes_of(packed.data, packed.size - 3));
    put_block(&file, 0, BYTES(""));
    put_block(&file, 2, buffer_bytes(&packed));
    size_t second = header + 2 + packed.size + strlen(SYNC), third = second + 2 + strlen("not zstandard" SYNC);
    char wanted[600];
    snprintf(wanted, sizeof wanted,
             "1 s a 1600000000000 view\n2 s b 1600000000000 view\n"
             "! log: record 3: a block's compressed data is damaged, or more than 16 MiB; lost is the block at byte "
             "%zu, of 2 records\n"
             "! log: record 5: a block's compressed data is damaged, or more than 16 MiB; lost is the block at byte "
             "%zu, of 2 records\n"
             "7 s a 1600000000000 view\n8 s b 1600000000000 view\n",
             second, third);
    assert_int_equal(file.data[second], 4); /* a block of two begins there */
    assert_int_equal(file.data[third], 4);
    check(buffer_bytes(&file), wanted);
}

/* 20 MiB of zeros in a few bytes. */
static void log_bounds_what_a_block_may_decompress_to(void **state)
{
    (void)state;
    enum { SIZE = 20 << 20 };
    AUTO(buffer) file = {0}, packed = {0};
    uint8_t *zeros = calloc(1, SIZE);
    size_t bound = ZSTD_compressBound(SIZE);
    packed.size = ZSTD_compress(buffer_reserve(&packed, bound), bound, zeros, SIZE, 1);
    put_header(&file, "zstandard");
    size_t header = file.size;
    put_block(&file, 2, buffer_bytes(&packed));
    check_lost(buffer_bytes(&file), header, BLOCK_DAMAGED, "2 records");
    z_stream deflater = {.next_in = zeros, .avail_in = SIZE};
    assert_int_equal(deflateInit2(&deflater, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    deflater.next_out = packed.data;
    deflater.avail_out = (uInt)packed.capacity;
    assert_int_equal(deflate(&deflater, Z_FINISH), Z_STREAM_END);
    packed.size = deflater.total_out;
    deflateEnd(&deflater);
    put_header(&file, "deflate");
    header = file.size;
    put_block(&file, 2, buffer_bytes(&packed));
    check_lost(buffer_bytes(&file), header, BLOCK_DAMAGED, "2 records");
    free(zeros);
}

static void log_names_the_record_and_reason_of_damaged_containers(void **state)
{
    (void)state;
    AUTO(buffer) file = {0}, records = {0}, out = {0};
    put_click(&records, "a");
    size_t one = records.size;
    put_click(&records, "b");
    put_click(&records, "");
    put_click(&records, "c");

    put_header(&file, "null");
    size_t header = file.size;
    put_block(&file, 4, buffer_bytes(&records));
    check(buffer_bytes(&file), "1 s a 1600000000000 view\n2 s b 1600000000000 view\n"
                               "! log: record 3: item_id is missing or empty\n4 s c 1600000000000 view\n");
    check_lost(bytes_of(file.data, file.size - 1), header, "the Avro container ends early, the file is truncated",
               "4 records");
    check_lost(bytes_of(file.data, header + 1), header, "the Avro container ends early, the file is truncated",
               "4 records");
    check(bytes_of(file.data, header - 1), "! log: the Avro container ends early, the file is truncated\n");
    check(bytes_of(file.data, 4), "! log: the Avro container ends early, the file is truncated\n");
    check(bytes_of(file.data, header), "");
    file.data[file.size - 1] ^= 1;
    check_lost(buffer_bytes(&file), header, "the Avro container is damaged: a block's end marker is wrong",
               "4 records");

    put_header(&file, "null");
    put_block(&file, 1000, buffer_bytes(&records));       /* more than there are bytes */
    put_block(&file, 2, bytes_of(records.data, one + 3)); /* the second is cut off */
    put_block(&file, 1, bytes_of(records.data, one));
    const char *text = read_clicks(buffer_bytes(&file), &out);
    char wanted[200];
    snprintf(wanted, sizeof wanted,
             "! log: record 1: a block of %zu bytes cannot hold its records; lost is the block at byte %zu, of 1000 "
             "records\n1001 s a 1600000000000 view\n! log: record 1002: ",
             records.size, header);
    assert_ptr_equal(strstr(text, wanted), text);
    assert_non_null(strstr(text, "\n1003 s a 1600000000000 view\n"));

    put_header(&file, "snappy");
    check(buffer_bytes(&file), "! log: the Avro container's codec 'snappy' is none of null, deflate, zstandard\n");
    put_header(&file, "null");
    put_long(&file, 1);
    put_long(&file, INT64_MAX);
    check_lost(buffer_bytes(&file), header,
               "the Avro container is damaged or too big: a size of 9223372036854775807, "
               "at most 16777216 are allowed",
               "1 record");
    put_header(&file, "null");
    put_long(&file, INT64_MAX); /* no block has so many */
    check(buffer_bytes(&file), "! log: record 1: the Avro container is damaged or too big: a size of "
                               "9223372036854775807, at most 16777216 are allowed\n");
    check(BYTES("Obj\1\0"), "! log: the Avro container names no schema\n");
    buffer_clear(&file);
    buffer_append(&file, "Obj\1", 4);
    put_long(&file, INT64_MIN);
    put_long(&file, 1);
    check(buffer_bytes(&file), "! log: the Avro container has more than 1000 entries of metadata\n");
}

/* Of a file that is packed, places count in what it unpacks to. */
static void log_counts_what_is_lost_with_a_block(void **state)
{
    (void)state;
    AUTO(buffer) file = {0}, packed = {0}, records = {0};
    struct complaint complaint = {{0}};
    struct log_file *log;
    struct click click;
    bool found;
    char wanted[80];
    put_click(&records, "a");
    put_header(&file, "null");
    put_block(&file, 1, buffer_bytes(&records));
    size_t second = file.size;
    put_block(&file, 7, buffer_bytes(&records));
    size_t bound = ZSTD_compressBound(file.size);
    packed.size = ZSTD_compress(buffer_reserve(&packed, bound), bound, file.data, file.size - 1, 1);
    assert_ok(log_file_open_bytes(buffer_bytes(&packed), "log", LOG_FILE_CLICKS, &log, &complaint));
    assert_ok(log_file_next_click(log, &click, &found, &complaint));
    assert_fails(CORRUPT, log_file_next_click(log, &click, &found, &complaint));
    assert_int_equal(log_file_lost(log), 7);
    snprintf(wanted, sizeof wanted, "lost is the block at byte %zu of the decompressed file, of 7 records", second);
    assert_non_null(strstr(complaint.text, wanted));
    log_file_close(log);

    const struct bytes broken = BYTES("session_id\titem_id\ttimestamp_ms\nbroken\n");
    assert_ok(log_file_open_bytes(broken, "log", LOG_FILE_CLICKS, &log, &complaint));
    assert_fails(BAD_INPUT, log_file_next_click(log, &click, &found, &complaint));
    assert_int_equal(log_file_lost(log), 1);
    log_file_close(log);
}

static void log_names_compressions_that_it_does_not_read(void **state)
{
    (void)state;
    check(BYTES("BZh91AY&SY0123456789"),
          "! log: bzip2 is not read; decompress it first (bunzip2 -c FILE | eddy ... -)\n");
    check(BYTES("\xfd\x37zXZ\0\0\4"), "! log: xz is not read; decompress it first (xz -dc FILE | eddy ... -)\n");
    check(BYTES("\x04\x22\x4d\x18\x60"), "! log: lz4 is not read; decompress it first (lz4 -dc FILE | eddy ... -)\n");
    check(BYTES("PK\x03\x04\x14"), "! log: zip is not read; decompress it first (unzip -p FILE | eddy ... -)\n");
    check(BYTES("PK,BZh91,session_id,item_id,timestamp_ms\n1,2,s,a,1600000000000\n"),
          "2 s a 1600000000000 view\n"); /* a text that begins somewhat like them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_reads_json_lines),
        cmocka_unit_test(log_names_line_and_reason_of_broken_json),
        cmocka_unit_test(log_reads_containers_written_by_another_library),
        cmocka_unit_test(log_reads_zstandard_blocks_and_goes_on_behind_a_damaged_one),
        cmocka_unit_test(log_bounds_what_a_block_may_decompress_to),
        cmocka_unit_test(log_counts_what_is_lost_with_a_block),
        cmocka_unit_test(log_names_compressions_that_it_does_not_read),
        cmocka_unit_test(log_names_the_record_and_reason_of_damaged_containers),
    };
    return cmocka_run_group_tests_name("log_records", tests, NULL, NULL);
}
