// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/catalogue.h>

#include <stdlib.h>

/* Titles change, so each is one allocation owned by its entry; everything else is interned. */
struct entry {
    char *title; /* title_size bytes, not terminated */
    uint32_t title_size;
    uint32_t category; /* number in `paths`, INTERNER_NONE without one */
};

/* Kept apart from the entries: they are asked for every candidate, and so stay in the cache. */
#define FLAG_RECORD    1u
#define FLAG_AVAILABLE 2u

struct catalogue {
    struct catalogue_options options;
    struct interner *ids;
    struct interner *paths; /* category paths, levels joined by the unit separator */
    struct entry *entries;  /* one per id */
    uint8_t *flags;         /* likewise */
    uint32_t entry_capacity;
    size_t title_bytes;
    uint64_t titles_left_out;
};

#define PATH_SEPARATOR 0x1f
#define PATHS_MAX      (1u << 20)
#define LEVEL_MAX      255 /* bytes of one level kept */

struct status catalogue_open(const struct catalogue_options *options, struct catalogue **ret_catalogue)
{
    struct catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (!catalogue)
        return FAIL(MEMORY, 0, "no memory for the catalogue");
    catalogue->options = *options;
    struct status status = interner_open(options->items_max, options->memory_max_bytes, &catalogue->ids);
    if (!failed(status))
        status = interner_open(PATHS_MAX, options->memory_max_bytes, &catalogue->paths);
    if (failed(status)) {
        catalogue_close(catalogue);
        return status;
    }
    *ret_catalogue = catalogue;
    return OK;
}

void catalogue_close(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    for (uint32_t i = 0; catalogue->ids && i < interner_count(catalogue->ids); i++)
        free(catalogue->entries[i].title);
    free(catalogue->entries);
    free(catalogue->flags);
    interner_close(catalogue->ids);
    interner_close(catalogue->paths);
    free(catalogue);
}

size_t catalogue_memory(const struct catalogue *catalogue)
{
    return interner_memory(catalogue->ids) + interner_memory(catalogue->paths) +
           catalogue->entry_capacity * (sizeof *catalogue->entries + sizeof *catalogue->flags) + catalogue->title_bytes;
}

uint64_t catalogue_titles_left_out(const struct catalogue *catalogue)
{
    return catalogue->titles_left_out;
}

uint32_t catalogue_count(const struct catalogue *catalogue)
{
    return interner_count(catalogue->ids);
}

uint32_t catalogue_find(const struct catalogue *catalogue, struct bytes item_id)
{
    return interner_find(catalogue->ids, item_id);
}

size_t catalogue_find_all(const struct catalogue *catalogue, const struct bytes *item_ids, size_t count,
                          uint32_t *numbers)
{
    return interner_find_all(catalogue->ids, item_ids, count, numbers);
}

static struct status entries_grow(struct catalogue *catalogue)
{
    uint32_t capacity = catalogue->entry_capacity ? catalogue->entry_capacity * 2 : 1024;
    struct entry *entries = realloc(catalogue->entries, capacity * sizeof *entries);
    if (!entries)
        return FAIL(MEMORY, capacity, "no memory for the catalogue");
    catalogue->entries = entries;
    uint8_t *flags = realloc(catalogue->flags, capacity * sizeof *flags);
    if (!flags)
        return FAIL(MEMORY, capacity, "no memory for the catalogue");
    catalogue->flags = flags;
    catalogue->entry_capacity = capacity;
    return OK;
}

struct status catalogue_intern(struct catalogue *catalogue, struct bytes item_id, uint32_t *ret_number)
{
    uint32_t count = catalogue_count(catalogue);
    uint32_t number = interner_find(catalogue->ids, item_id);
    if (number == INTERNER_NONE) {
        if (catalogue_memory(catalogue) > catalogue->options.memory_max_bytes)
            return FAIL(LIMIT, count, "the catalogue's memory is full");
        if (count == catalogue->entry_capacity)
            TRY(entries_grow(catalogue));
        TRY(interner_add(catalogue->ids, item_id, &number));
        catalogue->entries[number] = (struct entry){.category = INTERNER_NONE};
        catalogue->flags[number] = FLAG_AVAILABLE;
    }
    *ret_number = number;
    return OK;
}

