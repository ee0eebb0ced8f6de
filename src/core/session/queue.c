// SPDX-License-Identifier: Apache-2.0
/* Nearly every click moves its session's deadline away, so entries are only put right when they come up: a session is
 * then looked at once a gap, not once a click. Order among equal times is by number, which makes it the same on every
 * run. */
#include "core/session/table.h"

#include <stdlib.h>

#define CHILDREN 4u

static bool entry_before(const struct session_table *table, struct deadline a, struct deadline b)
{
    if (a.time_ms != b.time_ms)
        return a.time_ms < b.time_ms;
    return session_at(table, a.session)->number < session_at(table, b.session)->number;
}

static void entry_put(struct session_table *table, uint32_t place, struct deadline entry)
{
    table->queue[place] = entry;
    session_at(table, entry.session)->place = place;
}

static void sift_up(struct session_table *table, uint32_t place, struct deadline entry)
{
    while (place > 0) {
        uint32_t parent = (place - 1) / CHILDREN;
        if (!entry_before(table, entry, table->queue[parent]))
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
        uint32_t first = (uint32_t)child, end = size - first < CHILDREN ? size : first + CHILDREN, best = first;
        for (uint32_t i = first + 1; i < end; i++)
            if (entry_before(table, table->queue[i], table->queue[best]))
                best = i;
        if (!entry_before(table, table->queue[best], entry))
            break;
        entry_put(table, place, table->queue[best]);
        place = best;
    }
    entry_put(table, place, entry);
}

static int64_t deadline_ms(const struct session_table *table, uint32_t session)
{
    const struct session *entry = session_at(table, session);
    return deadline_of(&table->options, session_first_ms(entry), session_last_ms(entry));
}

struct status queue_reserve(struct session_table *table)
{
    if (table->count < table->queue_capacity)
        return OK;
    uint32_t capacity = table->queue_capacity ? table->queue_capacity * 2 : 1024;
    struct deadline *queue = realloc(table->queue, capacity * sizeof *queue);
    if (!queue)
        return FAIL(MEMORY, capacity, "no memory for the deadlines of sessions");
    table->queue = queue;
    table->queue_capacity = capacity;
    return OK;
}

/* The queue holds all of the table's sessions; here the new one has been counted already. */
void queue_add(struct session_table *table, uint32_t session)
{
    assert(table->count > 0 && table->count <= table->queue_capacity);
    sift_up(table, table->count - 1, (struct deadline){deadline_ms(table, session), session});
}

/* ... and here the one to go has not been given back. */
void queue_remove(struct session_table *table, uint32_t session)
{
    uint32_t place = session_at(table, session)->place, last = table->count - 1;
    assert(place <= last && table->queue[place].session == session);
    if (place == last)
        return;
    struct deadline moved = table->queue[last];
    if (entry_before(table, moved, table->queue[place]))
        sift_up(table, place, moved);
    else
        sift_down(table, place, last, moved);
}

void queue_update(struct session_table *table, uint32_t session)
{
    uint32_t place = session_at(table, session)->place;
    assert(place < table->count && table->queue[place].session == session);
    int64_t time_ms = deadline_ms(table, session);
    if (time_ms < table->queue[place].time_ms)
        sift_up(table, place, (struct deadline){time_ms, session});
}

uint32_t queue_first(struct session_table *table, int64_t limit_ms)
{
    while (table->count && table->queue[0].time_ms <= limit_ms) {
        uint32_t session = table->queue[0].session;
        int64_t time_ms = deadline_ms(table, session);
        assert(time_ms >= table->queue[0].time_ms);
        if (time_ms == table->queue[0].time_ms)
            return session;
        sift_down(table, 0, table->count, (struct deadline){time_ms, session});
    }
    return SESSION_NONE;
}
