// SPDX-License-Identifier: Apache-2.0
/* Walks an LMDB 0.9 file (data version 1, 64-bit, little-endian) without LMDB. Every page that the newest meta page
 * leads to must lie in the file, say its own number and kind, be used once, and be filled by its nodes without gap or
 * overlap. Trees must be as deep everywhere as they say and have as many entries, in ascending order; databases must be
 * those that we make. Values are not looked at. */
#include "io/lmdb/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC          0xbeefc0deu
#define DATA_VERSION   1
#define PAGE_HEAD      16u /* number 8, pad 2, flags 2, lower 2, upper 2 (or overflow pages 4) */
#define PAGE_BRANCH    0x01
#define PAGE_LEAF      0x02
#define PAGE_OVERFLOW  0x04
#define PAGE_META      0x08
#define NODE_HEAD      8u /* size or page: low 2, high 2; flags 2; key size 2; key; data */
#define NODE_OVERFLOW  0x01u
#define NODE_DATABASE  0x02u
#define DATABASE_SIZE  48u /* pad 4, flags 2, depth 2, branch, leaf, overflow pages and entries 8 each, root 8 */
#define ENTRIES_OFFSET 32u
#define ROOT_OFFSET    40u
#define INTEGER_KEYS   0x08 /* flag of a database */
#define META_DATABASES 24u  /* magic 4, version 4, address 8, map size 8 */
#define META_LAST_PAGE (META_DATABASES + 2 * DATABASE_SIZE)
#define META_END       (META_LAST_PAGE + 16)
#define DEPTH_MAX      30 /* LMDB's cursors have room for 32 */
#define NO_PAGE        UINT64_MAX
#define UNWRITTEN_MAX  (1u << 20) /* pages at the end that a transaction took and gave back without writing them */

struct file {
    const uint8_t *data;
    size_t size;
    size_t page_size;
    uint64_t page_count;       /* pages the meta page speaks of; the last ones may not be there if nothing is in them */
    uint8_t *claimed;          /* a bit a page */
    uint8_t filled[65536 / 2]; /* of the page at hand, each two bytes */
    bool bad;
    uint64_t bad_page; /* where the walk found the first thing wrong */
};

static uint64_t number_at(const uint8_t *data, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++)
        number |= (uint64_t)data[i] << 8 * i;
    return number;
}

static bool bad_at(struct file *file, uint64_t page)
{
    if (!file->bad)
        file->bad_page = page;
    file->bad = true;
    return false;
}

static bool claim(struct file *file, uint64_t page)
{
    if (page < 2 || page >= file->page_count || file->claimed[page / 8] & 1 << page % 8)
        return bad_at(file, page);
    file->claimed[page / 8] |= (uint8_t)(1 << page % 8);
    return true;
}

/* The page when it is in the file and says that it is what is looked for. */
static const uint8_t *page_at(struct file *file, uint64_t page, unsigned kind)
{
    if (!claim(file, page))
        return NULL;
    const uint8_t *data = file->data + page * file->page_size;
    if (page < file->size / file->page_size && number_at(data, 8) == page && number_at(data + 10, 2) == kind)
        return data;
    bad_at(file, page);
    return NULL;
}

static const uint8_t *overflow_at(struct file *file, uint64_t page, uint64_t data_size)
{
    const uint8_t *data = page_at(file, page, PAGE_OVERFLOW);
    uint64_t count = data ? number_at(data + 12, 4) : 0;
    uint64_t last = file->size / file->page_size;
    if (count == 0 || count > last - page || PAGE_HEAD + data_size > count * file->page_size)
        return NULL;
    for (uint64_t i = 1; i < count; i++)
        if (!claim(file, page + i))
            return NULL;
    return data + PAGE_HEAD;
}

/* Numbers are keys of eight bytes, compared as such; names are bytes, and so few that they have one page. */
enum tree { TREE_FREE, TREE_NUMBERS, TREE_MAIN, TREE_NAMES };

struct walk {
    enum tree tree;
    uint64_t entries;
    uint64_t number_min;   /* what the next number must be at least */
    struct bytes name_min; /* what the next name must be beyond */
};

static bool has_numbers(const struct walk *walk)
{
    return walk->tree == TREE_FREE || walk->tree == TREE_NUMBERS;
}

static bool database_is_good(struct file *file, enum tree tree, const uint8_t *database);

/* An entry of the free list: a count and so many page numbers, the highest first. */
static bool free_pages_are_good(struct file *file, const uint8_t *data, uint64_t size)
{
    if (size < 8 || number_at(data, 8) > size / 8 - 1)
        return false;
    uint64_t count = number_at(data, 8), before = UINT64_MAX;
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t page = number_at(data + 8 * i, 8);
        if (page >= before || !claim(file, page))
            return false;
        before = page;
    }
    return true;
}

