// SPDX-License-Identifier: Apache-2.0
#include "core/model/tiles.h"

#include "core/model/lanes.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUP         PRODUCT_GROUP
#define BYTE_ZERO     128
#define BYTE_MAX      127
#define ALIGNMENT     64
#define ROUNDING      (1 / 16777216.0) /* 2^-24: half of what two neighbouring floats differ by, relatively */
#define ROUND_UP      1.000001
#define DOT_ADDITIONS 8 /* in vector_dot, besides one for each LANES values: tail, lanes, product */

static float largest(const float *x, uint32_t count)
{
    float most = 0;
    for (uint32_t i = 0; i < count; i++)
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    return most;
}

/* To the nearest whole number of units; halves away from 0. */
static int32_t rounded(float x, double per_unit)
{
    double units = x * per_unit;
    return (int32_t)(units < 0 ? units - 0.5 : units + 0.5);
}

/* The unit in which the largest is `most`; 0 when that is not a normal number, and all are taken for 0. */
static float unit_of(float largest_value, float most)
{
    float unit = largest_value / most;
    return unit >= FLT_MIN ? unit : 0;
}

static void row_make(const struct tiles *tiles, const float *x, uint32_t place)
{
    uint32_t tile = place / TILE_ROWS, lane = place % TILE_ROWS;
    uint8_t *bytes = tiles->bytes + ((size_t)tile * tiles->groups * TILE_ROWS + lane) * GROUP;
    float scale = unit_of(largest(x, tiles->width), BYTE_MAX);
    double per_unit = scale > 0 ? 1 / (double)scale : 0, error = 0, norm = 0;
    for (uint32_t i = 0; i < tiles->width; i++) {
        int32_t q = rounded(x[i], per_unit);
        double rest = x[i] - (double)scale * q;
        bytes[i / GROUP * TILE_ROWS * GROUP + i % GROUP] = (uint8_t)(q + BYTE_ZERO);
        error += rest * rest;
        norm += (double)x[i] * x[i];
    }
    struct tile_bound *bound = &tiles->bounds[tile];
    bound->error = fmaxf(bound->error, (float)(sqrt(error) * ROUND_UP) + FLT_TRUE_MIN);
    bound->norm = fmaxf(bound->norm, (float)(sqrt(norm) * ROUND_UP) + FLT_TRUE_MIN);
    tiles->scales[place] = scale;
}

static uint32_t count_wanted(const uint32_t *wanted, uint32_t count, uint32_t skipped)
{
    uint32_t total = 0;
    for (uint32_t row = 0; row < count; row++)
        total += wanted[row] != skipped;
    return total;
}

uint32_t tiles_stride(uint32_t width)
{
    return (width + LANES - 1) / LANES * LANES;
}

struct tile tiles_at(const struct tiles *tiles, uint32_t number)
{
    return (struct tile){tiles->bytes + (size_t)number * tiles->groups * GROUP * TILE_ROWS,
                         tiles->scales + (size_t)number * TILE_ROWS, tiles->groups};
}

struct status tiles_open(struct tiles *ret_tiles, const float *rows, uint32_t row_count, uint32_t width,
                         const uint32_t *wanted, uint32_t skipped)
{
    struct tiles tiles = {.count = count_wanted(wanted, row_count, skipped), .width = width};
    tiles.stride = tiles_stride(width);
    tiles.tile_count = (tiles.count + TILE_ROWS - 1) / TILE_ROWS;
    tiles.groups = (width + GROUP - 1) / GROUP;
    size_t places = (size_t)tiles.tile_count * TILE_ROWS, size = places * tiles.groups * GROUP;
    tiles.rows = malloc((places + 1) * sizeof *tiles.rows);
    tiles.scales = calloc(places + 1, sizeof *tiles.scales);
    tiles.bounds = calloc((size_t)tiles.tile_count + 1, sizeof *tiles.bounds);
    tiles.memory = malloc(size + PRODUCT_BYTES_AFTER + ALIGNMENT);
    if (!tiles.rows || !tiles.scales || !tiles.bounds || !tiles.memory) {
        tiles_release(&tiles);
        return FAIL(MEMORY, size, "no memory for the items of a model at work");
    }
    tiles.bytes = (uint8_t *)tiles.memory + (ALIGNMENT - (uintptr_t)tiles.memory % ALIGNMENT);
    memset(tiles.bytes, BYTE_ZERO, size + PRODUCT_BYTES_AFTER);
    uint32_t place = 0;
    for (uint32_t row = 0; row < row_count; row++)
        if (wanted[row] != skipped) {
            row_make(&tiles, rows + (size_t)row * tiles.stride, place);
            tiles.rows[place++] = row;
        }
    *ret_tiles = tiles;
    return OK;
}

void tiles_release(struct tiles *tiles)
{
    free(tiles->rows);
    free(tiles->scales);
    free(tiles->bounds);
    free(tiles->memory);
    *tiles = (struct tiles){0};
}

size_t tiles_memory(const struct tiles *tiles)
{
    size_t places = (size_t)tiles->tile_count * TILE_ROWS;
    return places * (tiles->groups * GROUP + sizeof *tiles->rows + sizeof *tiles->scales) +
           tiles->tile_count * sizeof *tiles->bounds;
}

/* high = the multiple of 128 next to it, in 128s. */
static void set_digits(int8_t *ret_high, int8_t *ret_low, int32_t p)
{
    int32_t high = (p + 64 + 64 * 128) / 128 - 64; /* a division of what is positive rounds down */
    *ret_high = (int8_t)high;
    *ret_low = (int8_t)(p - 128 * high);
}

struct digits digits_make(const float *vector, uint32_t width, int8_t *values)
{
    float unit = unit_of(largest(vector, width), PRODUCT_VALUE_MAX);
    double per_unit = unit > 0 ? 1 / (double)unit : 0, made = 0, rest = 0, norm = 0;
    int32_t sum = 0;
    size_t digits = product_digits((width + GROUP - 1) / GROUP);
    memset(values, 0, 2 * digits);
    for (uint32_t i = 0; i < width; i++) {
        int32_t p = rounded(vector[i], per_unit);
        double value = (double)unit * p, error = vector[i] - value;
        set_digits(values + i, values + digits + i, p);
        sum += p;
        made += value * value;
        rest += error * error;
        norm += (double)vector[i] * vector[i];
    }
    /* The float32 score's own rounding; and two on the way from a sum to f, of at most |x - rest| |unit p|. */
    uint32_t additions = width / LANES + DOT_ADDITIONS;
    double dot = additions * ROUNDING * sqrt(norm), to_float = 3 * ROUNDING * sqrt(made);
    return (struct digits){.offset = -BYTE_ZERO * sum,
                           .unit = unit > 0 ? unit : 1,
                           .error_factor = (sqrt(made) + to_float) * ROUND_UP,
                           .norm_factor = (sqrt(rest) + dot + to_float) * ROUND_UP,
                           .least = 2.0 * FLT_TRUE_MIN * width};
}
