// SPDX-License-Identifier: Apache-2.0
#pragma once
/* recent: the distinct items of a session, the latest first, with how often each came. The scorers ask about a session
 * through it, and the repeat model learns from it, click by click. */
#include "core/candidates/index.h"

#include <eddy/core/scorer.h>

struct recent {
    uint32_t items[QUERY_ITEMS_MAX]; /* the latest first */
    uint16_t counts[QUERY_ITEMS_MAX];
    uint32_t count;  /* distinct items, at most QUERY_ITEMS_MAX: the one longest ago is forgotten */
    uint32_t clicks; /* all so far */
    bool twice;      /* the last two clicks are on one item */
};

static inline void recent_add(struct recent *recent, uint32_t item)
{
    recent->twice = recent->clicks && recent->items[0] == item;
    recent->clicks++;
    uint32_t place = 0;
    while (place < recent->count && recent->items[place] != item)
        place++;
    uint16_t count = place < recent->count ? recent->counts[place] : 0;
    if (place == recent->count && place == QUERY_ITEMS_MAX)
        place--;
    else if (place == recent->count)
        recent->count++;
    for (; place; place--) {
        recent->items[place] = recent->items[place - 1];
        recent->counts[place] = recent->counts[place - 1];
    }
    recent->items[0] = item;
    recent->counts[0] = count < UINT16_MAX ? (uint16_t)(count + 1) : count;
}
