// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/memory.h>

#include <stdlib.h>

struct entry {
    uint64_t number;
    uint8_t *data; /* NULL in a change: remove it */
    size_t size;
};

/* Ascending by number. */
struct entries {
    struct entry *items;
    size_t count, capacity;
};

struct memory_store {
    struct entries committed, changes;
    struct store_position position;
    bool found, in_transaction;
};

static void entries_clear(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i].data);
    entries->count = 0;
}

static struct status entries_append(struct entries *entries, struct entry entry)
{
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity ? entries->capacity * 2 : 64;
        struct entry *items = realloc(entries->items, capacity * sizeof *items);
        if (!items)
            return FAIL(MEMORY, capacity, "no memory for sessions");
        entries->items = items;
        entries->capacity = capacity;
    }
    entries->items[entries->count++] = entry;
    return OK;
}

struct status memory_store_open(struct memory_store **ret_store)
{
    struct memory_store *store = calloc(1, sizeof *store);
    if (!store)
        return FAIL(MEMORY, 0, "no memory for a store");
    *ret_store = store;
    return OK;
}

void memory_store_close(struct memory_store *store)
{
    if (!store)
        return;
    entries_clear(&store->committed);
    entries_clear(&store->changes);
    free(store->committed.items);
    free(store->changes.items);
    free(store);
}

size_t memory_store_count(const struct memory_store *store)
{
    return store->committed.count;
}

static struct status load(void *self, struct status (*visit)(void *context, uint64_t number, struct bytes record),
                          void *context, struct store_position *ret_position, bool *ret_found)
{
    struct memory_store *store = self;
    for (size_t i = 0; i < store->committed.count; i++) {
        const struct entry *entry = &store->committed.items[i];
        TRY(visit(context, entry->number, bytes_of(entry->data, entry->size)));
    }
    *ret_found = store->found;
    if (store->found)
        *ret_position = store->position;
    return OK;
}

static struct status begin(void *self)
{
    struct memory_store *store = self;
    assert(!store->in_transaction);
    store->in_transaction = true;
    return OK;
}

static struct status put(void *self, uint64_t number, struct bytes record)
{
    struct memory_store *store = self;
    assert(store->in_transaction);
    assert(!store->changes.count || store->changes.items[store->changes.count - 1].number < number);
    struct entry entry = {number, malloc(record.size + 1), record.size};
    if (!entry.data)
        return FAIL(MEMORY, record.size, "no memory for a session");
    memcpy(entry.data, record.data, record.size);
    return entries_append(&store->changes, entry);
}

static struct status remove_one(void *self, uint64_t number)
{
    struct memory_store *store = self;
    assert(store->in_transaction);
    assert(!store->changes.count || store->changes.items[store->changes.count - 1].number < number);
    return entries_append(&store->changes, (struct entry){number, NULL, 0});
}

/* Merges the changes into the committed entries. */
static struct status commit(void *self, const struct store_position *position)
{
    struct memory_store *store = self;
    assert(store->in_transaction);
    struct entries merged = {0}, *old = &store->committed, *changes = &store->changes;
    size_t capacity = old->count + changes->count;
    merged.items = calloc(capacity + 1, sizeof *merged.items);
    if (!merged.items)
        return FAIL(MEMORY, capacity, "no memory for sessions");
    merged.capacity = capacity + 1;
    for (size_t i = 0, j = 0; i < old->count || j < changes->count;) {
        bool take_old = j == changes->count || (i < old->count && old->items[i].number < changes->items[j].number);
        if (take_old) {
            merged.items[merged.count++] = old->items[i++];
            continue;
        }
        if (i < old->count && old->items[i].number == changes->items[j].number)
            free(old->items[i++].data);
        if (changes->items[j].data)
            merged.items[merged.count++] = changes->items[j];
        j++;
    }
    free(old->items);
    *old = merged;
    changes->count = 0;
    store->position = *position;
    store->found = true;
    store->in_transaction = false;
    return OK;
}

static void abort_transaction(void *self)
{
    struct memory_store *store = self;
    entries_clear(&store->changes);
    store->in_transaction = false;
}

static struct status clear(void *self)
{
    struct memory_store *store = self;
    assert(!store->in_transaction);
    entries_clear(&store->committed);
    store->found = false;
    return OK;
}

struct session_store memory_store_port(struct memory_store *store)
{
    static const struct session_store_ops ops = {load, begin, put, remove_one, commit, abort_transaction, clear};
    return (struct session_store){&ops, store};
}
