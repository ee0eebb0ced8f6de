// SPDX-License-Identifier: Apache-2.0
#include "core/generate/power_law.h"

#include <math.h>
#include <stdlib.h>

/* Moves each column's surplus into columns that lack: every column ends with its own rank and one other.
 * `weights` sum to count * 2^32; `order` has room for count numbers, small ones from the left, large from the right. */
static void fill_columns(struct power_law *law, uint64_t *weights, uint32_t *order)
{
    const uint64_t full = (uint64_t)1 << 32;
    uint32_t small = 0, large = law->count;
    for (uint32_t i = 0; i < law->count; i++) {
        law->columns[i] = (struct power_law_column){UINT32_MAX, i};
        if (weights[i] < full)
            order[small++] = i;
        else
            order[--large] = i;
    }
    while (small > 0 && large < law->count) {
        uint32_t poor = order[--small], rich = order[large];
        law->columns[poor] = (struct power_law_column){(uint32_t)weights[poor], rich};
        weights[rich] -= full - weights[poor];
        if (weights[rich] < full) {
            large++;
            order[small++] = rich;
        }
    }
}

struct status power_law_open(uint32_t count, double exponent, struct power_law *ret_law)
{
    assert(count > 0);
    struct power_law law = {count, calloc(count, sizeof *law.columns)};
    uint64_t *weights = calloc(count, sizeof *weights);
    uint32_t *order = calloc(count, sizeof *order);
    if (!law.columns || !weights || !order) {
        free(weights);
        free(order);
        power_law_release(&law);
        return FAIL(MEMORY, count, "no memory for a power law");
    }
    double sum = 0;
    for (uint32_t i = count; i > 0; i--)
        sum += pow(i, -exponent);
    uint64_t left = (uint64_t)count << 32;
    for (uint32_t i = count; i-- > 1;) {
        weights[i] = (uint64_t)(pow(i + 1.0, -exponent) / sum * count * 0x1p32);
        left -= weights[i];
    }
    weights[0] = left; /* what rounding left over goes to the first rank */
    fill_columns(&law, weights, order);
    free(weights);
    free(order);
    *ret_law = law;
    return OK;
}

void power_law_release(struct power_law *law)
{
    free(law->columns);
    *law = (struct power_law){0};
}
