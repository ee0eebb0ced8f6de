// SPDX-License-Identifier: Apache-2.0
#pragma once
/* Inside a shard: shard.c the round, batch.c messages into runs of clicks, answer.c a run through the engine and its
 * effects out, task.c how a task comes and goes, begin.c where it begins, commit.c the commit, moved.c what a growing
 * topic moves. */
#include "app/session_model.h"
#include "app/shard.h"

#include <stdatomic.h>

#define OUTBOX_MAX       4096      /* records held back until the batch is answered ... */
#define OUTBOX_BYTES_MAX (1 << 20) /* ... or so many bytes of them */
#define RUN_MAX          64        /* clicks scored under one reader lock */
#define OFFERS_MAX       8192      /* closed sessions that wait for the next learning boundary */
#define FLUSH_SLICE_MS   500
/* Of a late click that is handed on: less than a broker takes of one record unless told otherwise (1 MiB). */
#define LATE_CLICK_BYTES_MAX (900 * 1024)

struct task {
    int32_t partition;
    struct engine *engine;
    struct session_store store;
    int64_t next_offset;             /* to consume */
    bool catching_up;                /* up to `answered`, without output or commit */
    struct engine_position answered; /* as far as the group has come; offset -1: nowhere */
    bool changed;                    /* since the last commit */
    bool idle;                       /* the knowledge knows it */
    int64_t idle_look_ms;            /* wall clock: not before this is it looked at again whether it is idle */
    int64_t awake_ms;                /* wall clock at the last click, and the watermark then */
    int64_t awake_watermark_ms;
};

struct offer {
    struct closed_session session;
    struct session_origin origin;
};

/* An encoded record; its key and value lie in the outbox one after the other. */
struct outgoing {
    enum output output;
    int32_t partition;
    int64_t timestamp_ms;
    size_t at, key_size, value_size;
};

struct shard {
    struct shard_options options;
    struct shard_ports ports;
    struct task **tasks; /* by partition; NULL where there is none */
    int32_t tasks_end;
    size_t task_count;

    struct scoring_scratch *scratch;
    char model_version[MODEL_VERSION_SIZE]; /* of the step whose effects are going out */
    struct arena batch;                     /* reset after each run */
    struct arena effects;                   /* of one step of an engine; reset when they are out */
    struct arena offers_memory;
    struct offer *offers;
    size_t offer_count;
    struct buffer outbox; /* published together, so that a busy producer is not woken for each */
    struct outgoing outgoing[OUTBOX_MAX];
    size_t outgoing_count;
    struct buffer encoded;    /* one stored session */
    struct message *messages; /* batch_clicks */
    size_t taken, held;       /* of them: done with, and polled; what is between waits for a schema */
    int64_t ask_again_us;     /* when the schema is asked for again ... */
    int ask_pause_ms;         /* ... after a pause of this; 0: nothing is waited for */

    struct task *run_task; /* the run being gathered */
    struct engine_click run[RUN_MAX];
    const struct message *run_messages[RUN_MAX];
    size_t run_count, run_answered;

    int64_t committed_us, tried_us; /* when the last commit was done, and when one was last tried */
    uint64_t clicks_since_commit;
    bool commit_now;   /* an idle partition's step is committed by itself, before more clicks are taken */
    bool uncommitted;  /* the last commit failed and no more clicks may be taken before it succeeds */
    int64_t fenced_us; /* since when it fails because others own the partitions; 0: it does not */
    bool paused;
    _Atomic bool interrupted;
    int64_t sessions_open, clicks_behind; /* as told to the metrics */
    struct status failure;                /* what the next step fails with */
};

static inline struct task *shard_task(const struct shard *shard, int32_t partition)
{
    return partition < shard->tasks_end ? shard->tasks[partition] : NULL;
}

static inline int64_t shard_wall_ms(const struct shard *shard)
{
    return shard->ports.time.ops->wall_ms(shard->ports.time.self);
}

static inline int64_t shard_monotonic_us(const struct shard *shard)
{
    return shard->ports.time.ops->monotonic_us(shard->ports.time.self);
}

/* batch.c */
/* Takes the messages that are held, all or up to one that has to wait for its schema. */
MUST_CHECK struct status shard_take(struct shard *shard);
/* Drops those of a partition. */
void shard_drop_held(struct shard *shard, int32_t partition);
MUST_CHECK struct status shard_publish_dead_letter(struct shard *shard, const struct message *message,
                                                   struct status reason, const struct complaint *complaint);

/* answer.c */
/* Publishes, waiting with the partitions stopped while the queue is full. */
MUST_CHECK struct status shard_publish(struct shard *shard, const struct output_record *record);
/* Publishes what is in the outbox. */
MUST_CHECK struct status shard_send(struct shard *shard);
/* Answers the run and empties it; the answers are in the outbox. It stops in the middle when a click closes so many
 * sessions that a commit has to make room first: then *ret_done is false, `uncommitted` is set, and it is called again
 * after that. */
MUST_CHECK struct status shard_answer_run(struct shard *shard, bool *ret_done);
void shard_drop_run(struct shard *shard);
/* Moves the watermark of a task that has nothing to do; without output while it catches up. Not all the way when a
 * commit has to make room first. */
MUST_CHECK struct status shard_advance(struct shard *shard, struct task *task, int64_t watermark_ms);
/* Stops or restarts all partitions. */
MUST_CHECK struct status shard_pause(struct shard *shard, bool paused);

/* commit.c */
/* So much has changed or is to be committed that more would not be bounded. */
bool shard_must_commit(const struct shard *shard);
/* The sessions and the position of one task, to its store. */
MUST_CHECK struct status shard_commit_store(struct shard *shard, struct task *task);

/* begin.c: where a task begins, and how it gets from there to where the group has come. */
/* Restores the task from its store and sets assignment->start. */
MUST_CHECK struct status task_begin(struct shard *shard, struct task *task, struct assignment *assignment,
                                    struct complaint *complaint);
/* Ends catching up when the task has come to the group's position. */
MUST_CHECK struct status task_mind_catching_up(struct shard *shard, struct task *task);
/* The same at the end of the log: offsets may be missing before the group's, of records that are no messages. Only
 * between batches, for what was delivered last must have been taken. */
MUST_CHECK struct status task_mind_end(struct shard *shard, struct task *task);
static inline int64_t task_clicks_behind(const struct task *task)
{
    int64_t behind = task->catching_up ? task->answered.offset - task->next_offset : 0;
    return behind > 0 ? behind : 0;
}

/* task.c */
void task_close(struct shard *shard, struct task *task);
/* A new engine without sessions, in the place of the one it has. */
MUST_CHECK struct status task_open_engine(struct shard *shard, struct task *task);
#define TASK_METADATA_MAX 96
/* begin.c: what is committed to the group beside the offset. */
void task_metadata(const struct task *task, char text[TASK_METADATA_MAX]);
