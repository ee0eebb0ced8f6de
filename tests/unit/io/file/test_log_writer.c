// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/buffer.h>
#include <eddy/io/log_file.h>
#include <eddy/io/log_writer.h>

#include <sys/stat.h>
#include <unistd.h>

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

static const char *const names[] = {"c.tsv",      "c.csv",     "c.jsonl", "c.avro",    "c.tsv.gz",    "c.csv.gz",
                                    "c.jsonl.gz", "c.avro.gz", "c.zst",   "c.csv.zst", "c.jsonl.zst", "c.avro.zst"};
#define NAME_COUNT (sizeof names / sizeof *names)

static void writer_makes_files_that_the_reader_reads_back(void **state)
{
    (void)state;
    enum { CLICKS = 3000 }; /* several blocks */
    struct temporary_folder folder = temporary_folder_make();
    for (size_t i = 0; i < NAME_COUNT; i++) {
        char path[300], session[40], item[40];
        struct log_writer *writer;
        struct log_file *log;
        struct complaint complaint = {0};
        struct click click;
        bool found;
        snprintf(path, sizeof path, "%s/%s", folder.path, names[i]);
        assert_ok(log_writer_open(path, RECORD_CLICK, log_writer_format(path), &writer, &complaint));
        for (int n = 0; n < CLICKS; n++) {
            snprintf(session, sizeof session, "s\"%d\", and a comma", n);
            snprintf(item, sizeof item, "item-%d", n);
            click = (struct click){.session_id = bytes_of_text(session),
                                   .item_id = bytes_of_text(item),
                                   .user_id = n % 2 ? BYTES("u") : BYTES(""),
                                   .event_id = n % 3 ? BYTES("e") : BYTES(""),
                                   .time_ms = INT64_C(1600000000000) + n,
                                   .type = (enum click_type)(n % CLICK_TYPE_COUNT)};
            assert_ok(log_writer_click(writer, &click, &complaint));
        }
        assert_ok(log_writer_close(writer, &complaint));
        assert_ok(log_file_open(path, LOG_FILE_CLICKS, &log, &complaint));
        for (int n = 0; n < CLICKS; n++) {
            snprintf(session, sizeof session, "s\"%d\", and a comma", n);
            snprintf(item, sizeof item, "item-%d", n);
            assert_ok(log_file_next_click(log, &click, &found, &complaint));
            assert_true(found);
            assert_bytes(click.session_id, session);
            assert_bytes(click.item_id, item);
            assert_bytes(click.user_id, n % 2 ? "u" : "");
            assert_bytes(click.event_id, n % 3 ? "e" : "");
            assert_int_equal(click.time_ms, INT64_C(1600000000000) + n);
            assert_int_equal(click.type, n % CLICK_TYPE_COUNT);
        }
        assert_ok(log_file_next_click(log, &click, &found, &complaint));
        assert_false(found);
        log_file_close(log);
    }
    temporary_folder_remove(&folder);
}

static void writer_makes_items_that_the_reader_reads_back(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    struct item written = {.item_id = BYTES("a"),
                           .title = BYTES("Boots, \"red\"\nand\tblue"),
                           .description = BYTES("warm"),
                           .categories = {BYTES("shop"), BYTES("shoes")},
                           .category_count = 2,
                           .has_price = true,
                           .price = 19.99};
    for (size_t i = 0; i < NAME_COUNT; i++) {
        char path[300];
        struct log_writer *writer;
        struct log_file *log;
        struct complaint complaint = {0};
        struct item item;
        bool found;
        snprintf(path, sizeof path, "%s/%s", folder.path, names[i]);
        assert_ok(log_writer_open(path, RECORD_ITEM, log_writer_format(path), &writer, &complaint));
        assert_ok(log_writer_item(writer, &written, &complaint));
        assert_ok(log_writer_close(writer, &complaint));
        assert_ok(log_file_open(path, LOG_FILE_ITEMS, &log, &complaint));
        assert_ok(log_file_next_item(log, &item, &found, &complaint));
        assert_true(found && item.has_price && !item.available);
        assert_true(item.price > 19.98 && item.price < 20);
        bool tabs = log_file_format(log) == LOG_FILE_TSV;
        assert_bytes(item.title, tabs ? "Boots, \"red\" and blue" : "Boots, \"red\"\nand\tblue");
        assert_bytes(item.description, "warm");
        assert_int_equal(item.category_count, 2);
        assert_bytes(item.categories[1], "shoes");
        log_file_close(log);
    }
    temporary_folder_remove(&folder);
}

