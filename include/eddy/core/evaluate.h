// SPDX-License-Identifier: Apache-2.0
#pragma once
/* evaluate: how good ranked lists were. Pure arithmetic on ranks; who makes the lists is not its business.
 *
 * A prediction is judged by the rank of the item that came next: its place in the list from 1, or 0 when it is not
 * there. Lists are explicit, so a tie has been decided before by the list's order. With one true item per list:
 *   hit rate  HR@K   = share of predictions with 1 <= rank <= K (also called recall@K)
 *   MRR@K            = mean of 1 / rank, 0 beyond K
 *   NDCG@K           = mean of 1 / log2(1 + rank), 0 beyond K (the ideal list has it first: IDCG = 1)
 * Adding a measure of this kind is a file and a row in measures[]. */
#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

struct measure {
    const char *name;  /* key in reports: "hit_rate" */
    const char *title; /* "HR" */
    double (*value)(uint32_t rank, uint32_t cutoff);
};

enum { MEASURE_HIT_RATE, MEASURE_RECIPROCAL_RANK, MEASURE_GAIN, MEASURE_COUNT };
extern const struct measure measures[MEASURE_COUNT];

#define CUTOFF_COUNT 4
extern const uint32_t cutoffs[CUTOFF_COUNT]; /* 1, 5, 10, 20 */

double measure_hit_rate(uint32_t rank, uint32_t cutoff);
double measure_reciprocal_rank(uint32_t rank, uint32_t cutoff);
double measure_gain(uint32_t rank, uint32_t cutoff);

/* The mean over predictions; 0 without any. */
double measure_mean(const struct measure *measure, const uint32_t *ranks, size_t count, uint32_t cutoff);

/* The place of `item` in a list from 1, 0 when it is not there. */
uint32_t rank_of(uint32_t item, const uint32_t *list, size_t count);

/* ---- what is shown: of `counts`, how often each of `item_count` items stood in a list */

/* Share of the items that were ever shown; 0 without items. */
double exposure_coverage(const uint64_t *counts, size_t item_count);

/* Each item's place in popularity: the share of the other items with fewer clicks, equals counted half; 0 is the
 * least and 1 the most popular. MEMORY. */
MUST_CHECK struct status popularity_percentiles(const uint64_t *clicks, size_t item_count, double *ret_percentiles);

/* Mean percentile of what was shown, each time it was; 0 when nothing was. Random lists come to 0.5. */
double exposure_popularity(const uint64_t *counts, const double *percentiles, size_t item_count);

/* ---- how sure it is: the percentile bootstrap (Efron & Tibshirani 1993, ch. 13), resampling whole sessions, because
 * predictions of one session hang together. */

struct session_sums {
    double sum;     /* of a measure over the session's predictions; or of the difference of two systems */
    uint32_t count; /* predictions */
};

struct interval {
    double value;     /* sum of sums / sum of counts */
    double low, high; /* 95 % */
};

/* `resamples` >= 40. Same seed, same interval. All zero without predictions. MEMORY. */
MUST_CHECK struct status bootstrap_interval(const struct session_sums *sessions, size_t count, uint32_t resamples,
                                            uint64_t seed, struct interval *ret_interval);
