// SPDX-License-Identifier: Apache-2.0
#include "core/model/sampler.h"

#include <stdlib.h>

/* Pairs places that have too little with places that have too much; `stack` holds the former from the front and the
 * latter from the back. */
static void pair(struct sampler *sampler, double *mass, uint32_t *stack)
{
    uint32_t count = sampler->count, small = 0, large = count;
    for (uint32_t i = 0; i < count; i++)
        stack[mass[i] < 1 ? small++ : --large] = i;
    while (small > 0 && large < count) {
        uint32_t little = stack[--small], much = stack[large];
        sampler->keep[little] = (float)mass[little];
        sampler->alias[little] = much;
        mass[much] -= 1 - mass[little];
        if (mass[much] < 1) {
            large++;
            stack[small++] = much;
        }
    }
    for (; large < count; large++)
        sampler->keep[stack[large]] = 1;
    while (small > 0) /* rounding left it a little below 1 */
        sampler->keep[stack[--small]] = 1;
}

struct status sampler_open(const double *weights, uint32_t count, struct sampler *ret_sampler)
{
    struct sampler sampler = {.count = count,
                              .keep = calloc(count, sizeof *sampler.keep),
                              .alias = calloc(count, sizeof *sampler.alias),
                              .probability = calloc(count, sizeof *sampler.probability)};
    double *mass = calloc(count, sizeof *mass), sum = 0;
    uint32_t *stack = calloc(count, sizeof *stack);
    struct status status = OK;
    if (!sampler.keep || !sampler.alias || !sampler.probability || !mass || !stack)
        status = FAIL(MEMORY, count, "no memory to draw items");
    for (uint32_t i = 0; !failed(status) && i < count; i++)
        sum += weights[i];
    for (uint32_t i = 0; !failed(status) && i < count; i++) {
        sampler.probability[i] = (float)(weights[i] / sum);
        mass[i] = weights[i] / sum * count;
    }
    if (!failed(status))
        pair(&sampler, mass, stack);
    free(mass);
    free(stack);
    if (failed(status)) {
        sampler_release(&sampler);
        return status;
    }
    *ret_sampler = sampler;
    return OK;
}

void sampler_release(struct sampler *sampler)
{
    free(sampler->keep);
    free(sampler->alias);
    free(sampler->probability);
    *sampler = (struct sampler){0};
}
