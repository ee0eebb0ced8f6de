// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "io/lmdb/environment.h"
#include <eddy/base/random.h>
#include <eddy/io/session_store.h>

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

/* A store in a folder of its own, closed and opened again at will. */
struct fixture {
    struct temporary_folder folder;
    struct state_directory *directory;
    struct store *store;
    struct store_options options;
    struct complaint complaint;
    char file[512]; /* scratch of file_of() */
};

static void open_all(struct fixture *fixture)
{
    assert_ok(state_directory_open(fixture->folder.path, &fixture->directory, &fixture->complaint));
    assert_ok(store_open(fixture->directory, &fixture->options, &fixture->store, &fixture->complaint));
}

static void close_all(struct fixture *fixture)
{
    store_close(fixture->store);
    state_directory_close(fixture->directory);
    fixture->store = NULL;
    fixture->directory = NULL;
}

static int fixture_open(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->folder = temporary_folder_make();
    fixture->options =
        (struct store_options){.topic = "clicks", .partition = 3, .identity = "cluster-1", .map_size_bytes = 64 * MIB};
    open_all(fixture);
    *state = fixture;
    return 0;
}

static int fixture_close(void **state)
{
    struct fixture *fixture = *state;
    close_all(fixture);
    temporary_folder_remove(&fixture->folder);
    free(fixture);
    return 0;
}

static const char *file_of(struct fixture *fixture, const char *name)
{
    snprintf(fixture->file, sizeof fixture->file, "%s/clicks-3/%s", fixture->folder.path, name);
    return fixture->file;
}

static void put(struct store *store, uint64_t number, const char *record)
{
    struct session_store port = store_port(store);
    assert_ok(port.ops->put(port.self, number, bytes_of_text(record)));
}

static struct status commit_at(struct store *store, int64_t offset)
{
    struct session_store port = store_port(store);
    struct store_position position = {offset, offset * 10, offset - 1, (uint32_t)offset};
    return port.ops->commit(port.self, &position);
}

static void begin(struct store *store)
{
    struct session_store port = store_port(store);
    assert_ok(port.ops->begin(port.self));
}

static struct status append_record(void *context, uint64_t number, struct bytes record)
{
    buffer_format(context, "%llu=" BYTES_FORMAT " ", (unsigned long long)number, BYTES_ARGS(record));
    return OK;
}

/* What is stored, as "7: 1=a 2=b " (7: the offset), "new" for a new store. */
static void expect_stored(struct store *store, const char *wanted)
{
    struct session_store port = store_port(store);
    struct buffer records = {0}, text = {0};
    struct store_position position;
    bool found;
    assert_ok(port.ops->load(port.self, append_record, &records, &position, &found));
    if (found)
        buffer_format(&text, "%lld: %s", (long long)position.offset, buffer_text(&records));
    else
        buffer_append_text(&text, "new");
    assert_string_equal(buffer_text(&text), wanted);
    if (found) {
        assert_int_equal(position.watermark_ms, position.offset * 10);
        assert_int_equal(position.close_offset, position.offset - 1);
        assert_int_equal(position.close_sequence, position.offset);
    }
    buffer_release(&records);
    buffer_release(&text);
}

static void a_commit_is_there_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    expect_stored(fixture->store, "new");
    begin(fixture->store);
    put(fixture->store, 2, "b");
    put(fixture->store, 300, "c");
    put(fixture->store, 1, "a");
    assert_ok(commit_at(fixture->store, 7));
    expect_stored(fixture->store, "7: 1=a 2=b 300=c ");
    close_all(fixture);
    open_all(fixture);
    assert_string_equal(store_discarded(fixture->store), "");
    expect_stored(fixture->store, "7: 1=a 2=b 300=c ");
    struct session_store port = store_port(fixture->store);
    begin(fixture->store);
    put(fixture->store, 1, "longer");
    assert_ok(port.ops->remove(port.self, 2));
    assert_ok(port.ops->remove(port.self, 99)); /* never there */
    put(fixture->store, 301, "");
    assert_ok(commit_at(fixture->store, 9));
    expect_stored(fixture->store, "9: 1=longer 300=c 301= ");
}

