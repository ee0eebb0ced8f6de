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
#include "core/session/table.h"
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

/* Reads on from `rest`; after a failure `bad` is set and everything read is 0 or empty. */
struct reader {
    struct bytes rest;
    bool bad;
};

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

struct record {
    bool by_user, with_ids;
    struct bytes key, user_id;
    int64_t opened_ms, first;
    uint64_t total, length;
    int64_t kept_from; /* first click kept, less opened_ms */
    struct bytes clicks;
};

struct record_click {
    int64_t time; /* less opened_ms */
    uint8_t type;
    struct bytes item_id;
    uint64_t id_hash;
};

/* `time` is that of the click before. */
static struct record_click get_click(struct reader *reader, int64_t time, bool with_ids)
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
static bool clicks_are_good(const struct record *record, int64_t *ret_last)
{
    struct reader reader = {.rest = record->clicks};
    int64_t time = record->kept_from;
    for (uint64_t i = 0; i < record->length && !reader.bad; i++)
        time = get_click(&reader, time, record->with_ids).time;
    *ret_last = time;
    return !reader.bad && reader.rest.size == 0 && is_near(time);
}

static bool record_is_good(const struct record *record, int64_t *ret_last)
{
    return record->key.size > 0 && record->key.size <= CLICK_ID_MAX && record->user_id.size <= CLICK_ID_MAX &&
           !(record->by_user && record->user_id.size) && record->opened_ms > -TIME_MAX_MS &&
           record->opened_ms < TIME_MAX_MS && record->length > 0 && record->length <= SESSION_CLICKS_MAX &&
           record->total >= record->length && record->total <= UINT32_MAX && is_near(record->first) &&
           is_near(record->kept_from) && record->first <= record->kept_from && record->first <= 0 &&
           clicks_are_good(record, ret_last) && *ret_last >= 0;
}

static struct status record_open(struct bytes bytes, struct record *ret_record, int64_t *ret_last)
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
    if (version < 1 || !flags_known || reader.bad || !record_is_good(&record, ret_last))
        return FAIL(CORRUPT, bytes.size, "a session record does not make sense");
    *ret_record = record;
    return OK;
}

/* Where a restored session's items get their numbers from. */
struct numbering {
    const struct catalogue *known;
    struct catalogue *names; /* where new ones are added; NULL: nowhere */
};

static struct status number_item(const struct numbering *numbering, struct bytes item_id, uint32_t *ret_item)
{
    if (numbering->names)
        return catalogue_intern(numbering->names, item_id, ret_item);
    *ret_item = catalogue_find(numbering->known, item_id);
    return *ret_item == ITEM_NONE ? FAIL(NOT_FOUND, 0, "an item is new") : OK;
}

/* Copies the newest clicks_max clicks into the table's session. */
static struct status restore_clicks(struct session_table *table, uint32_t session, const struct record *record,
                                    const struct numbering *numbering)
{
    struct reader reader = {.rest = record->clicks};
    uint32_t clicks_max = table->options.clicks_max;
    uint64_t skipped = record->length > clicks_max ? record->length - clicks_max : 0;
    int64_t time = record->kept_from;
    for (uint64_t i = 0; i < record->length; i++) {
        struct record_click click = get_click(&reader, time, record->with_ids);
        time = click.time;
        if (i < skipped)
            continue;
        uint32_t item;
        TRY(number_item(numbering, click.item_id, &item));
        clicks_append(table, session, item, record->opened_ms + time, click.type, click.id_hash);
    }
    return OK;
}

/* The session that the restored one comes behind in its key's chain; CORRUPT when it would overlap another one. */
static struct status find_newer(const struct session_table *table, uint32_t head, int64_t first_ms, int64_t last_ms,
                                uint32_t *ret_newer)
{
    uint32_t newer = SESSION_NONE, session = head;
    while (session != SESSION_NONE && session_first_ms(session_at(table, session)) > last_ms) {
        newer = session;
        session = session_at(table, session)->older;
    }
    if (session != SESSION_NONE && session_last_ms(session_at(table, session)) >= first_ms)
        return FAIL(CORRUPT, session_at(table, session)->number, "two stored sessions of one key overlap");
    *ret_newer = newer;
    return OK;
}

static struct status restore_reserve(struct session_table *table, uint32_t class)
{
    TRY(sessions_reserve(table));
    TRY(heads_reserve(table));
    TRY(queue_reserve(table));
    return pool_reserve(&table->pool, class);
}

static struct status restore(struct session_table *table, uint64_t number, struct bytes bytes,
                             const struct numbering *numbering)
{
    struct record record;
    int64_t last;
    TRY(record_open(bytes, &record, &last));
    if (number < table->next_number || number == NUMBER_NONE)
        return FAIL(CORRUPT, number, "stored sessions are not in ascending order");
    if (record.by_user != table->options.by_user)
        return FAIL(CONFIG, number, "stored sessions are kept by the other of session_id and user_id");
    uint32_t kept = record.length < table->options.clicks_max ? (uint32_t)record.length : table->options.clicks_max;
    uint32_t class = clicks_class(record.key, record.user_id, record.with_ids, kept);
    TRY(restore_reserve(table, class));
    struct heads_key key = heads_key(record.key);
    uint32_t slot = heads_slot(table, key), newer;
    TRY(find_newer(table, table->slots[slot].session, record.opened_ms + record.first, record.opened_ms + last,
                   &newer));
    uint32_t session = sessions_take(table);
    struct session *entry = session_at(table, session);
    entry->opened_ms = record.opened_ms;
    entry->first = (int32_t)record.first;
    entry->last = (int32_t)last;
    entry->total = (uint32_t)record.total;
    clicks_open(table, session, class, record.key, record.user_id, record.with_ids);
    struct status status = restore_clicks(table, session, &record, numbering);
    if (failed(status)) {
        clicks_close(table, session);
        sessions_give_back(table, session);
        return status;
    }
    entry->number = number;
    entry->stored = true;
    table->next_number = number + 1;
    entry->older = newer == SESSION_NONE ? table->slots[slot].session : session_at(table, newer)->older;
    if (newer == SESSION_NONE)
        heads_set(table, slot, key, session);
    else
        session_at(table, newer)->older = session;
    queue_add(table, session);
    return OK;
}

struct status session_restore(struct session_table *table, uint64_t number, struct bytes record,
                              struct catalogue *catalogue)
{
    return restore(table, number, record, &(struct numbering){.names = catalogue});
}

struct status session_restore_known(struct session_table *table, uint64_t number, struct bytes record,
                                    const struct catalogue *catalogue)
{
    return restore(table, number, record, &(struct numbering){.known = catalogue});
}
