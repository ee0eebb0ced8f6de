// SPDX-License-Identifier: Apache-2.0
#include "core/session/table.h"

#include <stdlib.h>

#define ADDED_AT_ONCE 2

/* The session of an entry is gone (its handle may have a new one). */
static bool is_removed(const struct session_table *table, const struct change *change)
{
    return change->session == SESSION_NONE || session_at(table, change->session)->number != change->number;
}

/* Forgets sessions that came and went unstored: without this a table that nobody stores would grow for ever. */
static void forget_unstored(struct session_table *table)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->change_count; i++)
        if (table->changes[i].stored || !is_removed(table, &table->changes[i]))
            table->changes[kept++] = table->changes[i];
    table->change_count = kept;
}

struct status changes_reserve(struct session_table *table)
{
    if (table->change_count + ADDED_AT_ONCE <= table->change_capacity)
        return OK;
    forget_unstored(table);
    if (table->change_count < table->change_capacity / 2)
        return OK;
    size_t capacity = table->change_capacity ? table->change_capacity * 2 : 1024;
    struct change *changes = realloc(table->changes, capacity * sizeof *changes);
    if (!changes)
        return FAIL(MEMORY, capacity, "no memory for changed sessions");
    table->changes = changes;
    struct change *scratch = realloc(table->changes_scratch, capacity * sizeof *scratch);
    if (!scratch)
        return FAIL(MEMORY, capacity, "no memory for changed sessions");
    table->changes_scratch = scratch;
    table->change_capacity = capacity;
    return OK;
}

static void entry_add(struct session_table *table, struct change change)
{
    assert(table->change_count < table->change_capacity);
    table->changes[table->change_count++] = change;
    table->changes_sorted = false;
}

void changes_add(struct session_table *table, uint32_t session)
{
    struct session *entry = session_at(table, session);
    if (entry->changed)
        return;
    entry->changed = true;
    entry_add(table, (struct change){entry->number, session, entry->stored});
}

void changes_add_removal(struct session_table *table, uint32_t session)
{
    const struct session *entry = session_at(table, session);
    if (entry->stored && !entry->changed)
        entry_add(table, (struct change){entry->number, SESSION_NONE, true});
}

/* Radix sort by number, over those bytes in which the numbers differ. */
static void changes_sort(struct session_table *table)
{
    uint64_t differing = 0;
    for (size_t i = 1; i < table->change_count; i++)
        differing |= table->changes[i].number ^ table->changes[0].number;
    for (unsigned shift = 0; shift < 64 && differing >> shift; shift += 8) {
        size_t starts[257] = {0};
        for (size_t i = 0; i < table->change_count; i++)
            starts[(table->changes[i].number >> shift & 0xff) + 1]++;
        for (size_t i = 1; i < 256; i++)
            starts[i] += starts[i - 1];
        for (size_t i = 0; i < table->change_count; i++)
            table->changes_scratch[starts[table->changes[i].number >> shift & 0xff]++] = table->changes[i];
        struct change *sorted = table->changes_scratch;
        table->changes_scratch = table->changes;
        table->changes = sorted;
    }
    table->changes_sorted = true;
}

bool session_next_change(struct session_table *table, size_t *cursor, struct session_change *ret_change)
{
    if (!table->changes_sorted)
        changes_sort(table);
    while (*cursor < table->change_count) {
        const struct change *change = &table->changes[(*cursor)++];
        bool removed = is_removed(table, change);
        if (removed && !change->stored)
            continue;
        *ret_change = (struct session_change){change->number, removed ? SESSION_NONE : change->session};
        return true;
    }
    return false;
}

size_t session_change_count(const struct session_table *table)
{
    return table->change_count;
}

void session_changes_done(struct session_table *table)
{
    for (size_t i = 0; i < table->change_count; i++) {
        if (is_removed(table, &table->changes[i]))
            continue;
        struct session *session = session_at(table, table->changes[i].session);
        session->changed = false;
        session->stored = true;
    }
    table->change_count = 0;
}
