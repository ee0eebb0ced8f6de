// SPDX-License-Identifier: Apache-2.0
#pragma once
/* tiles: the rows of the items that may be listed and the vectors of sessions, in small whole numbers, for products.h;
 * and how wrong their products can be.
 *
 *   row x    = scale q + rest      |q_i| <= 127, scale = the largest |x_i| / 127
 *   vector v = unit p + rest       |p_i| <= PRODUCT_VALUE_MAX
 *   |x v - scale unit q p| <= |x - scale q| |unit p| + |x| |v - unit p|      (Cauchy-Schwarz, twice)
 *
 * The first of the two terms is what counts: p is 64 times as fine as q. A tile keeps the worst of its rows' two
 * factors, which costs nothing in the loop and keeps rows of other sizes elsewhere from mattering. What floating-point
 * rounding adds, here and in the float32 score itself, is in the session's factors. */
#include "core/model/products.h"

#include <eddy/base/status.h>
#include <stddef.h>

struct tile_bound {
    float error, norm; /* the largest |x - scale q| and |x|, rounded up */
};

struct tiles {
    uint32_t count; /* of rows, which fill tiles one after the other; places after the last row are 0 */
    uint32_t tile_count;
    uint32_t width, stride, groups;
    uint32_t *rows;            /* (count) the row at each place, ascending */
    uint8_t *bytes;            /* (tile_count, groups, TILE_ROWS, 4), 64-byte aligned, and PRODUCT_BYTES_AFTER */
    float *scales;             /* (tile_count, TILE_ROWS) */
    struct tile_bound *bounds; /* (tile_count) */
    void *memory;              /* where `bytes` is */
};

/* Rows and vectors are this many values apart, zeros behind their own: whole lanes, for vector_dot. */
uint32_t tiles_stride(uint32_t width);
/* Of those of the rows (row_count, stride) for which wanted[row] != skipped. MEMORY. */
MUST_CHECK struct status tiles_open(struct tiles *ret_tiles, const float *rows, uint32_t row_count, uint32_t width,
                                    const uint32_t *wanted, uint32_t skipped);
struct tile tiles_at(const struct tiles *tiles, uint32_t number);
void tiles_release(struct tiles *tiles);
size_t tiles_memory(const struct tiles *tiles);

/* A vector in digits. In its units a row at a place scores f = scale sum, and float32's own score (vector_dot) is at
 * most unit f + error_factor error + norm_factor norm + least, with the bounds of the tile. */
struct digits {
    int32_t offset;
    float unit;
    double error_factor, norm_factor, least;
};

/* values: (2, product_digits(groups)), as products.h wants them. */
struct digits digits_make(const float *vector, uint32_t width, int8_t *values);
