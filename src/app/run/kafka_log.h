// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kafka_log: what librdkafka says, into the log. All clients of a process tell of each lost broker, again and again;
 * here that is one line for a cause and a broker, repeated after KAFKA_LOG_REPEAT_MS at the earliest, and one when the
 * broker is reached again. What it says of one matter over and over is bounded (log.h) and hides no other matter. Any
 * thread. */
#include "app/log.h"

#include <eddy/base/metrics.h>

#include <eddy/io/kafka.h>
#include <pthread.h>

#define KAFKA_LOG_REPEAT_MS 60000
#define KAFKA_LOG_TROUBLES  32 /* known at a time; the oldest is forgotten, and may then be told again */
#define KAFKA_LOG_MATTERS   64 /* facilities with a bound of their own; the last is for all others */

struct kafka_trouble {
    char broker[128]; /* "": none */
    char cause[256];
    int64_t said_ms;
    unsigned repeats; /* since then */
    bool lost;        /* more than a connection that was closed */
};

struct kafka_matter {
    char facility[48]; /* "": none */
    struct log_site site;
};

struct kafka_log {
    struct metrics *metrics;
    pthread_mutex_t lock;
    struct kafka_trouble troubles[KAFKA_LOG_TROUBLES];
    size_t next;
    struct kafka_matter matters[KAFKA_LOG_MATTERS];
};

void kafka_log_open(struct kafka_log *log, struct metrics *metrics);
void kafka_log_close(struct kafka_log *log);
struct kafka_listener kafka_log_listener(struct kafka_log *log);
/* A line of the listener at the monotonic time now_ms. */
void kafka_log_take(struct kafka_log *log, int level, const char *facility, const char *text, int64_t now_ms);
