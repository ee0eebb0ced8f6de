// SPDX-License-Identifier: Apache-2.0
#include "core/clones.h"
#include "core/model/layers.h"

#include <assert.h>

/* A draw of eight bytes is eight draws: the rate is one of 256. */
static uint32_t threshold_of(float rate)
{
    assert(rate >= 0 && rate < 1);
    return (uint32_t)(256 * rate);
}

CLONES static void keep(const float *restrict x, const uint8_t *restrict mask, float *restrict y, uint32_t count,
                        float unit)
{
    for (uint32_t i = 0; i < count; i++)
        y[i] = mask[i] ? unit * x[i] : 0;
}

static float unit_of(uint32_t threshold)
{
    return 256.0f / (float)(256 - threshold);
}

void dropout_forward(struct random *random, float rate, const float *x, float *y, uint8_t *mask, uint32_t count)
{
    uint32_t threshold = threshold_of(rate);
    uint64_t draws = 0;
    for (uint32_t i = 0; i < count; i++, draws >>= 8) {
        if (i % 8 == 0)
            draws = random_u64(random);
        mask[i] = (draws & 0xff) >= threshold;
    }
    keep(x, mask, y, count, unit_of(threshold));
}

void dropout_backward(float rate, const uint8_t *mask, const float *d_y, float *d_x, uint32_t count)
{
    keep(d_y, mask, d_x, count, unit_of(threshold_of(rate)));
}
