// SPDX-License-Identifier: Apache-2.0
#include "app/shard/shard.h"

#define FILL_COMMIT 0.4

/* With exactly once only a commit makes room for more records. */
bool shard_must_commit(const struct shard *shard)
{
    struct record_sink sink = shard->ports.sink;
    if (shard->ports.committer.exactly_once && sink.ops->fill(sink.self) > FILL_COMMIT)
        return true;
    size_t changes = 0;
    for (int32_t p = 0; p < shard->tasks_end; p++)
        if (shard->tasks[p] && !shard->tasks[p]->catching_up)
            changes += session_change_count(engine_sessions(shard->tasks[p]->engine));
    return changes >= shard->options.commit_sessions;
}

/* The changed tasks and what is committed of them. */
struct commit {
    struct task **tasks;
    struct commit_point *points;
    char (*texts)[TASK_METADATA_MAX];
    size_t count;
};

static struct status commit_prepare(struct shard *shard, struct commit *commit)
{
    struct arena *memory = &shard->effects; /* which is empty between steps */
    *commit = (struct commit){.tasks = ARENA_ARRAY(memory, struct task *, shard->task_count + 1),
                              .points = ARENA_ARRAY(memory, struct commit_point, shard->task_count + 1),
                              .texts = arena_alloc(memory, TASK_METADATA_MAX * (shard->task_count + 1))};
    if (!commit->tasks || !commit->points || !commit->texts)
        return FAIL(MEMORY, shard->task_count, "no memory for a commit");
    for (int32_t p = 0; p < shard->tasks_end; p++) {
        struct task *task = shard->tasks[p];
        if (!task || !task->changed || task->catching_up)
            continue;
        size_t i = commit->count++;
        commit->tasks[i] = task;
        task_metadata(task, commit->texts[i]);
        commit->points[i] = (struct commit_point){p, task->next_offset, commit->texts[i]};
    }
    return OK;
}

static struct status put_changes(struct shard *shard, struct task *task)
{
    struct session_table *sessions = engine_sessions(task->engine);
    struct session_change change;
    for (size_t cursor = 0; session_next_change(sessions, &cursor, &change);) {
        if (change.session == SESSION_NONE) {
            TRY(task->store.ops->remove(task->store.self, change.number));
            continue;
        }
        buffer_clear(&shard->encoded);
        session_encode(sessions, change.session, knowledge_catalogue(shard->ports.knowledge), &shard->encoded);
        TRY(buffer_check(&shard->encoded));
        TRY(task->store.ops->put(task->store.self, change.number, buffer_bytes(&shard->encoded)));
    }
    return OK;
}

struct status shard_commit_store(struct shard *shard, struct task *task)
{
    struct engine_position position = engine_position(task->engine);
    const struct store_position stored = {.offset = task->next_offset,
                                          .watermark_ms = position.watermark_ms,
                                          .close_offset = position.close_offset,
                                          .close_sequence = position.close_sequence};
    TRY(task->store.ops->begin(task->store.self));
    struct status status = put_changes(shard, task);
    if (failed(status)) {
        task->store.ops->abort(task->store.self);
        return status;
    }
    TRY(task->store.ops->commit(task->store.self, &stored));
    session_changes_done(engine_sessions(task->engine));
    task->changed = false;
    return OK;
}

/* The one place where the effects of a commit are put in order. A crash between the two replays in silence; it loses
 * nothing. */
static struct status commit_in_order(struct shard *shard, const struct commit *commit)
{
    struct committer committer = shard->ports.committer;
    TRY(committer.ops->commit(committer.self, commit->points, commit->count));
    for (size_t i = 0; i < commit->count; i++)
        TRY(shard_commit_store(shard, commit->tasks[i]));
    return OK;
}

struct status shard_commit(struct shard *shard)
{
    TRY(shard->failure); /* outputs of what is to be committed have been dropped */
    assert(shard->effects.used == 0 && shard->outgoing_count == 0);
    int64_t began_us = shard_monotonic_us(shard);
    struct commit commit;
    struct status status = commit_prepare(shard, &commit);
    if (!failed(status) && commit.count > 0) {
        status = commit_in_order(shard, &commit);
        metric_add(shard->ports.metrics, METRIC_COMMITS, !failed(status));
        bool again = failed_as(status, FAULT_UNAVAILABLE) || failed_as(status, FAULT_FENCED);
        metric_add(shard->ports.metrics, METRIC_COMMITS_POSTPONED, again);
        metric_add(shard->ports.metrics, METRIC_COMMIT_MICROSECONDS, shard_monotonic_us(shard) - began_us);
    }
    arena_reset(&shard->effects);
    shard->tried_us = shard_monotonic_us(shard);
    if (failed(status))
        return status;
    shard->committed_us = shard->tried_us;
    shard->clicks_since_commit = 0;
    shard->commit_now = shard->uncommitted = false;
    return OK;
}