static void a_commit_of_nothing_moves_the_position(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture->store);
    assert_ok(commit_at(fixture->store, 1));
    expect_stored(fixture->store, "1: ");
}

static void what_was_not_committed_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    struct session_store port = store_port(fixture->store);
    begin(fixture->store);
    put(fixture->store, 1, "a");
    assert_ok(commit_at(fixture->store, 1));
    begin(fixture->store);
    put(fixture->store, 1, "x");
    put(fixture->store, 2, "x");
    port.ops->abort(port.self);
    expect_stored(fixture->store, "1: 1=a ");
    begin(fixture->store);
    put(fixture->store, 2, "x");
    close_all(fixture);
    open_all(fixture);
    expect_stored(fixture->store, "1: 1=a ");
}

static struct status refuse(void *context, uint64_t number, struct bytes record)
{
    (void)context;
    return number == 2 ? FAIL(CORRUPT, record.size, "refused") : OK;
}

static void loading_stops_at_the_first_record_that_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct session_store port = store_port(fixture->store);
    begin(fixture->store);
    put(fixture->store, 1, "a");
    put(fixture->store, 2, "b");
    assert_ok(commit_at(fixture->store, 1));
    struct store_position position = {.offset = 77};
    bool found = false;
    assert_fails(CORRUPT, port.ops->load(port.self, refuse, NULL, &position, &found));
    assert_int_equal(position.offset, 77);
    assert_false(found);
    expect_stored(fixture->store, "1: 1=a 2=b "); /* the transaction was given up */
}

/* ---- owners */

static void a_directory_has_one_owner(void **state)
{
    struct fixture *fixture = *state;
    close_all(fixture);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct state_directory *directory;
        if (failed(state_directory_open(fixture->folder.path, &directory, NULL)) || write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct state_directory *directory = NULL;
    assert_fails(LOCKED, state_directory_open(fixture->folder.path, &directory, &fixture->complaint));
    char wanted[64];
    snprintf(wanted, sizeof wanted, "process %d", (int)child);
    assert_non_null(strstr(fixture->complaint.text, wanted));
    assert_non_null(strstr(fixture->complaint.text, fixture->folder.path));
    assert_null(directory);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    open_all(fixture); /* the lock went with its owner */
    assert_fails(LOCKED, state_directory_open(fixture->folder.path, &directory, &fixture->complaint));
}

static void an_environment_is_open_once(void **state)
{
    struct fixture *fixture = *state;
    struct store *second = NULL;
    assert_fails(LOCKED, store_open(fixture->directory, &fixture->options, &second, &fixture->complaint));
    assert_non_null(strstr(fixture->complaint.text, "clicks-3"));
    assert_null(second);
    fixture->options.partition = 4;
    assert_ok(store_open(fixture->directory, &fixture->options, &second, &fixture->complaint));
    begin(second);
    put(second, 1, "other");
    assert_ok(commit_at(second, 1));
    expect_stored(fixture->store, "new");
    store_close(second);
    fixture->options.partition = 3;
}

static void bad_places_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct state_directory *directory = NULL;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/missing/state", fixture->folder.path);
    assert_fails(IO, state_directory_open(path, &directory, &fixture->complaint));
    assert_non_null(strstr(fixture->complaint.text, path));
    snprintf(path, sizeof path, "%s/pid", fixture->folder.path); /* a file */
    assert_fails(IO, state_directory_open(path, &directory, &fixture->complaint));
    assert_fails(CONFIG, state_directory_open("", &directory, &fixture->complaint));
    struct store *store = NULL;
    struct store_options options = fixture->options;
    options.topic = "../up";
    assert_fails(CONFIG, store_open(fixture->directory, &options, &store, &fixture->complaint));
    options = fixture->options;
    options.map_size_bytes = MIB - 1;
    assert_fails(CONFIG, store_open(fixture->directory, &options, &store, &fixture->complaint));
}

