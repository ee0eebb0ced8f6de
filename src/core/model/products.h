// SPDX-License-Identifier: Apache-2.0
#pragma once
/* products: sums of products of small whole numbers, a tile of items with several sessions at once, by what the CPU has
 * for it. The sums are exact and all else happens to one number at a time, so every kernel gives the same bits.
 *
 *   amx    AMX int8, where the system lets the process have it (matrix_allow_amx() in model.h); few sessions: as vnni
 *   vnni   AVX-512 VNNI
 *   avx2   16-bit sums of pairs
 *   plain  C
 *
 * An item's value is a byte q + 128, -127 <= q <= 127. A session's value is two digits of base 128, p = 128 high + low,
 * -64 <= high, low <= 64: two bytes times two digits, added up, stay below 2^15, which AVX2's 16-bit sums need. With at
 * most MODEL_WIDTH_MAX values and |p| <= PRODUCT_VALUE_MAX a sum of bytes times p fits into 32 bits.
 *
 *   tile     for each group of four values: 64 rows of four bytes, one behind the other
 *   digits   for each session: the high digits of all groups, filled up with zeros to whole strides; then the low ones
 *
 * AMX takes the groups of a stride at once: what it reads behind a tile's last group is multiplied by those zeros. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TILE_ROWS           64
#define PRODUCT_VALUE_MAX   8191
#define PRODUCT_GROUP       4  /* values */
#define PRODUCT_STRIDE      16 /* groups */
#define PRODUCT_TOGETHER    16 /* sessions: digits and offsets may be read up to a multiple of so many */
#define PRODUCT_LANES       16 /* in which terms are added up */
#define PRODUCT_BYTES_AFTER ((PRODUCT_STRIDE - 1) * TILE_ROWS * PRODUCT_GROUP) /* that may be read behind a tile */

struct tile {
    const uint8_t *bytes; /* (groups, TILE_ROWS, 4), 64-byte aligned, and PRODUCT_BYTES_AFTER */
    const float *scales;  /* (TILE_ROWS) */
    uint32_t groups;
};

struct digit_table {
    const int8_t *digits; /* (count, 2, product_digits(groups)), 64-byte aligned */
    /* (count, PRODUCT_LANES) the same ones a session, what sums begin with: -128 times the session's values takes 128
     * out of the bytes. */
    const int32_t *offsets;
    uint32_t count;
};

/* How many high or low digits a session has. */
static inline size_t product_digits(uint32_t groups)
{
    return (groups + PRODUCT_STRIDE - 1) / PRODUCT_STRIDE * PRODUCT_STRIDE * PRODUCT_GROUP;
}

/* What becomes of them, for each session (count):
 *
 *   scores  (TILE_ROWS) scale times the sum, each rounded once to float
 *   above   bit i: scores[i] > floor
 *   terms   (2, PRODUCT_LANES) to the i % PRODUCT_LANES-th of both, in the order of i, are added the two parts of the
 *           term (scores.h) of score slope - shift, where the score is not above the floor; it is below 2^31 */
struct score_table {
    const float *floors, *slopes, *shifts;
    float *scores, *terms;
    uint64_t *above;
};

typedef void product_multiply(const struct tile *tile, const struct digit_table *sessions,
                              const struct score_table *table);

struct product_kernel {
    const char *name;
    bool (*supported)(void);
    /* Around any number of products of one thread; with AMX, what is between them has no other use for it. */
    void (*begin)(void);
    void (*end)(void);
    product_multiply *multiply;
};

/* Fastest first; the last is plain C and always supported. */
#define PRODUCT_KERNEL_COUNT 4
extern const struct product_kernel product_kernels[PRODUCT_KERNEL_COUNT];
/* This CPU's. */
const struct product_kernel *product_kernel_best(void);
