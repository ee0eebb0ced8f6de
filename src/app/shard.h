// SPDX-License-Identifier: Apache-2.0
#pragma once
/* shard: the work of one worker thread: some tasks (one per input partition), their source, their sink.
 *
 *   poll -> decode, check -> [run of one task's clicks: engine_step -> encode -> publish]* -> now and then: commit
 *               |                                 |            |
 *          dead letters                    learn at boundaries late clicks, closed sessions
 *
 * The effects of a commit come in one order, in shard_commit() and nowhere else:
 *   committer: outputs and offsets, to Kafka -> stores: sessions and the same offsets
 * so a store may lag the group and never leads it. A task whose store lags is brought up to the group's position
 * without output; one without a store is rebuilt: the clicks that may belong to sessions open at the group's position
 * are applied again, without output, and then stored at once. Until then nothing of the task is committed. Where the
 * group lags the store (somebody set its offsets back), the task is refused, or with `adopt` the store forgotten.
 *
 * With a committer that is exactly_once, a commit that fails stops the shard from taking more clicks until it succeeds
 * or the partitions go. So does, with any committer, the commit of a step that the wall clock made: no click is
 * answered by what is not in the log and might not be committed either.
 *
 * One thread drives a shard, through shard_step(), over ports: it has no thread, clock or Kafka of its own, so that
 * tests and a simulator can. Bounds: a batch holds batch_clicks messages; the sink's queue is bounded, and its fill
 * stops and restarts the partitions; closed sessions waiting to be offered to the learner are bounded by OFFERS_MAX.
 *
 * A click whose schema cannot be had now (the registry is away) is waited for, with what was taken behind it: the shard
 * polls no more until it can be decoded, but goes on to commit, and takes and gives up partitions.
 *
 * A failed status is the end of the shard: nothing may be committed any more, and a new one starts from the last
 * commit. What can be waited for (a broker that is away) is waited for and logged, not failed. */
#include "app/dead_watch.h"
#include "app/knowledge.h"

#include <eddy/base/metrics.h>
#include <eddy/core/codec.h>
#include <eddy/core/engine.h>
#include <eddy/port.h>

struct shard_options {
    struct engine_options engine; /* partition is filled in per task */
    struct click_limits limits;
    struct encoding recommendations, sessions;
    struct bytes schema_headers[OUTPUT_COUNT]; /* of those two; they outlive the shard. Empty: none */
    struct bytes topic;                        /* of the clicks; outlives the shard */
    uint32_t batch_clicks, commit_clicks, commit_sessions;
    int64_t commit_interval_ms;
    int64_t idle_ms;   /* 0: the wall clock moves no watermark */
    bool start_stored; /* a partition that was never committed is refused */
    bool adopt;        /* where the group was set back behind the store, the store is forgotten */
};

struct store_opener {
    struct status (*open)(void *context, int32_t partition, struct session_store *ret_store,
                          struct complaint *complaint);
    void (*close)(void *context, int32_t partition, struct session_store store);
    void *context;
};

struct shard_ports {
    struct click_source source;
    struct record_sink sink;
    struct committer committer;
    struct time_source time;
    struct store_opener stores;
    struct decoder *decoder;      /* of clicks; for this shard alone, its owner closes it */
    struct schema_source schemas; /* where the decoder's missing ones come from; may be none */
    struct knowledge *knowledge;
    struct dead_watch *dead_watch; /* no clicks are taken any more once it is exceeded */
    struct metrics *metrics;
};

struct shard;

MUST_CHECK struct status shard_open(const struct shard_options *options, const struct shard_ports *ports,
                                    struct shard **ret_shard);
/* Drops all tasks without committing. */
void shard_close(struct shard *shard);

/* Opens the partition's task from its store and sets assignment->start. CORRUPT, NEWER, LOCKED, DISK_FULL, IO from the
 * store; NOT_FOUND when start_stored forbids it; CONFIG when the group or the store is past the log's end, or the group
 * behind the store; UNAVAILABLE when the brokers do not say where a rebuild begins. */
MUST_CHECK struct status shard_accept(struct shard *shard, struct assignment *assignment, struct complaint *complaint);

/* Gives partitions up: commits, retrying for at most timeout_ms, then closes their tasks. lost: drops what was not
 * committed and closes them as they are. Partitions without a task are passed over. The failure is the commit's; the
 * tasks are closed in any case. When others remain whose outputs were to be committed together with theirs, the shard
 * is at its end. */
MUST_CHECK struct status shard_release(struct shard *shard, const int32_t *partitions, size_t count, bool lost,
                                       int timeout_ms);

/* One round: takes what is there (waiting at most timeout_ms for the first message), answers it, commits when that is
 * due. *ret_messages: how many messages were taken. */
MUST_CHECK struct status shard_step(struct shard *shard, int timeout_ms, size_t *ret_messages);

/* Commits now, whatever the clock says. UNAVAILABLE: not now; try again. */
MUST_CHECK struct status shard_commit(struct shard *shard);

/* Makes every wait inside the shard end with INTERRUPTED. Any thread. */
void shard_interrupt(struct shard *shard);
/* Undoes it, when what it was for is done. Any thread. */
void shard_resume(struct shard *shard);

size_t shard_task_count(const struct shard *shard);

/* The clicks topic has grown: how many open sessions have a key that belongs to another partition now, as Kafka's Java
 * clients choose them. Their visitors go on there, in new sessions. */
int64_t shard_sessions_moved(const struct shard *shard, int32_t before, int32_t now);
