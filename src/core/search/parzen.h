// SPDX-License-Identifier: Apache-2.0
#pragma once
/* parzen: the density of a group of observations over a space: the mean of a kernel around each of them and of the
 * space as it is, all parameters of a point at once. In a number's own measure (logarithms, or the number) a kernel is
 * a normal distribution cut off at the bounds; of a choice, most of the weight is on the choice itself. */
#include <eddy/base/random.h>
#include <eddy/core/search.h>

#include <math.h>

struct parzen {
    const struct search_space *space;
    const struct search_observation *const *members; /* (count) borrowed */
    uint32_t count;                                  /* 0: the space as it is */
    double width;                                    /* of the kernels, of a parameter's range */
};

struct parzen parzen_of(const struct search_space *space, const struct search_observation *const *members,
                        uint32_t count);
struct search_point parzen_draw(const struct parzen *parzen, struct random *random);
/* > 0, in the measure in which the space as it is has 1. */
double parzen_density(const struct parzen *parzen, const struct search_point *point);
