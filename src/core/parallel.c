// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/parallel.h>

#include <stddef.h>

static void run_in_order(void *self, parallel_part *part, void *context, uint32_t count)
{
    (void)self;
    for (uint32_t i = 0; i < count; i++)
        part(context, i);
}

struct parallel parallel_in_order(void)
{
    static const struct parallel_ops ops = {run_in_order};
    return (struct parallel){&ops, NULL};
}
