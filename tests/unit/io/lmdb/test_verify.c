// SPDX-License-Identifier: Apache-2.0
/* Damage of every kind that the check of an environment's file knows, done to the corpus's `full`: a file of 12 pages
 * of 512 bytes. Pages: 0 and 1 meta, 2 free list (9 and 10 are free), 3 the databases, 4 `meta`, 5 root of `sessions`
 * with leaves 6 and 7, 8 a long record's own. */
#include "support/support.h"

#include "io/lmdb/environment.h"

#define PAGE_SIZE   512
#define FILE_SIZE   (12 * PAGE_SIZE)
#define FOLDER      "tests/fuzz/corpus/state_file/"
#define PAGE(page)  ((page)*PAGE_SIZE)
#define META(field) (16 + (field))

static void read_full(uint8_t content[FILE_SIZE])
{
    FILE *file = fopen(FOLDER "full", "rb");
    assert_non_null(file);
    assert_int_equal(fread(content, 1, FILE_SIZE, file), FILE_SIZE);
    fclose(file);
}

static void good_files_are_good(void **state)
{
    (void)state;
    uint8_t content[FILE_SIZE];
    struct complaint complaint;
    read_full(content);
    assert_ok(environment_verify_bytes(bytes_of(content, FILE_SIZE), "full", &complaint));
    assert_ok(environment_verify(FOLDER "empty", &complaint));
    assert_ok(environment_verify("/nowhere/data.mdb", &complaint));
    assert_ok(environment_verify_bytes(bytes_of(content, PAGE(9)), "without its free pages at the end", &complaint));
}

static const struct {
    const char *what;
    size_t offset;
    uint8_t byte;
    int64_t page; /* that is complained of; 0: any */
} damages[] = {
    {"magic number", META(0), 0, 0},
    {"magic number of the other meta page", PAGE(1) + META(0), 0, 0},
    {"data version", META(4), 2, 0},
    {"page size", META(24), 1, 0},
    {"kind of a meta page", 10, 2, 0},
    {"last page before the pages in use", META(120), 8, 10},
    {"last page far beyond the file", META(125), 1, 0},
    {"root of the free list", META(24 + 40), 200, 200},
    {"root of the databases", META(24 + 48 + 40), 1, 1},
    {"the root's kind", PAGE(3) + 10, 4, 3},
    {"two kinds at once", PAGE(3) + 10, 3, 3},
    {"a mark that only a page in memory has", PAGE(3) + 11, 0x40, 3},
    {"a page's own number", PAGE(4), 5, 4},
    {"no nodes", PAGE(4) + 12, 16, 4},
    {"a node less than there is", PAGE(4) + 12, 18, 4},
    {"a gap before the nodes", PAGE(4) + 14, 0, 4},
    {"a gap behind the nodes", PAGE(6) + 512 - 46, 28, 6},
    {"nodes that overlap", PAGE(6) + 18, 0xd2, 6},
    {"more nodes than fit", PAGE(4) + 13, 2, 4},
    {"nodes beyond the page", PAGE(4) + 15, 3, 4},
    {"a node among the offsets", PAGE(4) + 16, 8, 4},
    {"a branch to itself", PAGE(5) + 512 - 24, 5, 5},
    {"a branch to a page that is free", PAGE(5) + 512 - 24, 9, 9},
    {"a record longer than its page", PAGE(6) + 512 - 46 + 1, 2, 6},
    {"a key longer than its page", PAGE(6) + 512 - 46 + 6, 255, 6},
    {"a record of its own page that is not one", PAGE(8) + 10, 2, 8},
    {"no pages for a long record", PAGE(8) + 12, 0, 7},
    {"pages for a long record beyond the file", PAGE(8) + 12, 5, 7},
    {"pages for a long record that are free", PAGE(8) + 12, 2, 9},
    {"a long record longer than its pages", PAGE(7) + 512 - 24 + 1, 2, 7},
    {"a free page that is in use", PAGE(2) + 512 - 8, 6, 6},
    {"a free page listed twice", PAGE(2) + 512 - 8, 10, 2},
    {"more free pages than the list is long", PAGE(2) + 512 - 24, 3, 2},
    {"free pages out of order", PAGE(2) + 512 - 8, 11, 2},
    {"a free list too short for its length", PAGE(2) + 512 - 40, 7, 2},
    {"a number of seven bytes", PAGE(6) + 512 - 46 + 6, 7, 6},
    {"a branch's number of seven bytes", PAGE(5) + 512 - 24 + 6, 7, 5},
    {"a name of no bytes", PAGE(4) + 512 - 18 + 6, 0, 4},
    {"a tree less deep than it says", PAGE(3) + 512 - 60 - 64 + 22, 3, 6},
    {"a tree deeper than it says", PAGE(3) + 512 - 60 - 64 + 22, 1, 5},
    {"a root without depth", PAGE(3) + 512 - 60 - 64 + 22, 0, 3},
    {"a database of sorted duplicates", PAGE(3) + 512 - 60 - 64 + 20, 12, 3},
    {"a database of numbers where names should be", PAGE(3) + 512 - 60 + 16, 8, 3},
    {"numbers out of order", PAGE(6) + 512 - 46 - 56 + 8, 1, 6},
    {"a number beyond its branch's", PAGE(6) + 512 - 46 - 56 + 9, 2, 5},
    {"a number before its branch's", PAGE(7) + 512 - 24 + 8, 8, 7},
    {"names out of order", PAGE(4) + 512 - 18 + 8, 'q', 4},
    {"a database of another name", PAGE(3) + 512 - 60 + 8, 'b', 3},
    {"more entries said than there", PAGE(3) + 512 - 60 - 64 + 16 + 32, 4, 3},
    {"a sorted duplicates' node", PAGE(6) + 512 - 46 + 4, 4, 6},
    {"a database within a database", PAGE(6) + 512 - 46 + 4, 2, 6},
    {"a plain record among the databases", PAGE(3) + 512 - 60 + 4, 0, 3},
    {"names on more than one level", PAGE(3) + 512 - 60 + 18, 2, 3},
};

static void every_kind_of_damage_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        uint8_t content[FILE_SIZE];
        struct complaint complaint = {0};
        read_full(content);
        content[damages[i].offset] = damages[i].byte;
        struct status status = environment_verify_bytes(bytes_of(content, FILE_SIZE), "full", &complaint);
        if (!failed_as(status, FAULT_CORRUPT))
            fail_msg("not noticed: %s", damages[i].what);
        if (damages[i].page && status.detail != damages[i].page)
            fail_msg("%s: page %lld was complained of", damages[i].what, (long long)status.detail);
        assert_non_null(strstr(complaint.text, "remove its folder"));
    }
}

static void a_file_without_its_pages_is_damaged(void **state)
{
    (void)state;
    uint8_t content[FILE_SIZE];
    read_full(content);
    for (size_t size = 1; size < PAGE(9); size += 7)
        assert_fails(CORRUPT, environment_verify_bytes(bytes_of(content, size), "full", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files_are_good),
        cmocka_unit_test(every_kind_of_damage_is_noticed),
        cmocka_unit_test(a_file_without_its_pages_is_damaged),
    };
    return cmocka_run_group_tests_name("state file", tests, NULL, NULL);
}
