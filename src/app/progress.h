// SPDX-License-Identifier: Apache-2.0
#pragma once
/* progress: tells how far a long command has come, on stderr: a line that renews itself on a terminal, a new line
 * every 10 s otherwise, nothing for what is over at once. */
#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "clicks" */
    bool terminal;
    bool shown;
    int64_t start_us, last_us;
    uint64_t count;
};

struct progress progress_start(const char *what);
/* One more; `time_ms` is the stream's time, INT64_MIN when there is none. */
void progress_tick(struct progress *progress, int64_t time_ms);
/* So many more of `total`, with the time that the rest will take. */
void progress_advance(struct progress *progress, uint64_t count, uint64_t total);
/* Ends the line. */
void progress_end(struct progress *progress);
/* Seconds since the start. */
double progress_seconds(const struct progress *progress);
