// SPDX-License-Identifier: Apache-2.0
#include "io/file/lines.h"

#include <eddy/io/log_file.h>

#include <stdlib.h>

#define CHUNK    ((size_t)64 << 10)
#define CAPACITY ((size_t)LOG_FILE_LINE_MAX + CHUNK)

struct lines {
    struct byte_stream *stream;
    uint64_t number;   /* of the next line */
    size_t start, end; /* unread bytes */
    bool begun;
    bool ended;            /* the stream is at its end, or has failed */
    struct status failure; /* of the stream, not handed on yet */
    struct complaint reason;
    uint8_t data[CAPACITY];
};

struct status lines_open(struct byte_stream *stream, struct lines **ret_lines)
{
    struct lines *lines = malloc(sizeof *lines);
    if (!lines) {
        byte_stream_close(stream);
        return FAIL(MEMORY, sizeof *lines, "no memory to read lines");
    }
    lines->stream = stream;
    lines->number = 1;
    lines->start = lines->end = 0;
    lines->begun = lines->ended = false;
    lines->failure = OK;
    *ret_lines = lines;
    return OK;
}

void lines_close(struct lines *lines)
{
    if (!lines)
        return;
    byte_stream_close(lines->stream);
    free(lines);
}

const char *lines_name(const struct lines *lines)
{
    return byte_stream_name(lines->stream);
}

/* Moves what is unread to the front and reads more behind it. */
static void fill(struct lines *lines)
{
    if (lines->start > 0) {
        memmove(lines->data, lines->data + lines->start, lines->end - lines->start);
        lines->end -= lines->start;
        lines->start = 0;
    }
    size_t size = 0;
    assert(lines->end < CAPACITY);
    lines->failure =
        byte_stream_read(lines->stream, lines->data + lines->end, CAPACITY - lines->end, &size, &lines->reason);
    lines->ended = failed(lines->failure) || size == 0;
    lines->end += size;
}

/* Drops a byte-order mark in front of everything. */
static void begin(struct lines *lines)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (lines->begun)
        return;
    while (!lines->ended && lines->end < sizeof mark)
        fill(lines);
    if (lines->end >= sizeof mark && !memcmp(lines->data, mark, sizeof mark))
        lines->start = sizeof mark;
    lines->begun = true;
}

/* How far a record has been looked at. A quote opens a field only at its start; within quotes "" is a quote. */
struct scan {
    enum { FIELD_START, PLAIN, QUOTED, QUOTE_CLOSED } state; /* stays PLAIN when the format has no quotes */
    size_t position;                                         /* bytes looked at, from lines->start */
    uint64_t breaks;                                         /* line breaks within the record */
    size_t first_line;                                       /* size of its first line, when it has breaks */
};

static bool scan_plain(struct scan *scan, const uint8_t *data, size_t size)
{
    const uint8_t *found = memchr(data + scan->position, '\n', size - scan->position);
    scan->position = found ? (size_t)(found - data) : size;
    return found != NULL;
}

static bool scan_quoted(struct scan *scan, char separator, const uint8_t *data, size_t size)
{
    for (; scan->position < size; scan->position++) {
        uint8_t byte = data[scan->position];
        if (scan->state == QUOTED) {
            if (byte == '"')
                scan->state = QUOTE_CLOSED;
            else if (byte == '\n' && scan->breaks++ == 0)
                scan->first_line = scan->position + 1;
        } else if (byte == '\n') {
            return true;
        } else if (byte == '"' && scan->state != PLAIN) {
            scan->state = QUOTED;
        } else {
            scan->state = byte == (uint8_t)separator ? FIELD_START : PLAIN;
        }
    }
    return false;
}

enum scan_end { SCAN_COMPLETE, SCAN_TOO_LONG, SCAN_ENDED };

/* Looks on to the end of a line outside of quotes, reading more as needed. */
static enum scan_end scan_record(struct lines *lines, char csv_separator, struct scan *scan)
{
    *scan = (struct scan){.state = csv_separator ? FIELD_START : PLAIN};
    for (;;) {
        const uint8_t *data = lines->data + lines->start;
        size_t size = lines->end - lines->start;
        if (csv_separator ? scan_quoted(scan, csv_separator, data, size) : scan_plain(scan, data, size))
            return scan->position > LOG_FILE_LINE_MAX ? SCAN_TOO_LONG : SCAN_COMPLETE;
        if (size > LOG_FILE_LINE_MAX)
            return SCAN_TOO_LONG;
        if (lines->ended)
            return SCAN_ENDED;
        fill(lines);
    }
}

static struct status lines_complain(const struct lines *lines, struct complaint *complaint, struct status status,
                                    const char *reason)
{
    return complain(complaint, status, "%s: line %llu: %s", lines_name(lines), (unsigned long long)lines->number,
                    reason);
}

/* Drops the rest of a line that is too long. */
static struct status skip_long_line(struct lines *lines, struct complaint *complaint)
{
    struct status status = lines_complain(lines, complaint, FAIL(BAD_INPUT, LOG_FILE_LINE_MAX, "a line is too long"),
                                          "the line is longer than 1 MiB");
    for (;;) {
        const uint8_t *found = memchr(lines->data + lines->start, '\n', lines->end - lines->start);
        if (found) {
            lines->start = (size_t)(found - lines->data) + 1;
            break;
        }
        lines->start = lines->end;
        if (lines->ended)
            break;
        fill(lines);
    }
    lines->number++;
    return status;
}

static struct status skip_open_quote(struct lines *lines, const struct scan *scan, struct complaint *complaint)
{
    struct status status = lines_complain(lines, complaint, FAIL(BAD_INPUT, 0, "a quoted field is not closed"),
                                          "a quoted field is not closed");
    lines->start += scan->breaks > 0 ? scan->first_line : scan->position;
    lines->number++;
    return status;
}

static struct status end_of_stream(struct lines *lines, bool *ret_found, struct complaint *complaint)
{
    struct status status = lines->failure;
    lines->start = lines->end; /* an unfinished line is no record when the stream broke off */
    lines->failure = OK;
    *ret_found = false;
    return failed(status) ? lines_complain(lines, complaint, status, lines->reason.text) : OK;
}

static struct line hand_out(struct lines *lines, const struct scan *scan, bool terminated)
{
    struct line line = {lines->data + lines->start, scan->position, lines->number};
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    lines->start += scan->position + terminated;
    lines->number += scan->breaks + 1;
    return line;
}

struct status lines_next(struct lines *lines, char csv_separator, struct line *ret_line, bool *ret_found,
                         struct complaint *complaint)
{
    begin(lines);
    ret_line->number = lines->number;
    struct scan scan;
    enum scan_end end = scan_record(lines, csv_separator, &scan);
    if (end != SCAN_COMPLETE && scan.state == QUOTED && (scan.breaks > 0 || end == SCAN_ENDED))
        return skip_open_quote(lines, &scan, complaint);
    if (end == SCAN_TOO_LONG)
        return skip_long_line(lines, complaint);
    if (end == SCAN_ENDED && (scan.position == 0 || failed(lines->failure)))
        return end_of_stream(lines, ret_found, complaint);
    *ret_line = hand_out(lines, &scan, end == SCAN_COMPLETE);
    *ret_found = true;
    return OK;
}
