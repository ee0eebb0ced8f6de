// SPDX-License-Identifier: Apache-2.0
#pragma once
/* timeline: how good predictions were over stream time, in at most TIMELINE_BUCKETS buckets of equal width. The width
 * begins at a second and doubles as time goes on, so that a minute and a year fit alike. */
#include <eddy/core/evaluate.h>

#define TIMELINE_BUCKETS 128

struct timeline_bucket {
    uint64_t judged;
    double sums[MEASURE_COUNT]; /* at the last cutoff */
};

struct timeline {
    int64_t start_ms, width_ms; /* width_ms == 0: nothing yet */
    struct timeline_bucket buckets[TIMELINE_BUCKETS];
};

/* What is older than the first falls into the first bucket. */
void timeline_add(struct timeline *timeline, int64_t time_ms, uint32_t rank);
