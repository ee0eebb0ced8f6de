// SPDX-License-Identifier: Apache-2.0
#include "core/event/wire.h"

bool reader_fail(struct reader *reader, const char *field, const char *problem)
{
    reader->field = field;
    reader->problem = problem;
    return false;
}

struct status reader_status(const struct reader *reader, struct complaint *complaint)
{
    assert(reader->problem);
    int64_t offset = reader->at - reader->start;
    struct status status = FAIL(BAD_INPUT, offset, "the record is malformed");
    if (reader->converted)
        return complain(complaint, status, "%s: %s", reader->field, reader->problem);
    return complain(complaint, status, "%s: %s (at byte %lld of %lld)", reader->field, reader->problem,
                    (long long)offset, (long long)(reader->end - reader->start));
}

bool reader_finish(struct reader *reader)
{
    if (reader->at != reader->end)
        return reader_fail(reader, "record", "bytes are left over behind the last field");
    return true;
}

bool read_varint_slow(struct reader *reader, const char *field, uint64_t *ret_value)
{
    uint64_t value = 0;
    const uint8_t *at = reader->at;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (at == reader->end)
            return reader_fail(reader, field, "the record ends within a number");
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            return reader_fail(reader, field, "the number is longer than 64 bits");
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    reader->at = at;
    *ret_value = value;
    return true;
}

bool read_boolean(struct reader *reader, const char *field, bool *ret_value)
{
    if (reader->at == reader->end || *reader->at > 1)
        return reader_fail(reader, field, "there is no boolean (a byte 0 or 1)");
    *ret_value = *reader->at++;
    return true;
}

bool read_float(struct reader *reader, const char *field, float *ret_value)
{
    uint32_t raw;
    if (reader_left(reader) < sizeof raw)
        return reader_fail(reader, field, "the record ends within a float");
    memcpy(&raw, reader->at, sizeof raw);
    raw = le32toh(raw);
    memcpy(ret_value, &raw, sizeof raw);
    reader->at += sizeof raw;
    return true;
}

bool read_double(struct reader *reader, const char *field, double *ret_value)
{
    uint64_t raw;
    if (reader_left(reader) < sizeof raw)
        return reader_fail(reader, field, "the record ends within a double");
    memcpy(&raw, reader->at, sizeof raw);
    raw = le64toh(raw);
    memcpy(ret_value, &raw, sizeof raw);
    reader->at += sizeof raw;
    return true;
}

bool check_utf8(struct reader *reader, const char *field, struct bytes text)
{
    return bytes_is_utf8(text) || reader_fail(reader, field, "the text is not valid UTF-8");
}

bool read_utf8(struct reader *reader, const char *field, struct bytes *ret_text)
{
    return read_text(reader, field, ret_text) && check_utf8(reader, field, *ret_text);
}

bool read_count(struct reader *reader, const char *field, uint32_t *ret_count)
{
    int32_t value;
    if (!read_int(reader, field, &value))
        return false;
    if (value < 0)
        return reader_fail(reader, field, "the number is negative");
    *ret_count = (uint32_t)value;
    return true;
}

bool read_below(struct reader *reader, const char *field, uint32_t limit, uint32_t *ret_number)
{
    if (!read_count(reader, field, ret_number))
        return false;
    return *ret_number < limit || reader_fail(reader, field, "the number is larger than can be");
}

bool read_at_least(struct reader *reader, const char *field, int64_t least, int64_t *ret_number)
{
    if (!read_long(reader, field, ret_number))
        return false;
    return *ret_number >= least || reader_fail(reader, field, "the number is smaller than can be");
}

bool read_block(struct reader *reader, const char *field, size_t item_size_min, uint64_t *ret_count)
{
    int64_t count, size;
    if (!read_long(reader, field, &count))
        return false;
    if (count < 0 && !read_long(reader, field, &size)) /* a negative count has the block's size behind it */
        return false;
    uint64_t magnitude = count < 0 ? -(uint64_t)count : (uint64_t)count;
    if (magnitude > reader_left(reader) / item_size_min)
        return reader_fail(reader, field, "the count of entries goes past the end of the record");
    *ret_count = magnitude;
    return true;
}
