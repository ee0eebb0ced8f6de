// SPDX-License-Identifier: Apache-2.0
#include "app/shard/shard.h"

#include "app/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTITIONS_MAX 100000

/* ---- the metadata of a committed offset: the rest of the position, as text that people can read */

#define METADATA_FORMAT_OUT "eddy1 watermark=%" PRId64 " close=%" PRId64 "/%" PRIu32
#define METADATA_FORMAT_IN  "eddy1 watermark=%" SCNd64 " close=%" SCNd64 "/%" SCNu32

void task_metadata(const struct task *task, char text[TASK_METADATA_MAX])
{
    struct engine_position position = engine_position(task->engine);
    snprintf(text, TASK_METADATA_MAX, METADATA_FORMAT_OUT, position.watermark_ms, position.close_offset,
             position.close_sequence);
}

/* The group's position; a commit by other tools has no metadata of ours. */
static struct engine_position group_position(const struct assignment *assignment)
{
    struct engine_position position = {
        .offset = assignment->committed, .watermark_ms = INT64_MIN, .close_offset = -1, .close_sequence = 0};
    struct engine_position read = position;
    if (sscanf(assignment->metadata, METADATA_FORMAT_IN, &read.watermark_ms, &read.close_offset,
               &read.close_sequence) == 3)
        return read;
    return position;
}

/* ---- the stored position */

struct restoring {
    struct shard *shard;
    struct task *task;
};

static struct status restore_session(void *context, uint64_t number, struct bytes record)
{
    struct restoring *restoring = context;
    struct knowledge *knowledge = restoring->shard->ports.knowledge;
    knowledge_lock_write(knowledge); /* names items */
    struct status status =
        session_restore(engine_sessions(restoring->task->engine), number, record, knowledge_catalogue(knowledge));
    knowledge_unlock(knowledge);
    return status;
}

static struct status restore(struct shard *shard, struct task *task, struct engine_position *ret_position,
                             bool *ret_found, struct complaint *complaint)
{
    struct restoring restoring = {shard, task};
    struct store_position stored = {.offset = -1};
    struct status status = task->store.ops->load(task->store.self, restore_session, &restoring, &stored, ret_found);
    if (failed(status)) {
        char text[256];
        return complain(complaint, status, "partition %d: the stored sessions cannot be read: %s", task->partition,
                        status_text(status, text, sizeof text));
    }
    *ret_position = (struct engine_position){.offset = stored.offset,
                                             .watermark_ms = stored.watermark_ms,
                                             .close_offset = stored.close_offset,
                                             .close_sequence = stored.close_sequence};
    return OK;
}

/* ---- where to begin */

static struct status check_end(const struct shard *shard, const struct assignment *assignment, const char *whose,
                               int64_t offset, struct complaint *complaint)
{
    if (offset <= assignment->high)
        return OK;
    return complain(complaint, FAIL(CONFIG, offset, "a position past the log's end"),
                    "topic " BYTES_FORMAT ", partition %d: %s offset is %" PRId64 ", but the log ends at %" PRId64
                    ". Was the topic made anew? Then use a new group_id and an empty state.directory",
                    BYTES_ARGS(shard->options.topic), assignment->partition, whose, offset, assignment->high);
}

static void check_begin(const struct assignment *assignment, struct engine_position *position)
{
    if (position->offset >= assignment->low)
        return;
    log_always(LOG_ERROR, "clicks_gone", "partition=%d from=%lld to=%lld note=%s", assignment->partition,
               (long long)position->offset, (long long)assignment->low - 1,
               "retention has taken clicks that were not consumed yet; going on at the log's first");
    position->offset = assignment->low;
}

