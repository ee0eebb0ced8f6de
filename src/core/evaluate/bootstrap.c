// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/random.h>
#include <eddy/core/evaluate.h>

#include <stdlib.h>

#define TAIL 0.025 /* on each side of a 95 % interval */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double ratio(double sum, double count)
{
    return count > 0 ? sum / count : 0;
}

static double resample(const struct session_sums *sessions, size_t count, struct random *random)
{
    double sum = 0, predictions = 0;
    for (size_t i = 0; i < count; i++) {
        const struct session_sums *session = &sessions[random_below(random, (uint32_t)count)];
        sum += session->sum;
        predictions += session->count;
    }
    return ratio(sum, predictions);
}

struct status bootstrap_interval(const struct session_sums *sessions, size_t count, uint32_t resamples, uint64_t seed,
                                 struct interval *ret_interval)
{
    assert(resamples >= 40 && count <= UINT32_MAX);
    double sum = 0, predictions = 0;
    for (size_t i = 0; i < count; i++) {
        sum += sessions[i].sum;
        predictions += sessions[i].count;
    }
    struct interval interval = {.value = ratio(sum, predictions)};
    if (count > 0) {
        double *values = malloc(resamples * sizeof *values);
        if (!values)
            return FAIL(MEMORY, resamples, "no memory for a bootstrap");
        struct random random;
        random_seed(&random, seed);
        for (uint32_t i = 0; i < resamples; i++)
            values[i] = resample(sessions, count, &random);
        qsort(values, resamples, sizeof *values, compare_doubles);
        uint32_t cut = (uint32_t)(TAIL * resamples);
        interval.low = values[cut];
        interval.high = values[resamples - 1 - cut];
        free(values);
    }
    *ret_interval = interval;
    return OK;
}
