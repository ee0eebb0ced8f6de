// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/gradient.h"

#include <math.h>

#define STEP     (1.0f / 1024)
#define RELATIVE 1e-3
#define ABSOLUTE 2e-4

static double difference_at(const struct gradient_check *check, float *value)
{
    float middle = *value, above = middle + STEP, below = middle - STEP;
    *value = above;
    double high = check->loss(check->context);
    *value = below;
    double low = check->loss(check->context);
    *value = middle;
    return (high - low) / ((double)above - (double)below); /* not 2 STEP: a float's sum is rounded */
}

bool gradient_is_right(const struct gradient_check *check, const struct parameter *parameter,
                       struct gradient_difference *ret_difference)
{
    for (uint32_t i = 0; i < parameter->count; i++) {
        double wanted = difference_at(check, parameter->values + i);
        double got = (double)parameter->gradient[i] - (parameter->before ? (double)parameter->before[i] : 0);
        if (fabs(got - wanted) <= ABSOLUTE + RELATIVE * fabs(wanted))
            continue; /* so that NAN is wrong */
        *ret_difference = (struct gradient_difference){i, wanted, got};
        return false;
    }
    return true;
}

void assert_gradients(const struct gradient_check *check, const struct parameter *parameters, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct gradient_difference difference;
        if (!gradient_is_right(check, parameters + i, &difference))
            fail_msg("parameter %u, place %u of %u: the gradient is %g, differences say %g", i, difference.place,
                     parameters[i].count, difference.got, difference.wanted);
    }
}
