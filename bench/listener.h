// SPDX-License-Identifier: Apache-2.0
#pragma once
/* listener: a thread that hears the clicks or the recommendations of a topic, and measures how long after their
 * sending. A click's time, less base_ms, is its number. */
#include <eddy/base/histogram.h>

#include <stdatomic.h>
#include <stdbool.h>

struct listener {
    const char *bootstrap, *topic;
    int32_t partitions;
    bool recommendations, committed; /* what it hears; not before it is committed */
    bool from_now;                   /* nothing that was there before it is ready */
    int64_t base_ms;
    const _Atomic int64_t *sent_us; /* by number of the click */
    int64_t count, warm_up;
    struct histogram latency_us;
    _Atomic int64_t heard, listed; /* records; items in them */
    _Atomic bool stop, ready;
};

/* A thread's function; `context` is the listener, which must stay where it is. Ends the program on a failure. */
void *listener_run(void *context);
double listener_p99_ms(const struct listener *listener);
/* A line with quantiles, to standard output. */
void listener_report(const struct listener *listener, const char *what);
