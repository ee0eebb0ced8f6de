// SPDX-License-Identifier: Apache-2.0
#pragma once
/* popularity: per item, clicks with exponential decay in event time, and the most popular items in order.
 *
 * Values are in units of a base time: a later click weighs 2^((time - base) / half_life), so nothing has to be
 * decayed; every 32 half-lives all values move to a new base (the only pass over all items). As decay is the same for
 * all, the order changes only where a value grows, and the top list stays exact by moving that item up. */
#include <eddy/core/learned.h>

#define POPULARITY_TOP 2048

struct popularity {
    int64_t half_life_ms;
    int64_t base_ms;
    bool started;
    double total;
    float *values;   /* by entry */
    uint16_t *ranks; /* by entry: place in top, POPULARITY_TOP when not there */
    uint32_t entry_count, entry_capacity;
    uint32_t top[POPULARITY_TOP]; /* entries, most popular first */
    uint32_t top_count;
};

void popularity_open(struct popularity *popularity, const struct learned_options *options);
void popularity_release(struct popularity *popularity);
size_t popularity_memory(const struct popularity *popularity);
MUST_CHECK struct status popularity_reserve_entries(struct popularity *popularity, uint32_t entry_count);
void popularity_add(struct popularity *popularity, uint32_t entry, float weight, int64_t time_ms);

/* What a value is multiplied with to be the item's part of all clicks; 0 when there are none. */
static inline float popularity_unit(const struct popularity *popularity)
{
    return popularity->total > 0 ? (float)(1 / popularity->total) : 0;
}
