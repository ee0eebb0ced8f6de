// SPDX-License-Identifier: Apache-2.0
#include "app/timeline.h"

#define WIDTH_MIN_MS 1000

static void merge(struct timeline *timeline)
{
    struct timeline_bucket *buckets = timeline->buckets;
    for (size_t i = 0; i < TIMELINE_BUCKETS / 2; i++) {
        struct timeline_bucket merged = buckets[2 * i];
        merged.judged += buckets[2 * i + 1].judged;
        for (size_t m = 0; m < MEASURE_COUNT; m++)
            merged.sums[m] += buckets[2 * i + 1].sums[m];
        buckets[i] = merged;
    }
    memset(buckets + TIMELINE_BUCKETS / 2, 0, TIMELINE_BUCKETS / 2 * sizeof *buckets);
    timeline->width_ms *= 2;
}

void timeline_add(struct timeline *timeline, int64_t time_ms, uint32_t rank)
{
    if (timeline->width_ms == 0) {
        timeline->start_ms = time_ms;
        timeline->width_ms = WIDTH_MIN_MS;
    }
    int64_t since_ms = time_ms > timeline->start_ms ? time_ms - timeline->start_ms : 0;
    while (since_ms / timeline->width_ms >= TIMELINE_BUCKETS)
        merge(timeline);
    struct timeline_bucket *bucket = &timeline->buckets[since_ms / timeline->width_ms];
    bucket->judged++;
    for (size_t m = 0; m < MEASURE_COUNT; m++)
        bucket->sums[m] += measures[m].value(rank, cutoffs[CUTOFF_COUNT - 1]);
}
