// SPDX-License-Identifier: Apache-2.0
#include "app/shard/shard.h"

#include "app/log.h"

#include <stdlib.h>

#define FILL_STOP        0.75
#define FILL_RESTART     0.5
#define FENCED_MAX_US    60000000
#define OVERDUE_US       5000000 /* of a commit: then no more clicks are taken until it is done */
#define PAUSED_WAIT_MS   5
#define SCHEMA_LOOK_MS   20    /* while one is waited for; not longer, as partitions may be asked for */
#define IDLE_STEP_MS     2000  /* between two looks at a partition without clicks */
#define IDLE_STANDARD_MS 60000 /* when the wall clock moves no watermark, for learning alone */

static void tell_gauges(struct shard *shard, int64_t sessions, int64_t behind)
{
    metric_add(shard->ports.metrics, METRIC_SESSIONS_OPEN, sessions - shard->sessions_open);
    metric_add(shard->ports.metrics, METRIC_CLICKS_BEHIND, behind - shard->clicks_behind);
    shard->sessions_open = sessions;
    shard->clicks_behind = behind;
}

struct status shard_open(const struct shard_options *options, const struct shard_ports *ports, struct shard **ret_shard)
{
    assert(options->batch_clicks > 0 && options->commit_clicks > 0 && options->commit_sessions > 0);
    struct shard *shard = calloc(1, sizeof *shard);
    if (!shard)
        return FAIL(MEMORY, 0, "no memory for a shard");
    shard->options = *options;
    shard->ports = *ports;
    shard->messages = calloc(options->batch_clicks, sizeof *shard->messages);
    shard->offers = calloc(OFFERS_MAX, sizeof *shard->offers);
    struct status status = shard->messages && shard->offers ? scoring_scratch_open(&shard->scratch)
                                                            : FAIL(MEMORY, 0, "no memory for a shard");
    if (failed(status)) {
        shard_close(shard);
        return status;
    }
    shard->committed_us = shard->tried_us = shard_monotonic_us(shard);
    *ret_shard = shard;
    return OK;
}

void shard_close(struct shard *shard)
{
    if (!shard)
        return;
    for (int32_t p = 0; p < shard->tasks_end; p++)
        if (shard->tasks[p])
            task_close(shard, shard->tasks[p]);
    tell_gauges(shard, 0, 0);
    scoring_scratch_close(shard->scratch);
    arena_release(&shard->batch);
    arena_release(&shard->effects);
    arena_release(&shard->offers_memory);
    buffer_release(&shard->outbox);
    buffer_release(&shard->encoded);
    free(shard->offers);
    free(shard->messages);
    free(shard->tasks);
    free(shard);
}

void shard_interrupt(struct shard *shard)
{
    atomic_store(&shard->interrupted, true);
}

void shard_resume(struct shard *shard)
{
    atomic_store(&shard->interrupted, false);
}

size_t shard_task_count(const struct shard *shard)
{
    return shard->task_count;
}

struct status shard_pause(struct shard *shard, bool paused)
{
    if (paused == shard->paused)
        return OK;
    for (int32_t p = 0; p < shard->tasks_end; p++)
        if (shard->tasks[p])
            TRY(shard->ports.source.ops->pause(shard->ports.source.self, p, paused));
    shard->paused = paused;
    int64_t count = (int64_t)shard->task_count;
    metric_add(shard->ports.metrics, METRIC_PARTITIONS_PAUSED, paused ? count : -count);
    if (paused)
        log_event(LOG_WARN, "backpressure", "state=stopped partitions=%lld", (long long)count);
    else
        log_event(LOG_INFO, "backpressure", "state=going_on partitions=%lld", (long long)count);
    return OK;
}

/* A broker that takes records slower than clicks come must not fill the memory; nor may clicks that would be answered
 * again after a crash pile up, because the queue is never empty long enough for a commit. Of too many dead letters
 * there shall be no more. */
static struct status mind_queue(struct shard *shard)
{
    double fill = shard->ports.sink.ops->fill(shard->ports.sink.self);
    int64_t since_us = shard_monotonic_us(shard) - shard->committed_us;
    bool stop = since_us > shard->options.commit_interval_ms * 1000 + OVERDUE_US ||
                dead_watch_exceeded(shard->ports.dead_watch);
    if (!shard->paused && shard->task_count && (fill > FILL_STOP || stop))
        return shard_pause(shard, true);
    if (shard->paused && fill < FILL_RESTART && !stop)
        return shard_pause(shard, false);
    return OK;
}

/* ---- partitions without clicks */

static void tell_idle(struct shard *shard, struct task *task)
{
    if (task->idle)
        return;
    knowledge_lock_write(shard->ports.knowledge);
    knowledge_set_idle(shard->ports.knowledge, task->partition);
    knowledge_unlock(shard->ports.knowledge);
    task->idle = true;
}

/* The watermark goes on from the last click's at the pace of the wall clock, so that the last sessions close. That is
 * no function of the log, so it is a commit of its own: whoever catches up to it finds no click before it in between.
 */
