// SPDX-License-Identifier: Apache-2.0
/* The session_store port on an open environment. */
#include "io/lmdb/store.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#define POSITION_SIZE 32
#define DISK_ROOM_MIN ((uint64_t)1 << 20) /* bytes; with less, a failed write is put down to that */
#define REMOVED       UINT32_MAX          /* as the size of a collected record */

/* offset, watermark_ms, close_offset 8 bytes each, close_sequence 4, checksum 4; little-endian. */
static void position_write(const struct store_position *position, uint8_t data[POSITION_SIZE])
{
    fixed_put(data, (uint64_t)position->offset, 8);
    fixed_put(data + 8, (uint64_t)position->watermark_ms, 8);
    fixed_put(data + 16, (uint64_t)position->close_offset, 8);
    fixed_put(data + 24, position->close_sequence, 4);
    fixed_put(data + 28, bytes_hash(bytes_of(data, 28)), 4);
}

static struct status position_read(struct bytes bytes, struct store_position *ret_position)
{
    const uint8_t *data = bytes.data;
    if (bytes.size != POSITION_SIZE || fixed_number(data + 28, 4) != (uint32_t)bytes_hash(bytes_of(data, 28)))
        return FAIL(CORRUPT, bytes.size, "the stored position is damaged");
    *ret_position = (struct store_position){.offset = (int64_t)fixed_number(data, 8),
                                            .watermark_ms = (int64_t)fixed_number(data + 8, 8),
                                            .close_offset = (int64_t)fixed_number(data + 16, 8),
                                            .close_sequence = (uint32_t)fixed_number(data + 24, 4)};
    return OK;
}

static struct status load_sessions(const struct store *store, MDB_txn *transaction,
                                   struct status (*visit)(void *context, uint64_t number, struct bytes record),
                                   void *context)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    TRY(status_of(mdb_cursor_open(transaction, store->sessions, &cursor)));
    struct status status = OK;
    int result;
    while ((result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0 && !failed(status)) {
        uint64_t number;
        if (key.mv_size != sizeof number) {
            status = FAIL(CORRUPT, key.mv_size, "a stored session's number is damaged");
            break;
        }
        memcpy(&number, key.mv_data, sizeof number);
        status = visit(context, number, bytes_of(value.mv_data, value.mv_size));
    }
    mdb_cursor_close(cursor);
    return failed(status) || result == MDB_NOTFOUND ? status : status_of(result);
}

/* Sessions without a position would be taken for a new store, and be lost. */
static struct status load_position(const struct store *store, MDB_txn *transaction, struct store_position *ret_position,
                                   bool *ret_found)
{
    struct bytes bytes;
    MDB_stat sessions;
    TRY(meta_get(store, transaction, KEY_POSITION, &bytes));
    TRY(status_of(mdb_stat(transaction, store->sessions, &sessions)));
    if (bytes.size == 0 && sessions.ms_entries)
        return FAIL(CORRUPT, sessions.ms_entries, "the stored position is missing");
    if (bytes.size)
        TRY(position_read(bytes, ret_position));
    *ret_found = bytes.size > 0;
    return OK;
}

static struct status store_load(void *self, struct status (*visit)(void *context, uint64_t number, struct bytes record),
                                void *context, struct store_position *ret_position, bool *ret_found)
{
    const struct store *store = self;
    MDB_txn *transaction;
    struct store_position position = {0};
    bool found = false;
    TRY(status_of(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &transaction)));
    struct status status = load_position(store, transaction, &position, &found);
    if (!failed(status))
        status = load_sessions(store, transaction, visit, context);
    mdb_txn_abort(transaction);
    if (failed(status))
        return status;
    if (found)
        *ret_position = position;
    *ret_found = found;
    return OK;
}

static struct status store_begin(void *self)
{
    struct store *store = self;
    assert(!store->began);
    buffer_clear(&store->pending);
    store->began = true;
    return OK;
}

static void collect(struct store *store, uint64_t number, uint32_t size, struct bytes record)
{
    assert(store->began);
    buffer_append(&store->pending, &number, sizeof number);
    buffer_append(&store->pending, &size, sizeof size);
    buffer_append_bytes(&store->pending, record);
}

static struct status store_put(void *self, uint64_t number, struct bytes record)
{
    struct store *store = self;
    assert(record.size < REMOVED);
    collect(store, number, (uint32_t)record.size, record);
    return buffer_check(&store->pending);
}

static struct status store_remove(void *self, uint64_t number)
{
    struct store *store = self;
    collect(store, number, REMOVED, (struct bytes){0});
    return buffer_check(&store->pending);
}

static void store_abort(void *self)
{
    struct store *store = self;
    buffer_clear(&store->pending);
    store->began = false;
}

