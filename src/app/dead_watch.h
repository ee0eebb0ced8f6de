// SPDX-License-Identifier: Apache-2.0
#pragma once
/* dead_watch: whether more clicks are dead letters than the operator allows. A producer that sends another format, or a
 * schema that was changed, would otherwise turn all of a shop's clicks into dead letters while eddy looks well.
 *
 * Two windows, one after the other each and not sliding: of window_clicks clicks, and of a minute by the wall clock
 * from a dead letter on. As soon as one holds too many the watch is over its limit and stays so: the shards stop taking
 * clicks, what is done is committed, and the process ends. One watch a process; any thread. */
#include <eddy/port.h>

struct dead_limits {
    float ratio_max;         /* of window_clicks; 0: any */
    uint32_t window_clicks;  /* at least 1 */
    uint32_t per_minute_max; /* 0: any */
};

struct dead_watch;

MUST_CHECK struct status dead_watch_open(const struct dead_limits *limits, struct dead_watch **ret_watch);
void dead_watch_close(struct dead_watch *watch);

/* A click was consumed; then, perhaps, that it is a dead letter, for this reason. `text` is the reason in full. */
void dead_watch_click(struct dead_watch *watch);
void dead_watch_letter(struct dead_watch *watch, int64_t monotonic_us, const struct message *message,
                       struct status reason, const char *text);

bool dead_watch_exceeded(const struct dead_watch *watch);
/* OK, or BAD_INPUT with a complaint that says how many of how many, for what reason, and what to do. */
MUST_CHECK struct status dead_watch_verdict(struct dead_watch *watch, const char *topic, struct complaint *complaint);
