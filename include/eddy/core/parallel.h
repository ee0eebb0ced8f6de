// SPDX-License-Identifier: Apache-2.0
#pragma once
/* parallel: work in parts that do not touch each other, for whoever has threads to share them out to. The core has
 * none: it is given this port.
 *
 * How work is cut is the caller's, and must not follow from the number of threads: each number is then made by one
 * part, by the same calls and from the same inputs, and the result has the same bits whoever computes it. */
#include <stdint.h>

typedef void parallel_part(void *context, uint32_t index);

struct parallel_ops {
    /* Calls part(context, i) once for each i below `count`, in any order and on any threads; returns when all have
     * returned, and what they wrote can be read. Cannot fail: a part says in `context` what went wrong in it. One call
     * at a time, and none from within a part. */
    void (*run)(void *self, parallel_part *part, void *context, uint32_t count);
};

struct parallel {
    const struct parallel_ops *ops;
    void *self;
};

/* One after the other, on the caller's thread. */
struct parallel parallel_in_order(void);

static inline void parallel_run(struct parallel parallel, parallel_part *part, void *context, uint32_t count)
{
    parallel.ops->run(parallel.self, part, context, count);
}
