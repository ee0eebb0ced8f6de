// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kernels: the loops over plain arrays that are worth vector instructions. Each is compiled for several instruction
 * sets and chosen at run time; all give the same bits, as every element is computed by itself and sums have a fixed
 * order of their own. Arrays must not overlap. */
#include <stdint.h>

/* values[i] *= 2^(-rate * ages[i]). */
void kernel_fade(float *values, const uint32_t *ages, uint32_t count, float rate);
/* values[i] ^= power; values >= 0. */
void kernel_power(float *values, uint32_t count, float power);
/* votes[i] = (votes[i] / 2^(frequency_power * logs[i]))^sharpness; votes >= 0, those below 1e-30 become 0. */
void kernel_sharpen(float *votes, const float *logs, uint32_t count, float frequency_power, float sharpness);
/* a[i] *= a_unit, b[i] *= b_unit, sums[i] = a[i] + b[i]. */
void kernel_mix(float *a, float *b, float *sums, uint32_t count, float a_unit, float b_unit);
/* values[i] *= unit, sums[i] += values[i]. */
void kernel_add_scaled(float *values, float *sums, uint32_t count, float unit);
float kernel_sum(const float *values, uint32_t count);
/* The first place of `value`, `count` when it is not there. Reads on up to a multiple of KERNEL_FIND_STEP. */
#define KERNEL_FIND_STEP 16
uint32_t kernel_find(const uint32_t *values, uint32_t count, uint32_t value);
/* sums[i] = a_unit * a[i] + b_unit * b[i]. */
void kernel_blend(float *sums, const float *a, const float *b, uint32_t count, float a_unit, float b_unit);
