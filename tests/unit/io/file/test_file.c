// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/io/file.h>

#include <sys/stat.h>
#include <unistd.h>

static void files_are_written_and_read_whole(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) content = {0}, back = {0};
    struct complaint complaint;
    char path[320];
    snprintf(path, sizeof path, "%s/file", folder.path);
    for (int i = 0; i < 200000; i++)
        buffer_append_byte(&content, (uint8_t)(i * 7));
    assert_ok(file_write(path, &content, &complaint));
    assert_ok(file_read(path, &back, &complaint));
    assert_true(bytes_equal(buffer_bytes(&content), buffer_bytes(&back)));
    buffer_clear(&content);
    buffer_append_text(&content, "short");
    assert_ok(file_write(path, &content, &complaint)); /* replaces the longer one */
    buffer_clear(&back);
    assert_ok(file_read(path, &back, &complaint));
    assert_string_equal(buffer_text(&back), "short");
    temporary_folder_remove(&folder);
}

/* Appends the bytes as they are on the disk. */
static void read_raw(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got;
    while ((got = fread(buffer_reserve(out, 4096), 1, 4096, file)) > 0)
        out->size += got;
    fclose(file);
}

static void a_name_that_asks_for_compression_gets_it_and_is_read_back(void **state)
{
    (void)state;
    static const struct {
        const char *name, *stem;
        struct bytes magic;
    } cases[] = {{"a.tsv.gz", "a.tsv", {(const uint8_t *)"\x1f\x8b", 2}},
                 {"a.zst", "a", {(const uint8_t *)"\x28\xb5\x2f\xfd", 4}},
                 {"a.zst.txt", "a.zst.txt", {0}}};
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) content = {0};
    for (int i = 0; i < 100000; i++)
        buffer_format(&content, "%u\n", (unsigned)i * (unsigned)i);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(buffer) raw = {0}, back = {0}, empty = {0};
        char path[320];
        struct bytes magic = cases[i].magic;
        snprintf(path, sizeof path, "%s/%s", folder.path, cases[i].name);
        assert_bytes(file_stem(cases[i].name), cases[i].stem);
        assert_ok(file_write(path, &content, NULL));
        read_raw(path, &raw);
        assert_true(raw.size > magic.size && bytes_equal(bytes_of(raw.data, magic.size), magic));
        assert_true(magic.size == 0 || raw.size < content.size / 2);
        assert_ok(file_read(path, &back, NULL));
        assert_true(bytes_equal(buffer_bytes(&back), buffer_bytes(&content)));
        buffer_clear(&back);
        assert_ok(file_write(path, &empty, NULL));
        assert_ok(file_read(path, &back, NULL));
        assert_int_equal(back.size, 0);
        if (magic.size == 0)
            continue;
        struct complaint complaint = {{0}};
        struct buffer cut = {.data = raw.data, .size = raw.size / 2, .capacity = raw.capacity};
        snprintf(path, sizeof path, "%s/cut", folder.path);
        assert_ok(file_write(path, &cut, NULL));
        assert_fails(CORRUPT, file_read(path, &back, &complaint));
        assert_non_null(strstr(complaint.text, "/cut: the "));
    }
    temporary_folder_remove(&folder);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) content = {0}, back = {0};
    struct complaint complaint = {{0}};
    char path[320], blocked[340];
    snprintf(path, sizeof path, "%s/file", folder.path);
    snprintf(blocked, sizeof blocked, "%s.partial", path);
    buffer_append_text(&content, "old");
    assert_ok(file_write(path, &content, &complaint));
    content.overflow = true;
    assert_fails(LIMIT, file_write(path, &content, &complaint));
    content.overflow = false;
    assert_int_equal(mkdir(blocked, 0755), 0);
    assert_fails(IO, file_write(path, &content, &complaint));
    assert_non_null(strstr(complaint.text, "/file: cannot be written: Is a directory; give the name of a file"));
    assert_ok(file_read(path, &back, &complaint));
    assert_string_equal(buffer_text(&back), "old");
    temporary_folder_remove(&folder);
}

static void failures_name_the_file(void **state)
{
    (void)state;
    AUTO(buffer) content = {0}, small = {.limit = 70000};
    struct complaint complaint = {{0}};
    buffer_append_text(&content, "x");
    assert_fails(IO, file_write("/no/such/folder/file", &content, &complaint));
    assert_string_equal(complaint.text,
                        "/no/such/folder/file: cannot be written: No such file or directory; is there such a folder?");
    assert_fails(NOT_FOUND, file_read("/no/such/file", &content, &complaint));
    assert_string_equal(complaint.text, "/no/such/file: No such file or directory");
    assert_fails(IO, file_read("/", &content, &complaint));
    assert_fails(LIMIT, file_read("/dev/zero", &small, &complaint));
    assert_ptr_equal(strstr(complaint.text, "/dev/zero: the file is larger than "), complaint.text);
}

static void what_is_removed_is_gone(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) content = {0};
    struct complaint complaint = {{0}};
    char path[320];
    snprintf(path, sizeof path, "%s/file", folder.path);
    assert_ok(file_write(path, &content, &complaint));
    assert_ok(file_remove(path, &complaint));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_ok(file_remove(path, &complaint)); /* as it is not there */
    assert_fails(IO, file_remove(folder.path, &complaint));
    assert_non_null(strstr(complaint.text, ": cannot be removed: "));
    temporary_folder_remove(&folder);
}

