// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/system.h>

#include <eddy/core/model.h>
#include <pthread.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void begin(void)
{
    pthread_mutex_lock(&turn);
}

static void end(void)
{
    pthread_mutex_unlock(&turn);
}

struct status system_begin_products(void)
{
    static const struct matrix_turns turns = {begin, end};
    return matrix_begin_threads(&turns);
}
