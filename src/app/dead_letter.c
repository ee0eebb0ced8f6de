// SPDX-License-Identifier: Apache-2.0
#include "app/dead_letter.h"

#include "app/json_writer.h"

#include <eddy/base/base64.h>
#include <eddy/base/timestamp.h>

#include <stdio.h>
#include <stdlib.h>

#define REASON_SHOWN_MAX 300

/* ---- reading */

static struct bytes header_of(const struct header *headers, size_t count, const char *name)
{
    for (size_t i = count; i > 0; i--)
        if (!strcmp(headers[i - 1].name, name))
            return headers[i - 1].value;
    return (struct bytes){0};
}

static int64_t number_of(struct bytes text, int64_t none)
{
    int64_t number;
    return bytes_to_int64(text, &number) && number >= 0 ? number : none;
}

struct dead_letter dead_letter_read(const char *topic, const struct message *record, const struct header *headers,
                                    size_t header_count)
{
    return (struct dead_letter){.topic = topic,
                                .record = *record,
                                .origin_topic = header_of(headers, header_count, ORIGIN_TOPIC_HEADER),
                                .origin_partition =
                                    number_of(header_of(headers, header_count, ORIGIN_PARTITION_HEADER), -1),
                                .origin_offset = number_of(header_of(headers, header_count, ORIGIN_OFFSET_HEADER), -1),
                                .reason_class = header_of(headers, header_count, REASON_CLASS_HEADER),
                                .reason = header_of(headers, header_count, REASON_HEADER),
                                .cut_from_bytes = number_of(header_of(headers, header_count, CUT_HEADER), 0)};
}

bool dead_letter_place_parse(const char *text, struct dead_letter_place *ret_place)
{
    const char *colon = strchr(text, ':');
    int64_t partition, offset;
    if (!colon || !bytes_to_int64(bytes_of(text, (size_t)(colon - text)), &partition) ||
        !bytes_to_int64(bytes_of_text(colon + 1), &offset) || partition < 0 || partition > INT32_MAX || offset < 0)
        return false;
    *ret_place = (struct dead_letter_place){(int32_t)partition, offset};
    return true;
}

/* ---- choosing */

static uint8_t small(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A') : byte;
}

static bool contains(struct bytes text, const char *wanted)
{
    struct bytes part = bytes_of_text(wanted);
    for (size_t at = 0; at + part.size <= text.size; at++) {
        size_t same = 0;
        while (same < part.size && small(text.data[at + same]) == small(part.data[same]))
            same++;
        if (same == part.size)
            return true;
    }
    return false;
}

static bool stands_at(const struct message *record, const struct dead_letter_filter *filter)
{
    for (size_t i = 0; i < filter->place_count; i++)
        if (filter->places[i].partition == record->partition && filter->places[i].offset == record->offset)
            return true;
    return filter->place_count == 0;
}

bool dead_letter_matches(const struct dead_letter *letter, const struct dead_letter_filter *filter)
{
    int64_t time_ms = letter->record.timestamp_ms;
    return time_ms >= filter->since_ms && time_ms < filter->until_ms && stands_at(&letter->record, filter) &&
           (!filter->reason || contains(letter->reason, filter->reason) ||
            contains(letter->reason_class, filter->reason));
}

/* ---- for people */

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

/* Appends at most size_max bytes of the text, and blanks up to `width` and one more. */
static void write_cell(struct bytes text, size_t size_max, size_t width, struct buffer *out)
{
    struct complaint clean; /* control characters are taken out of it */
    bool cut = text.size > size_max;
    struct bytes shown = cut ? bytes_utf8_prefix(text, size_max - 3) : text;
    complain(&clean, OK, "%.*s%s", (int)shown.size, shown.size ? (const char *)shown.data : "", cut ? "..." : "");
    for (char *at = clean.text; (at = strchr(at, '\n'));)
        *at = ' ';
    buffer_append_text(out, clean.text[0] ? clean.text : "-");
    for (size_t column = count_characters(clean.text[0] ? clean.text : "-"); column <= width && width; column++)
        buffer_append_byte(out, ' ');
}

struct column {
    const char *title;
    size_t width; /* 0: the last one, which ends the line */
    size_t size_max;
};

enum column_name { COLUMN_PLACE, COLUMN_TIME, COLUMN_ORIGIN, COLUMN_SIZE, COLUMN_KEY, COLUMN_CLASS, COLUMN_REASON };

