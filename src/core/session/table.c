// SPDX-License-Identifier: Apache-2.0
#include "core/session/table.h"

#include <eddy/base/murmur2.h>

#include <stdlib.h>

static struct status options_check(const struct session_options *options)
{
    if (options->gap_ms < 1 || options->gap_ms > SESSION_GAP_MAX_MS)
        return FAIL(CONFIG, options->gap_ms, "the session gap is out of range");
    if (options->grace_ms < 0 || options->grace_ms > SESSION_GAP_MAX_MS)
        return FAIL(CONFIG, options->grace_ms, "the session grace is out of range");
    if (options->max_duration_ms < 1 || options->max_duration_ms > SESSION_DURATION_MAX_MS)
        return FAIL(CONFIG, options->max_duration_ms, "the longest duration of a session is out of range");
    if (options->clicks_max < 2 || options->clicks_max > SESSION_CLICKS_MAX)
        return FAIL(CONFIG, options->clicks_max, "the clicks kept of a session are out of range");
    if (options->open_max < 1 || options->open_max >= SESSION_NONE)
        return FAIL(CONFIG, options->open_max, "the number of open sessions is out of range");
    return OK;
}

struct status session_table_open(const struct session_options *options, struct session_table **ret_table)
{
    TRY(options_check(options));
    struct session_table *table = calloc(1, sizeof *table);
    if (!table)
        return FAIL(MEMORY, 0, "no memory for the session table");
    table->options = *options;
    table->free_session = SESSION_NONE;
    struct status status = heads_reserve(table);
    if (failed(status)) {
        session_table_close(table);
        return status;
    }
    *ret_table = table;
    return OK;
}

void session_table_close(struct session_table *table)
{
    if (!table)
        return;
    for (uint32_t i = 0; i < table->chunk_count; i++)
        free(table->chunks[i]);
    free(table->chunks);
    free(table->slots);
    free(table->queue);
    free(table->places);
    free(table->changes);
    free(table->changes_scratch);
    pool_release(&table->pool);
    free(table);
}

uint32_t session_table_count(const struct session_table *table)
{
    return table->count;
}

size_t session_table_memory(const struct session_table *table)
{
    return sizeof *table + pool_memory(&table->pool) + table->chunk_capacity * sizeof *table->chunks +
           (size_t)table->chunk_count * SESSIONS_A_CHUNK * sizeof(struct session) +
           ((size_t)table->mask + 1) * sizeof *table->slots +
           table->queue_capacity * (sizeof *table->queue + sizeof *table->places) +
           2 * table->change_capacity * sizeof *table->changes;
}

uint32_t session_table_moved(const struct session_table *table, int32_t partition, int32_t before, int32_t now)
{
    uint32_t moved = 0;
    for (uint32_t i = 0; i < table->chunk_count * SESSIONS_A_CHUNK; i++) {
        if (session_at(table, i)->number == NUMBER_NONE)
            continue;
        struct bytes key = clicks_key(table, i);
        moved += murmur2_partition(key, before) == partition && murmur2_partition(key, now) != partition;
    }
    return moved;
}

static struct status chunks_reserve(struct session_table *table)
{
    if (table->chunk_count < table->chunk_capacity)
        return OK;
    if (table->chunk_count >= SESSION_NONE / SESSIONS_A_CHUNK)
        return FAIL(LIMIT, table->count, "too many open sessions");
    uint32_t capacity = table->chunk_capacity ? table->chunk_capacity * 2 : 16;
    struct session **chunks = realloc(table->chunks, capacity * sizeof(struct session *));
    if (!chunks)
        return FAIL(MEMORY, capacity, "no memory for sessions");
    table->chunks = chunks;
    table->chunk_capacity = capacity;
    return OK;
}

struct status sessions_reserve(struct session_table *table)
{
    if (table->free_session != SESSION_NONE)
        return OK;
    TRY(chunks_reserve(table));
    struct session *chunk = malloc(SESSIONS_A_CHUNK * sizeof *chunk);
    if (!chunk)
        return FAIL(MEMORY, table->count, "no memory for sessions");
    uint32_t first = table->chunk_count << SESSIONS_A_CHUNK_BITS;
    for (uint32_t i = 0; i < SESSIONS_A_CHUNK; i++)
        chunk[i] =
            (struct session){.number = NUMBER_NONE, .older = i + 1 < SESSIONS_A_CHUNK ? first + i + 1 : SESSION_NONE};
    table->chunks[table->chunk_count++] = chunk;
    table->free_session = first;
    return OK;
}

uint32_t sessions_take(struct session_table *table)
{
    uint32_t session = table->free_session;
    assert(session != SESSION_NONE);
    table->free_session = session_at(table, session)->older;
    *session_at(table, session) = (struct session){.number = NUMBER_NONE, .older = SESSION_NONE};
    table->count++;
    return session;
}

void sessions_give_back(struct session_table *table, uint32_t session)
{
    assert(table->count > 0);
    *session_at(table, session) = (struct session){.number = NUMBER_NONE, .older = table->free_session};
    table->free_session = session;
    table->count--;
}
