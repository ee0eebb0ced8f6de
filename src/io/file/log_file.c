// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/log_file.h>

#include "io/file/columns.h"
#include "io/file/container.h"

#include <eddy/core/codec.h>

#include <stdlib.h>

struct log_file {
    enum log_file_kind kind;
    enum log_file_format format;
    uint64_t number; /* of the record last handed out: line or, in a container, record */
    uint64_t lost;   /* records that went with the last failure */
    char *name;
    struct lines *lines; /* all but Avro */
    /* TSV, CSV */
    struct separator separator;
    struct columns columns;
    struct bytes fields[LOG_FILE_COLUMNS_MAX];
    /* JSON, Avro */
    struct decoder *decoder;
    struct container *container;
    uint64_t block_count;       /* records left in the block */
    struct bytes block_records; /* and their bytes */
};

static bool delimited(const struct log_file *log)
{
    return log->format == LOG_FILE_TSV || log->format == LOG_FILE_CSV;
}

/* Puts "file: line 7: " before the reason in *complaint. */
static struct status locate(const struct log_file *log, struct status status, struct complaint *complaint)
{
    if (!complaint)
        return status;
    struct complaint reason = *complaint;
    AUTO(buffer) place = {0};
    log_file_place(log, &place);
    return complain(complaint, status, "%s: %s", buffer_text(&place),
                    reason.text[0] ? reason.text : status.fault->what);
}

