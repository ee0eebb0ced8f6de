// SPDX-License-Identifier: Apache-2.0
#pragma once
/* lanes: sixteen floats that are added up side by side, and then in one order: same bits on every CPU. The compiler
 * makes of them what the instruction set has; left to find them in a loop by itself, gcc 12 does not. */
#include <stdint.h>
#include <string.h>

#define LANES 16

typedef float lanes __attribute__((vector_size(64)));
typedef float lanes_8 __attribute__((vector_size(32)));
typedef float lanes_4 __attribute__((vector_size(16)));

/* Upper half to lower half, until one is left. */
static inline __attribute__((always_inline)) float lanes_sum(const lanes *x)
{
    lanes_8 eight = __builtin_shufflevector(*x, *x, 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(*x, *x, 8, 9, 10, 11, 12, 13, 14, 15);
    lanes_4 four =
        __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

/* x[0] .. x[count - 1]; zeros behind. */
static inline __attribute__((always_inline)) void lanes_load(lanes *ret, const float *x, uint32_t count)
{
    if (count >= LANES) {
        memcpy(ret, x, sizeof *ret);
        return;
    }
    *ret = (lanes){0};
    memcpy(ret, x, count * sizeof *x);
}
