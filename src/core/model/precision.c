// SPDX-License-Identifier: Apache-2.0
#include "core/model/precision.h"

#include <math.h>
#include <string.h>

#define INT8_MAX_F     127.0f
#define HALF_MAX       0x7bffu     /* 65504 */
#define HALF_INFINITE  0x7c00u     /* and beyond: not finite */
#define FLOAT_HALF_MAX 0x477ff000u /* 65520: from here on the nearest would be infinite */
#define FLOAT_HALF_MIN 0x38800000u /* 2^-14: below, halves are subnormal */

static const char *const names[MODEL_PRECISION_COUNT] = {
    [MODEL_FLOAT32] = "float32", [MODEL_FLOAT16] = "float16", [MODEL_INT8] = "int8"};

const char *model_precision_name(enum model_precision precision)
{
    assert(precision < MODEL_PRECISION_COUNT);
    return names[precision];
}

size_t precision_row_size(enum model_precision precision, uint32_t width)
{
    switch (precision) {
    case MODEL_FLOAT16:
        return (size_t)width * sizeof(uint16_t);
    case MODEL_INT8:
        return sizeof(float) + width;
    case MODEL_FLOAT32:
    case MODEL_PRECISION_COUNT:
        break;
    }
    return (size_t)width * sizeof(float);
}

/* ---- float16 */

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint16_t half_of(float value)
{
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude >= FLOAT_HALF_MAX)
        return (uint16_t)(sign | HALF_MAX);
    if (magnitude < FLOAT_HALF_MIN) /* 0.5 has the spacing of subnormal halves: adding it rounds, to even as well */
        return (uint16_t)(sign | (bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f)));
    uint32_t odd = magnitude >> 13 & 1;
    return (uint16_t)(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

static float float_of_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, magnitude = half & 0x7fffu;
    uint32_t normal = (magnitude << 13) + 0x38000000u;
    uint32_t subnormal = bits_of((float)magnitude * 0x1p-24f);
    return float_of(sign | (magnitude < 0x400u ? subnormal : normal));
}

static void pack_halves(const float *row, uint32_t width, uint8_t *packed)
{
    for (uint32_t i = 0; i < width; i++) {
        uint16_t half = half_of(row[i]);
        memcpy(packed + i * sizeof half, &half, sizeof half);
    }
}

static bool unpack_halves(const uint8_t *packed, uint32_t width, float *row)
{
    bool finite = true;
    for (uint32_t i = 0; i < width; i++) {
        uint16_t half;
        memcpy(&half, packed + i * sizeof half, sizeof half);
        finite &= (half & HALF_INFINITE) != HALF_INFINITE;
        row[i] = float_of_half(half);
    }
    return finite;
}

/* ---- int8 */

static void pack_bytes(const float *row, uint32_t width, uint8_t *packed)
{
    float largest = 0;
    for (uint32_t i = 0; i < width; i++)
        largest = fabsf(row[i]) > largest ? fabsf(row[i]) : largest;
    float scale = largest / INT8_MAX_F;
    memcpy(packed, &scale, sizeof scale);
    for (uint32_t i = 0; i < width; i++) {
        float steps = scale > 0 ? rintf(row[i] / scale) : 0;
        steps = steps > INT8_MAX_F ? INT8_MAX_F : steps < -INT8_MAX_F ? -INT8_MAX_F : steps; /* of subnormal scales */
        packed[sizeof scale + i] = (uint8_t)(int8_t)steps;
    }
}

static bool unpack_bytes(const uint8_t *packed, uint32_t width, float *row)
{
    float scale;
    memcpy(&scale, packed, sizeof scale);
    for (uint32_t i = 0; i < width; i++)
        row[i] = scale * (float)(int8_t)packed[sizeof scale + i];
    return isfinite(scale * INT8_MAX_F);
}

/* ---- rows */

static bool unpack_floats(const uint8_t *packed, uint32_t width, float *row)
{
    bool finite = true;
    memcpy(row, packed, width * sizeof *row);
    for (uint32_t i = 0; i < width; i++)
        finite &= isfinite(row[i]) != 0;
    return finite;
}

void precision_pack(enum model_precision precision, const float *row, uint32_t width, uint8_t *packed)
{
    if (precision == MODEL_FLOAT16)
        pack_halves(row, width, packed);
    else if (precision == MODEL_INT8)
        pack_bytes(row, width, packed);
    else
        memcpy(packed, row, width * sizeof *row);
}

struct status precision_unpack(enum model_precision precision, const uint8_t *packed, uint32_t width, float *row)
{
    bool finite = precision == MODEL_FLOAT16 ? unpack_halves(packed, width, row)
                  : precision == MODEL_INT8  ? unpack_bytes(packed, width, row)
                                             : unpack_floats(packed, width, row);
    return finite ? OK : FAIL(CORRUPT, 0, "a weight of a model is no number");
}
