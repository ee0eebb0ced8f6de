// SPDX-License-Identifier: Apache-2.0
#pragma once
/* lines: a byte stream cut into lines, or into CSV records, which may hold line breaks within quotes (RFC 4180).
 *
 * A line is handed out without its LF or CRLF, with no byte-order mark in front of the first one, and may be changed
 * in place; it lives until the next call. A line over LOG_FILE_LINE_MAX, and a quoted field that is not closed within
 * that many bytes or before the file's end, is one BAD_INPUT; reading goes on behind the long line, or behind the line
 * the quote was opened in. When the stream fails, that is handed on once (an unfinished last line is dropped with it),
 * and then the file is at its end. */
#include "io/file/byte_stream.h"

struct lines;

struct line {
    uint8_t *data;
    size_t size;
    uint64_t number; /* of its first line in the file, from 1 */
};

/* Takes the stream over, also on failure. */
MUST_CHECK struct status lines_open(struct byte_stream *stream, struct lines **ret_lines);
void lines_close(struct lines *lines);

/* The next line, or the next CSV record when a field separator is given (0: there are no quotes). On failure
 * ret_line->number says where it was. */
MUST_CHECK struct status lines_next(struct lines *lines, char csv_separator, struct line *ret_line, bool *ret_found,
                                    struct complaint *complaint);

const char *lines_name(const struct lines *lines);
