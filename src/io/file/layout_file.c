// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/layout_file.h>

#include "io/file/fields.h"

#include <eddy/base/buffer.h>
#include <eddy/io/log_file.h>

#include <stdlib.h>

struct layout_file {
    const struct layout *layout;
    enum layout_kind kind;
    const struct layout_side *side; /* the layout's of that kind */
    struct lines *lines;
    struct arena batch; /* of one line */
    uint64_t lost;      /* records, with the last failure */
    bool json;
    struct separator separator;
    size_t column_count;
    uint8_t roles[LOG_FILE_COLUMNS_MAX];
    struct bytes fields[LOG_FILE_COLUMNS_MAX];
};

static struct status locate(const struct layout_file *file, uint64_t line, struct status status,
                            struct complaint *complaint)
{
    if (!complaint)
        return status;
    struct complaint reason = *complaint;
    return complain(complaint, status, "%s: line %llu: %s", lines_name(file->lines), (unsigned long long)line,
                    reason.text[0] ? reason.text : status.fault->what);
}

/* The separator that stands in the first line; false when the layout has none that does. */
static bool find_separator(struct layout_file *file, const struct line *line)
{
    for (size_t i = 0; i < 3 && file->side->separators[i]; i++) {
        const char *text = file->side->separators[i];
        if (!memmem(line->data, line->size, text, strlen(text)))
            continue;
        memcpy(file->separator.text, text, strlen(text) + 1);
        file->separator.quoted = text[1] == 0 && text[0] != '\t';
        return true;
    }
    return false;
}

static struct status pass_over(void *context, const struct layout_record *record)
{
    (void)context;
    (void)record;
    return OK;
}

/* Takes the first line for names, or else for the first record of columns in a fixed order; what is neither has other
 * columns, or has these in another order. */
static struct status bind(struct layout_file *file, size_t count, bool *ret_names, struct complaint *reason)
{
    const struct layout_side *side = file->side;
    file->column_count = count;
    *ret_names = layout_bind(side, file->kind, file->fields, count, file->roles);
    if (*ret_names)
        return OK;
    if (count != side->position_count)
        return FAIL(BAD_INPUT, count, "a file has other columns");
    for (size_t i = 0; i < count; i++)
        file->roles[i] = (uint8_t)side->positions[i];
    const struct layout_visitor nobody = {.kind = file->kind, .visit = pass_over};
    return layout_read_fields(file->roles, file->fields, count, &file->batch, &nobody, reason);
}

/* Cuts and binds the first line; *ret_count: its fields, as far as they were cut. */
static struct status read_first(struct layout_file *file, struct line *line, size_t *ret_count, bool *ret_names,
                                struct complaint *reason)
{
    file->fields[0] = bytes_of(line->data, line->size);
    *ret_count = 1;
    if (!find_separator(file, line))
        return FAIL(BAD_INPUT, 1, "a file has no column separator");
    TRY(fields_split(line, &file->separator, file->fields, LOG_FILE_COLUMNS_MAX, ret_count, reason));
    return bind(file, *ret_count, ret_names, reason);
}

/* Says what a file of this layout has and what this one has. */
static struct status refuse(const struct layout_file *file, size_t count, struct status status,
                            const struct complaint *reason, struct complaint *complaint)
{
    AUTO(buffer) found = {0}, wanted = {0};
    buffer_format(&found, "%zu column%s: ", count, count == 1 ? "" : "s");
    for (size_t i = 0; i < count && found.size < 240; i++)
        buffer_format(&found, "%s" BYTES_FORMAT, i ? ", " : "", BYTES_ARGS(bytes_utf8_prefix(file->fields[i], 60)));
    if (reason->text[0])
        buffer_format(&found, " (%.200s)", reason->text);
    layout_describe(file->side, &wanted);
    return complain(complaint, status, "%s: line 1: this is no file of %s of layout %s\n  found:  %s\n  wanted: %s",
                    lines_name(file->lines), layout_kind_text(file->kind), file->layout->name,
                    file->json ? "JSON" : buffer_text(&found), buffer_text(&wanted));
}