static int write_one(MDB_cursor *cursor, uint64_t number, uint32_t size, uint8_t *record, bool append)
{
    MDB_val key = {sizeof number, &number}, value = {size, record};
    if (size != REMOVED)
        return mdb_cursor_put(cursor, &key, &value, append ? MDB_APPEND : 0);
    int result = mdb_cursor_get(cursor, &key, &value, MDB_SET);
    if (result == MDB_NOTFOUND)
        return 0;
    return result ? result : mdb_cursor_del(cursor, 0);
}

/* Numbers beyond the last one are appended, which fills pages whole instead of half. */
static int write_pending(const struct store *store, MDB_cursor *cursor)
{
    MDB_val key, value;
    uint64_t last = 0;
    int result = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    bool empty = result == MDB_NOTFOUND;
    if (result && !empty)
        return result;
    if (!empty)
        memcpy(&last, key.mv_data, sizeof last);
    for (size_t at = 0; at < store->pending.size;) {
        uint64_t number;
        uint32_t size;
        memcpy(&number, store->pending.data + at, sizeof number);
        memcpy(&size, store->pending.data + at + sizeof number, sizeof size);
        at += sizeof number + sizeof size;
        bool append = size != REMOVED && (empty || number > last);
        result = write_one(cursor, number, size, store->pending.data + at, append);
        if (result)
            return result;
        if (append) {
            last = number;
            empty = false;
        }
        at += size == REMOVED ? 0 : size;
    }
    return 0;
}

static void measure(struct store *store, MDB_txn *transaction)
{
    MDB_envinfo info;
    MDB_stat sessions;
    if (mdb_env_info(store->env, &info) || mdb_stat(transaction, store->sessions, &sessions))
        return;
    size_t pages = sessions.ms_branch_pages + sessions.ms_leaf_pages + sessions.ms_overflow_pages;
    store->used_percent = (int)(pages * 100 / (info.me_mapsize / sessions.ms_psize));
}

static int write_transaction(struct store *store, uint8_t *position)
{
    MDB_txn *transaction;
    MDB_cursor *cursor;
    int result = mdb_txn_begin(store->env, NULL, 0, &transaction);
    if (result)
        return result;
    result = mdb_cursor_open(transaction, store->sessions, &cursor);
    if (!result) {
        result = write_pending(store, cursor);
        mdb_cursor_close(cursor);
    }
    if (!result)
        result = meta_put(store, transaction, KEY_POSITION, position, POSITION_SIZE);
    if (result) {
        mdb_txn_abort(transaction);
        return result;
    }
    measure(store, transaction);
    return mdb_txn_commit(transaction);
}

/* Doubles the map. LMDB is left without one when the larger cannot be had, so that is tried first. */
static int map_grow(struct store *store)
{
    MDB_envinfo info;
    int result = mdb_env_info(store->env, &info);
    if (result)
        return result;
    size_t size = info.me_mapsize * 2;
    void *room = size > info.me_mapsize
                     ? mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                     : MAP_FAILED;
    if (room == MAP_FAILED)
        return MDB_MAP_FULL;
    munmap(room, size);
    return mdb_env_set_mapsize(store->env, size);
}

/* LMDB says EIO when a write was cut short, which is how a disk fills up. */
static bool disk_is_full(const struct store *store)
{
    struct statvfs info;
    return fstatvfs(store->folder, &info) == 0 && info.f_bavail * info.f_frsize < DISK_ROOM_MIN;
}

static struct status store_commit(void *self, const struct store_position *position)
{
    struct store *store = self;
    uint8_t data[POSITION_SIZE];
    assert(store->began);
    store->began = false;
    TRY(buffer_check(&store->pending));
    position_write(position, data);
    int result = write_transaction(store, data);
    while (result == MDB_MAP_FULL) {
        result = map_grow(store);
        if (!result)
            result = write_transaction(store, data);
        else
            break;
    }
    buffer_clear(&store->pending);
    if (result == EIO && disk_is_full(store))
        result = ENOSPC;
    return status_of(result);
}

static struct status store_clear(void *self)
{
    struct store *store = self;
    MDB_txn *transaction;
    MDB_val key = {strlen(KEY_POSITION), (void *)(uintptr_t)KEY_POSITION};
    assert(!store->began);
    TRY(status_of(mdb_txn_begin(store->env, NULL, 0, &transaction)));
    int result = mdb_drop(transaction, store->sessions, 0);
    if (!result)
        result = mdb_del(transaction, store->meta, &key, NULL);
    if (result && result != MDB_NOTFOUND) {
        mdb_txn_abort(transaction);
        return status_of(result);
    }
    return status_of(mdb_txn_commit(transaction));
}

struct session_store store_port(struct store *store)
{
    static const struct session_store_ops ops = {.load = store_load,
                                                 .begin = store_begin,
                                                 .put = store_put,
                                                 .remove = store_remove,
                                                 .commit = store_commit,
                                                 .abort = store_abort,
                                                 .clear = store_clear};
    return (struct session_store){&ops, store};
}

int store_map_used_percent(const struct store *store)
{
    return store->used_percent;
}
