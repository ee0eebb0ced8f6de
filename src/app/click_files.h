// SPDX-License-Identifier: Apache-2.0
#pragma once
/* click_files: the clicks of several files, one behind the other, as a replay takes them: checked as `run` checks a
 * record, by file and line, and without those whose time would spoil all behind them.
 *
 * A file has no record time that a click's could be held against, so its neighbours decide. A click is refused when
 *
 *   - it is further ahead of the newest before it than `ahead_max_ms` (or is the first), and
 *   - more than half of the next CLICK_FILES_AHEAD clicks are further behind it than that:
 *
 * it would make these late. After a gap of weeks the clicks that follow stay there, and nothing is refused. */
#include "app/log_reading.h"

#define CLICK_FILES_AHEAD 64

struct click_files_options {
    const char *const *paths;
    size_t count;
    struct click_limits limits;
    int64_t ahead_max_ms; /* what makes a click late: session.gap_ms and session.grace_ms */
};

struct click_files;

/* `options->paths` and `reading` must outlive it. */
MUST_CHECK struct status click_files_open(const struct click_files_options *options, struct log_reading *reading,
                                          struct click_files **ret_files);
void click_files_close(struct click_files *files);

/* The next click; *ret_found is false at the end. Its bytes live until the next call. Failures as
 * log_reading_click()'s, and log_file_open()'s. */
MUST_CHECK struct status click_files_next(struct click_files *files, struct click *ret_click, bool *ret_found,
                                          struct complaint *complaint);
/* Where the click last handed out stands: "clicks.tsv: line 7". */
const char *click_files_place(struct click_files *files);