static struct status recognise(struct log_file *log, struct bytes head, struct complaint *complaint)
{
    bool marked = head.size >= 3 && !memcmp(head.data, "\xef\xbb\xbf", 3); /* a byte-order mark */
    struct bytes text = marked ? bytes_of(head.data + 3, head.size - 3) : head;
    if (text.size == 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a file is empty"), "%s: the file is empty", log->name);
    if (text.data[0] == '[')
        return complain(
            complaint, FAIL(BAD_INPUT, 0, "a file is a JSON array"),
            "%s: this is one JSON array; JSON is read with an object on each line (jq -c '.[]' makes it so)",
            log->name);
    const uint8_t *line_end = memchr(text.data, '\n', text.size);
    size_t line_size = line_end ? (size_t)(line_end - text.data) : text.size;
    if (text.size >= 4 && !memcmp(text.data, "Obj\1", 4))
        log->format = LOG_FILE_AVRO;
    else if (text.data[0] == '{')
        log->format = LOG_FILE_JSON;
    else if (memchr(text.data, '\t', line_size))
        log->format = LOG_FILE_TSV;
    else
        log->format = LOG_FILE_CSV;
    return OK;
}

/* The next line with anything in it. */
static struct status next_line(struct log_file *log, struct line *ret_line, bool *ret_found,
                               struct complaint *complaint)
{
    do {
        struct status status = lines_next(log->lines, csv_separator(&log->separator), ret_line, ret_found, complaint);
        log->number = ret_line->number;
        log->lost = !failed(status) || failed_as(status, FAULT_BAD_INPUT);
        TRY(status);
    } while (*ret_found && ret_line->size == 0);
    return OK;
}

static struct status next_fields(struct log_file *log, size_t *ret_count, bool *ret_found, struct complaint *complaint)
{
    struct line line;
    TRY(next_line(log, &line, ret_found, complaint));
    if (!*ret_found)
        return OK;
    struct status status =
        fields_split(&line, &log->separator, log->fields, LOG_FILE_COLUMNS_MAX, ret_count, complaint);
    return failed(status) ? locate(log, status, complaint) : OK;
}

/* Complains about the record at `number` and passes over it and those behind it that are lost with it. */
static struct status lose(struct log_file *log, uint64_t count, struct status status, struct complaint *complaint)
{
    locate(log, status, complaint);
    log->lost = count;
    log->number += count > 0 ? count - 1 : 0;
    return status;
}

/* The next record of a container. One whose size cannot be told takes the rest of its block with it. */
static struct status next_of_container(struct log_file *log, struct bytes *ret_record, bool *ret_found,
                                       struct complaint *complaint)
{
    log->number++;
    log->lost = 1;
    if (log->block_count == 0) {
        struct status status = container_next(log->container, &log->block_count, &log->block_records, complaint);
        if (failed(status))
            return lose(log, container_lost(log->container), status, complaint);
    }
    *ret_found = log->block_count > 0;
    if (!*ret_found)
        return OK;
    size_t size;
    struct status status = decoder_measure(log->decoder, log->block_records, &size, complaint);
    if (failed(status)) {
        uint64_t count = log->block_count;
        log->block_count = 0;
        return lose(log, count, status, complaint);
    }
    *ret_record = bytes_of(log->block_records.data, size);
    log->block_records = bytes_of(log->block_records.data + size, log->block_records.size - size);
    log->block_count--;
    return OK;
}

/* The next record that the decoder reads: JSON or Avro. */
static struct status next_record(struct log_file *log, struct bytes *ret_record, bool *ret_found,
                                 struct complaint *complaint)
{
    struct line line;
    if (log->format == LOG_FILE_AVRO)
        return next_of_container(log, ret_record, ret_found, complaint);
    TRY(next_line(log, &line, ret_found, complaint));
    if (*ret_found)
        *ret_record = bytes_of(line.data, line.size);
    return OK;
}

static struct status read_header(struct log_file *log, struct complaint *complaint)
{
    size_t count;
    bool found;
    TRY(next_fields(log, &count, &found, complaint));
    if (!found)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a file is empty"), "%s: the file is empty", log->name);
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

static struct status open_container(struct log_file *log, struct byte_stream *stream, struct complaint *complaint)
{
    struct status status = container_open(stream, &log->container, complaint);
    if (!failed(status))
        status = decoder_set_schema(log->decoder, container_schema(log->container), complaint);
    if (!failed(status) || !complaint)
        return status;
    struct complaint reason = *complaint;
    return complain(complaint, status, "%s: %s", log->name, reason.text[0] ? reason.text : status.fault->what);
}

static struct status open_decoded(struct log_file *log, struct byte_stream *stream, struct complaint *complaint)
{
    bool avro = log->format == LOG_FILE_AVRO;
    struct status status = decoder_open(log->kind == LOG_FILE_CLICKS ? RECORD_CLICK : RECORD_ITEM,
                                        avro ? RECORD_AVRO : RECORD_JSON, &log->decoder);
    if (failed(status)) {
        byte_stream_close(stream);
        return status;
    }
    return avro ? open_container(log, stream, complaint) : lines_open(stream, &log->lines);
}

static struct status begin(struct log_file *log, struct byte_stream *stream, struct complaint *complaint)
{
    log->name = strdup(byte_stream_name(stream));
    struct status status =
        log->name ? recognise(log, byte_stream_peek(stream), complaint) : FAIL(MEMORY, 0, "no memory for a file");
    if (failed(status)) {
        byte_stream_close(stream);
        return status;
    }
    if (delimited(log))
        return open_delimited(log, stream, complaint);
    return open_decoded(log, stream, complaint);
}

/* Takes the stream over. */
static struct status open_stream(struct byte_stream *stream, enum log_file_kind kind, struct log_file **ret_log,
                                 struct complaint *complaint)
{
    struct log_file *log = calloc(1, sizeof *log);
    if (!log) {
        byte_stream_close(stream);
        return FAIL(MEMORY, sizeof *log, "no memory for a file");
    }
    log->kind = kind;
    struct status status = begin(log, stream, complaint);
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
    TRY(byte_stream_open_bytes(content, name, &stream, complaint));
    return open_stream(stream, kind, ret_log, complaint);
}

void log_file_close(struct log_file *log)
{
    if (!log)
        return;
    lines_close(log->lines);
    container_close(log->container);
    decoder_close(log->decoder);
    free(log->name);
    free(log);
}

const char *log_file_name(const struct log_file *log)
{
    return log->name;
}

enum log_file_format log_file_format(const struct log_file *log)
{
    return log->format;
}

uint64_t log_file_number(const struct log_file *log)
{
    return log->number;
}

void log_file_place(const struct log_file *log, struct buffer *out)
{
    buffer_format(out, "%s: %s %llu", log->name, log->container ? "record" : "line", (unsigned long long)log->number);
}

uint64_t log_file_lost(const struct log_file *log)
{
    return log->lost;
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
    size_t count = 0;
    bool found;
    struct bytes record;
    struct click click;
    if (delimited(log))
        TRY(next_fields(log, &count, &found, complaint));
    else
        TRY(next_record(log, &record, &found, complaint));
    if (found) {
        struct status status = delimited(log) ? columns_read_click(&log->columns, log->fields, count, &click, complaint)
                                              : decode_click(log->decoder, record, &click, complaint);
        if (!failed(status))
            status = check_click(&click, complaint);
        if (failed(status))
            return locate(log, status, complaint);
        *ret_click = click;
    }
    *ret_found = found;
    return OK;
}

struct status log_file_next_item(struct log_file *log, struct item *ret_item, bool *ret_found,
                                 struct complaint *complaint)
{
    assert(log->kind == LOG_FILE_ITEMS);
    size_t count = 0;
    bool found;
    struct bytes record;
    if (delimited(log))
        TRY(next_fields(log, &count, &found, complaint));
    else
        TRY(next_record(log, &record, &found, complaint));
    if (found) {
        struct status status = delimited(log)
                                   ? columns_read_item(&log->columns, log->fields, count, ret_item, complaint)
                                   : decode_item(log->decoder, record, ret_item, complaint);
        if (failed(status))
            return locate(log, status, complaint);
    }
    *ret_found = found;
    return OK;
}
