// SPDX-License-Identifier: Apache-2.0
/* Stored sessions go back into a table in batches. Looking up an item or a key is waiting for memory that is in no
 * cache, several times over; in a batch one waits for many of them at once. */
#include "core/session/record.h"
#include <eddy/core/catalogue.h>

#include <stdlib.h>

struct stored_session {
    uint64_t number;
    struct record record;
    struct heads_key key;
};

void session_batch_release(struct session_batch *batch)
{
    free(batch->sessions);
    free(batch->item_ids);
    free(batch->items);
    arena_release(&batch->records);
    *batch = (struct session_batch){0};
}

static void batch_clear(struct session_batch *batch)
{
    batch->session_count = batch->item_count = 0;
    arena_reset(&batch->records);
}

/* ---- into the batch */

static struct status sessions_grow(struct session_batch *batch)
{
    size_t capacity = batch->session_capacity ? batch->session_capacity * 2 : 64;
    struct stored_session *sessions = realloc(batch->sessions, capacity * sizeof *sessions);
    if (!sessions)
        return FAIL(MEMORY, capacity, "no memory for stored sessions");
    batch->sessions = sessions;
    batch->session_capacity = capacity;
    return OK;
}

static struct status items_reserve(struct session_batch *batch, size_t more)
{
    if (more <= batch->item_capacity - batch->item_count)
        return OK;
    size_t capacity = 2 * batch->item_capacity + more;
    struct bytes *item_ids = realloc(batch->item_ids, capacity * sizeof *item_ids);
    if (!item_ids)
        return FAIL(MEMORY, capacity, "no memory for the items of stored sessions");
    batch->item_ids = item_ids;
    uint32_t *items = realloc(batch->items, capacity * sizeof *items);
    if (!items)
        return FAIL(MEMORY, capacity, "no memory for the items of stored sessions");
    batch->items = items;
    batch->item_capacity = capacity;
    return OK;
}

static uint64_t clicks_skipped(const struct session_table *table, const struct record *record)
{
    uint32_t clicks_max = table->options.clicks_max;
    return record->length > clicks_max ? record->length - clicks_max : 0;
}

static void add_items(struct session_batch *batch, const struct record *record, uint64_t skipped)
{
    struct reader reader = {.rest = record->clicks};
    for (uint64_t i = 0; i < record->length; i++) {
        struct bytes item_id = record_click(&reader, 0, record->with_ids).item_id;
        if (i >= skipped)
            batch->item_ids[batch->item_count++] = item_id;
    }
}

struct status session_batch_add(struct session_batch *batch, const struct session_table *table, uint64_t number,
                                struct bytes bytes)
{
    struct record record;
    struct bytes copy = arena_copy(&batch->records, bytes);
    if (bytes.size && !copy.data)
        return FAIL(MEMORY, bytes.size, "no memory for a stored session");
    TRY(record_open(copy, &record));
    if (record.by_user != table->options.by_user)
        return FAIL(CONFIG, number, "stored sessions are kept by the other of session_id and user_id");
    uint64_t skipped = clicks_skipped(table, &record);
    if (batch->session_count == batch->session_capacity)
        TRY(sessions_grow(batch));
    TRY(items_reserve(batch, record.length - skipped));
    add_items(batch, &record, skipped);
    batch->sessions[batch->session_count++] = (struct stored_session){number, record, heads_key(record.key)};
    return OK;
}

/* ---- the numbers of items */

bool session_batch_find_items(struct session_batch *batch, const struct catalogue *catalogue)
{
    return catalogue_find_all(catalogue, batch->item_ids, batch->item_count, batch->items) == batch->item_count;
}

struct status session_batch_intern_items(struct session_batch *batch, struct catalogue *catalogue)
{
    for (size_t i = 0; i < batch->item_count; i++)
        TRY(catalogue_intern(catalogue, batch->item_ids[i], &batch->items[i]));
    return OK;
}

/* ---- into the table */

static void restore_clicks(struct session_table *table, uint32_t session, const struct record *record,
                           const uint32_t *items)
{
    struct reader reader = {.rest = record->clicks};
    uint64_t skipped = clicks_skipped(table, record);
    int64_t time = record->kept_from;
    for (uint64_t i = 0; i < record->length; i++) {
        struct record_click click = record_click(&reader, time, record->with_ids);
        time = click.time;
        if (i >= skipped)
            clicks_append(table, session, *items++, record->opened_ms + time, click.type, click.id_hash);
    }
}

/* The session that the restored one comes behind in its key's chain; CORRUPT when it would overlap another one. */
static struct status find_newer(const struct session_table *table, uint32_t head, int64_t first_ms, int64_t last_ms,
                                uint32_t *ret_newer)
{
    uint32_t newer = SESSION_NONE, session = head;
    while (session != SESSION_NONE && session_first_ms(session_at(table, session)) > last_ms) {
        newer = session;
        session = session_at(table, session)->older;
    }
    if (session != SESSION_NONE && session_last_ms(session_at(table, session)) >= first_ms)
        return FAIL(CORRUPT, session_at(table, session)->number, "two stored sessions of one key overlap");
    *ret_newer = newer;
    return OK;
}

static struct status restore_reserve(struct session_table *table, uint32_t class)
{
    TRY(sessions_reserve(table));
    TRY(heads_reserve(table));
    TRY(queue_reserve(table));
    return pool_reserve(&table->pool, class);
}

static struct status restore(struct session_table *table, const struct stored_session *stored, const uint32_t *items,
                             uint32_t item_count)
{
    const struct record *record = &stored->record;
    if (stored->number < table->next_number || stored->number == NUMBER_NONE)
        return FAIL(CORRUPT, stored->number, "stored sessions are not in ascending order");
    uint32_t class = clicks_class(record->key, record->user_id, record->with_ids, item_count);
    TRY(restore_reserve(table, class));
    uint32_t slot = heads_slot(table, stored->key), newer;
    TRY(find_newer(table, table->slots[slot].session, record->opened_ms + record->first,
                   record->opened_ms + record->last, &newer));
    uint32_t session = sessions_take(table);
    struct session *entry = session_at(table, session);
    entry->opened_ms = record->opened_ms;
    entry->first = (int32_t)record->first;
    entry->last = (int32_t)record->last;
    entry->total = (uint32_t)record->total;
    clicks_open(table, session, class, record->key, record->user_id, record->with_ids);
    restore_clicks(table, session, record, items);
    entry->number = stored->number;
    entry->stored = true;
    table->next_number = stored->number + 1;
    entry->older = newer == SESSION_NONE ? table->slots[slot].session : session_at(table, newer)->older;
    if (newer == SESSION_NONE)
        heads_set(table, slot, stored->key, session);
    else
        session_at(table, newer)->older = session;
    queue_add(table, session);
    return OK;
}

struct status session_batch_restore(struct session_batch *batch, struct session_table *table)
{
    struct status status = OK;
    const uint32_t *items = batch->items;
    for (size_t i = 0; table->slots && i < batch->session_count; i++)
        __builtin_prefetch(&table->slots[batch->sessions[i].key.hash & table->mask], 1);
    for (size_t i = 0; i < batch->session_count && !failed(status); i++) {
        const struct record *record = &batch->sessions[i].record;
        uint32_t item_count = (uint32_t)(record->length - clicks_skipped(table, record));
        status = restore(table, &batch->sessions[i], items, item_count);
        items += item_count;
    }
    batch_clear(batch);
    return status;
}
