// SPDX-License-Identifier: Apache-2.0
#pragma once
/* generator: what its two files share: the stream of clicks (generate.c) and the catalogue (items.c).
 *
 * Inside, an item is its index: index % interests is its interest, index / interests its rank there at the start.
 * Outside it has a number that says nothing about either. */
#include <eddy/core/generate.h>

#include "core/generate/power_law.h"

#include <eddy/base/random.h>

#define RECENT_ITEMS 4

struct visit {
    uint64_t number;
    uint64_t user; /* 0: anonymous */
    uint32_t interest;
    uint32_t recent[RECENT_ITEMS]; /* newest first; INTERNER_NONE: none */
    uint32_t clicks_left;
};

struct generator {
    struct generate_options options;
    struct random random;
    struct power_law ranks, interests, lengths;
    uint32_t number_factor; /* item number = index * number_factor % items, a bijection */
    uint32_t repeat_below, follow_below, switch_below, user_below; /* rates, of 2^32 */
    uint64_t visits_started, round_visits;                         /* ever; of known users since this round began */
    int64_t time_us, step_us, round_us, round_end_us;
    struct visit *visits; /* (options.sessions) */
    char session_id[24], user_id[24], item_id[16];
    char title[96], series[32];
};

static inline uint32_t interest_size(const struct generate_options *options, uint32_t interest)
{
    return options->items / options->interests + (interest < options->items % options->interests);
}

/* "s1234": a letter and a decimal number; returns the text's bytes. */
struct bytes number_text(char *text, char letter, uint64_t number);