static void network_file_systems_are_known(void **state)
{
    (void)state;
    assert_string_equal(unsuitable_file_system(0x6969), "NFS");
    assert_string_equal(unsuitable_file_system(0xff534d42), "CIFS");
    assert_null(unsuitable_file_system(0xef53));     /* ext4 */
    assert_null(unsuitable_file_system(0x58465342)); /* XFS */
    assert_null(unsuitable_file_system(0x9123683e)); /* btrfs */
    assert_null(unsuitable_file_system(0x01021994)); /* tmpfs */
    assert_null(unsuitable_file_system(0x794c7630)); /* overlay */
}

/* ---- what is trusted */

static void write_whole(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void write_file(const char *path, const char *text)
{
    write_whole(path, text, strlen(text));
}

/* Stores one record, ends the way a killed process does (but for the mark) and puts `mark` in the mark's place. */
static void stop_with_mark(struct fixture *fixture, const char *mark)
{
    begin(fixture->store);
    put(fixture->store, 1, "a");
    assert_ok(commit_at(fixture->store, 1));
    close_all(fixture);
    if (mark)
        write_file(file_of(fixture, "mark"), mark);
    else
        assert_int_equal(unlink(file_of(fixture, "mark")), 0);
}

static void an_unclean_stop_of_the_machine_discards_the_state(void **state)
{
    struct fixture *fixture = *state;
    stop_with_mark(fixture, "eddy state\nboot 00000000-0000-0000-0000-000000000000\nclosed 0\nsync 0\n");
    open_all(fixture);
    assert_non_null(strstr(store_discarded(fixture->store), "not shut down cleanly"));
    expect_stored(fixture->store, "new");
    stop_with_mark(fixture, NULL);
    open_all(fixture);
    assert_string_not_equal(store_discarded(fixture->store), "");
    stop_with_mark(fixture, "eddy state\nbo");
    open_all(fixture);
    assert_string_not_equal(store_discarded(fixture->store), "");
}

static void a_clean_close_or_synced_commits_outlive_the_machine(void **state)
{
    struct fixture *fixture = *state;
    stop_with_mark(fixture, "eddy state\nboot 00000000-0000-0000-0000-000000000000\nclosed 1\nsync 0\n");
    open_all(fixture);
    assert_string_equal(store_discarded(fixture->store), "");
    expect_stored(fixture->store, "1: 1=a ");
    stop_with_mark(fixture, "eddy state\nboot 00000000-0000-0000-0000-000000000000\nclosed 0\nsync 1\n");
    open_all(fixture);
    assert_string_equal(store_discarded(fixture->store), "");
    expect_stored(fixture->store, "1: 1=a ");
}

static void the_mark_says_how_things_are(void **state)
{
    struct fixture *fixture = *state;
    char text[256] = "";
    for (int sync = 0; sync < 2; sync++) {
        close_all(fixture);
        fixture->options.sync = sync;
        open_all(fixture);
        for (int closed = 0; closed < 2; closed++) {
            FILE *file = fopen(file_of(fixture, "mark"), "rb");
            assert_non_null(file);
            size_t size = fread(text, 1, sizeof text - 1, file);
            fclose(file);
            text[size] = 0;
            assert_non_null(strstr(text, closed ? "closed 1\n" : "closed 0\n"));
            assert_non_null(strstr(text, sync ? "sync 1\n" : "sync 0\n"));
            if (!closed)
                close_all(fixture);
        }
        open_all(fixture);
    }
}

static void another_topic_of_the_same_name_begins_anew(void **state)
{
    struct fixture *fixture = *state;
    stop_with_mark(fixture, "eddy state\nboot x\nclosed 1\nsync 0\n");
    fixture->options.identity = ""; /* nothing known: no reason to doubt */
    open_all(fixture);
    expect_stored(fixture->store, "1: 1=a ");
    close_all(fixture);
    fixture->options.identity = "cluster-2";
    open_all(fixture);
    assert_non_null(strstr(store_discarded(fixture->store), "another topic"));
    expect_stored(fixture->store, "new");
    close_all(fixture);
    open_all(fixture);
    assert_string_equal(store_discarded(fixture->store), "");
}

/* ---- bounds */

static void put_many(struct store *store, uint64_t count, size_t size)
{
    uint8_t *record = malloc(size);
    assert_non_null(record);
    struct session_store port = store_port(store);
    begin(store);
    for (uint64_t number = 0; number < count; number++) {
        memset(record, (int)(number & 0xff), size);
        assert_ok(port.ops->put(port.self, number, bytes_of(record, size)));
    }
    free(record);
}

struct counted {
    uint64_t count;
    size_t size;
};

static struct status count_record(void *context, uint64_t number, struct bytes record)
{
    struct counted *counted = context;
    if (number != counted->count++ || record.size != counted->size)
        return FAIL(CORRUPT, number, "not the record that was put");
    for (size_t i = 0; i < record.size; i++)
        if (record.data[i] != (uint8_t)(number & 0xff))
            return FAIL(CORRUPT, number, "not the bytes that were put");
    return OK;
}

static void expect_many(struct store *store, uint64_t count, size_t size)
{
    struct session_store port = store_port(store);
    struct counted counted = {.size = size};
    struct store_position position;
    bool found;
    assert_ok(port.ops->load(port.self, count_record, &counted, &position, &found));
    assert_true(found);
    assert_int_equal(counted.count, count);
}

static void a_full_map_grows(void **state)
{
    struct fixture *fixture = *state;
    close_all(fixture);
    fixture->options.map_size_bytes = MIB;
    open_all(fixture);
    put_many(fixture->store, 20000, 500);
    assert_ok(commit_at(fixture->store, 1));
    expect_many(fixture->store, 20000, 500);
    int used = store_map_used_percent(fixture->store);
    assert_true(used > 50 && used <= 100);
    close_all(fixture);
    open_all(fixture); /* with an option smaller than the file */
    expect_many(fixture->store, 20000, 500);
    put_many(fixture->store, 200, 100000); /* on pages of their own */
    assert_ok(commit_at(fixture->store, 2));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static size_t address_space_in_use(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    size_t pages = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}
#endif

static void a_map_that_cannot_grow_is_a_limit(void **state)
{
    struct fixture *fixture = *state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)fixture;
    skip(); /* the sanitizer needs the address space itself */
#else
    close_all(fixture);
    fixture->options.map_size_bytes = 64 * MIB;
    open_all(fixture);
    put_many(fixture->store, 1000, 500);
    assert_ok(commit_at(fixture->store, 1));
    put_many(fixture->store, 140000, 500);
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    tight = before;
    tight.rlim_cur = address_space_in_use() + 100 * MIB; /* for LMDB's pages, not for a map of 128 MiB */
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    struct status status = commit_at(fixture->store, 2);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_fails(LIMIT, status);
    expect_many(fixture->store, 1000, 500);
    put_many(fixture->store, 140000, 500);
    assert_ok(commit_at(fixture->store, 2));
    expect_many(fixture->store, 140000, 500);
#endif
}

static void the_default_map_takes_address_space_only(void **state)
{
    struct fixture *fixture = *state;
    close_all(fixture);
    fixture->options.map_size_bytes = (size_t)64 << 30;
    open_all(fixture);
    begin(fixture->store);
    put(fixture->store, 1, "a");
    assert_ok(commit_at(fixture->store, 1));
    struct stat info;
    assert_int_equal(stat(file_of(fixture, "data.mdb"), &info), 0);
    assert_true(info.st_size < (off_t)MIB);
    assert_int_equal(store_map_used_percent(fixture->store), 0);
}

/* ---- a full disk: a small tmpfs that only a child sees */

static bool mount_small(const char *path)
{
    int spaces = geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS;
    return unshare(spaces) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("small", path, "tmpfs", 0, "size=3m,mode=0777") == 0;
}

static void fill_the_disk(struct fixture *fixture)
{
    open_all(fixture);
    put_many(fixture->store, 1000, 500);
    assert_ok(commit_at(fixture->store, 1));
    struct session_store port = store_port(fixture->store);
    for (int attempt = 0; attempt < 3; attempt++) {
        put_many(fixture->store, 5000, 600);
        assert_fails(DISK_FULL, commit_at(fixture->store, 2));
        expect_many(fixture->store, 1000, 500);
    }
    begin(fixture->store); /* what has room goes on */
    assert_ok(port.ops->remove(port.self, 999));
    assert_ok(commit_at(fixture->store, 3));
    expect_many(fixture->store, 999, 500);
    close_all(fixture);
    open_all(fixture);
    expect_many(fixture->store, 999, 500);
    close_all(fixture);
}

/* However little room is left, an opening either works or says so. */
static void open_on_a_full_disk(struct fixture *fixture)
{
    static char page[4096];
    char path[512];
    snprintf(path, sizeof path, "%s/filler", fixture->folder.path);
    int filler = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(filler >= 0);
    size_t pages = 0;
    while (write(filler, page, sizeof page) == (ssize_t)sizeof page)
        pages++;
    assert_true(pages > 100);
    unsigned refused = 0;
    bool opened = false;
    for (unsigned room = 1; room < 100 && !opened; room++) {
        assert_int_equal(ftruncate(filler, (off_t)((pages - room) * sizeof page)), 0);
        struct status status = state_directory_open(fixture->folder.path, &fixture->directory, &fixture->complaint);
        if (!failed(status))
            status = store_open(fixture->directory, &fixture->options, &fixture->store, &fixture->complaint);
        if (failed(status) && status.detail != EIO) /* what LMDB calls a write that was cut short */
            assert_fails(DISK_FULL, status);
        opened = !failed(status);
        refused += !opened;
        close_all(fixture);
    }
    assert_true(opened && refused > 2);
    close(filler);
}

static void on_a_small_disk(struct fixture *fixture, void (*check)(struct fixture *))
{
    close_all(fixture);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!mount_small(fixture->folder.path))
            _exit(77);
        check(fixture); /* a failed assertion ends the child with another code */
        _exit(42);
    }
    int result;
    waitpid(child, &result, 0);
    open_all(fixture);
    if (WIFEXITED(result) && WEXITSTATUS(result) == 77)
        skip(); /* may not mount */
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 42);
}

