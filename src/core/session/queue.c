// SPDX-License-Identifier: Apache-2.0
/* Nearly every click moves its session's deadline away, so entries are only put right when they come up: a session is
 * then looked at once a gap, not once a click. Order among equal times is by number, which makes it the same on every
 * run. */
#include "core/session/table.h"

#include <stdlib.h>

#define CHILDREN 4u

/* 1 or 0. */
static uint32_t entry_before(struct deadline a, struct deadline b)
{
    return (uint32_t)(a.time_ms < b.time_ms) | ((uint32_t)(a.time_ms == b.time_ms) & (uint32_t)(a.order < b.order));
}

/* The earliest of the entries from `first` to before `end`, CHILDREN at most. In a full row no branch depends on the
 * entries: no outcome could be foreseen, and mistaking it costs more than comparing. */
static uint32_t earliest_child(const struct deadline *queue, uint32_t first, uint32_t end)
{
    if (end - first == CHILDREN) {
        uint32_t left = first + entry_before(queue[first + 1], queue[first]);
        uint32_t right = first + 2 + entry_before(queue[first + 3], queue[first + 2]);
        return left + (right - left) * entry_before(queue[right], queue[left]);
    }
    uint32_t best = first;
    for (uint32_t i = first + 1; i < end; i++)
        best = entry_before(queue[i], queue[best]) ? i : best;
    return best;
}

static void entry_put(struct session_table *table, uint32_t place, struct deadline entry)
{
    table->queue[place] = entry;
    table->places[entry.session] = place;
}

static void sift_up(struct session_table *table, uint32_t place, struct deadline entry)
{
    while (place > 0) {
        uint32_t parent = (place - 1) / CHILDREN;
        if (!entry_before(entry, table->queue[parent]))
            break;
        entry_put(table, place, table->queue[parent]);
        place = parent;
    }
    entry_put(table, place, entry);
}

/* `size` is the number of entries in the queue. */
static void sift_down(struct session_table *table, uint32_t place, uint32_t size, struct deadline entry)
{
    for (;;) {
        uint64_t child = (uint64_t)place * CHILDREN + 1;
        if (child >= size)
            break;
        uint32_t end = size - child < CHILDREN ? size : (uint32_t)child + CHILDREN;
        uint32_t best = earliest_child(table->queue, (uint32_t)child, end);
        if (!entry_before(table->queue[best], entry))
            break;
        entry_put(table, place, table->queue[best]);
        place = best;
    }
    entry_put(table, place, entry);
}

static struct deadline entry_of(const struct session_table *table, uint32_t session)
{
    const struct session *entry = session_at(table, session);
    int64_t time_ms = deadline_of(&table->options, session_first_ms(entry), session_last_ms(entry));
    return (struct deadline){time_ms, session, (uint32_t)entry->number};
}

/* As many places as there are handles. */
struct status queue_reserve(struct session_table *table)
{
    uint32_t handles = table->chunk_count << SESSIONS_A_CHUNK_BITS, capacity = table->queue_capacity;
    if (handles <= capacity)
        return OK;
    capacity = capacity ? capacity * 2 : SESSIONS_A_CHUNK; /* handles grow by one chunk at a time */
    struct deadline *queue = realloc(table->queue, capacity * sizeof *queue);
    if (!queue)
        return FAIL(MEMORY, capacity, "no memory for the deadlines of sessions");
    table->queue = queue;
    uint32_t *places = realloc(table->places, capacity * sizeof *places);
    if (!places)
        return FAIL(MEMORY, capacity, "no memory for the deadlines of sessions");
    table->places = places;
    table->queue_capacity = capacity;
    return OK;
}

/* The queue holds all of the table's sessions; here the new one has been counted already. */
void queue_add(struct session_table *table, uint32_t session)
{
    assert(table->count > 0 && table->count <= table->queue_capacity);
    sift_up(table, table->count - 1, entry_of(table, session));
}

/* ... and here the one to go has not been given back. */
void queue_remove(struct session_table *table, uint32_t session)
{
    uint32_t place = table->places[session], last = table->count - 1;
    assert(place <= last && table->queue[place].session == session);
    if (place == last)
        return;
    struct deadline moved = table->queue[last];
    if (entry_before(moved, table->queue[place]))
        sift_up(table, place, moved);
    else
        sift_down(table, place, last, moved);
}

void queue_update(struct session_table *table, uint32_t session)
{
    uint32_t place = table->places[session];
    assert(place < table->count && table->queue[place].session == session);
    struct deadline entry = entry_of(table, session);
    if (entry.time_ms < table->queue[place].time_ms)
        sift_up(table, place, entry);
}

uint32_t queue_first(struct session_table *table, int64_t limit_ms)
{
    while (table->count && table->queue[0].time_ms <= limit_ms) {
        struct deadline entry = entry_of(table, table->queue[0].session);
        assert(entry.time_ms >= table->queue[0].time_ms);
        if (entry.time_ms == table->queue[0].time_ms)
            return entry.session;
        sift_down(table, 0, table->count, entry);
    }
    return SESSION_NONE;
}
