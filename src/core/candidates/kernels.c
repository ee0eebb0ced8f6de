// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/kernels.h"

#include "core/candidates/power.h"
#include "core/clones.h"

CLONES void kernel_fade(float *restrict values, const uint32_t *restrict ages, uint32_t count, float rate)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] *= power_exp2((float)(int32_t)ages[i] * -rate);
}

CLONES void kernel_power(float *restrict values, uint32_t count, float power)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = power_of(values[i], power);
}

CLONES void kernel_sharpen(float *restrict votes, const float *restrict logs, uint32_t count, float frequency_power,
                           float sharpness)
{
    for (uint32_t i = 0; i < count; i++) {
        float vote = votes[i] > 1e-30f ? votes[i] : 1e-30f;
        float sharpened = power_exp2(sharpness * (power_log2(vote) - frequency_power * logs[i]));
        votes[i] = votes[i] > 1e-30f ? sharpened : 0;
    }
}

CLONES void kernel_mix(float *restrict a, float *restrict b, float *restrict sums, uint32_t count, float a_unit,
                       float b_unit)
{
    for (uint32_t i = 0; i < count; i++) {
        a[i] *= a_unit;
        b[i] *= b_unit;
        sums[i] = a[i] + b[i];
    }
}

CLONES void kernel_add_scaled(float *restrict values, float *restrict sums, uint32_t count, float unit)
{
    for (uint32_t i = 0; i < count; i++) {
        values[i] *= unit;
        sums[i] += values[i];
    }
}

#define LANES 16

CLONES float kernel_sum(const float *values, uint32_t count)
{
    float sums[LANES] = {0};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (uint32_t lane = 0; lane < LANES; lane++)
            sums[lane] += values[i + lane];
    for (uint32_t lane = 0; i < count; lane++, i++)
        sums[lane] += values[i];
    for (uint32_t width = LANES / 2; width; width /= 2)
        for (uint32_t lane = 0; lane < width; lane++)
            sums[lane] += sums[lane + width];
    return sums[0];
}

CLONES uint32_t kernel_find(const uint32_t *values, uint32_t count, uint32_t value)
{
    for (uint32_t i = 0; i < count; i += KERNEL_FIND_STEP) {
        uint32_t first = UINT32_MAX;
        for (uint32_t lane = 0; lane < KERNEL_FIND_STEP; lane++) {
            uint32_t place = values[i + lane] == value ? i + lane : UINT32_MAX;
            first = place < first ? place : first;
        }
        if (first < count)
            return first;
    }
    return count;
}

CLONES void kernel_blend(float *restrict sums, const float *restrict a, const float *restrict b, uint32_t count,
                         float a_unit, float b_unit)
{
    for (uint32_t i = 0; i < count; i++)
        sums[i] = a_unit * a[i] + b_unit * b[i];
}