static void a_full_disk_keeps_the_former_commit(void **state)
{
    on_a_small_disk(*state, fill_the_disk);
}

static void a_full_disk_refuses_a_store(void **state)
{
    on_a_small_disk(*state, open_on_a_full_disk);
}

/* ---- damage */

static struct bytes read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct stat info;
    assert_int_equal(fstat(fileno(file), &info), 0);
    uint8_t *data = malloc((size_t)info.st_size);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)info.st_size, file), info.st_size);
    fclose(file);
    return bytes_of(data, (size_t)info.st_size);
}

static struct status ignore_record(void *context, uint64_t number, struct bytes record)
{
    *(uint64_t *)context += number + bytes_hash(record);
    return OK;
}

/* Opens, reads and writes; whatever comes of it, the process lives. True when it was said to be damaged. */
static bool is_found_damaged(struct fixture *fixture)
{
    struct status status = store_open(fixture->directory, &fixture->options, &fixture->store, &fixture->complaint);
    if (failed(status)) {
        if (!failed_as(status, FAULT_CORRUPT) && !failed_as(status, FAULT_NEWER))
            assert_ok(status);
        return true;
    }
    struct session_store port = store_port(fixture->store);
    struct store_position position;
    bool found;
    uint64_t sum = 0;
    status = port.ops->load(port.self, ignore_record, &sum, &position, &found);
    begin(fixture->store);
    for (uint64_t number = 0; number < 500; number += 3)
        put(fixture->store, number, "anything");
    struct status written = commit_at(fixture->store, 9);
    store_close(fixture->store);
    fixture->store = NULL;
    return failed(status) || failed(written);
}

