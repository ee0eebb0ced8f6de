// SPDX-License-Identifier: Apache-2.0
#include "llm_stand_in/stand_in.h"

#include <math.h>

#define NORMAL_P99 2.3263478740408408 /* the 99th percentile of the standard normal distribution */

bool latency_parse(const char *text, struct latency *ret_latency)
{
    double mean = 0, p99 = 0;
    char rest;
    struct latency latency = {LATENCY_FIXED, 0, 0};
    if (sscanf(text, "fixed:%lf%c", &mean, &rest) == 1)
        latency.kind = LATENCY_FIXED;
    else if (sscanf(text, "exponential:%lf%c", &mean, &rest) == 1)
        latency.kind = LATENCY_EXPONENTIAL;
    else if (sscanf(text, "lognormal:%lf:%lf%c", &mean, &p99, &rest) == 2)
        latency.kind = LATENCY_LOGNORMAL;
    else
        return false;
    /* beyond e^(2.33^2 / 2) times the mean no lognormal distribution has its 99th percentile */
    if (mean < 0 || mean > 1e9 ||
        (latency.kind == LATENCY_LOGNORMAL &&
         (mean <= 0 || p99 <= mean || log(p99 / mean) > NORMAL_P99 * NORMAL_P99 / 2)))
        return false;
    latency.mean_ms = mean;
    latency.p99_ms = p99;
    *ret_latency = latency;
    return true;
}

/* Box and Muller 1958. */
static double normal(struct random *random)
{
    double radius = sqrt(-2 * log(1 - random_unit(random)));
    return radius * cos(2 * M_PI * random_unit(random));
}

/* mean = exp(m + s^2 / 2) and p99 = exp(m + z s): s solves s^2 / 2 - z s + ln(p99 / mean) = 0. */
static double lognormal_ms(const struct latency *latency, struct random *random)
{
    double ratio = log(latency->p99_ms / latency->mean_ms);
    double sigma = NORMAL_P99 - sqrt(NORMAL_P99 * NORMAL_P99 - 2 * ratio);
    return exp(log(latency->mean_ms) - sigma * sigma / 2 + sigma * normal(random));
}

int64_t latency_draw_us(const struct latency *latency, struct random *random)
{
    double ms = latency->mean_ms;
    if (latency->kind == LATENCY_EXPONENTIAL)
        ms = -log(1 - random_unit(random)) * latency->mean_ms;
    else if (latency->kind == LATENCY_LOGNORMAL)
        ms = lognormal_ms(latency, random);
    return (int64_t)(ms * 1000);
}

double allowance_take(struct allowance *allowance, double amount, int64_t now_us)
{
    if (allowance->per_minute <= 0)
        return 0;
    if (allowance->filled_us == 0)
        allowance->level = allowance->per_minute;
    else
        allowance->level += allowance->per_minute / 60e6 * (double)(now_us - allowance->filled_us);
    if (allowance->level > allowance->per_minute)
        allowance->level = allowance->per_minute;
    allowance->filled_us = now_us;
    if (allowance->level < amount)
        return (amount - allowance->level) * 60 / allowance->per_minute;
    allowance->level -= amount;
    return 0;
}
