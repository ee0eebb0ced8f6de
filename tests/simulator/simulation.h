// SPDX-License-Identifier: Apache-2.0
#pragma once
/* simulation: one seed from beginning to end: drawn, run without faults, run with them, judged. */
#include "simulator/judge.h"

struct simulated {
    char complaint[1024]; /* "": everything held */
    uint64_t hash;        /* of everything that was seen */
    bool exactly_once;
    uint64_t actions, crashes, starts, rebalances, rebuilds, doubts;
    struct judge_counts counts;
};

void simulate(uint64_t seed, enum sabotage sabotage, bool verbose, struct simulated *ret_simulated);
