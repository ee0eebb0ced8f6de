// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/evaluate.h>

double measure_hit_rate(uint32_t rank, uint32_t cutoff)
{
    return rank >= 1 && rank <= cutoff;
}
