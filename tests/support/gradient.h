// SPDX-License-Identifier: Apache-2.0
#pragma once
/* gradient: checks derivatives against central differences of a loss, which is worked out in double from arrays of
 * floats. What it is best given as the loss is a slow reference: then its own rounding is no part of the comparison. */
#include <stdbool.h>
#include <stdint.h>

/* An array that the loss depends on, with its gradient as the code under test has it. */
struct parameter {
    float *values;
    float *gradient;
    const float *before; /* what the gradient was added to; NULL when it was set */
    uint32_t count;
};

struct gradient_check {
    double (*loss)(void *context);
    void *context;
};

struct gradient_difference {
    uint32_t place;
    double wanted, got;
};

/* Whether all of the gradient is right to 1e-3 of itself and 2e-4 besides; if not, the first place where it is not.
 * Values are changed on the way, and as they were at the end. */
bool gradient_is_right(const struct gradient_check *check, const struct parameter *parameter,
                       struct gradient_difference *ret_difference);

/* Fails the test when one of them is wrong. */
void assert_gradients(const struct gradient_check *check, const struct parameter *parameters, uint32_t count);
