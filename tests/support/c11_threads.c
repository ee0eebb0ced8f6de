// SPDX-License-Identifier: Apache-2.0
/* C11 threads on POSIX threads, for ThreadSanitizer builds alone: gcc 12's runtime does not know thrd_create, which
 * librdkafka uses, and crashes in such a thread. Defined in the program, these take the place of glibc's (whose types
 * they share). librdkafka's locks stay glibc's, which ThreadSanitizer does not see: what it does inside is left out of
 * the check anyway (tsan.supp). */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "glibc's C11 thread is its POSIX thread");

struct start {
    thrd_start_t function;
    void *argument;
};

static void *start_thread(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    return (void *)(intptr_t)start.function(start.argument);
}

static int answer(int error)
{
    return error == 0 ? thrd_success : error == ENOMEM ? thrd_nomem : thrd_error;
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return thrd_nomem;
    *start = (struct start){function, argument};
    int error = pthread_create(thread, NULL, start_thread, start);
    if (error)
        free(start);
    return answer(error);
}

int thrd_join(thrd_t thread, int *ret_result)
{
    void *result = NULL;
    int error = pthread_join(thread, &result);
    if (!error && ret_result)
        *ret_result = (int)(intptr_t)result;
    return answer(error);
}
