// SPDX-License-Identifier: Apache-2.0
#pragma once
/* power: exponentials and logarithms in plain arithmetic, so that every machine and every build gives the same bits
 * (the C library's differ by CPU) and so that loops over them vectorise. Relative error: about 2e-6 for the float
 * versions at the exponents used here, 1e-12 for power_exp_exact. Needs -ffp-contract=off. */
#include <stdint.h>
#include <string.h>

/* log2(x) for normal x > 0. */
static inline float power_log2(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    float exponent = (float)((bits >> 23) - 127);
    bits = (bits & 0x7fffff) | 0x3f800000;
    float t;
    memcpy(&t, &bits, sizeof t);
    t -= 1.0f; /* 0 <= t < 1; the polynomial is exact at both ends */
    float q = -0.0791983868f + t * 0.0151254469f;
    q = 0.195519479f + t * q;
    q = -0.328107542f + t * q;
    q = 0.474862676f + t * q;
    q = -0.720890527f + t * q;
    q = 1.44268885f + t * q;
    return exponent + t * q;
}

/* 2^x for x <= 126; below -126 as for -126. */
static inline float power_exp2(float x)
{
    x = x > -126.0f ? x : -126.0f;
    int32_t whole = (int32_t)(x + 127.0f); /* x + 127 >= 1: cutting is flooring */
    float t = x - (float)(whole - 127);
    float q = 0.00897019171f + t * 0.00189646109f;
    q = 0.0558116056f + t * q;
    q = 0.240172933f + t * q;
    q = 0.693148809f + t * q;
    whole = (int32_t)((uint32_t)whole << 23);
    float scale;
    memcpy(&scale, &whole, sizeof scale);
    return scale * (1.0f + t * q);
}

/* x^a for x >= 0; nothing below 1e-30 is told apart. */
static inline float power_of(float x, float a)
{
    return power_exp2(a * power_log2(x > 1e-30f ? x : 1e-30f));
}

/* e^x, for tables: halved until a short series is exact, then squared back. */
static inline double power_exp_exact(double x)
{
    if (x < -700.0)
        return 0.0;
    double r = x / 1024.0;
    double sum = 1.0, term = 1.0;
    for (int i = 1; i <= 18; i++) {
        term *= r / i;
        sum += term;
    }
    for (int i = 0; i < 10; i++)
        sum *= sum;
    return sum;
}

/* exp(-distance / scale); 1 when the scale is 0 (no decay). */
static inline float power_decay(double distance, double scale)
{
    return scale > 0.0 ? (float)power_exp_exact(-distance / scale) : 1.0f;
}
