// SPDX-License-Identifier: Apache-2.0
#pragma once
/* past: the newest sessions, as many as `clicks_max` clicks make. Sessions are numbered from 0 as they come; the oldest
 * leave, some at a time, when there is no room. A session that is longer than all the room loses its first clicks. */
#include <eddy/core/trainer.h>

struct past_session {
    uint32_t start, length; /* of its clicks in `items` */
    int64_t time_ms;
};

struct past {
    uint32_t clicks_max; /* >= 2 */
    uint32_t click_count, click_capacity, session_count, session_capacity;
    uint32_t *items;
    struct past_session *sessions; /* the oldest first */
    uint64_t left;                 /* so many are here no more: sessions[i] is number left + i */
};

void past_release(struct past *past);
/* MEMORY: nothing has changed, but that some of the oldest may have left. */
MUST_CHECK struct status past_add(struct past *past, const uint32_t *items, uint32_t length, int64_t time_ms);

/* Place in `sessions` of the first that is here of those with `number` and above. */
static inline uint32_t past_place(const struct past *past, uint64_t number)
{
    return number > past->left ? (uint32_t)(number - past->left) : 0;
}
