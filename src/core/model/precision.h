// SPDX-License-Identifier: Apache-2.0
#pragma once
/* precision: rows of the item table in fewer bytes than floats take, little-endian.
 *
 *   float32  4 bytes a number: as it is
 *   float16  2: IEEE 754 binary16, rounded to the nearest, ties to even; beyond +-65504 is 65504. The error is at most
 *            2^-11 of the number, or 2^-25 where that is more
 *   int8     1, and 4 for the row: f32 scale, then round(number / scale), -127 .. 127, where scale is the row's largest
 *            magnitude / 127. The error is at most half a scale */
#include <eddy/core/model.h>

/* Bytes of a packed row. */
size_t precision_row_size(enum model_precision precision, uint32_t width);
/* `packed` has room for that many. */
void precision_pack(enum model_precision precision, const float *row, uint32_t width, uint8_t *packed);
/* CORRUPT when a number is not finite. */
MUST_CHECK struct status precision_unpack(enum model_precision precision, const uint8_t *packed, uint32_t width,
                                          float *row);