static void a_path_is_tried_without_a_trace(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) content = {0}, back = {0};
    struct complaint complaint = {{0}};
    char path[320], pipe[320], missing[340];
    snprintf(path, sizeof path, "%s/file", folder.path);
    snprintf(pipe, sizeof pipe, "%s/pipe", folder.path);
    snprintf(missing, sizeof missing, "%s/no/file", folder.path);
    assert_ok(file_try(NULL, &complaint));
    assert_ok(file_try("-", &complaint));
    assert_ok(file_try(path, &complaint));
    assert_int_not_equal(access(path, F_OK), 0);
    buffer_append_text(&content, "old");
    assert_ok(file_write(path, &content, &complaint));
    assert_ok(file_try(path, &complaint));
    assert_ok(file_read(path, &back, &complaint));
    assert_string_equal(buffer_text(&back), "old");
    assert_int_equal(mkfifo(pipe, 0600), 0); /* nobody reads it: to open it would wait for ever */
    assert_ok(file_try(pipe, &complaint));
    assert_fails(IO, file_try(folder.path, &complaint));
    assert_non_null(strstr(complaint.text, ": cannot be written: Is a directory; give the name of a file"));
    assert_fails(IO, file_try(missing, &complaint));
    assert_non_null(strstr(complaint.text, "/no/file: cannot be written: No such file or directory; is there"));
    strcat(path, ".partial");
    assert_int_not_equal(access(path, F_OK), 0);
    temporary_folder_remove(&folder);
}

/* A device is written to, and never replaced by a file. */
static void devices_keep_their_place(void **state)
{
    (void)state;
    AUTO(buffer) content = {0};
    struct complaint complaint = {{0}};
    struct stat info;
    buffer_append_text(&content, "x");
    assert_ok(file_write("/dev/null", &content, &complaint));
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
    assert_fails(DISK_FULL, file_write("/dev/full", &content, &complaint));
    assert_string_equal(complaint.text,
                        "/dev/full: cannot be written: No space left on device; make room, or choose another place");
}

static void a_file_is_mapped_as_it_is(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) content = {0};
    struct complaint complaint = {{0}};
    struct bytes bytes;
    char path[320];
    snprintf(path, sizeof path, "%s/file", folder.path);
    assert_fails(NOT_FOUND, file_map(path, &bytes, &complaint));
    assert_non_null(strstr(complaint.text, path));
    assert_ok(file_write(path, &content, &complaint));
    assert_ok(file_map(path, &bytes, &complaint)); /* there is nothing to map */
    assert_int_equal(bytes.size, 0);
    file_unmap(bytes);
    for (int i = 0; i < 100000; i++)
        buffer_append_byte(&content, (uint8_t)(i * 7));
    assert_ok(file_write(path, &content, &complaint));
    assert_ok(file_map(path, &bytes, &complaint));
    assert_int_equal(unlink(path), 0); /* the mapping stays */
    assert_true(bytes_equal(buffer_bytes(&content), bytes));
    file_unmap(bytes);
    assert_fails(IO, file_map(folder.path, &bytes, &complaint));
    temporary_folder_remove(&folder);
}

/* Writes two pieces, and fails if it is told to. */
static struct status write_pieces(void *context, struct byte_sink sink)
{
    const bool *fails = context;
    TRY(sink.write(sink.self, BYTES("two ")));
    TRY(sink.write(sink.self, BYTES("pieces")));
    return *fails ? FAIL(BAD_INPUT, 0, "it was told to") : OK;
}

static void a_file_is_written_by_a_function(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    struct complaint complaint = {{0}};
    AUTO(buffer) back = {0};
    char path[320], partial[340];
    bool fails = true;
    snprintf(path, sizeof path, "%s/file.gz", folder.path);
    snprintf(partial, sizeof partial, "%s.partial", path);
    assert_fails(BAD_INPUT, file_write_by(path, write_pieces, &fails, &complaint));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(partial, F_OK), 0);
    fails = false;
    assert_ok(file_write_by(path, write_pieces, &fails, &complaint));
    assert_ok(file_read(path, &back, &complaint));
    assert_string_equal(buffer_text(&back), "two pieces");
    assert_fails(DISK_FULL, file_write_by("/dev/full", write_pieces, &fails, &complaint));
    temporary_folder_remove(&folder);
}

static void a_lock_is_one_owners(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    struct complaint complaint = {{0}};
    struct file_lock lock, other;
    char path[320];
    snprintf(path, sizeof path, "%s/lock", folder.path);
    for (int i = 0; i < 2; i++) { /* it can be had again */
        assert_ok(file_lock_take(path, &lock, &complaint));
        assert_fails(LOCKED, file_lock_take(path, &other, &complaint));
        assert_non_null(strstr(complaint.text, path));
        file_lock_give(&lock);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    snprintf(path, sizeof path, "%s/no/lock", folder.path);
    assert_fails(IO, file_lock_take(path, &other, &complaint));
    temporary_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_written_and_read_whole),
        cmocka_unit_test(a_name_that_asks_for_compression_gets_it_and_is_read_back),
        cmocka_unit_test(a_failed_write_leaves_the_old_file),
        cmocka_unit_test(failures_name_the_file),
        cmocka_unit_test(what_is_removed_is_gone),
        cmocka_unit_test(a_path_is_tried_without_a_trace),
        cmocka_unit_test(devices_keep_their_place),
        cmocka_unit_test(a_file_is_mapped_as_it_is),
        cmocka_unit_test(a_file_is_written_by_a_function),
        cmocka_unit_test(a_lock_is_one_owners),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
