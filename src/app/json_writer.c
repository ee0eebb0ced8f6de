// SPDX-License-Identifier: Apache-2.0
#include "app/json_writer.h"

#include <math.h>

struct json_writer json_writer_of(struct buffer *out)
{
    return (struct json_writer){.out = out, .first = true};
}

struct json_writer json_lines_of(struct buffer *out)
{
    return (struct json_writer){.out = out, .first = true, .lines = true};
}

static void newline(struct json_writer *writer)
{
    if (writer->lines)
        return;
    buffer_append_byte(writer->out, '\n');
    for (int i = 0; i < writer->depth; i++)
        buffer_append_text(writer->out, "  ");
}

static void write_string(struct buffer *out, struct bytes text)
{
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"' || byte == '\\')
            buffer_format(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            buffer_format(out, "\\u%04x", byte);
        else if (byte == 0xc2 && i + 1 < text.size && (text.data[i + 1] & 0xe0) == 0x80)
            buffer_format(out, "\\u%04x", text.data[++i]); /* U+0080 to U+009F */
        else
            buffer_append_byte(out, byte);
    }
    buffer_append_byte(out, '"');
}

static void begin_value(struct json_writer *writer, const char *key)
{
    if (!writer->first)
        buffer_append_byte(writer->out, ',');
    if (writer->depth > 0)
        newline(writer);
    writer->first = false;
    if (key) {
        write_string(writer->out, bytes_of_text(key));
        buffer_append_text(writer->out, writer->lines ? ":" : ": ");
    }
}

static void open_level(struct json_writer *writer, const char *key, uint8_t bracket)
{
    begin_value(writer, key);
    buffer_append_byte(writer->out, bracket);
    writer->depth++;
    writer->first = true;
}

static void close_level(struct json_writer *writer, uint8_t bracket)
{
    assert(writer->depth > 0);
    writer->depth--;
    if (!writer->first)
        newline(writer);
    buffer_append_byte(writer->out, bracket);
    writer->first = writer->depth == 0;
    if (writer->depth == 0)
        buffer_append_byte(writer->out, '\n');
}

void json_begin_object(struct json_writer *writer, const char *key)
{
    open_level(writer, key, '{');
}

void json_begin_array(struct json_writer *writer, const char *key)
{
    open_level(writer, key, '[');
}

void json_end_object(struct json_writer *writer)
{
    close_level(writer, '}');
}

void json_end_array(struct json_writer *writer)
{
    close_level(writer, ']');
}

void json_text(struct json_writer *writer, const char *key, struct bytes text)
{
    begin_value(writer, key);
    write_string(writer->out, text);
}

void json_number(struct json_writer *writer, const char *key, double number)
{
    begin_value(writer, key);
    if (isfinite(number))
        buffer_format(writer->out, "%.10g", number);
    else
        buffer_append_text(writer->out, "null");
}

void json_whole_number(struct json_writer *writer, const char *key, int64_t number)
{
    begin_value(writer, key);
    buffer_format(writer->out, "%lld", (long long)number);
}

void json_truth(struct json_writer *writer, const char *key, bool truth)
{
    begin_value(writer, key);
    buffer_append_text(writer->out, truth ? "true" : "false");
}

void json_none(struct json_writer *writer, const char *key)
{
    begin_value(writer, key);
    buffer_append_text(writer->out, "null");
}