/* A store with records on many pages, some freed and some long; closed. The content of its file. */
static struct bytes make_victim(struct fixture *fixture)
{
    struct session_store port = store_port(fixture->store);
    put_many(fixture->store, 2000, 150);
    assert_ok(commit_at(fixture->store, 1));
    begin(fixture->store);
    for (uint64_t number = 100; number < 900; number++)
        assert_ok(port.ops->remove(port.self, number));
    assert_ok(commit_at(fixture->store, 2));
    put_many(fixture->store, 5, 9000);
    assert_ok(commit_at(fixture->store, 3));
    store_close(fixture->store);
    fixture->store = NULL;
    return read_whole(file_of(fixture, "data.mdb"));
}

static void a_truncated_file_is_corrupt(void **state)
{
    struct fixture *fixture = *state;
    struct bytes good = make_victim(fixture);
    uint32_t found = 0, tried = 0;
    for (size_t size = 1; size < good.size; size += 4096 + (size % 7) * 512, tried++) {
        write_whole(file_of(fixture, "data.mdb"), good.data, size);
        found += is_found_damaged(fixture);
    }
    assert_true(tried > 20);
    assert_true(found + 3 >= tried); /* pages at the end may be free */
    write_whole(file_of(fixture, "data.mdb"), good.data, good.size);
    assert_false(is_found_damaged(fixture));
    free((void *)(uintptr_t)good.data);
}