/* Looks at the first line without taking it, unless it is one of names. */
static struct status recognise(struct layout_file *file, struct bytes head, struct complaint *complaint)
{
    bool marked = head.size >= 3 && !memcmp(head.data, "\xef\xbb\xbf", 3), names = false, found;
    struct bytes text = marked ? bytes_of(head.data + 3, head.size - 3) : head;
    if (text.size == 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a file is empty"), "%s: the file is empty",
                        lines_name(file->lines));
    file->json = text.data[0] == '{';
    struct complaint reason = {{0}};
    if (file->json && !file->side->names[0].name)
        return refuse(file, 0, FAIL(BAD_INPUT, 0, "a file is JSON"), &reason, complaint);
    if (file->json)
        return OK;
    const uint8_t *end = memchr(text.data, '\n', text.size);
    AUTO(buffer) copy = {0};
    buffer_append(&copy, text.data, end ? (size_t)(end - text.data) : text.size);
    TRY(buffer_check(&copy));
    struct line line = {copy.data, copy.size, 1};
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    size_t count;
    struct status status = read_first(file, &line, &count, &names, &reason);
    if (failed_as(status, FAULT_BAD_INPUT))
        return refuse(file, count, status, &reason, complaint);
    TRY(status);
    return names ? lines_next(file->lines, 0, &line, &found, complaint) : OK;
}

struct status layout_file_open(const char *path, const struct layout *layout, enum layout_kind kind,
                               struct layout_file **ret_file, struct complaint *complaint)
{
    struct byte_stream *stream;
    TRY(byte_stream_open(path, &stream, complaint));
    struct layout_file *file = calloc(1, sizeof *file);
    if (!file) {
        byte_stream_close(stream);
        return FAIL(MEMORY, sizeof *file, "no memory for a file");
    }
    file->layout = layout;
    file->kind = kind;
    file->side = layout_side_of(layout, kind);
    struct bytes head = byte_stream_peek(stream);
    struct status status = lines_open(stream, &file->lines);
    if (!failed(status))
        status = recognise(file, head, complaint);
    if (failed(status)) {
        layout_file_close(file);
        return status;
    }
    *ret_file = file;
    return OK;
}

void layout_file_close(struct layout_file *file)
{
    if (!file)
        return;
    lines_close(file->lines);
    arena_release(&file->batch);
    free(file);
}

static struct status read_line(struct layout_file *file, struct line *line, const struct layout_visitor *visitor,
                               struct complaint *complaint)
{
    size_t count;
    if (file->json)
        return layout_read_json(file->side, bytes_of(line->data, line->size), &file->batch, visitor, &file->lost,
                                complaint);
    TRY(fields_split(line, &file->separator, file->fields, LOG_FILE_COLUMNS_MAX, &count, complaint));
    if (count != file->column_count)
        return complain(complaint, FAIL(BAD_INPUT, count, "a line has a wrong number of fields"),
                        "there are %zu fields where the first line has %zu", count, file->column_count);
    return layout_read_fields(file->roles, file->fields, count, &file->batch, visitor, complaint);
}

struct status layout_file_next(struct layout_file *file, const struct layout_visitor *visitor, bool *ret_found,
                               struct complaint *complaint)
{
    struct line line;
    struct status status = lines_next(file->lines, csv_separator(&file->separator), &line, ret_found, complaint);
    file->lost = !failed(status) || failed_as(status, FAULT_BAD_INPUT);
    TRY(status);
    if (!*ret_found || line.size == 0)
        return OK;
    arena_reset(&file->batch);
    status = read_line(file, &line, visitor, complaint);
    return failed(status) ? locate(file, line.number, status, complaint) : OK;
}

uint64_t layout_file_lost(const struct layout_file *file)
{
    return file->lost;
}
