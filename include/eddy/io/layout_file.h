// SPDX-License-Identifier: Apache-2.0
#pragma once
/* layout_file: a file of a public data set, line by line: decompressed (gzip, zstd), recognised as JSON Lines or as
 * columns with or without a first line of names, and read by its layout. As with log_file, a broken line is BAD_INPUT
 * with a complaint "file: line 7: reason", and the next call goes on behind it; a file that cannot be read on is
 * CORRUPT or IO, and then at its end. */
#include <eddy/core/layout.h>

struct layout_file;

/* "-": standard input. NOT_FOUND, IO, BAD_INPUT (empty file, a first line that does not fit the layout), CORRUPT,
 * MEMORY. */
MUST_CHECK struct status layout_file_open(const char *path, const struct layout *layout, enum layout_kind kind,
                                          struct layout_file **ret_file, struct complaint *complaint);
void layout_file_close(struct layout_file *file);

/* Reads a line and hands its records to the visitor: none, one, or in JSON with events several, of which only those
 * that are broken are left out. *ret_found is false at the end. */
MUST_CHECK struct status layout_file_next(struct layout_file *file, const struct layout_visitor *visitor,
                                          bool *ret_found, struct complaint *complaint);
/* Records that were broken in the line of the last failure; 0 where the file breaks off. */
uint64_t layout_file_lost(const struct layout_file *file);
