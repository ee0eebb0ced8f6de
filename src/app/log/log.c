// SPDX-License-Identifier: Apache-2.0
#include "app/log.h"

#include "app/log/line.h"

#include <eddy/io/system.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    _Atomic enum log_level level;
    int file_descriptor;
    bool json, configured;
    struct buffer line; /* its memory is kept */
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO, .file_descriptor = STDERR_FILENO};

static void configure(enum log_level level, enum log_format format, int file_descriptor)
{
    atomic_store_explicit(&logger.level, level, memory_order_relaxed);
    logger.file_descriptor = file_descriptor;
    logger.json = format == LOG_FORMAT_JSON || (format == LOG_FORMAT_AUTO && !isatty(file_descriptor));
    logger.configured = true;
}

void log_configure(enum log_level level, enum log_format format, int file_descriptor)
{
    pthread_mutex_lock(&logger.lock);
    configure(level, format, file_descriptor);
    pthread_mutex_unlock(&logger.lock);
}

bool log_wants(enum log_level level)
{
    return level >= atomic_load_explicit(&logger.level, memory_order_relaxed);
}

static bool site_allows(struct log_site *site, int64_t now_ms)
{
    if (site->unlimited)
        return true;
    if (site->window_start_ms == 0 || now_ms - site->window_start_ms >= LOG_WINDOW_MS) {
        site->window_start_ms = now_ms;
        site->written = 0;
    }
    if (site->written < LOG_BURST) {
        site->written++;
        return true;
    }
    site->suppressed++;
    return false;
}

/* A log that cannot be written is nothing to fail for. */
static void put(struct bytes line)
{
    while (line.size > 0) {
        ssize_t done = write(logger.file_descriptor, line.data, line.size);
        if (done < 0 && errno != EINTR)
            return;
        if (done > 0)
            line = bytes_of(line.data + done, line.size - (size_t)done);
    }
}

void log_write(struct log_site *site, enum log_level level, const char *event, const char *format, ...)
{
    if (!log_wants(level))
        return;
    struct time_source time = system_time();
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&logger.lock);
    if (!logger.configured)
        configure(LOG_INFO, LOG_FORMAT_AUTO, STDERR_FILENO);
    if (site_allows(site, time.ops->monotonic_us(time.self) / 1000 + 1)) {
        struct line_head head = {logger.json, time.ops->wall_ms(time.self), level, event, site->suppressed};
        buffer_clear(&logger.line);
        line_write(&head, format, arguments, &logger.line);
        put(buffer_bytes(&logger.line));
        site->suppressed = 0;
    }
    pthread_mutex_unlock(&logger.lock);
    va_end(arguments);
}
