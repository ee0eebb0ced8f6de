// SPDX-License-Identifier: Apache-2.0
#pragma once
/* worker: a thread that drives a shard. Another thread (the main one, from the rebalance handler) gives it partitions
 * and takes them away, and waits until that is done; between such requests it steps the shard. When a step fails the
 * worker stops working, says so by worker_failure(), and then only gives up what it has, without committing. */
#include "app/shard.h"

struct worker;

/* Takes the shard, and closes it. */
MUST_CHECK struct status worker_open(struct shard *shard, struct worker **ret_worker);
/* Stops the thread; tasks that were not released before are dropped without a commit. */
void worker_close(struct worker *worker);

/* As shard_accept() for each, and as shard_release(), in the worker's thread: begun here, so that other workers may be
 * at it meanwhile, and waited for by worker_end(). What is handed over must live until then. */
void worker_begin_accept(struct worker *worker, struct assignment *assignments, size_t count,
                         struct complaint *complaint);
void worker_begin_release(struct worker *worker, const int32_t *partitions, size_t count, bool lost, int timeout_ms);
/* A release is interrupted timeout_ms after its begin, so this returns in any case. */
MUST_CHECK struct status worker_end(struct worker *worker);
/* As shard_sessions_moved(). */
int64_t worker_sessions_moved(struct worker *worker, int32_t before, int32_t now);
/* OK, or why the worker has stopped working. */
MUST_CHECK struct status worker_failure(struct worker *worker);
