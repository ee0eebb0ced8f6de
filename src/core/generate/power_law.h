// SPDX-License-Identifier: Apache-2.0
#pragma once
/* power_law: draws ranks 0..count-1 with P(rank) ~ (rank + 1)^-exponent, in constant time by Walker's alias method
 * (as Vose, IEEE TSE 1991). The table is integers, so that draws do not depend on the machine's rounding. */
#include <eddy/base/status.h>

struct power_law {
    uint32_t count;
    struct power_law_column {
        uint32_t keep; /* of 2^32: chance to stay in this column */
        uint32_t other;
    } * columns; /* (count) */
};

MUST_CHECK struct status power_law_open(uint32_t count, double exponent, struct power_law *ret_law);
void power_law_release(struct power_law *law);

/* `random`: 64 uniform bits. */
static inline uint32_t power_law_draw(const struct power_law *law, uint64_t random)
{
    uint32_t column = (uint32_t)(((random >> 32) * law->count) >> 32);
    return (uint32_t)random < law->columns[column].keep ? column : law->columns[column].other;
}