struct node {
    unsigned flags;
    struct bytes key;
    uint64_t child;     /* of a branch page */
    uint64_t data_size; /* of a leaf, and where it is unless on pages of its own */
    const uint8_t *data;
};

/* False when the node is not inside its page. */
static bool node_read(const struct file *file, const uint8_t *page, size_t offset, bool branch, struct node *ret_node)
{
    if (offset % 2 || offset + NODE_HEAD > file->page_size)
        return false;
    const uint8_t *head = page + offset;
    struct node node = {.flags = branch ? 0 : (unsigned)number_at(head + 4, 2),
                        .key = bytes_of(head + NODE_HEAD, number_at(head + 6, 2)),
                        .child = number_at(head, 6),
                        .data_size = branch ? 0 : number_at(head, 4)};
    node.data = node.key.data + node.key.size;
    size_t inside = node.key.size + (node.flags & NODE_OVERFLOW ? 8 : node.data_size);
    if (inside > file->page_size - offset - NODE_HEAD)
        return false;
    *ret_node = node;
    return true;
}

static size_t node_size(const struct node *node)
{
    size_t size = NODE_HEAD + node->key.size + (node->flags & NODE_OVERFLOW ? 8 : node->data_size);
    return size + size % 2;
}

/* LMDB moves nodes about on a page; with gaps or overlaps it would move them beyond its end. */
static bool nodes_fill_page(struct file *file, const uint8_t *page, bool branch)
{
    size_t lower = number_at(page + 12, 2), upper = number_at(page + 14, 2), total = 0;
    if (lower < PAGE_HEAD + (branch ? 4 : 2) || lower % 2 || lower > upper || upper > file->page_size)
        return false;
    memset(file->filled, 0, file->page_size / 2);
    for (size_t at = PAGE_HEAD; at < lower; at += 2) {
        size_t offset = number_at(page + at, 2);
        struct node node;
        if (offset < upper || !node_read(file, page, offset, branch, &node))
            return false;
        size_t size = node_size(&node);
        if (offset + size > file->page_size || memchr(file->filled + offset / 2, 1, size / 2))
            return false;
        memset(file->filled + offset / 2, 1, size / 2);
        total += size;
    }
    return total == file->page_size - upper;
}

/* A number must be after those before it, a separator in a branch page too, and at most the number behind it. */
static bool number_is_next(struct walk *walk, struct bytes key, bool separator)
{
    uint64_t number = key.size == 8 ? number_at(key.data, 8) : UINT64_MAX;
    if (number == UINT64_MAX || number < walk->number_min)
        return false;
    walk->number_min = separator ? number : number + 1;
    return true;
}

static bool name_is_next(struct walk *walk, struct bytes key)
{
    if (bytes_compare(key, walk->name_min) <= 0)
        return false;
    walk->name_min = key;
    return true;
}

static bool database_node_is_good(struct file *file, const struct node *node)
{
    bool meta = bytes_equal_text(node->key, "meta"), sessions = bytes_equal_text(node->key, "sessions");
    return (meta || sessions) && node->flags == NODE_DATABASE && node->data_size == DATABASE_SIZE &&
           database_is_good(file, meta ? TREE_NAMES : TREE_NUMBERS, node->data);
}

static bool leaf_node_is_good(struct file *file, struct walk *walk, const struct node *node)
{
    walk->entries++;
    if (!(has_numbers(walk) ? number_is_next(walk, node->key, false) : name_is_next(walk, node->key)))
        return false;
    if (walk->tree == TREE_MAIN)
        return database_node_is_good(file, node);
    if (node->flags & ~NODE_OVERFLOW)
        return false;
    const uint8_t *data = node->data;
    if (node->flags && !(data = overflow_at(file, number_at(data, 8), node->data_size)))
        return false;
    return walk->tree != TREE_FREE || free_pages_are_good(file, data, node->data_size);
}

static bool tree_is_good(struct file *file, struct walk *walk, uint64_t number, unsigned levels);

/* The key of the first child may be anything: it is never compared. */
static bool branch_node_is_good(struct file *file, struct walk *walk, const struct node *node, bool first,
                                unsigned levels)
{
    return (first || number_is_next(walk, node->key, true)) && tree_is_good(file, walk, node->child, levels - 1);
}

