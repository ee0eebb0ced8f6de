// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/search.h>

#include "core/search/parzen.h"

#include <stdlib.h>

#define RANDOM_COUNT 6    /* observations before the estimator is asked */
#define BEST_SHARE   0.15 /* of the observations are the best */
#define BEST_MAX     25
#define CANDIDATES   64
#define DRAWS_MAX    2000 /* before a space is given up as observed */

struct candidate {
    struct search_point point;
    double worth; /* log of l / g */
};

static bool same_point(const struct search_space *space, const struct search_point *a, const struct search_point *b)
{
    for (uint32_t i = 0; i < space->count; i++)
        if (a->values[i] < b->values[i] || a->values[i] > b->values[i])
            return false;
    return true;
}

static bool is_new(const struct search_space *space, const struct search_observation *observations, uint32_t count,
                   const struct search_point *point)
{
    for (uint32_t i = 0; i < count; i++)
        if (same_point(space, &observations[i].point, point))
            return false;
    return true;
}

/* Better first, of equals the earlier: a total order, so that every sort gives the same. */
static int by_score(const void *a, const void *b)
{
    const struct search_observation *left = *(const struct search_observation *const *)a;
    const struct search_observation *right = *(const struct search_observation *const *)b;
    if (left->score > right->score || left->score < right->score)
        return left->score > right->score ? -1 : 1;
    return left < right ? -1 : 1;
}

static struct status draw_any(const struct search_space *space, struct random *random,
                              const struct search_observation *observations, uint32_t count,
                              struct search_point *ret_point)
{
    const struct parzen nothing = {.space = space};
    for (int i = 0; i < DRAWS_MAX; i++) {
        struct search_point point = parzen_draw(&nothing, random);
        if (is_new(space, observations, count, &point)) {
            *ret_point = point;
            return OK;
        }
    }
    return FAIL(NOT_FOUND, count, "no point was found that had not been observed");
}

/* False when nothing that was drawn is new. */
static bool draw_best(const struct parzen *best, const struct parzen *rest, struct random *random,
                      const struct search_observation *observations, struct search_point *ret_point)
{
    struct candidate chosen = {.worth = -INFINITY};
    for (int i = 0; i < CANDIDATES; i++) {
        struct candidate candidate = {.point = parzen_draw(best, random)};
        candidate.worth = log(parzen_density(best, &candidate.point)) - log(parzen_density(rest, &candidate.point));
        if (candidate.worth > chosen.worth &&
            is_new(best->space, observations, best->count + rest->count, &candidate.point))
            chosen = candidate;
    }
    *ret_point = chosen.point;
    return chosen.worth > -INFINITY;
}

struct status search_suggest(const struct search_space *space, uint64_t seed,
                             const struct search_observation *observations, uint32_t count,
                             struct search_point *ret_point)
{
    assert(space->count >= 1 && space->count <= SEARCH_PARAMETERS_MAX);
    struct random random;
    random_seed(&random, seed ^ (uint64_t)count << 32);
    if (count < RANDOM_COUNT)
        return draw_any(space, &random, observations, count, ret_point);
    const struct search_observation **order = calloc(count, sizeof(*order));
    if (!order)
        return FAIL(MEMORY, count, "no memory for a search");
    for (uint32_t i = 0; i < count; i++)
        order[i] = &observations[i];
    qsort(order, count, sizeof(*order), by_score);
    uint32_t split = (uint32_t)fmin(ceil(BEST_SHARE * count), BEST_MAX);
    const struct parzen best = parzen_of(space, order, split), rest = parzen_of(space, order + split, count - split);
    bool found = draw_best(&best, &rest, &random, observations, ret_point);
    free(order);
    return found ? OK : draw_any(space, &random, observations, count, ret_point);
}

/* ---- the median rule */

static double best_by(struct search_curve curve, uint32_t epochs)
{
    double best = -INFINITY;
    for (uint32_t i = 0; i < curve.count && i < epochs; i++)
        best = fmax(best, curve.scores[i]);
    return best;
}

bool search_stops(const struct search_curve *earlier, uint32_t count, uint32_t epochs, double best)
{
    uint32_t judges = 0, better = 0;
    for (uint32_t i = 0; i < count; i++) {
        judges += earlier[i].count > 0;
        better += best_by(earlier[i], epochs) > best;
    }
    return epochs >= SEARCH_MEDIAN_EPOCHS && judges >= SEARCH_MEDIAN_TRIALS && 2 * better > judges;
}