static void writer_gives_the_same_bytes_for_the_same_records(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) first = {0}, second = {0};
    struct click click = {.session_id = BYTES("s"), .item_id = BYTES("a"), .time_ms = INT64_C(1600000000000)};
    for (size_t i = 0; i < NAME_COUNT; i++) {
        char path[300];
        buffer_clear(&first);
        buffer_clear(&second);
        for (int n = 0; n < 2; n++) {
            struct log_writer *writer;
            snprintf(path, sizeof path, "%s/%d-%s", folder.path, n, names[i]);
            assert_ok(log_writer_open(path, RECORD_CLICK, log_writer_format(path), &writer, NULL));
            assert_ok(log_writer_click(writer, &click, NULL));
            assert_ok(log_writer_close(writer, NULL));
            read_file(path, n ? &second : &first);
        }
        assert_true(first.size > 20 && bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    }
    temporary_folder_remove(&folder);
}

static void writer_refuses_what_tsv_cannot_hold_and_goes_on(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) content = {0};
    char path[300];
    struct log_writer *writer;
    struct complaint complaint;
    struct click click = {.session_id = BYTES("s"), .item_id = BYTES("a\tb"), .time_ms = 5};
    snprintf(path, sizeof path, "%s/clicks", folder.path);
    assert_ok(log_writer_open(path, RECORD_CLICK, log_writer_format(path), &writer, &complaint));
    assert_fails(BAD_INPUT, log_writer_click(writer, &click, &complaint));
    assert_string_equal(complaint.text, "item_id 'a?b' holds a tab or line break, which TSV cannot write (CSV can)");
    click.item_id = BYTES("a");
    assert_ok(log_writer_click(writer, &click, &complaint));
    assert_ok(log_writer_close(writer, &complaint));
    read_file(path, &content);
    assert_string_equal(buffer_text(&content),
                        "session_id\ttimestamp_ms\titem_id\tuser_id\ttype\tevent_id\ns\t5\ta\t\tview\t\n");
    temporary_folder_remove(&folder);
}

static void writer_never_shows_half_a_file_under_its_name(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    char path[300], partial[320];
    struct stat info;
    struct log_writer *writer;
    struct complaint complaint;
    snprintf(path, sizeof path, "%s/clicks.tsv", folder.path);
    snprintf(partial, sizeof partial, "%s.partial", path);
    assert_ok(log_writer_open(path, RECORD_CLICK, LOG_FILE_TSV, &writer, &complaint));
    assert_int_equal(stat(partial, &info), 0);
    assert_int_not_equal(stat(path, &info), 0);
    log_writer_abandon(writer);
    assert_int_not_equal(stat(partial, &info), 0);
    assert_ok(log_writer_open(path, RECORD_CLICK, LOG_FILE_TSV, &writer, &complaint));
    assert_ok(log_writer_close(writer, &complaint));
    assert_int_equal(stat(path, &info), 0);
    assert_int_not_equal(stat(partial, &info), 0);
    assert_fails(IO, log_writer_open("/no/such/folder/x.tsv", RECORD_CLICK, LOG_FILE_TSV, &writer, &complaint));
    assert_string_equal(complaint.text,
                        "/no/such/folder/x.tsv: cannot be written: No such file or directory; is there such a folder?");
    temporary_folder_remove(&folder);
}

static void writer_says_when_the_disk_is_full(void **state)
{
    (void)state;
    struct log_writer *writer;
    struct complaint complaint = {0};
    /* /dev/full cannot be renamed to, but standard output can be it. */
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    int saved = dup(1);
    dup2(fileno(full), 1);
    struct status opened = log_writer_open("-", RECORD_CLICK, LOG_FILE_TSV, &writer, &complaint);
    dup2(saved, 1);
    close(saved);
    fclose(full);
    assert_true(failed_as(opened, FAULT_DISK_FULL));
    assert_string_equal(
        complaint.text,
        "standard output: cannot be written: No space left on device; make room, or choose another place");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writer_makes_files_that_the_reader_reads_back),
        cmocka_unit_test(writer_makes_items_that_the_reader_reads_back),
        cmocka_unit_test(writer_gives_the_same_bytes_for_the_same_records),
        cmocka_unit_test(writer_refuses_what_tsv_cannot_hold_and_goes_on),
        cmocka_unit_test(writer_never_shows_half_a_file_under_its_name),
        cmocka_unit_test(writer_says_when_the_disk_is_full),
    };
    return cmocka_run_group_tests_name("log_writer", tests, NULL, NULL);
}
