// SPDX-License-Identifier: Apache-2.0
#pragma once
/* wire: the primitives of the Avro binary encoding (Avro 1.11, "Binary encoding").
 *
 * Reading: a struct reader walks borrowed bytes and never reads past their end. Each read_ returns false after noting
 * the field and the problem in the reader, so that a decoder is a chain of && and one reader_status() at its end.
 * Writing: put_ functions write to memory the caller has reserved (VARINT_MAX bytes for a number) and return the
 * place behind what they wrote. */
#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

#include <endian.h>

#define VARINT_MAX           10 /* bytes of a 64-bit number */
#define CONFLUENT_FRAME_SIZE 5  /* magic byte 0, big-endian schema id */

struct reader {
    const uint8_t *start, *at, *end;
    const char *field, *problem; /* set by the first failure */
    const char *unknown;         /* a writer's enum symbol that the reader's default stood for; NULL: none */
    bool converted;              /* the bytes were made from a record in another form: offsets mean nothing to users */
};

static inline struct reader reader_of(struct bytes bytes)
{
    const uint8_t *data = bytes.size ? bytes.data : (const uint8_t *)"";
    return (struct reader){.start = data, .at = data, .end = data + bytes.size, .converted = false};
}

static inline size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* Notes the failure and returns false. `field` and `problem` must outlive the reader. */
bool reader_fail(struct reader *reader, const char *field, const char *problem) __attribute__((cold));

/* BAD_INPUT (detail = byte offset) and a complaint about the failure noted. */
MUST_CHECK struct status reader_status(const struct reader *reader, struct complaint *complaint) __attribute__((cold));

/* Fails unless every byte was read. */
bool reader_finish(struct reader *reader);

/* The rest of read_varint: numbers of several bytes, and failures. */
bool read_varint_slow(struct reader *reader, const char *field, uint64_t *ret_value);

static inline bool read_varint(struct reader *reader, const char *field, uint64_t *ret_value)
{
    if (reader->at == reader->end || *reader->at >= 0x80)
        return read_varint_slow(reader, field, ret_value);
    *ret_value = *reader->at++;
    return true;
}

static inline bool read_long(struct reader *reader, const char *field, int64_t *ret_value)
{
    uint64_t raw;
    if (!read_varint(reader, field, &raw))
        return false;
    *ret_value = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
    return true;
}

static inline bool read_int(struct reader *reader, const char *field, int32_t *ret_value)
{
    int64_t value;
    if (!read_long(reader, field, &value))
        return false;
    if (value < INT32_MIN || value > INT32_MAX)
        return reader_fail(reader, field, "the number does not fit an int");
    *ret_value = (int32_t)value;
    return true;
}

/* A string or bytes; not checked for UTF-8. */
static inline bool read_text(struct reader *reader, const char *field, struct bytes *ret_text)
{
    int64_t size;
    if (!read_long(reader, field, &size))
        return false;
    if (size < 0 || (uint64_t)size > reader_left(reader))
        return reader_fail(reader, field, "the string's length goes past the end of the record");
    *ret_text = bytes_of(reader->at, (size_t)size);
    reader->at += size;
    return true;
}

/* An enum's or union's index, below `count`. */
static inline bool read_index(struct reader *reader, const char *field, uint32_t count, uint32_t *ret_index)
{
    int64_t index;
    if (!read_long(reader, field, &index))
        return false;
    if (index < 0 || index >= count)
        return reader_fail(reader, field, "the enum or union index is out of range");
    *ret_index = (uint32_t)index;
    return true;
}

/* A ["null", "string"]; null reads as empty. */
static inline bool read_optional_text(struct reader *reader, const char *field, struct bytes *ret_text)
{
    uint32_t branch;
    if (!read_index(reader, field, 2, &branch))
        return false;
    if (branch == 1)
        return read_text(reader, field, ret_text);
    *ret_text = (struct bytes){0};
    return true;
}

/* Of text that must be UTF-8. */
bool check_utf8(struct reader *reader, const char *field, struct bytes text);
bool read_utf8(struct reader *reader, const char *field, struct bytes *ret_text);
/* An int that counts something. */
bool read_count(struct reader *reader, const char *field, uint32_t *ret_count);
/* One below `limit`. */
bool read_below(struct reader *reader, const char *field, uint32_t limit, uint32_t *ret_number);
/* A long of `least` or more. */
bool read_at_least(struct reader *reader, const char *field, int64_t least, int64_t *ret_number);

bool read_boolean(struct reader *reader, const char *field, bool *ret_value);
bool read_float(struct reader *reader, const char *field, float *ret_value);
bool read_double(struct reader *reader, const char *field, double *ret_value);

/* The head of an array's or map's next block: its number of entries, 0 at the end. A count that the bytes left cannot
 * hold, at item_size_min (> 0) bytes each, fails. */
bool read_block(struct reader *reader, const char *field, size_t item_size_min, uint64_t *ret_count);

static inline uint8_t *put_long(uint8_t *at, int64_t value)
{
    uint64_t raw = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    while (raw >= 0x80) {
        *at++ = (uint8_t)(raw | 0x80);
        raw >>= 7;
    }
    *at++ = (uint8_t)raw;
    return at;
}

static inline uint8_t *put_text(uint8_t *at, struct bytes text)
{
    at = put_long(at, (int64_t)text.size);
    if (text.size)
        memcpy(at, text.data, text.size);
    return at + text.size;
}

/* A ["null", "string"]; empty is written as null. */
static inline uint8_t *put_optional_text(uint8_t *at, struct bytes text)
{
    *at++ = text.size ? 2 : 0;
    return text.size ? put_text(at, text) : at;
}

/* Avro's reals are little-endian, whatever the machine is. */
static inline uint8_t *put_float(uint8_t *at, float value)
{
    uint32_t raw;
    memcpy(&raw, &value, sizeof raw);
    raw = htole32(raw);
    memcpy(at, &raw, sizeof raw);
    return at + sizeof raw;
}

static inline uint8_t *put_double(uint8_t *at, double value)
{
    uint64_t raw;
    memcpy(&raw, &value, sizeof raw);
    raw = htole64(raw);
    memcpy(at, &raw, sizeof raw);
    return at + sizeof raw;
}
