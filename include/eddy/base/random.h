// SPDX-License-Identifier: Apache-2.0
#pragma once
/* random: a seeded generator (xoshiro256**, Blackman & Vigna 2018; seeded by splitmix64). Same seed, same
 * numbers, on every machine. Not for secrets. */
#include <stdint.h>

struct random {
    uint64_t state[4];
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_u64(struct random *random);
/* Uniform in 0 .. bound-1; bound > 0 (Lemire's multiply-shift, bias below 2^-32 for bounds < 2^32). */
uint32_t random_below(struct random *random, uint32_t bound);
/* Uniform in [0, 1). */
double random_unit(struct random *random);