static void damaged_pages_do_not_end_the_process(void **state)
{
    struct fixture *fixture = *state;
    struct bytes good = make_victim(fixture);
    uint8_t *bad = malloc(good.size);
    assert_non_null(bad);
    uint64_t seed = test_seed(1);
    print_message("EDDY_SEED=%llu\n", (unsigned long long)seed);
    struct random random;
    random_seed(&random, seed);
    uint32_t found[3] = {0};
    for (int i = 0; i < 600; i++) {
        memcpy(bad, good.data, good.size);
        size_t page = random_below(&random, (uint32_t)(good.size / 4096)) * (size_t)4096;
        uint32_t kind = (uint32_t)i % 3;
        if (kind == 0) /* noise on a page */
            for (size_t at = 0; at < 4096; at++)
                bad[page + at] = (uint8_t)random_u64(&random);
        else if (kind == 1) /* the page never reached the disk */
            memset(bad + page, 0, 4096);
        else /* a few bytes, most of them where the structure is */
            for (int change = 0; change < 4; change++)
                bad[page + random_below(&random, change < 3 ? 200 : 4096)] = (uint8_t)random_u64(&random);
        write_whole(file_of(fixture, "data.mdb"), bad, good.size);
        found[kind] += is_found_damaged(fixture);
    }
    print_message("found damaged: %u, %u, %u of 200\n", found[0], found[1], found[2]);
    assert_true(found[0] > 50 && found[1] > 50 && found[2] > 50); /* the other pages are free, or it was a value */
    write_whole(file_of(fixture, "data.mdb"), good.data, good.size);
    assert_false(is_found_damaged(fixture));
    free(bad);
    free((void *)(uintptr_t)good.data);
}

static void damage_is_complained_of_with_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    close_all(fixture);
    write_file(file_of(fixture, "data.mdb"), "this is not an LMDB file, though it is here in its place");
    assert_ok(state_directory_open(fixture->folder.path, &fixture->directory, &fixture->complaint));
    assert_fails(CORRUPT, store_open(fixture->directory, &fixture->options, &fixture->store, &fixture->complaint));
    assert_non_null(strstr(fixture->complaint.text, fixture->file));
    assert_non_null(strstr(fixture->complaint.text, "remove its folder"));
}