static const struct column columns[] = {
    [COLUMN_PLACE] = {"PLACE", 12, 32},
    [COLUMN_TIME] = {"TIME", 24, 32},
    [COLUMN_ORIGIN] = {"ORIGIN", 24, 300},
    [COLUMN_SIZE] = {"SIZE", 8, 32},
    [COLUMN_KEY] = {"KEY", 20, 40},
    [COLUMN_CLASS] = {"CLASS", 14, 40},
    [COLUMN_REASON] = {"REASON", 0, REASON_SHOWN_MAX},
};

static void write_column(enum column_name name, struct bytes text, struct buffer *out)
{
    const struct column *column = &columns[name];
    write_cell(text, column->size_max, column->width, out);
}

void dead_letter_write_heading(struct buffer *out)
{
    for (enum column_name name = COLUMN_PLACE; name <= COLUMN_REASON; name++)
        write_column(name, bytes_of_text(columns[name].title), out);
    buffer_append_byte(out, '\n');
}

static void write_origin(const struct dead_letter *letter, struct buffer *out)
{
    AUTO(buffer) origin = {0};
    buffer_append_bytes(&origin, bytes_utf8_prefix(letter->origin_topic, 249));
    if (letter->origin_partition >= 0 && letter->origin_offset >= 0)
        buffer_format(&origin, ":%lld:%lld", (long long)letter->origin_partition, (long long)letter->origin_offset);
    write_column(COLUMN_ORIGIN, buffer_bytes(&origin), out);
}

void dead_letter_write_row(const struct dead_letter *letter, struct buffer *out)
{
    const struct message *record = &letter->record;
    char place[48], time[TIMESTAMP_TEXT_MAX], size[32];
    AUTO(buffer) reason = {0};
    snprintf(place, sizeof place, "%d:%lld", record->partition, (long long)record->offset);
    snprintf(size, sizeof size, "%zu", record->key.size + record->value.size);
    if (letter->cut_from_bytes)
        buffer_format(&reason, "[cut, was %lld bytes] ", (long long)letter->cut_from_bytes);
    if (record->attempt)
        buffer_format(&reason, "[retried, %u] ", record->attempt);
    buffer_append_bytes(&reason, bytes_utf8_prefix(letter->reason, 2 * REASON_SHOWN_MAX));
    write_column(COLUMN_PLACE, bytes_of_text(place), out);
    write_column(COLUMN_TIME, bytes_of_text(timestamp_text(record->timestamp_ms, time)), out);
    write_origin(letter, out);
    write_column(COLUMN_SIZE, bytes_of_text(size), out);
    write_column(COLUMN_KEY, record->key, out);
    write_column(COLUMN_CLASS, letter->reason_class, out);
    write_column(COLUMN_REASON, buffer_bytes(&reason), out);
    buffer_append_byte(out, '\n');
}

/* ---- for programs */

static void write_text(struct json_writer *json, const char *key, struct bytes text)
{
    if (text.data && bytes_is_utf8(text))
        json_text(json, key, text);
    else
        json_none(json, key);
}

/* `base64_key` has what is no text. */
static void write_bytes(struct json_writer *json, const char *key, const char *base64_key, struct bytes bytes)
{
    write_text(json, key, bytes);
    if (!bytes.data || bytes_is_utf8(bytes)) {
        json_none(json, base64_key);
        return;
    }
    AUTO(buffer) text = {0};
    base64_write(bytes, &text);
    json_text(json, base64_key, buffer_bytes(&text));
}

static void write_number(struct json_writer *json, const char *key, int64_t number, bool known)
{
    if (known)
        json_whole_number(json, key, number);
    else
        json_none(json, key);
}

void dead_letter_write_json(const struct dead_letter *letter, struct buffer *out)
{
    const struct message *record = &letter->record;
    char time[TIMESTAMP_TEXT_MAX];
    struct json_writer json = json_lines_of(out);
    json_begin_object(&json, NULL);
    json_text(&json, "topic", bytes_of_text(letter->topic));
    json_whole_number(&json, "partition", record->partition);
    json_whole_number(&json, "offset", record->offset);
    json_text(&json, "timestamp", bytes_of_text(timestamp_text(record->timestamp_ms, time)));
    write_text(&json, "origin_topic", letter->origin_topic);
    write_number(&json, "origin_partition", letter->origin_partition, letter->origin_partition >= 0);
    write_number(&json, "origin_offset", letter->origin_offset, letter->origin_offset >= 0);
    write_text(&json, "reason_class", letter->reason_class);
    write_text(&json, "reason", letter->reason);
    json_whole_number(&json, "attempt", record->attempt);
    write_number(&json, "cut_from_bytes", letter->cut_from_bytes, letter->cut_from_bytes > 0);
    write_bytes(&json, "key", "key_base64", record->key);
    write_bytes(&json, "value", "value_base64", record->value);
    json_end_object(&json);
}
