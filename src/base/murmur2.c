// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/murmur2.h>

#define SEED     UINT32_C(0x9747b28c)
#define MULTIPLY UINT32_C(0x5bd1e995)

static uint32_t word_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t murmur2(struct bytes bytes)
{
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    uint32_t hash = SEED ^ (uint32_t)bytes.size;
    for (; left >= 4; at += 4, left -= 4) {
        uint32_t word = word_at(at) * MULTIPLY;
        hash = hash * MULTIPLY ^ (word ^ word >> 24) * MULTIPLY;
    }
    if (left > 0) {
        for (size_t i = 0; i < left; i++)
            hash ^= (uint32_t)at[i] << 8 * i;
        hash *= MULTIPLY;
    }
    hash = (hash ^ hash >> 13) * MULTIPLY;
    return hash ^ hash >> 15;
}
