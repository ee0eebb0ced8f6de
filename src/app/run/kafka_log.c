// SPDX-License-Identifier: Apache-2.0
#include "app/run/kafka_log.h"

#include <eddy/io/system.h>
#include <stdio.h>

#define LEVEL_ERROR 3 /* as in syslog */
#define LEVEL_INFO  6

void kafka_log_open(struct kafka_log *log, struct metrics *metrics)
{
    *log = (struct kafka_log){.metrics = metrics};
    pthread_mutex_init(&log->lock, NULL);
}

void kafka_log_close(struct kafka_log *log)
{
    pthread_mutex_destroy(&log->lock);
}

static struct kafka_trouble *find_trouble(struct kafka_log *log, const char *broker, const char *cause)
{
    for (size_t i = 0; i < KAFKA_LOG_TROUBLES; i++)
        if (!strcmp(log->troubles[i].broker, broker) && !strcmp(log->troubles[i].cause, cause))
            return &log->troubles[i];
    return NULL;
}

/* Brokers close connections that were idle, which is no trouble; when one is gone, connecting fails next. */
static bool is_closing(struct bytes cause)
{
    return bytes_equal(cause, BYTES("Disconnected"));
}

static void say_trouble(struct kafka_log *log, const struct kafka_broker_report *report, int64_t now_ms)
{
    struct kafka_trouble fresh = {.said_ms = now_ms, .lost = !is_closing(report->cause)};
    snprintf(fresh.broker, sizeof fresh.broker, "%.*s", BYTES_ARGS(report->broker));
    snprintf(fresh.cause, sizeof fresh.cause, "%.*s", BYTES_ARGS(report->cause));
    struct kafka_trouble *known = find_trouble(log, fresh.broker, fresh.cause);
    if (known && now_ms - known->said_ms < KAFKA_LOG_REPEAT_MS) {
        known->repeats++;
        return;
    }
    unsigned repeats = known ? known->repeats : 0;
    if (fresh.lost)
        log_always(LOG_ERROR, "broker_lost", "broker=%s reason=%s%s%s repeats=%u", fresh.broker, fresh.cause,
                   *report->advice ? ": " : "", report->advice, repeats);
    else
        log_always(LOG_INFO, "connection_closed", "broker=%s reason=%s repeats=%u", fresh.broker, fresh.cause, repeats);
    if (!known)
        known = &log->troubles[log->next++ % KAFKA_LOG_TROUBLES];
    *known = fresh;
}

static void say_reached(struct kafka_log *log, struct bytes broker)
{
    bool lost = false;
    for (size_t i = 0; i < KAFKA_LOG_TROUBLES; i++) {
        struct kafka_trouble *trouble = &log->troubles[i];
        if (!trouble->broker[0] || !bytes_equal(bytes_of_text(trouble->broker), broker))
            continue;
        lost = lost || trouble->lost;
        *trouble = (struct kafka_trouble){0};
    }
    if (lost)
        log_always(LOG_INFO, "broker_reached", "broker=%.*s", BYTES_ARGS(broker));
}

static struct log_site *site_of(struct kafka_log *log, const char *facility)
{
    struct kafka_matter *last = &log->matters[KAFKA_LOG_MATTERS - 1], *matter = log->matters;
    pthread_mutex_lock(&log->lock);
    for (; matter < last && matter->facility[0]; matter++)
        if (!strncmp(matter->facility, facility, sizeof matter->facility - 1))
            break;
    if (!matter->facility[0])
        snprintf(matter->facility, sizeof matter->facility, "%s", facility);
    pthread_mutex_unlock(&log->lock);
    return &matter->site;
}

static enum log_level level_of(int level)
{
    return level <= LEVEL_ERROR     ? LOG_ERROR
           : level < LEVEL_INFO - 1 ? LOG_WARN
           : level <= LEVEL_INFO    ? LOG_INFO
                                    : LOG_DEBUG;
}

void kafka_log_take(struct kafka_log *log, int level, const char *facility, const char *text, int64_t now_ms)
{
    struct kafka_broker_report report;
    bool reports = kafka_read_broker_report(facility, text, &report);
    if (level <= LEVEL_ERROR)
        metric_add(log->metrics, METRIC_BROKER_ERRORS, 1);
    if (level <= LEVEL_INFO && reports && !report.reachable) {
        pthread_mutex_lock(&log->lock);
        say_trouble(log, &report, now_ms);
        pthread_mutex_unlock(&log->lock);
        return;
    }
    if (reports && report.reachable) {
        pthread_mutex_lock(&log->lock);
        say_reached(log, report.broker);
        pthread_mutex_unlock(&log->lock);
    }
    bool follows = !strcmp(facility, "_ALL_BROKERS_DOWN"); /* each has been told of */
    enum log_level written = level_of(follows ? LEVEL_INFO + 1 : level);
    if (log_wants(written))
        log_write(site_of(log, facility), written, "kafka", " about=%s text=%s", facility, text);
}

static void take_now(void *context, int level, const char *facility, const char *text)
{
    struct time_source time = system_time();
    kafka_log_take(context, level, facility, text, time.ops->monotonic_us(time.self) / 1000);
}

struct kafka_listener kafka_log_listener(struct kafka_log *log)
{
    return (struct kafka_listener){take_now, log};
}
