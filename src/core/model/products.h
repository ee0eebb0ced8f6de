// SPDX-License-Identifier: Apache-2.0
#pragma once
/* products: sums of products of small whole numbers, a tile of items with several sessions at once, by what the CPU has
 * for it. The sums are exact and all else happens to one number at a time, so every kernel gives the same bits.
 *
 * An item's value is a byte q + 128, -127 <= q <= 127. A session's value is two digits of base 128, p = 128 high + low,
 * -64 <= high, low <= 64: two bytes times two digits, added up, stay below 2^15, which AVX2's 16-bit sums need. With at
 * most MODEL_WIDTH_MAX values and |p| <= PRODUCT_VALUE_MAX a sum of bytes times p fits into 32 bits.
 *
 *   tile     for each group of four values: 64 rows of four bytes, one behind the other
 *   digits   for each session, for each group: four high digits, then four low ones */
#include <stdbool.h>
#include <stdint.h>

#define TILE_ROWS         64
#define PRODUCT_VALUE_MAX 8191

struct tile {
    const uint8_t *bytes; /* (groups, TILE_ROWS, 4), 64-byte aligned */
    const float *scales;  /* (TILE_ROWS) */
    uint32_t groups;
};

struct digit_table {
    const int8_t *digits; /* (count, groups, 8) */
    const int32_t
        *offsets; /* (count) what sums begin with: -128 times the session's values takes 128 out of the bytes */
    uint32_t count;
};

struct product_kernel {
    const char *name;
    bool (*supported)(void);
    /* scores: (count, TILE_ROWS) = scale times the sum, each rounded once to float. */
    void (*multiply)(const struct tile *tile, const struct digit_table *sessions, float *scores);
    /* Bit i: scores[i] > floor, of a tile's. */
    uint64_t (*above)(const float *scores, float floor);
};

/* Fastest first; the last is plain C and always supported. */
#define PRODUCT_KERNEL_COUNT 3
extern const struct product_kernel product_kernels[PRODUCT_KERNEL_COUNT];
/* This CPU's. */
const struct product_kernel *product_kernel_best(void);
