// SPDX-License-Identifier: Apache-2.0
#pragma once
/* torture: runs, each of which is made again and again with one failure more into it (torture.c). */
#include "torture/faults.h"

#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

/* Deliberate faults in a run, which must be noticed. */
enum sabotage { SABOTAGE_NONE, SABOTAGE_IGNORED_COMMIT, SABOTAGE_LEAK, SABOTAGE_WRONG_KIND, SABOTAGE_HALF_A_MODEL };

struct run {
    const char *name;
    unsigned classes; /* of faults, as bits */
    bool apart;       /* in a process of its own for each failure, because it has threads */
    /* Makes what the run begins with: a folder, a world. Without faults. */
    void *(*begin)(enum sabotage sabotage);
    /* From whatever a former try has left to the end. */
    struct status (*once)(void *self);
    /* Of all that the run has stored and answered. Without faults. */
    uint64_t (*result)(void *self);
    void (*end)(void *self);
};

extern const struct run run_config, run_logs, run_learned, run_at_least_once, run_exactly_once, run_kafka, run_models,
    run_train;

/* Stirs bytes into a result. */
static inline uint64_t result_with(uint64_t result, struct bytes bytes)
{
    uint64_t parts[2] = {result, bytes_hash(bytes)};
    return bytes_hash(bytes_of(parts, sizeof parts));
}
