// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/log_file.h>

#include "io/file/columns.h"

#include <stdlib.h>

struct log_file {
    enum log_file_kind kind;
    enum log_file_format format;
    uint64_t number; /* of the record last handed out */
    struct lines *lines;
    struct separator separator;
    struct columns columns;
    struct bytes fields[LOG_FILE_COLUMNS_MAX];
};

/* Puts "file: line 7: " before the reason in *complaint. */
static struct status locate(const struct log_file *log, struct status status, struct complaint *complaint)
{
    if (!complaint)
        return status;
    struct complaint reason = *complaint;
    return complain(complaint, status, "%s: line %llu: %s", lines_name(log->lines), (unsigned long long)log->number,
                    reason.text);
}

static struct status recognise(struct log_file *log, struct bytes head, struct complaint *complaint, const char *name)
{
    const uint8_t *first = head.data;
    const uint8_t *line_end = head.size ? memchr(head.data, '\n', head.size) : NULL;
    size_t line_size = line_end ? (size_t)(line_end - head.data) : head.size;
    if (head.size == 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a file is empty"), "%s: the file is empty", name);
    if (head.size >= 4 && !memcmp(first, "Obj\1", 4))
        log->format = LOG_FILE_AVRO;
    else if (first[0] == '{')
        log->format = LOG_FILE_JSON;
    else if (memchr(first, '\t', line_size))
        log->format = LOG_FILE_TSV;
    else
        log->format = LOG_FILE_CSV;
    return OK;
}

/* The next line with anything in it, cut into fields. */
static struct status next_fields(struct log_file *log, size_t *ret_count, bool *ret_found, struct complaint *complaint)
{
    struct line line;
    bool found;
    do {
        struct status status = lines_next(log->lines, log->separator.quoted, &line, &found, complaint);
        log->number = line.number;
        TRY(status);
    } while (found && line.size == 0);
    *ret_found = found;
    if (!found)
        return OK;
    struct status status =
        fields_split(&line, &log->separator, log->fields, LOG_FILE_COLUMNS_MAX, ret_count, complaint);
    return failed(status) ? locate(log, status, complaint) : OK;
}

static struct status read_header(struct log_file *log, struct complaint *complaint)
{
    size_t count;
    bool found;
    TRY(next_fields(log, &count, &found, complaint));
    if (!found)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a file is empty"), "%s: the file is empty",
                        lines_name(log->lines));
    struct status status = columns_bind(log->kind, log->fields, count, &log->columns, complaint);
    return failed(status) ? locate(log, status, complaint) : OK;
}

static struct status open_delimited(struct log_file *log, struct byte_stream *stream, struct complaint *complaint)
{
    bool tabs = log->format == LOG_FILE_TSV;
    log->separator = (struct separator){.text = {tabs ? '\t' : ','}, .quoted = !tabs};
    TRY(lines_open(stream, &log->lines));
    return read_header(log, complaint);
}

/* Takes the stream over. */
static struct status open_stream(struct byte_stream *stream, enum log_file_kind kind, struct log_file **ret_log,
                                 struct complaint *complaint)
{
    struct log_file *log = calloc(1, sizeof *log);
    struct status status = log ? OK : FAIL(MEMORY, sizeof *log, "no memory for a file");
    if (!failed(status)) {
        log->kind = kind;
        status = recognise(log, byte_stream_peek(stream), complaint, byte_stream_name(stream));
    }
    if (failed(status))
        byte_stream_close(stream);
    else
        status = open_delimited(log, stream, complaint);
    if (failed(status)) {
        log_file_close(log);
        return status;
    }
    *ret_log = log;
    return OK;
}

struct status log_file_open(const char *path, enum log_file_kind kind, struct log_file **ret_log,
                            struct complaint *complaint)
{
    struct byte_stream *stream;
    TRY(byte_stream_open(path, &stream, complaint));
    return open_stream(stream, kind, ret_log, complaint);
}

struct status log_file_open_bytes(struct bytes content, const char *name, enum log_file_kind kind,
                                  struct log_file **ret_log, struct complaint *complaint)
{
    struct byte_stream *stream;
    TRY(byte_stream_open_bytes(content, name, &stream));
    return open_stream(stream, kind, ret_log, complaint);
}

void log_file_close(struct log_file *log)
{
    if (!log)
        return;
    lines_close(log->lines);
    free(log);
}

const char *log_file_name(const struct log_file *log)
{
    return lines_name(log->lines);
}

enum log_file_format log_file_format(const struct log_file *log)
{
    return log->format;
}

uint64_t log_file_number(const struct log_file *log)
{
    return log->number;
}

static struct status check_click(const struct click *click, struct complaint *complaint)
{
    struct click_limits limits = {.by_user = click->session_id.size == 0 && click->user_id.size > 0};
    return click_check(click, click->time_ms, &limits, complaint);
}

struct status log_file_next_click(struct log_file *log, struct click *ret_click, bool *ret_found,
                                  struct complaint *complaint)
{
    assert(log->kind == LOG_FILE_CLICKS);
    size_t count;
    bool found;
    struct click click;
    TRY(next_fields(log, &count, &found, complaint));
    if (!found) {
        *ret_found = false;
        return OK;
    }
    struct status status = columns_read_click(&log->columns, log->fields, count, &click, complaint);
    if (!failed(status))
        status = check_click(&click, complaint);
    if (failed(status))
        return locate(log, status, complaint);
    *ret_click = click;
    *ret_found = true;
    return OK;
}

struct status log_file_next_item(struct log_file *log, struct item *ret_item, bool *ret_found,
                                 struct complaint *complaint)
{
    assert(log->kind == LOG_FILE_ITEMS);
    size_t count;
    bool found;
    TRY(next_fields(log, &count, &found, complaint));
    if (!found) {
        *ret_found = false;
        return OK;
    }
    struct status status = columns_read_item(&log->columns, log->fields, count, ret_item, complaint);
    if (failed(status))
        return locate(log, status, complaint);
    *ret_found = true;
    return OK;
}
