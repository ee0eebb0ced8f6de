// SPDX-License-Identifier: Apache-2.0
#pragma once
/* search: which settings to try next, from what was tried.
 *
 *   observations --split by score--> the best, the rest
 *   density l of the best, density g of the rest; of many points drawn from l: the one with the largest l / g
 *
 * A tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"), with one
 * density over all parameters together, so that it sees that a larger batch wants a larger rate (Falkner et al. 2018,
 * BOHB). The first points are drawn from the space as it is. No point is suggested twice: to train the same again would
 * teach nothing. The n-th suggestion is a function of seed, space and the n-1 observations before it.
 *
 * Beside it the median rule (Golovin et al. 2017, Google Vizier), which says when a trial need not be ended. */
#include <eddy/base/status.h>

#define SEARCH_PARAMETERS_MAX 16

enum search_kind {
    SEARCH_REAL,  /* of four digits, so that it can be read and written */
    SEARCH_WHOLE, /* a whole number */
    SEARCH_CHOICE /* 0 .. choices-1; what is observed may be another number: none of the choices */
};

struct search_parameter {
    enum search_kind kind;
    bool logarithmic; /* of a number: factors are alike, not differences; low > 0 */
    double low, high; /* of a number, both included; low < high. What is observed may lie outside */
    uint32_t choices; /* >= 1 */
};

struct search_space {
    struct search_parameter parameters[SEARCH_PARAMETERS_MAX];
    uint32_t count; /* >= 1 */
};

struct search_point {
    double values[SEARCH_PARAMETERS_MAX];
};

struct search_observation {
    struct search_point point;
    double score; /* the more the better */
};

/* NOT_FOUND: of many points that were drawn all had been observed; MEMORY. */
MUST_CHECK struct status search_suggest(const struct search_space *space, uint64_t seed,
                                        const struct search_observation *observations, uint32_t count,
                                        struct search_point *ret_point);

/* What a trial has scored, epoch by epoch. */
struct search_curve {
    const double *scores;
    uint32_t count;
};

/* Whether a trial whose best score is `best` after so many epochs should stop there: more than half of the earlier
 * trials had a better best one by then. Those that ended before count with theirs, those without an epoch do not count.
 * Never before SEARCH_MEDIAN_TRIALS earlier ones, nor after the first epoch, which tells more of the rate than of what
 * it leads to. */
#define SEARCH_MEDIAN_TRIALS 5
#define SEARCH_MEDIAN_EPOCHS 2
bool search_stops(const struct search_curve *earlier, uint32_t count, uint32_t epochs, double best);
