// SPDX-License-Identifier: Apache-2.0
/* Whether what was learned is to be published. */
#include "core/model/updater.h"

#include <eddy/core/evaluate.h>

#include <math.h>

#define CUTOFF 20

/* Standard error of the mean difference of MRR, by whole sessions: of a ratio of sums, linearised (Cochran 1977,
 * section 6.4). */
static double error_of(const struct update *update, double mean, uint32_t predictions)
{
    double squares = 0;
    for (uint32_t i = update->held, at = 0; i < update->count; i++) {
        uint32_t count = update->starts[i + 1] - update->starts[i] - 1;
        double rest = -mean * count;
        for (uint32_t j = 0; j < count; j++, at++)
            rest += measure_reciprocal_rank(update->ranks[1][at], CUTOFF) -
                    measure_reciprocal_rank(update->ranks[0][at], CUTOFF);
        squares += rest * rest;
    }
    return sqrt(squares) / predictions;
}

void update_judge(const struct updater *updater, struct updater_result *result)
{
    const struct update *update = &updater->update;
    uint32_t predictions = result->predictions;
    result->accepted = true;
    if (predictions == 0)
        return;
    const struct measure *mrr = &measures[MEASURE_RECIPROCAL_RANK], *hit_rate = &measures[MEASURE_HIT_RATE];
    result->reciprocal_rank_old = measure_mean(mrr, update->ranks[0], predictions, CUTOFF);
    result->reciprocal_rank_new = measure_mean(mrr, update->ranks[1], predictions, CUTOFF);
    result->hit_rate_old = measure_mean(hit_rate, update->ranks[0], predictions, CUTOFF);
    result->hit_rate_new = measure_mean(hit_rate, update->ranks[1], predictions, CUTOFF);
    double better = result->reciprocal_rank_new - result->reciprocal_rank_old;
    result->error = error_of(update, better, predictions);
    result->accepted = better >= -(double)updater->options.noise * result->error;
}
