// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/select.h"

#include <assert.h>
#include <string.h>

#define BUCKETS 512

/* Quickselect (Hoare) of the k-th largest, k from 0; reorders `keys`. */
static uint32_t quickselect(uint32_t *keys, uint32_t count, uint32_t k)
{
    uint32_t low = 0, high = count - 1;
    while (low < high) {
        uint32_t pivot = keys[low + (high - low) / 2];
        uint32_t i = low, j = high;
        for (;;) {
            while (keys[i] > pivot)
                i++;
            while (keys[j] < pivot)
                j--;
            if (i >= j)
                break;
            uint32_t key = keys[i];
            keys[i++] = keys[j];
            keys[j--] = key;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return keys[k];
}

uint32_t select_kth(const uint32_t *keys, uint32_t count, uint32_t k, uint32_t *buffer)
{
    assert(k >= 1 && k <= count);
    uint32_t lowest = keys[0], highest = keys[0];
    for (uint32_t i = 0; i < count; i++) {
        lowest = keys[i] < lowest ? keys[i] : lowest;
        highest = keys[i] > highest ? keys[i] : highest;
    }
    unsigned shift = 0;
    while ((highest - lowest) >> shift >= BUCKETS)
        shift++;
    uint32_t counts[BUCKETS] = {0};
    for (uint32_t i = 0; i < count; i++)
        counts[(keys[i] - lowest) >> shift]++;
    uint32_t bucket = BUCKETS - 1, above = 0;
    for (; above + counts[bucket] < k; bucket--)
        above += counts[bucket];
    if (shift == 0)
        return lowest + bucket;
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        buffer[found] = keys[i];
        found += (keys[i] - lowest) >> shift == bucket;
    }
    return quickselect(buffer, found, k - above - 1);
}
