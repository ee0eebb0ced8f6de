// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/team.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct team {
    pthread_mutex_t lock; /* of all below but the threads */
    pthread_cond_t begun, done;
    parallel_part *part;
    void *context;
    uint32_t count, next; /* parts: how many, and the first that nobody has taken */
    uint32_t left;        /* that have not returned */
    bool ending;
    uint32_t helper_count;
    pthread_t helpers[];
};

/* Takes part after part until none is left. The lock is held, but not while a part runs. */
static void take_parts(struct team *team)
{
    while (team->next < team->count) {
        uint32_t index = team->next++;
        pthread_mutex_unlock(&team->lock);
        team->part(team->context, index); /* they stay as they are until this one has returned */
        pthread_mutex_lock(&team->lock);
        if (--team->left == 0)
            pthread_cond_signal(&team->done);
    }
}

static void *help(void *context)
{
    struct team *team = context;
    pthread_mutex_lock(&team->lock);
    while (!team->ending) {
        take_parts(team);
        if (!team->ending)
            pthread_cond_wait(&team->begun, &team->lock);
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

static void run(void *self, parallel_part *part, void *context, uint32_t count)
{
    struct team *team = self;
    pthread_mutex_lock(&team->lock);
    assert(team->left == 0);
    team->part = part;
    team->context = context;
    team->count = team->left = count;
    team->next = 0;
    for (uint32_t i = 1; i < count && i <= team->helper_count; i++)
        pthread_cond_signal(&team->begun);
    take_parts(team);
    while (team->left > 0)
        pthread_cond_wait(&team->done, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

struct parallel team_parallel(struct team *team)
{
    static const struct parallel_ops ops = {run};
    return (struct parallel){&ops, team};
}

static struct status start_helpers(struct team *team, uint32_t count)
{
    sigset_t all, before;
    int error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; error == 0 && team->helper_count < count; team->helper_count += error == 0)
        error = pthread_create(&team->helpers[team->helper_count], NULL, help, team);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error ? FAIL(UNAVAILABLE, error, "no thread can be started") : OK;
}

struct status team_open(uint32_t threads, struct team **ret_team)
{
    assert(threads >= 1);
    struct team *team = calloc(1, sizeof *team + (threads - 1) * sizeof *team->helpers);
    if (!team)
        return FAIL(MEMORY, threads, "no memory for threads");
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->begun, NULL);
    pthread_cond_init(&team->done, NULL);
    struct status status = start_helpers(team, threads - 1);
    if (failed(status)) {
        team_close(team);
        return status;
    }
    *ret_team = team;
    return OK;
}

void team_close(struct team *team)
{
    if (!team)
        return;
    pthread_mutex_lock(&team->lock);
    team->ending = true;
    pthread_cond_broadcast(&team->begun);
    pthread_mutex_unlock(&team->lock);
    for (uint32_t i = 0; i < team->helper_count; i++)
        pthread_join(team->helpers[i], NULL);
    pthread_cond_destroy(&team->begun);
    pthread_cond_destroy(&team->done);
    pthread_mutex_destroy(&team->lock);
    free(team);
}
