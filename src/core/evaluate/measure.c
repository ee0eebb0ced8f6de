// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/evaluate.h>

const struct measure measures[MEASURE_COUNT] = {
    [MEASURE_HIT_RATE] = {"hit_rate", "HR", measure_hit_rate},
    [MEASURE_RECIPROCAL_RANK] = {"mrr", "MRR", measure_reciprocal_rank},
    [MEASURE_GAIN] = {"ndcg", "NDCG", measure_gain},
};

const uint32_t cutoffs[CUTOFF_COUNT] = {1, 5, 10, 20};

double measure_mean(const struct measure *measure, const uint32_t *ranks, size_t count, uint32_t cutoff)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += measure->value(ranks[i], cutoff);
    return count ? sum / (double)count : 0;
}

uint32_t rank_of(uint32_t item, const uint32_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == item)
            return (uint32_t)i + 1;
    return 0;
}
