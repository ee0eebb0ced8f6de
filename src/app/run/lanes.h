// SPDX-License-Identifier: Apache-2.0
#pragma once
/* lanes: all shards of a process, with their threads. A partition belongs to lane `partition % count`. For the main
 * thread, unless said otherwise. */
#include "app/run/lane.h"

struct lanes {
    struct lane *lanes;
    uint32_t count;
};

/* `count` empty lanes. */
MUST_CHECK struct status lanes_make(struct lanes *lanes, uint32_t count);
void lanes_close(struct lanes *lanes);

/* Hands assignments to their shards and sets their starts, as shard_accept(). When one shard fails none has taken any.
 */
MUST_CHECK struct status lanes_accept(struct lanes *lanes, struct assignment *assignments, size_t count,
                                      struct complaint *complaint);
/* Takes partitions from their shards as shard_release(); timeout_ms is for all. A commit that fails is logged; the
 * failure of the last one is returned, except that another owner has begun already. Needs no memory. */
MUST_CHECK struct status lanes_release(struct lanes *lanes, const int32_t *partitions, size_t count, bool lost,
                                       int timeout_ms);

/* The partitions of an output's topic as all producers know them now; UNAVAILABLE when one cannot ask. */
MUST_CHECK struct status lanes_count_partitions(struct lanes *lanes, enum output output, int timeout_ms,
                                                int32_t *ret_count);
/* As shard_sessions_moved(), of all. */
int64_t lanes_sessions_moved(struct lanes *lanes, int32_t before, int32_t now);
/* Why a shard has stopped working; OK while none has. */
MUST_CHECK struct status lanes_failure(const struct lanes *lanes);
/* Records refused. */
int64_t lanes_refused(const struct lanes *lanes);
