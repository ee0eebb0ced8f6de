// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/evaluate.h>

#include <math.h>

double measure_gain(uint32_t rank, uint32_t cutoff)
{
    return rank >= 1 && rank <= cutoff ? 1 / log2(1.0 + rank) : 0;
}
