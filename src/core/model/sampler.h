// SPDX-License-Identifier: Apache-2.0
#pragma once
/* sampler: draws items with given weights, each draw in constant time (the alias method: Walker 1977, in Vose's form
 * of 1991). */
#include <eddy/base/random.h>
#include <eddy/base/status.h>

struct sampler {
    uint32_t count;
    float *keep;        /* (count) probability that a drawn place keeps its own item */
    uint32_t *alias;    /* (count) else it is this one */
    float *probability; /* (count) */
};

/* weights: (count), none negative, not all 0. MEMORY. */
MUST_CHECK struct status sampler_open(const double *weights, uint32_t count, struct sampler *ret_sampler);
void sampler_release(struct sampler *sampler);

static inline uint32_t sampler_draw(const struct sampler *sampler, struct random *random)
{
    uint32_t place = random_below(random, sampler->count);
    return (float)random_unit(random) < sampler->keep[place] ? place : sampler->alias[place];
}