/* With stored sessions: their position counts, and what the group has beyond it was answered before. */
static void begin_from_store(struct task *task, const struct assignment *assignment, struct engine_position stored,
                             struct engine_position group)
{
    if (group.offset < stored.offset) {
        log_always(LOG_WARN, "group_behind_state", "partition=%d state=%lld group=%lld note=%s", task->partition,
                   (long long)stored.offset, (long long)group.offset,
                   "the group's offset is before that of the stored sessions; going on from the latter");
        return;
    }
    task->answered_to = group.offset;
    task->answered_watermark_ms = group.watermark_ms;
    if (group.offset > stored.offset)
        log_always(LOG_INFO, "catching_up", "partition=%d from=%lld to=%lld", assignment->partition,
                   (long long)stored.offset, (long long)group.offset);
}

static struct status begin(struct shard *shard, struct task *task, struct assignment *assignment,
                           struct complaint *complaint)
{
    struct engine_position stored, group = group_position(assignment);
    bool found;
    TRY(restore(shard, task, &stored, &found, complaint));
    TRY(check_end(shard, assignment, "the group's", group.offset, complaint));
    struct engine_position position = group;
    if (found) {
        TRY(check_end(shard, assignment, "the stored sessions'", stored.offset, complaint));
        position = stored;
        begin_from_store(task, assignment, stored, group);
    } else if (assignment->committed < 0) {
        if (shard->options.start_stored)
            return complain(
                complaint, FAIL(NOT_FOUND, assignment->partition, "nothing was ever committed"),
                "topic " BYTES_FORMAT ", partition %d: the group has committed no offset, and start: stored "
                "forbids to begin without one. Is group_id right? Otherwise set start to earliest, latest or "
                "a time",
                BYTES_ARGS(shard->options.topic), assignment->partition);
        position.offset = assignment->start;
    } else {
        log_always(LOG_WARN, "no_stored_sessions", "partition=%d offset=%lld note=%s", task->partition,
                   (long long)group.offset, "sessions that are open in the stream begin anew");
    }
    check_begin(assignment, &position);
    engine_restore_position(task->engine, position);
    task->next_offset = assignment->start = position.offset;
    return OK;
}

/* ---- life */

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

static struct status task_open(struct shard *shard, struct task *task, struct assignment *assignment,
                               struct complaint *complaint)
{
    struct engine_options options = shard->options.engine;
    options.partition = task->partition;
    const struct knowledge *knowledge = shard->ports.knowledge;
    TRY(engine_open(&options, knowledge_catalogue(knowledge), knowledge_learned(knowledge), &task->engine));
    const struct store_opener *stores = &shard->ports.stores;
    TRY(stores->open(stores->context, task->partition, &task->store, complaint));
    return begin(shard, task, assignment, complaint);
}

static void task_free(struct shard *shard, struct task *task)
{
    const struct store_opener *stores = &shard->ports.stores;
    if (task->store.ops)
        stores->close(stores->context, task->partition, task->store);
    engine_close(task->engine);
    free(task);
}

void task_close(struct shard *shard, struct task *task)
{
    knowledge_lock_write(shard->ports.knowledge);
    knowledge_leave(shard->ports.knowledge, task->partition);
    knowledge_unlock(shard->ports.knowledge);
    shard->tasks[task->partition] = NULL;
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
    int64_t reached_ms = boundary_before(shard, engine_position(task->engine).watermark_ms);
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
    task->answered_watermark_ms = INT64_MIN;
    struct status status = task_open(shard, task, assignment, complaint);
    if (!failed(status))
        status = task_enter(shard, task);
    if (failed(status)) {
        task_free(shard, task);
        return status;
    }
    if (task->next_offset >= task->answered_to && task->answered_watermark_ms != INT64_MIN)
        return shard_advance(shard, task, task->answered_watermark_ms, true);
    return OK;
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

struct status shard_release(struct shard *shard, const int32_t *partitions, size_t count, bool lost, int timeout_ms)
{
    struct status status = lost ? OK : commit_before_release(shard, timeout_ms);
    struct status resumed = shard_pause(shard, false); /* what stays stopped would be so when it comes back */
    if (!failed(status))
        status = resumed;
    for (size_t i = 0; i < count; i++) {
        struct task *task = shard_task(shard, partitions[i]);
        if (task)
            task_close(shard, task);
    }
    return status;
}
