// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/evaluate.h>

#include <stdlib.h>

double exposure_coverage(const uint64_t *counts, size_t item_count)
{
    size_t shown = 0;
    for (size_t i = 0; i < item_count; i++)
        shown += counts[i] > 0;
    return item_count ? (double)shown / (double)item_count : 0;
}

static int compare_counts(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* How many of the sorted values are below `value`, or at most `value`. */
static size_t count_below(const uint64_t *sorted, size_t count, uint64_t value, bool or_equal)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < value || (or_equal && sorted[middle] == value))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct status popularity_percentiles(const uint64_t *clicks, size_t item_count, double *ret_percentiles)
{
    if (item_count == 0)
        return OK;
    uint64_t *sorted = malloc(item_count * sizeof *sorted);
    if (!sorted)
        return FAIL(MEMORY, item_count, "no memory to rank items");
    memcpy(sorted, clicks, item_count * sizeof *sorted);
    qsort(sorted, item_count, sizeof *sorted, compare_counts);
    for (size_t i = 0; i < item_count; i++) {
        size_t below = count_below(sorted, item_count, clicks[i], false);
        size_t others_equal = count_below(sorted, item_count, clicks[i], true) - below - 1;
        double place = (double)below + (double)others_equal / 2;
        ret_percentiles[i] = item_count > 1 ? place / (double)(item_count - 1) : 1;
    }
    free(sorted);
    return OK;
}

double exposure_popularity(const uint64_t *counts, const double *percentiles, size_t item_count)
{
    double sum = 0, shown = 0;
    for (size_t i = 0; i < item_count; i++) {
        sum += (double)counts[i] * percentiles[i];
        shown += (double)counts[i];
    }
    return shown > 0 ? sum / shown : 0;
}