/* Writes into the meta database behind the store's back; a NULL value removes. */
static void meta_overwrite(struct fixture *fixture, const char *name, const void *value, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s", file_of(fixture, ""));
    MDB_env *env;
    MDB_txn *transaction;
    MDB_dbi meta;
    uint8_t copy[64] = {0};
    if (value)
        memcpy(copy, value, size);
    MDB_val key = {strlen(name), (void *)(uintptr_t)name}, data = {size, copy};
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 2), 0);
    assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &transaction), 0);
    assert_int_equal(mdb_dbi_open(transaction, "meta", 0, &meta), 0);
    assert_int_equal(value ? mdb_put(transaction, meta, &key, &data, 0) : mdb_del(transaction, meta, &key, NULL), 0);
    assert_int_equal(mdb_txn_commit(transaction), 0);
    mdb_env_close(env);
}

static void a_later_format_is_refused_as_newer(void **state)
{
    struct fixture *fixture = *state;
    close_all(fixture);
    meta_overwrite(fixture, "format", "\x02\x00\x00\x00", 4);
    assert_ok(state_directory_open(fixture->folder.path, &fixture->directory, &fixture->complaint));
    assert_fails(NEWER, store_open(fixture->directory, &fixture->options, &fixture->store, &fixture->complaint));
    assert_non_null(strstr(fixture->complaint.text, "format 2"));
}

static void a_damaged_position_is_corrupt(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture->store);
    assert_ok(commit_at(fixture->store, 5));
    close_all(fixture);
    meta_overwrite(fixture, "position", "\x06\0\0\0\0\0\0\0 and so on: thirty-two bytes", 32);
    open_all(fixture);
    struct session_store port = store_port(fixture->store);
    struct store_position position;
    uint64_t sum = 0;
    bool found;
    assert_fails(CORRUPT, port.ops->load(port.self, ignore_record, &sum, &position, &found));
}

static void sessions_without_a_position_are_corrupt(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture->store);
    put(fixture->store, 1, "a");
    assert_ok(commit_at(fixture->store, 5));
    close_all(fixture);
    meta_overwrite(fixture, "position", NULL, 0);
    open_all(fixture);
    struct session_store port = store_port(fixture->store);
    struct store_position position;
    uint64_t sum = 0;
    bool found;
    assert_fails(CORRUPT, port.ops->load(port.self, ignore_record, &sum, &position, &found));
}

static void a_state_without_a_format_is_corrupt(void **state)
{
    struct fixture *fixture = *state;
    close_all(fixture);
    meta_overwrite(fixture, "format", NULL, 0);
    assert_ok(state_directory_open(fixture->folder.path, &fixture->directory, &fixture->complaint));
    assert_fails(CORRUPT, store_open(fixture->directory, &fixture->options, &fixture->store, &fixture->complaint));
    assert_non_null(strstr(fixture->complaint.text, "remove the folder"));
}

/* ---- kill -9 */

#define KILL_NUMBERS 400

/* What commit `offset` does to the records' generations (0: not there); a function of the offset alone. */
static void generations_advance(uint32_t generations[KILL_NUMBERS], uint32_t offset)
{
    struct random random;
    random_seed(&random, offset);
    for (int i = 0; i < 60; i++) {
        uint32_t number = random_below(&random, KILL_NUMBERS);
        generations[number] = random_below(&random, 4) ? offset : 0;
    }
}

static void commit_generations(struct store *store, uint32_t offset)
{
    uint32_t before[KILL_NUMBERS], after[KILL_NUMBERS];
    memset(before, 0xff, sizeof before);
    memcpy(after, before, sizeof after);
    generations_advance(after, offset);
    struct session_store port = store_port(store);
    begin(store);
    for (uint32_t number = 0; number < KILL_NUMBERS; number++) {
        uint32_t record[200];
        for (size_t i = 0; i < 200; i++)
            record[i] = after[number];
        if (after[number] == before[number])
            continue;
        assert_ok(after[number] ? port.ops->put(port.self, number, bytes_of(record, 8 + number * 1u % 792))
                                : port.ops->remove(port.self, number));
    }
    assert_ok(commit_at(store, offset));
}