/* The number of the path, INTERNER_NONE when there is none or no room for it. */
static uint32_t path_number(struct catalogue *catalogue, const struct item *item)
{
    uint8_t path[ITEM_CATEGORIES_MAX * (LEVEL_MAX + 1)];
    size_t size = 0;
    for (uint32_t i = 0; i < item->category_count && i < ITEM_CATEGORIES_MAX; i++) {
        struct bytes level = bytes_utf8_prefix(item->categories[i], LEVEL_MAX);
        if (size)
            path[size++] = PATH_SEPARATOR;
        if (level.size)
            memcpy(path + size, level.data, level.size);
        size += level.size;
    }
    uint32_t number;
    if (!size || failed(interner_add(catalogue->paths, bytes_of(path, size), &number)))
        return INTERNER_NONE;
    return number;
}

static void entry_set_title(struct catalogue *catalogue, struct entry *entry, struct bytes title)
{
    catalogue->title_bytes -= entry->title_size;
    free(entry->title);
    entry->title = NULL;
    entry->title_size = 0;
    title = bytes_utf8_prefix(title, catalogue->options.title_max_bytes);
    if (!title.size)
        return;
    bool fits = catalogue_memory(catalogue) + title.size <= catalogue->options.memory_max_bytes;
    entry->title = fits ? malloc(title.size) : NULL;
    catalogue->titles_left_out += !entry->title; /* recommending without a title beats not recommending */
    if (!entry->title)
        return;
    memcpy(entry->title, title.data, title.size);
    entry->title_size = (uint32_t)title.size;
    catalogue->title_bytes += title.size;
}

struct status catalogue_put(struct catalogue *catalogue, const struct item *item, uint32_t *ret_number)
{
    uint32_t number;
    TRY(catalogue_intern(catalogue, item->item_id, &number));
    struct entry *entry = &catalogue->entries[number];
    catalogue->flags[number] = (uint8_t)(FLAG_RECORD | (item->available ? FLAG_AVAILABLE : 0));
    entry->category = path_number(catalogue, item);
    entry_set_title(catalogue, entry, item->title);
    if (ret_number)
        *ret_number = number;
    return OK;
}

void catalogue_remove(struct catalogue *catalogue, struct bytes item_id)
{
    uint32_t number = catalogue_find(catalogue, item_id);
    if (number == INTERNER_NONE)
        return;
    struct entry *entry = &catalogue->entries[number];
    catalogue->flags[number] = 0;
    entry->category = INTERNER_NONE;
    entry_set_title(catalogue, entry, (struct bytes){0});
}

static const struct entry *entry_of(const struct catalogue *catalogue, uint32_t item)
{
    assert(item < catalogue_count(catalogue));
    return &catalogue->entries[item];
}

struct bytes catalogue_id(const struct catalogue *catalogue, uint32_t item)
{
    return interner_get(catalogue->ids, item);
}

struct bytes catalogue_title(const struct catalogue *catalogue, uint32_t item)
{
    const struct entry *entry = entry_of(catalogue, item);
    return bytes_of(entry->title, entry->title_size);
}

bool catalogue_has_record(const struct catalogue *catalogue, uint32_t item)
{
    assert(item < catalogue_count(catalogue));
    return catalogue->flags[item] & FLAG_RECORD;
}

bool catalogue_available(const struct catalogue *catalogue, uint32_t item)
{
    assert(item < catalogue_count(catalogue));
    return catalogue->flags[item] & FLAG_AVAILABLE;
}

uint32_t catalogue_category(const struct catalogue *catalogue, uint32_t item)
{
    return entry_of(catalogue, item)->category;
}

bool catalogue_in_category(const struct catalogue *catalogue, uint32_t item, struct bytes category)
{
    uint32_t number = catalogue_category(catalogue, item);
    if (number == INTERNER_NONE || category.size == 0)
        return false;
    struct bytes path = interner_get(catalogue->paths, number);
    for (size_t start = 0; start <= path.size;) {
        const uint8_t *end = memchr(path.data + start, PATH_SEPARATOR, path.size - start);
        size_t size = end ? (size_t)(end - path.data) - start : path.size - start;
        if (bytes_equal(bytes_of(path.data + start, size), category))
            return true;
        start += size + 1;
    }
    return false;
}
