// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kafka_log: what librdkafka says, into the log. All clients of a process tell of each lost broker, again and again;
 * here that is one line for a cause and a broker, repeated after KAFKA_LOG_REPEAT_MS at the earliest, and one when the
 * broker is reached again. Any thread. */
#include <eddy/base/metrics.h>

#include <eddy/io/kafka.h>
#include <pthread.h>

#define KAFKA_LOG_REPEAT_MS 60000
#define KAFKA_LOG_TROUBLES  32 /* known at a time; the oldest is forgotten, and may then be told again */

struct kafka_trouble {
    char broker[128]; /* "": none */
    char cause[256];
    int64_t said_ms;
    unsigned repeats; /* since then */
    bool lost;        /* more than a connection that was closed */
};

struct kafka_log {
    struct metrics *metrics;
    pthread_mutex_t lock;
    struct kafka_trouble troubles[KAFKA_LOG_TROUBLES];
    size_t next;
};

void kafka_log_open(struct kafka_log *log, struct metrics *metrics);
void kafka_log_close(struct kafka_log *log);
struct kafka_listener kafka_log_listener(struct kafka_log *log);
/* A line of the listener at the monotonic time now_ms. */
void kafka_log_take(struct kafka_log *log, int level, const char *facility, const char *text, int64_t now_ms);
