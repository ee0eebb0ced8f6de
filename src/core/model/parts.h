// SPDX-License-Identifier: Apache-2.0
#pragma once
/* parts: where work is cut that may be shared among threads. The borders follow from how much there is to do, never
 * from who does it: see <eddy/core/parallel.h>. Other borders give other bits: TRAINER_VERSION says which. */
#include <stdint.h>

#define PARTS_MAX 16
/* Borders are multiples of it: OpenBLAS computes in tiles, and only the last part has a rest that fills none. */
#define PART_UNIT 16

struct span {
    uint32_t from, to;
};

/* How many parts of `least` or more there are in `count`: 1, 2, 4, 8 or 16, which few threads can share evenly. */
static inline uint32_t parts_of(uint32_t count, uint32_t least)
{
    uint32_t parts = 1;
    while (parts < PARTS_MAX && (uint64_t)count >= 2ull * parts * least)
        parts *= 2;
    return parts;
}

/* Of about the same size each; none is empty when `least` was PART_UNIT or more. */
static inline struct span part_of(uint32_t count, uint32_t parts, uint32_t index)
{
    uint64_t from = (uint64_t)count * index / parts, to = (uint64_t)count * (index + 1) / parts;
    from -= from % PART_UNIT;
    to -= to == count ? 0 : to % PART_UNIT;
    return (struct span){(uint32_t)from, (uint32_t)to};
}
