// SPDX-License-Identifier: Apache-2.0
#include "app/shard/shard.h"

#include "app/log.h"

#include <stdlib.h>

#define PARTITIONS_MAX 100000

static struct status reserve(struct shard *shard, int32_t partition)
{
    if (partition < 0 || partition >= PARTITIONS_MAX)
        return FAIL(LIMIT, partition, "too many partitions");
    if (partition < shard->tasks_end)
        return OK;
    int32_t end = partition + 16;
    struct task **tasks = realloc(shard->tasks, (size_t)end * sizeof(struct task *));
    if (!tasks)
        return FAIL(MEMORY, end, "no memory for tasks");
    for (int32_t p = shard->tasks_end; p < end; p++)
        tasks[p] = NULL;
    shard->tasks = tasks;
    shard->tasks_end = end;
    return OK;
}

struct status task_open_engine(struct shard *shard, struct task *task)
{
    struct engine_options options = shard->options.engine;
    options.partition = task->partition;
    const struct knowledge *knowledge = shard->ports.knowledge;
    engine_close(task->engine);
    task->engine = NULL;
    return engine_open(&options, knowledge_catalogue(knowledge), knowledge_learned(knowledge), &task->engine);
}

static struct status task_open(struct shard *shard, struct task *task, struct assignment *assignment,
                               struct complaint *complaint)
{
    TRY(task_open_engine(shard, task));
    const struct store_opener *stores = &shard->ports.stores;
    TRY(stores->open(stores->context, task->partition, &task->store, complaint));
    return task_begin(shard, task, assignment, complaint);
}

static void task_free(struct shard *shard, struct task *task)
{
    const struct store_opener *stores = &shard->ports.stores;
    if (task->store.ops)
        stores->close(stores->context, task->partition, task->store);
    engine_close(task->engine);
    metric_add(shard->ports.metrics, METRIC_PARTITIONS_CATCHING_UP, -(int64_t)task->catching_up);
    free(task);
}

void task_close(struct shard *shard, struct task *task)
{
    knowledge_lock_write(shard->ports.knowledge);
    knowledge_leave(shard->ports.knowledge, task->partition);
    knowledge_unlock(shard->ports.knowledge);
    shard->tasks[task->partition] = NULL;
    shard_drop_held(shard, task->partition); /* whoever takes it up again is delivered them again */
    shard->task_count--;
    task_free(shard, task);
    metric_add(shard->ports.metrics, METRIC_PARTITIONS_ASSIGNED, -1);
}

/* The last boundary that the position's watermark had passed: what had been learned there is learned again. */
static int64_t boundary_before(const struct shard *shard, int64_t watermark_ms)
{
    return watermark_ms == INT64_MIN ? INT64_MIN
                                     : watermark_ms - watermark_ms % shard->options.engine.learn_interval_ms;
}

static struct status task_enter(struct shard *shard, struct task *task)
{
    struct knowledge *knowledge = shard->ports.knowledge;
    int64_t watermark_ms = task->catching_up && task->answered.watermark_ms != INT64_MIN
                               ? task->answered.watermark_ms /* while it catches up it teaches nothing */
                               : engine_position(task->engine).watermark_ms;
    int64_t reached_ms = boundary_before(shard, watermark_ms);
    knowledge_lock_write(knowledge);
    struct status status = knowledge_join(knowledge, task->partition);
    if (!failed(status))
        status = knowledge_reached(knowledge, task->partition, reached_ms);
    if (failed(status))
        knowledge_leave(knowledge, task->partition);
    knowledge_unlock(knowledge);
    TRY(status);
    shard->tasks[task->partition] = task;
    shard->task_count++;
    metric_add(shard->ports.metrics, METRIC_PARTITIONS_ASSIGNED, 1);
    task->awake_ms = shard_wall_ms(shard);
    task->awake_watermark_ms = engine_position(task->engine).watermark_ms;
    return OK;
}

struct status shard_accept(struct shard *shard, struct assignment *assignment, struct complaint *complaint)
{
    TRY(shard_pause(shard, false)); /* a new partition is delivered; the next round decides anew */
    TRY(reserve(shard, assignment->partition));
    assert(!shard_task(shard, assignment->partition));
    struct task *task = calloc(1, sizeof *task);
    if (!task)
        return FAIL(MEMORY, 0, "no memory for a task");
    task->partition = assignment->partition;
    struct click_source source = shard->ports.source;
    struct status status = task_open(shard, task, assignment, complaint);
    if (!failed(status))
        status = source.ops->begin(source.self, task->partition, assignment->start, assignment->high);
    if (!failed(status))
        status = task_enter(shard, task);
    if (failed(status)) {
        task_free(shard, task);
        return status;
    }
    return task_mind_catching_up(shard, task);
}

static struct status commit_before_release(struct shard *shard, int timeout_ms)
{
    int64_t end_us = shard_monotonic_us(shard) + (int64_t)timeout_ms * 1000;
    struct status status;
    do
        status = shard_commit(shard);
    while (failed_as(status, FAULT_UNAVAILABLE) && shard_monotonic_us(shard) < end_us &&
           !atomic_load(&shard->interrupted));
    return status;
}

/* What was published for the tasks that went is part of the same transaction as what is the others'. */
static struct status drop_uncommitted(struct shard *shard, struct status status)
{
    struct committer committer = shard->ports.committer;
    committer.ops->drop(committer.self);
    shard->uncommitted = shard->commit_now && shard->task_count > 0;
    shard->fenced_us = 0;
    if (!committer.exactly_once || shard->task_count == 0)
        return status;
    char text[256];
    log_always(LOG_ERROR, "transaction_lost", "partitions_left=%zu reason=%s", shard->task_count,
               status_text(status, text, sizeof text));
    shard->failure = FAIL(FENCED, 0, "a transaction was given up that other partitions had a part in");
    return status;
}

struct status shard_release(struct shard *shard, const int32_t *partitions, size_t count, bool lost, int timeout_ms)
{
    struct status status =
        lost ? FAIL(FENCED, 0, "the partitions were lost") : commit_before_release(shard, timeout_ms);
    struct status resumed = shard_pause(shard, false); /* what stays stopped would be so when it comes back */
    for (size_t i = 0; i < count; i++) {
        struct task *task = shard_task(shard, partitions[i]);
        if (task)
            task_close(shard, task);
    }
    if (failed(status))
        status = drop_uncommitted(shard, status);
    if (lost)
        status = OK;
    return failed(status) ? status : resumed;
}
