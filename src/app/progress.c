// SPDX-License-Identifier: Apache-2.0
#include "app/progress.h"

#include <eddy/base/timestamp.h>
#include <eddy/io/system.h>

#include <stdio.h>
#include <unistd.h>

#define LOOK_EVERY       256 /* ticks, to a power of two */
#define TERMINAL_STEP_US 200000
#define PLAIN_STEP_US    10000000

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

struct progress progress_start(const char *what)
{
    int64_t now = now_us();
    return (struct progress){.what = what, .terminal = isatty(STDERR_FILENO), .start_us = now, .last_us = now};
}

/* Whether it is time for a line; begins it. */
static bool begin_line(struct progress *progress)
{
    int64_t now = now_us();
    if (now - progress->last_us < (progress->terminal ? TERMINAL_STEP_US : PLAIN_STEP_US))
        return false;
    progress->last_us = now;
    progress->shown = true;
    fprintf(stderr, "%s%llu %s, %.0f/s", progress->terminal ? "\r" : "", (unsigned long long)progress->count,
            progress->what, (double)progress->count / progress_seconds(progress));
    return true;
}

static void end_line(const struct progress *progress)
{
    fputs(progress->terminal ? "\033[K" : "\n", stderr);
}

void progress_tick(struct progress *progress, int64_t time_ms)
{
    char text[TIMESTAMP_TEXT_MAX];
    if (++progress->count % LOOK_EVERY || !begin_line(progress))
        return;
    if (time_ms != INT64_MIN)
        fprintf(stderr, ", at %.19s", timestamp_text(time_ms, text));
    end_line(progress);
}

void progress_advance(struct progress *progress, uint64_t count, uint64_t total)
{
    progress->count += count;
    if (!begin_line(progress))
        return;
    double rest = progress_seconds(progress) * (double)(total - progress->count) / (double)progress->count;
    fprintf(stderr, ", %.0f %%, about %.0f s to go", 100 * (double)progress->count / (double)total, rest);
    end_line(progress);
}

void progress_end(struct progress *progress)
{
    if (progress->terminal && progress->shown)
        fputs("\r\033[K", stderr);
}

double progress_seconds(const struct progress *progress)
{
    return (double)(now_us() - progress->start_us) / 1e6;
}