/* `levels`: of pages from this one down to the leaves. */
static bool tree_is_good(struct file *file, struct walk *walk, uint64_t number, unsigned levels)
{
    bool branch = levels > 1;
    const uint8_t *page = page_at(file, number, branch ? PAGE_BRANCH : PAGE_LEAF);
    if (!page)
        return false;
    if (!nodes_fill_page(file, page, branch))
        return bad_at(file, number);
    size_t lower = number_at(page + 12, 2);
    for (size_t at = PAGE_HEAD; at < lower; at += 2) {
        struct node node;
        if (!node_read(file, page, number_at(page + at, 2), branch, &node))
            return bad_at(file, number);
        if (!(branch ? branch_node_is_good(file, walk, &node, at == PAGE_HEAD, levels)
                     : leaf_node_is_good(file, walk, &node)))
            return bad_at(file, number);
    }
    return true;
}

static bool database_is_good(struct file *file, enum tree tree, const uint8_t *database)
{
    struct walk walk = {.tree = tree};
    uint64_t pad = number_at(database, 4), flags = number_at(database + 4, 2), depth = number_at(database + 6, 2);
    uint64_t root = number_at(database + ROOT_OFFSET, 8);
    if (pad != (tree == TREE_FREE ? file->page_size : 0) || flags != (has_numbers(&walk) ? INTEGER_KEYS : 0) ||
        depth > (has_numbers(&walk) ? DEPTH_MAX : 1))
        return false;
    if (depth == 0 || root == NO_PAGE)
        return depth == 0 && root == NO_PAGE && number_at(database + ENTRIES_OFFSET, 8) == 0;
    return tree_is_good(file, &walk, root, (unsigned)depth) && walk.entries == number_at(database + ENTRIES_OFFSET, 8);
}

/* The newest meta page; NULL when there is none. */
static const uint8_t *newest_meta(const struct file *file, size_t page_size)
{
    const uint8_t *newest = NULL;
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *page = file->data + i * page_size, *meta = page + PAGE_HEAD;
        if (!(number_at(page + 10, 2) & PAGE_META) || number_at(meta, 4) != MAGIC ||
            number_at(meta + 4, 4) != DATA_VERSION || number_at(meta + META_DATABASES, 4) != page_size)
            return NULL;
        if (!newest || number_at(meta + META_END - 8, 8) > number_at(newest + META_END - 8, 8))
            newest = meta;
    }
    return newest;
}

static bool file_is_good(struct file *file, bool *ret_memory)
{
    if (file->size < PAGE_HEAD + META_END)
        return false;
    size_t page_size = number_at(file->data + PAGE_HEAD + META_DATABASES, 4);
    if (page_size < 512 || page_size > 65536 || page_size & (page_size - 1) || file->size < 2 * page_size)
        return false;
    const uint8_t *meta = newest_meta(file, page_size);
    if (!meta)
        return false;
    file->page_size = page_size;
    file->page_count = number_at(meta + META_LAST_PAGE, 8) + 1;
    if (file->page_count < 2 || file->page_count > file->size / page_size + UNWRITTEN_MAX)
        return false;
    file->claimed = calloc(file->page_count / 8 + 1, 1);
    if (!file->claimed) {
        *ret_memory = false;
        return false;
    }
    return database_is_good(file, TREE_FREE, meta + META_DATABASES) &&
           database_is_good(file, TREE_MAIN, meta + META_DATABASES + DATABASE_SIZE);
}

struct status environment_verify_bytes(struct bytes content, const char *path, struct complaint *complaint)
{
    struct file file = {.data = content.data, .size = content.size};
    bool memory = true;
    bool good = file_is_good(&file, &memory);
    free(file.claimed);
    if (!memory)
        return FAIL(MEMORY, file.page_count, "no memory to check the stored state");
    if (good)
        return OK;
    return complain(complaint, FAIL(CORRUPT, file.bad_page, "the stored state is damaged"),
                    "%s is damaged (page %llu): remove its folder, and sessions that are open begin anew; and "
                    "look after the disk",
                    path, (unsigned long long)file.bad_page);
}

struct status environment_verify(const char *path, struct complaint *complaint)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT ? OK : complain_of_errno(complaint, "open", path);
    struct stat info;
    struct status status = OK;
    void *data = MAP_FAILED;
    if (fstat(file, &info))
        status = complain_of_errno(complaint, "look at", path);
    else if (info.st_size > 0 &&
             (data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, file, 0)) == MAP_FAILED)
        status = complain_of_errno(complaint, "map", path);
    close(file);
    if (failed(status) || info.st_size == 0)
        return status;
    status = environment_verify_bytes(bytes_of(data, (size_t)info.st_size), path, complaint);
    munmap(data, (size_t)info.st_size);
    return status;
}
