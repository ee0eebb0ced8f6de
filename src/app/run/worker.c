// SPDX-License-Identifier: Apache-2.0
#include "app/run/worker.h"

#include "app/log.h"

#include <eddy/io/system.h>
#include <pthread.h>
#include <stdlib.h>

#define POLL_MS 50 /* how long a request may wait for a shard that has nothing to do */

enum request_kind { REQUEST_NONE, REQUEST_ACCEPT, REQUEST_RELEASE, REQUEST_MOVED, REQUEST_STOP };

struct request {
    enum request_kind kind;
    struct assignment *assignments;
    const int32_t *partitions;
    size_t count;
    bool lost;
    int timeout_ms;
    struct complaint *complaint;
    int32_t before, now; /* partitions */
    int64_t *moved;
    struct status result;
};

struct worker {
    struct shard *shard;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct request asked;     /* the other side's */
    struct timespec patience; /* when it interrupts the shard, if it does */
    bool patient;             /* it does not */
    struct request *request;  /* under lock: to be done, NULL once it is */
    _Atomic bool waiting;     /* there may be a request */
    struct status failure;    /* under lock */
};

/* ---- the worker's thread */

static struct status accept_all(struct worker *worker, const struct request *request)
{
    for (size_t i = 0; i < request->count; i++)
        TRY(shard_accept(worker->shard, &request->assignments[i], request->complaint));
    return OK;
}

static struct status perform(struct worker *worker, const struct request *request, bool working)
{
    switch (request->kind) {
    case REQUEST_ACCEPT:
        return working ? accept_all(worker, request) : FAIL(UNAVAILABLE, 0, "the worker has failed");
    case REQUEST_RELEASE:
        return shard_release(worker->shard, request->partitions, request->count, request->lost || !working,
                             request->timeout_ms);
    case REQUEST_MOVED:
        *request->moved = shard_sessions_moved(worker->shard, request->before, request->now);
        return OK;
    default:
        return OK;
    }
}

/* Does what is asked for; false when that is to stop. */
static bool serve(struct worker *worker, bool working)
{
    pthread_mutex_lock(&worker->lock);
    struct request *request = worker->request;
    pthread_mutex_unlock(&worker->lock);
    if (!request)
        return true;
    bool go_on = request->kind != REQUEST_STOP;
    struct status result = perform(worker, request, working);
    pthread_mutex_lock(&worker->lock);
    request->result = result;
    shard_resume(worker->shard); /* under the lock: whoever asked cannot interrupt any more */
    worker->request = NULL;
    atomic_store(&worker->waiting, false);
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    return go_on;
}

static void wait_for_request(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (!worker->request)
        pthread_cond_wait(&worker->changed, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
}

static void fail(struct worker *worker, struct status status)
{
    char text[256];
    log_always(LOG_ERROR, "shard_failed", "reason=%s", status_text(status, text, sizeof text));
    pthread_mutex_lock(&worker->lock);
    worker->failure = status;
    pthread_mutex_unlock(&worker->lock);
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct status status = OK;
    for (;;) {
        if (failed(status))
            wait_for_request(worker);
        if (atomic_load(&worker->waiting) && !serve(worker, !failed(status)))
            return NULL;
        size_t count;
        if (failed(status))
            continue;
        status = shard_step(worker->shard, POLL_MS, &count);
        if (failed(status))
            fail(worker, status);
    }
}

/* ---- the other side */

struct status worker_open(struct shard *shard, struct worker **ret_worker)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        shard_close(shard);
        return FAIL(MEMORY, 0, "no memory for a worker");
    }
    worker->shard = shard;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    int error = pthread_create(&worker->thread, NULL, work, worker);
    worker->started = !error;
    if (error) {
        worker_close(worker);
        return FAIL(MEMORY, error, "a thread cannot be made");
    }
    *ret_worker = worker;
    return OK;
}

static struct timespec after_ms(int timeout_ms)
{
    struct time_source time = system_time();
    int64_t end_us = time.ops->monotonic_us(time.self) + (int64_t)timeout_ms * 1000;
    return (struct timespec){.tv_sec = end_us / 1000000, .tv_nsec = end_us % 1000000 * 1000};
}

/* timeout_ms < 0: no interruption. */
static void begin(struct worker *worker, struct request request, int timeout_ms)
{
    worker->patience = after_ms(timeout_ms < 0 ? 0 : timeout_ms);
    worker->patient = timeout_ms < 0;
    pthread_mutex_lock(&worker->lock);
    assert(!worker->request);
    worker->asked = request;
    worker->request = &worker->asked;
    atomic_store(&worker->waiting, true);
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

struct status worker_end(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->request) {
        if (worker->patient)
            pthread_cond_wait(&worker->changed, &worker->lock);
        else if (pthread_cond_timedwait(&worker->changed, &worker->lock, &worker->patience)) {
            shard_interrupt(worker->shard);
            worker->patient = true;
        }
    }
    pthread_mutex_unlock(&worker->lock);
    return worker->asked.result;
}

void worker_close(struct worker *worker)
{
    if (!worker)
        return;
    if (worker->started) {
        begin(worker, (struct request){.kind = REQUEST_STOP}, 0);
        struct status stopped = worker_end(worker);
        (void)stopped;
        pthread_join(worker->thread, NULL);
    }
    shard_close(worker->shard);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

void worker_begin_accept(struct worker *worker, struct assignment *assignments, size_t count,
                         struct complaint *complaint)
{
    begin(worker,
          (struct request){.kind = REQUEST_ACCEPT, .assignments = assignments, .count = count, .complaint = complaint},
          -1);
}

void worker_begin_release(struct worker *worker, const int32_t *partitions, size_t count, bool lost, int timeout_ms)
{
    begin(
        worker,
        (struct request){
            .kind = REQUEST_RELEASE, .partitions = partitions, .count = count, .lost = lost, .timeout_ms = timeout_ms},
        timeout_ms);
}

int64_t worker_sessions_moved(struct worker *worker, int32_t before, int32_t now)
{
    int64_t moved = 0;
    begin(worker, (struct request){.kind = REQUEST_MOVED, .before = before, .now = now, .moved = &moved}, -1);
    struct status status = worker_end(worker);
    return failed(status) ? 0 : moved;
}

struct status worker_failure(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    struct status failure = worker->failure;
    pthread_mutex_unlock(&worker->lock);
    return failure;
}
