// SPDX-License-Identifier: Apache-2.0
/* Open addressing with linear probing. A slot holds all of the hash that decides its place, so that growing and
 * closing a gap never touch a session. */
#include "core/session/table.h"

#include <stdlib.h>

#define SLOTS_MIN 1024u

struct heads_key heads_key(struct bytes key)
{
    return (struct heads_key){key, (uint32_t)bytes_hash(key)};
}

static struct status heads_grow(struct session_table *table, uint32_t slot_count)
{
    struct slot *slots = malloc(slot_count * sizeof *slots);
    if (!slots)
        return FAIL(MEMORY, slot_count, "no memory for the keys of sessions");
    memset(slots, 0xff, slot_count * sizeof *slots);
    for (uint32_t i = 0; table->slots && i <= table->mask; i++) {
        if (table->slots[i].session == SESSION_NONE)
            continue;
        uint32_t place = table->slots[i].hash & (slot_count - 1);
        while (slots[place].session != SESSION_NONE)
            place = (place + 1) & (slot_count - 1);
        slots[place] = table->slots[i];
    }
    free(table->slots);
    table->slots = slots;
    table->mask = slot_count - 1;
    return OK;
}

struct status heads_reserve(struct session_table *table)
{
    if (!table->slots)
        return heads_grow(table, SLOTS_MIN);
    if (table->keys < table->mask - table->mask / 4)
        return OK;
    if (table->mask >= UINT32_MAX / 2)
        return FAIL(LIMIT, table->keys, "too many keys of sessions");
    return heads_grow(table, (table->mask + 1) * 2);
}

uint32_t heads_slot(const struct session_table *table, struct heads_key key)
{
    for (uint32_t i = key.hash & table->mask;; i = (i + 1) & table->mask) {
        const struct slot *slot = &table->slots[i];
        if (slot->session == SESSION_NONE)
            return i;
        if (slot->hash == key.hash && bytes_equal(clicks_key(table, slot->session), key.key))
            return i;
    }
}

/* Moves later slots of the same run back, so that no search meets a hole before what it looks for. */
static void slot_free(struct session_table *table, uint32_t hole)
{
    for (uint32_t i = (hole + 1) & table->mask; table->slots[i].session != SESSION_NONE; i = (i + 1) & table->mask) {
        uint32_t home = table->slots[i].hash & table->mask;
        if (((i - home) & table->mask) < ((i - hole) & table->mask))
            continue; /* its home lies behind the hole */
        table->slots[hole] = table->slots[i];
        hole = i;
    }
    table->slots[hole].session = SESSION_NONE;
    table->keys--;
}

void heads_set(struct session_table *table, uint32_t slot, struct heads_key key, uint32_t session)
{
    assert(slot <= table->mask);
    bool was_free = table->slots[slot].session == SESSION_NONE;
    if (session == SESSION_NONE) {
        assert(!was_free);
        slot_free(table, slot);
        return;
    }
    table->slots[slot] = (struct slot){key.hash, session};
    table->keys += was_free;
}

void heads_unlink(struct session_table *table, uint32_t session)
{
    struct heads_key key = heads_key(clicks_key(table, session));
    uint32_t slot = heads_slot(table, key);
    uint32_t older = session_at(table, session)->older;
    uint32_t newer = table->slots[slot].session;
    if (newer == session) {
        heads_set(table, slot, key, older);
        return;
    }
    while (session_at(table, newer)->older != session) {
        newer = session_at(table, newer)->older;
        assert(newer != SESSION_NONE);
    }
    session_at(table, newer)->older = older;
}
