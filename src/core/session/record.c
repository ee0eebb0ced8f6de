// SPDX-License-Identifier: Apache-2.0
/* The stored record of a session, version 1. Numbers are LEB128 (7 bits a byte, low first), signed ones zigzag.
 *
 *   version, flags (1: kept by user, 2: event ids)    2 bytes
 *   key, user_id                                      size, bytes each
 *   opened_ms; first click ever, less opened_ms       signed
 *   total; number of clicks kept
 *   first click kept, less opened_ms                  signed
 *   each click kept: milliseconds since the one before, times 4, plus type; item id as size, bytes;
 *                    with event ids, the 8 bytes of its hash (0: none)
 *   checksum: low half of XXH3 of all before          4 bytes, low first; at the end in every version
 */
#include "core/session/record.h"
#include <eddy/core/catalogue.h>

#define VERSION       1
#define FLAG_BY_USER  1
#define FLAG_WITH_IDS 2
#define CHECKSUM_SIZE 4

static void put_number(struct buffer *out, uint64_t number)
{
    uint8_t bytes[10];
    size_t size = 0;
    do {
        bytes[size++] = (uint8_t)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
        number >>= 7;
    } while (number);
    buffer_append(out, bytes, size);
}

static void put_signed(struct buffer *out, int64_t number)
{
    put_number(out, (uint64_t)number << 1 ^ (uint64_t)(number >> 63));
}

static void put_text(struct buffer *out, struct bytes text)
{
    put_number(out, text.size);
    buffer_append_bytes(out, text);
}

static void put_fixed(struct buffer *out, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        buffer_append_byte(out, (uint8_t)(number >> 8 * i));
}

static uint32_t checksum(struct bytes bytes)
{
    return (uint32_t)bytes_hash(bytes);
}

void session_encode(const struct session_table *table, uint32_t session, const struct catalogue *catalogue,
                    struct buffer *out)
{
    const struct session *entry = session_at(table, session);
    const struct kept_click *clicks = clicks_of(table, session);
    const uint64_t *ids = clicks_id_hashes(table, session);
    assert(entry->number != NUMBER_NONE && entry->length > 0);
    size_t start = out->size;
    buffer_append_byte(out, VERSION);
    buffer_append_byte(out, (uint8_t)((table->options.by_user ? FLAG_BY_USER : 0) | (ids ? FLAG_WITH_IDS : 0)));
    put_text(out, clicks_key(table, session));
    put_text(out, clicks_user(table, session));
    put_signed(out, entry->opened_ms);
    put_signed(out, entry->first);
    put_number(out, entry->total);
    put_number(out, entry->length);
    int32_t time = kept_time(clicks[0]);
    put_signed(out, time);
    for (uint32_t i = 0; i < entry->length; i++) {
        put_number(out, (uint64_t)(kept_time(clicks[i]) - time) << 2 | kept_type(clicks[i]));
        time = kept_time(clicks[i]);
        put_text(out, catalogue_id(catalogue, clicks[i].item));
        if (ids)
            put_fixed(out, ids[i], 8);
    }
    if (!out->overflow)
        put_fixed(out, checksum(bytes_of(out->data + start, out->size - start)), CHECKSUM_SIZE);
}

static struct bytes get_bytes(struct reader *reader, uint64_t size)
{
    if (reader->bad || size > reader->rest.size) {
        reader->bad = true;
        return (struct bytes){0};
    }
    struct bytes bytes = bytes_of(reader->rest.data, (size_t)size);
    reader->rest = bytes_of(reader->rest.data + size, reader->rest.size - (size_t)size);
    return bytes;
}

static uint64_t get_fixed(struct reader *reader, unsigned size)
{
    struct bytes bytes = get_bytes(reader, size);
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes.size; i++)
        number |= (uint64_t)bytes.data[i] << 8 * i;
    return number;
}

static uint64_t get_number(struct reader *reader)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint64_t byte = get_fixed(reader, 1);
        number |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    reader->bad = true;
    return 0;
}

static int64_t get_signed(struct reader *reader)
{
    uint64_t number = get_number(reader);
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

static struct bytes get_text(struct reader *reader)
{
    return get_bytes(reader, get_number(reader));
}

struct record_click record_click(struct reader *reader, int64_t time, bool with_ids)
{
    uint64_t number = get_number(reader);
    struct record_click click = {.type = number & 3, .item_id = get_text(reader)};
    click.id_hash = with_ids ? get_fixed(reader, 8) : 0;
    if (number >> 2 > 2 * SESSION_DURATION_MAX_MS || !click.item_id.size || click.item_id.size > CLICK_ID_MAX)
        reader->bad = true;
    click.time = reader->bad ? 0 : time + (int64_t)(number >> 2);
    return click;
}

static bool is_near(int64_t relative)
{
    return relative >= -SESSION_DURATION_MAX_MS && relative <= SESSION_DURATION_MAX_MS;
}

/* Reads all clicks once, so that restoring cannot meet a bad one halfway. */
static bool clicks_are_good(struct record *record)
{
    struct reader reader = {.rest = record->clicks};
    int64_t time = record->kept_from;
    for (uint64_t i = 0; i < record->length && !reader.bad; i++)
        time = record_click(&reader, time, record->with_ids).time;
    record->last = time;
    return !reader.bad && reader.rest.size == 0 && is_near(time);
}

static bool record_is_good(struct record *record)
{
    return record->key.size > 0 && record->key.size <= CLICK_ID_MAX && record->user_id.size <= CLICK_ID_MAX &&
           !(record->by_user && record->user_id.size) && record->opened_ms > -TIME_MAX_MS &&
           record->opened_ms < TIME_MAX_MS && record->length > 0 && record->length <= SESSION_CLICKS_MAX &&
           record->total >= record->length && record->total <= UINT32_MAX && is_near(record->first) &&
           is_near(record->kept_from) && record->first <= record->kept_from && record->first <= 0 &&
           clicks_are_good(record) && record->last >= 0;
}

struct status record_open(struct bytes bytes, struct record *ret_record)
{
    if (bytes.size < 2 + CHECKSUM_SIZE)
        return FAIL(CORRUPT, bytes.size, "a session record is too short");
    struct bytes body = bytes_of(bytes.data, bytes.size - CHECKSUM_SIZE);
    struct reader end = {.rest = bytes_of(bytes.data + body.size, CHECKSUM_SIZE)};
    if (get_fixed(&end, CHECKSUM_SIZE) != checksum(body))
        return FAIL(CORRUPT, bytes.size, "a session record's checksum is wrong");
    struct reader reader = {.rest = body};
    uint64_t version = get_fixed(&reader, 1), flags = get_fixed(&reader, 1);
    if (version > VERSION)
        return FAIL(NEWER, version, "a session record is of a later version");
    struct record record = {.by_user = flags & FLAG_BY_USER, .with_ids = flags & FLAG_WITH_IDS};
    record.key = get_text(&reader);
    record.user_id = get_text(&reader);
    record.opened_ms = get_signed(&reader);
    record.first = get_signed(&reader);
    record.total = get_number(&reader);
    record.length = get_number(&reader);
    record.kept_from = get_signed(&reader);
    record.clicks = reader.rest;
    bool flags_known = flags <= (FLAG_BY_USER | FLAG_WITH_IDS);
    if (version < 1 || !flags_known || reader.bad || !record_is_good(&record))
        return FAIL(CORRUPT, bytes.size, "a session record does not make sense");
    *ret_record = record;
    return OK;
}
