// SPDX-License-Identifier: Apache-2.0
#pragma once
/* search_files: the files of a search beside its output, and how the best trial's model becomes the output. A line in
 * "<output>.search" comes first and says which model that is; what a process that was killed behind it has left to do
 * can be done by the next one. */
#include "app/search/trials.h"

/* "<output>.search". */
MUST_CHECK struct status search_file_path(const char *output, struct buffer *path);
/* "<output>.trial-N", before the ending that compresses. */
MUST_CHECK struct status search_trial_path(const char *output, uint32_t number, struct buffer *path);

/* The last trial's model becomes the output when it is the best, and what else there is of the trial goes. Nothing
 * changes when that was done already. IO. */
MUST_CHECK struct status search_settle(const char *output, const struct trials *trials, struct complaint *complaint);
/* CONFIG: the output is not the best trial's model. */
MUST_CHECK struct status search_check_output(const char *output, const struct trials *trials,
                                             struct complaint *complaint);
/* Removes a search, however damaged; the output stays. IO. */
MUST_CHECK struct status search_forget(const char *output, struct complaint *complaint);
