// SPDX-License-Identifier: Apache-2.0
#pragma once
/* log: one line per event on standard error: time (UTC, RFC 3339), level, a stable event name, and key=value pairs.
 * logfmt on a terminal, JSON lines otherwise. Any thread may log; a line is written whole. Only app logs.
 *
 *   log_event(LOG_WARN, "broker_unreachable", "brokers=%s attempt=%d", brokers, attempt);
 *
 * The format is pairs "key=template" with one blank between them; it is checked like printf's. In a template the
 * conversions s (also %.*s), c, d, i, u, x, f, g with h, l, ll, z or j may be mixed with other characters. A template
 * that is one number stays a number in JSON; all else is quoted and escaped as needed, bytes that are not UTF-8
 * included, so nothing a user sends can break a line. Values are cut at 1 KiB, lines at 8 KiB.
 *
 * Each call site writes at most LOG_BURST lines in LOG_WINDOW_MS; what it drops is counted and told with the next line
 * as suppressed=N. Events that must never be dropped use log_always. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_BURST     10
#define LOG_WINDOW_MS 10000

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* From then on; before the first call: info, auto, standard error. `file_descriptor` stays the caller's. */
void log_configure(enum log_level level, enum log_format format, int file_descriptor);

struct log_site { /* of one call; guarded by the log's lock */
    int64_t window_start_ms;
    uint32_t written; /* in the window */
    uint32_t suppressed;
    bool unlimited;
};

void log_write(struct log_site *site, enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* True when events of that level are written; for work that only a log line needs. */
bool log_wants(enum log_level level);

#define log_event(level, event, ...)                                                                                   \
    do {                                                                                                               \
        static struct log_site log_site_;                                                                              \
        log_write(&log_site_, level, event, " " __VA_ARGS__);                                                          \
    } while (0)

#define log_always(level, event, ...)                                                                                  \
    do {                                                                                                               \
        static struct log_site log_site_ = {.unlimited = true};                                                        \
        log_write(&log_site_, level, event, " " __VA_ARGS__);                                                          \
    } while (0)