static struct status mind_idle(struct shard *shard, struct task *task, int64_t wall_ms)
{
    struct click_source source = shard->ports.source;
    int64_t quiet_ms = wall_ms - task->awake_ms;
    int64_t idle_ms = shard->options.idle_ms ? shard->options.idle_ms : IDLE_STANDARD_MS;
    if (task->catching_up || task->changed || quiet_ms < idle_ms || wall_ms < task->idle_look_ms)
        return OK;
    task->idle_look_ms = wall_ms + IDLE_STEP_MS;
    int64_t watermark_ms = engine_position(task->engine).watermark_ms;
    bool closable =
        shard->options.idle_ms && watermark_ms != INT64_MIN && session_table_count(engine_sessions(task->engine)) > 0;
    if ((task->idle && !closable) || !source.ops->at_end(source.self, task->partition))
        return OK;
    tell_idle(shard, task);
    int64_t target_ms = task->awake_watermark_ms + quiet_ms;
    if (!closable || target_ms <= watermark_ms)
        return OK;
    shard->commit_now = true;
    TRY(shard_advance(shard, task, target_ms));
    if (engine_position(task->engine).watermark_ms < target_ms)
        task->idle_look_ms = wall_ms; /* the rest follows at once */
    return OK;
}

/* Clicks wait for a schema, or for a commit. */
static bool work_is_held(const struct shard *shard)
{
    return shard->taken < shard->held || shard->run_count > 0;
}

static struct status mind_tasks(struct shard *shard)
{
    int64_t wall_ms = shard_wall_ms(shard), sessions = 0, behind = 0;
    bool waits = work_is_held(shard); /* a partition that seems idle may have clicks held */
    for (int32_t p = 0; p < shard->tasks_end; p++) {
        struct task *task = shard->tasks[p];
        if (!task)
            continue;
        if (!waits) {
            TRY(task_mind_end(shard, task));
            if (!shard->commit_now || !shard_must_commit(shard)) /* else the others' turn comes after that */
                TRY(mind_idle(shard, task, wall_ms));
        }
        sessions += session_table_count(engine_sessions(task->engine));
        behind += task_clicks_behind(task);
    }
    tell_gauges(shard, sessions, behind);
    return OK;
}

/* ---- the round */

static bool commit_is_due(const struct shard *shard)
{
    if (shard_monotonic_us(shard) - shard->tried_us >= shard->options.commit_interval_ms * 1000 ||
        shard->clicks_since_commit >= shard->options.commit_clicks)
        return true;
    return shard->commit_now || shard_must_commit(shard);
}

/* Others own the partitions, it seems; the group will say so. When it does not, this is no owner to wait for. */
static struct status mind_fencing(struct shard *shard, struct status status)
{
    int64_t now_us = shard_monotonic_us(shard);
    if (!failed(status))
        shard->fenced_us = 0;
    if (!failed_as(status, FAULT_FENCED))
        return OK;
    if (!shard->fenced_us)
        shard->fenced_us = now_us;
    return now_us - shard->fenced_us < FENCED_MAX_US ? OK : status;
}

static struct status try_commit(struct shard *shard)
{
    struct status status = shard_commit(shard);
    TRY(mind_fencing(shard, status));
    bool postponed = failed_as(status, FAULT_UNAVAILABLE) || failed_as(status, FAULT_FENCED);
    shard->uncommitted =
        postponed && (shard->ports.committer.exactly_once || shard->commit_now || shard->run_count > 0);
    if (!postponed)
        return status;
    char text[256];
    log_event(LOG_WARN, "commit_postponed", "reason=%s", status_text(status, text, sizeof text));
    return OK;
}

static struct status mind_commit(struct shard *shard)
{
    return commit_is_due(shard) ? try_commit(shard) : OK;
}

/* What is held is valid until the next poll, so there is none before it is done with. */
static struct status fill_batch(struct shard *shard, int timeout_ms)
{
    struct click_source source = shard->ports.source;
    if (shard->paused && timeout_ms > PAUSED_WAIT_MS)
        timeout_ms = PAUSED_WAIT_MS;
    if (shard->run_count > 0)
        return OK;
    if (shard->taken < shard->held) {
        shard->ports.time.ops->wait(shard->ports.time.self, timeout_ms < SCHEMA_LOOK_MS ? timeout_ms : SCHEMA_LOOK_MS);
        return OK;
    }
    shard->taken = shard->held = 0;
    shard->ask_pause_ms = 0;
    return source.ops->poll(source.self, timeout_ms, shard->messages, shard->options.batch_clicks, &shard->held);
}

struct status shard_step(struct shard *shard, int timeout_ms, size_t *ret_messages)
{
    TRY(shard->failure);
    *ret_messages = 0;
    if (shard->uncommitted)
        return try_commit(shard);
    TRY(fill_batch(shard, timeout_ms));
    size_t before = shard->taken;
    TRY(shard_take(shard));
    size_t count = shard->taken - before;
    TRY(mind_tasks(shard));
    TRY(shard_send(shard)); /* sessions that the clock closed */
    TRY(mind_commit(shard));
    TRY(mind_queue(shard));
    *ret_messages = count;
    return OK;
}
