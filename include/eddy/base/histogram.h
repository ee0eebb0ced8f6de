// SPDX-License-Identifier: Apache-2.0
#pragma once
/* histogram: counts of durations (or any non-negative integers) in log-linear buckets: 16 per power of two, so
 * a percentile is at most 6.25 % too high. Fixed size, no allocation. Not thread-safe: one per thread, added up
 * with histogram_add(). {0} is a valid empty histogram. */
#include <stdint.h>

#define HISTOGRAM_BUCKETS (60 * 16)

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
    uint64_t sum;
    uint64_t max;
};

void histogram_record(struct histogram *histogram, uint64_t value);
void histogram_add(struct histogram *histogram, const struct histogram *other);
/* The upper border of the bucket that holds the given quantile (0..1), at most max; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *histogram, double quantile);
