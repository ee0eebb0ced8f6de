// SPDX-License-Identifier: Apache-2.0
#include "core/model/past.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256
#define SHARE_FREED  8 /* one part of so many is made free at once, so that moving the rest costs a click little */

void past_release(struct past *past)
{
    free(past->items);
    free(past->sessions);
    *past = (struct past){0};
}

/* The oldest leave until at most `clicks` clicks are here. */
static void forget(struct past *past, uint32_t clicks)
{
    uint32_t gone = 0;
    while (past->click_count - (gone ? past->sessions[gone].start : 0) > clicks && gone + 1 < past->session_count)
        gone++;
    uint32_t start = past->sessions[gone].start;
    if (past->click_count - start > clicks) { /* the last one too */
        gone = past->session_count;
        start = past->click_count;
    }
    past->session_count -= gone;
    past->click_count -= start;
    past->left += gone;
    memmove(past->items, past->items + start, past->click_count * sizeof *past->items);
    memmove(past->sessions, past->sessions + gone, past->session_count * sizeof *past->sessions);
    for (uint32_t i = 0; i < past->session_count; i++)
        past->sessions[i].start -= start;
}

/* Twice the capacity, or what is needed, up to `most`. */
static uint32_t larger(uint32_t capacity, uint32_t needed, uint32_t most)
{
    uint64_t twice = capacity < CAPACITY_MIN ? CAPACITY_MIN : 2ull * capacity;
    twice = twice < needed ? needed : twice;
    return twice < most ? (uint32_t)twice : most;
}

static struct status make_room(struct past *past, uint32_t length)
{
    if (past->click_count + (uint64_t)length > past->click_capacity) {
        uint32_t capacity = larger(past->click_capacity, past->click_count + length, past->clicks_max);
        uint32_t *items = realloc(past->items, capacity * sizeof *items);
        if (!items)
            return FAIL(MEMORY, capacity, "no memory for past clicks");
        past->items = items;
        past->click_capacity = capacity;
    }
    if (past->session_count < past->session_capacity)
        return OK;
    uint32_t capacity = larger(past->session_capacity, past->session_count + 1, past->clicks_max);
    struct past_session *sessions = realloc(past->sessions, capacity * sizeof *sessions);
    if (!sessions)
        return FAIL(MEMORY, capacity, "no memory for past sessions");
    past->sessions = sessions;
    past->session_capacity = capacity;
    return OK;
}

struct status past_add(struct past *past, const uint32_t *items, uint32_t length, int64_t time_ms)
{
    if (length > past->clicks_max) {
        items += length - past->clicks_max;
        length = past->clicks_max;
    }
    if (past->session_count > 0 && past->click_count + (uint64_t)length > past->clicks_max) {
        uint32_t kept = past->clicks_max - past->clicks_max / SHARE_FREED;
        forget(past, kept < past->clicks_max - length ? kept : past->clicks_max - length);
    }
    TRY(make_room(past, length));
    memcpy(past->items + past->click_count, items, length * sizeof *items);
    past->sessions[past->session_count++] = (struct past_session){past->click_count, length, time_ms};
    past->click_count += length;
    return OK;
}
