// SPDX-License-Identifier: Apache-2.0
#pragma once
/* process: `eddy run` as an object: everything between a configuration and recommendations on a topic.
 *
 *   main thread    waits for the brokers, checks topics, serves the group's rebalances, sees whether all is well
 *   shard threads  one per shard (shard.h)
 *   topic reader   items and sessions into the shared knowledge
 *   model loader   the session model that the models topic says is in use
 *   http thread    /metrics /healthz /readyz
 *
 * It is ready when items and sessions have been read to their ends, the session model in use is loaded, and the group
 * has given it its partitions (or none, when there are more processes than partitions). Stopping gives all partitions
 * up, with a commit, within PROCESS_DRAIN_MS. Brokers that do not answer are waited for, with backoff, and spoken of in
 * the log. */
#include "app/config.h"

#include <eddy/base/metrics.h>

#define PROCESS_DRAIN_MS 20000

struct process_options {
    const struct config *config; /* outlives the process */
    bool state_in_memory;        /* for the embedded broker */
    bool adopt;                  /* a group that was set back behind the stored sessions is followed */
};

struct process;

/* CONFIG, or UNAVAILABLE when http.listen is taken. */
MUST_CHECK struct status process_open(const struct process_options *options, struct process **ret_process,
                                      struct complaint *complaint);
/* Runs in the calling thread until process_stop() or a failure. The kinds of failure: CONFIG (also topics that are
 * missing or do not fit), BAD_INPUT (more dead letters than allowed), LOCKED, CORRUPT, NEWER, DISK_FULL, FENCED, IO;
 * UNAVAILABLE or INTERRUPTED when the last commit was not possible. */
MUST_CHECK struct status process_run(struct process *process, struct complaint *complaint);
void process_close(struct process *process);

/* Any thread, and signal handlers. */
void process_stop(struct process *process);
bool process_ready(const struct process *process);
struct metrics *process_metrics(struct process *process);
