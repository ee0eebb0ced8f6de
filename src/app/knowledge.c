// SPDX-License-Identifier: Apache-2.0
#include "app/knowledge.h"

#include "app/log.h"
#include "app/saved.h"
#include "app/session_model.h"
#include "app/snapshot.h"

#include <pthread.h>
#include <stdlib.h>

struct progress {
    int32_t partition;
    int64_t reached_ms;
    bool idle;
};

struct knowledge {
    pthread_rwlock_t lock;
    struct catalogue *catalogue;
    struct learned *learned;
    struct learner *learner;
    struct session_model model;
    int64_t *positions; /* of the sessions topic, as restored */
    int32_t position_count;
    struct progress *tasks;
    size_t task_count, task_capacity;
};

static void lock_open(pthread_rwlock_t *lock)
{
    /* The writer is rare and short; without preference busy readers could keep it out for ever. */
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

/* What a former run has left is a saving of time: without it the sessions topic is read from its start. */
static struct status restore_own(struct knowledge *knowledge, const struct knowledge_options *options,
                                 bool *ret_restored)
{
    struct complaint why = {0};
    struct saved saved;
    *ret_restored = false;
    struct status status =
        saved_read(options->own, &options->learned, &options->learner, knowledge->catalogue, &saved, &why);
    if (failed_as(status, FAULT_NOT_FOUND))
        return OK;
    if (failed(status)) {
        log_always(LOG_WARN, "learned_state_discarded", "reason=%s note=%s", why.text,
                   "the sessions topic is read from its start instead");
        return failed_as(status, FAULT_MEMORY) ? status : OK;
    }
    knowledge->learned = saved.learned;
    knowledge->learner = saved.learner;
    knowledge->positions = saved.positions;
    knowledge->position_count = saved.position_count;
    log_always(LOG_INFO, "learned_state_restored", "path=%s sessions=%llu", options->own,
               (unsigned long long)learned_count(saved.learned));
    *ret_restored = true;
    return OK;
}

static struct status open_learned(struct knowledge *knowledge, const struct knowledge_options *options,
                                  struct complaint *complaint)
{
    bool restored = false;
    if (options->own && options->own[0])
        TRY(restore_own(knowledge, options, &restored));
    if (restored)
        return OK;
    if (options->snapshot && options->snapshot[0])
        TRY(snapshot_read(options->snapshot, &options->learned, knowledge->catalogue, &knowledge->learned, complaint));
    else
        TRY(learned_open(&options->learned, &knowledge->learned));
    return learner_open(&options->learner, knowledge->learned, &knowledge->learner);
}

/* The learner judges the model that is at work. */
static void judge_model(struct knowledge *knowledge)
{
    const struct model *model = knowledge->model.file.model;
    learner_set_model(knowledge->learner, knowledge->model.neural, model ? model_trained_to(model) : INT64_MIN);
}

static struct status open_parts(struct knowledge *knowledge, const struct knowledge_options *options,
                                struct complaint *complaint)
{
    TRY(catalogue_open(&options->catalogue, &knowledge->catalogue));
    TRY(open_learned(knowledge, options, complaint));
    if (!options->model || !options->model[0])
        return OK;
    TRY(session_model_open(options->model, knowledge->catalogue, &knowledge->model, complaint));
    judge_model(knowledge);
    log_always(LOG_INFO, "model_loaded", "path=%s version=%s items=%u", options->model, knowledge->model.version,
               model_item_count(knowledge->model.file.model));
    return OK;
}

struct status knowledge_open(const struct knowledge_options *options, struct knowledge **ret_knowledge,
                             struct complaint *complaint)
{
    struct knowledge *knowledge = calloc(1, sizeof *knowledge);
    if (!knowledge)
        return FAIL(MEMORY, 0, "no memory for the shared state");
    lock_open(&knowledge->lock);
    struct status status = open_parts(knowledge, options, complaint);
    if (failed(status)) {
        knowledge_close(knowledge);
        return status;
    }
    *ret_knowledge = knowledge;
    return OK;
}

void knowledge_close(struct knowledge *knowledge)
{
    if (!knowledge)
        return;
    session_model_release(&knowledge->model);
    learner_close(knowledge->learner);
    learned_close(knowledge->learned);
    catalogue_close(knowledge->catalogue);
    pthread_rwlock_destroy(&knowledge->lock);
    free(knowledge->positions);
    free(knowledge->tasks);
    free(knowledge);
}

const int64_t *knowledge_positions(const struct knowledge *knowledge, int32_t *ret_count)
{
    *ret_count = knowledge->position_count;
    return knowledge->positions;
}

struct status knowledge_save(struct knowledge *knowledge, const char *path, const int64_t *positions, int32_t count,
                             struct complaint *complaint)
{
    AUTO(buffer) content = {.limit = SAVED_BYTES_MAX};
    knowledge_lock_read(knowledge);
    saved_encode(knowledge->learned, knowledge->learner, knowledge->catalogue, positions, count, &content);
    knowledge_unlock(knowledge);
    return saved_write(path, &content, complaint);
}

struct catalogue *knowledge_catalogue(const struct knowledge *knowledge)
{
    return knowledge->catalogue;
}

struct learned *knowledge_learned(const struct knowledge *knowledge)
{
    return knowledge->learned;
}

struct learner *knowledge_learner(const struct knowledge *knowledge)
{
    return knowledge->learner;
}

const struct neural *knowledge_neural(const struct knowledge *knowledge)
{
    return knowledge->model.neural;
}

const char *knowledge_model_version(const struct knowledge *knowledge)
{
    return knowledge->model.version;
}

void knowledge_swap_model(struct knowledge *knowledge, struct session_model *model)
{
    knowledge_lock_write(knowledge);
    struct session_model before = knowledge->model;
    knowledge->model = *model;
    *model = before;
    judge_model(knowledge);
    knowledge_unlock(knowledge);
}

void knowledge_lock_read(struct knowledge *knowledge)
{
    int error = pthread_rwlock_rdlock(&knowledge->lock);
    assert(!error);
    (void)error;
}

void knowledge_lock_write(struct knowledge *knowledge)
{
    int error = pthread_rwlock_wrlock(&knowledge->lock);
    assert(!error);
    (void)error;
}

void knowledge_unlock(struct knowledge *knowledge)
{
    pthread_rwlock_unlock(&knowledge->lock);
}

struct mixing knowledge_mixing(struct knowledge *knowledge)
{
    knowledge_lock_read(knowledge);
    struct mixing mixing = *learned_mixing(knowledge->learned);
    knowledge_unlock(knowledge);
    return mixing;
}

void knowledge_measure(struct knowledge *knowledge, struct metrics *metrics)
{
    knowledge_lock_read(knowledge);
    const struct learned *learned = knowledge->learned;
    const struct catalogue *catalogue = knowledge->catalogue;
    struct learner_counts counts = learner_counts(knowledge->learner);
    metric_set(metrics, METRIC_INDEX_SESSIONS, learned_index_sessions(learned));
    metric_set(metrics, METRIC_INDEX_BYTES, (int64_t)learned_memory(learned));
    metric_set(metrics, METRIC_SESSIONS_FORGOTTEN, (int64_t)learned_forgotten(learned));
    metric_set(metrics, METRIC_CATALOGUE_ITEMS, catalogue_count(catalogue));
    metric_set(metrics, METRIC_CATALOGUE_BYTES, (int64_t)catalogue_memory(catalogue));
    metric_set(metrics, METRIC_CATALOGUE_TITLES_LEFT_OUT, (int64_t)catalogue_titles_left_out(catalogue));
    knowledge_unlock(knowledge);
    metric_set(metrics, METRIC_SESSIONS_LEARNED, (int64_t)counts.learned);
    metric_set(metrics, METRIC_SESSIONS_LEARNED_LATE, (int64_t)counts.late);
    metric_set(metrics, METRIC_SESSIONS_LEARNED_EARLY, (int64_t)counts.early);
    metric_set(metrics, METRIC_SESSIONS_PENDING, counts.pending);
}

static struct progress *find(struct knowledge *knowledge, int32_t partition)
{
    for (size_t i = 0; i < knowledge->task_count; i++)
        if (knowledge->tasks[i].partition == partition)
            return &knowledge->tasks[i];
    return NULL;
}

struct status knowledge_join(struct knowledge *knowledge, int32_t partition)
{
    assert(!find(knowledge, partition));
    if (knowledge->task_count == knowledge->task_capacity) {
        size_t capacity = knowledge->task_capacity ? knowledge->task_capacity * 2 : 16;
        struct progress *tasks = realloc(knowledge->tasks, capacity * sizeof *tasks);
        if (!tasks)
            return FAIL(MEMORY, capacity, "no memory for tasks");
        knowledge->tasks = tasks;
        knowledge->task_capacity = capacity;
    }
    knowledge->tasks[knowledge->task_count++] = (struct progress){partition, INT64_MIN, false};
    return OK;
}

void knowledge_leave(struct knowledge *knowledge, int32_t partition)
{
    struct progress *task = find(knowledge, partition);
    if (task)
        *task = knowledge->tasks[--knowledge->task_count];
}

struct status knowledge_reached(struct knowledge *knowledge, int32_t partition, int64_t time_ms)
{
    struct progress *task = find(knowledge, partition);
    assert(task);
    task->reached_ms = time_ms;
    task->idle = false;
    for (size_t i = 0; i < knowledge->task_count; i++)
        if (!knowledge->tasks[i].idle && knowledge->tasks[i].reached_ms < time_ms)
            time_ms = knowledge->tasks[i].reached_ms;
    return learner_advance(knowledge->learner, time_ms);
}

void knowledge_set_idle(struct knowledge *knowledge, int32_t partition)
{
    struct progress *task = find(knowledge, partition);
    assert(task);
    task->idle = true;
}

struct status knowledge_follow(struct knowledge *knowledge, int64_t time_ms)
{
    return knowledge->task_count ? OK : learner_advance(knowledge->learner, time_ms);
}