static struct status read_generation(void *context, uint64_t number, struct bytes record)
{
    if (number >= KILL_NUMBERS || record.size != 8 + number % 792)
        return FAIL(CORRUPT, number, "not a record of this test");
    memcpy((uint32_t *)context + number, record.data, sizeof(uint32_t));
    return OK;
}

/* The offset found, after checking that exactly what its commit left is there. */
static uint32_t check_generations(struct store *store)
{
    uint32_t found_generations[KILL_NUMBERS] = {0}, wanted[KILL_NUMBERS] = {0};
    struct session_store port = store_port(store);
    struct store_position position = {0};
    bool found;
    assert_ok(port.ops->load(port.self, read_generation, found_generations, &position, &found));
    for (uint32_t offset = 1; offset <= position.offset; offset++)
        generations_advance(wanted, offset);
    assert_memory_equal(found_generations, wanted, sizeof wanted);
    return (uint32_t)position.offset;
}

static void commit_until_killed(struct fixture *fixture, uint32_t offset, int report)
{
    open_all(fixture);
    for (;;) {
        commit_generations(fixture->store, ++offset);
        if (write(report, &offset, sizeof offset) != sizeof offset)
            _exit(1);
    }
}

static void a_killed_process_leaves_exactly_a_committed_state(void **state)
{
    struct fixture *fixture = *state;
    struct random random;
    random_seed(&random, test_seed(1));
    uint32_t offset = 0;
    for (int i = 0; i < 100; i++) {
        close_all(fixture);
        int report[2];
        assert_int_equal(pipe2(report, O_CLOEXEC), 0);
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            commit_until_killed(fixture, offset, report[1]);
        close(report[1]);
        uint32_t reported = offset, next;
        uint32_t rounds = random_below(&random, 8);
        while (reported < offset + rounds && read(report[0], &next, sizeof next) == sizeof next)
            reported = next;
        usleep(random_below(&random, 3000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(report[0], &next, sizeof next) == sizeof next)
            reported = next;
        close(report[0]);
        open_all(fixture);
        assert_string_equal(store_discarded(fixture->store), "");
        uint32_t found = check_generations(fixture->store);
        assert_true(found == reported || found == reported + 1); /* all that was reported, or one more */
        offset = found;
    }
    assert_true(offset > 300);
}

int main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_commit_is_there_after_a_restart),
        STORE_TEST(a_commit_of_nothing_moves_the_position),
        STORE_TEST(what_was_not_committed_is_not_there),
        STORE_TEST(loading_stops_at_the_first_record_that_is_refused),
        STORE_TEST(a_directory_has_one_owner),
        STORE_TEST(an_environment_is_open_once),
        STORE_TEST(bad_places_are_refused),
        STORE_TEST(network_file_systems_are_known),
        STORE_TEST(an_unclean_stop_of_the_machine_discards_the_state),
        STORE_TEST(a_clean_close_or_synced_commits_outlive_the_machine),
        STORE_TEST(the_mark_says_how_things_are),
        STORE_TEST(another_topic_of_the_same_name_begins_anew),
        STORE_TEST(a_full_map_grows),
        STORE_TEST(a_map_that_cannot_grow_is_a_limit),
        STORE_TEST(the_default_map_takes_address_space_only),
        STORE_TEST(a_full_disk_keeps_the_former_commit),
        STORE_TEST(a_full_disk_refuses_a_store),
        STORE_TEST(a_truncated_file_is_corrupt),
        STORE_TEST(damaged_pages_do_not_end_the_process),
        STORE_TEST(damage_is_complained_of_with_what_to_do),
        STORE_TEST(a_later_format_is_refused_as_newer),
        STORE_TEST(a_damaged_position_is_corrupt),
        STORE_TEST(sessions_without_a_position_are_corrupt),
        STORE_TEST(a_state_without_a_format_is_corrupt),
        STORE_TEST(a_killed_process_leaves_exactly_a_committed_state),
    };
    return cmocka_run_group_tests_name("session store", tests, NULL, NULL);
}
