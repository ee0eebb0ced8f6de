// SPDX-License-Identifier: Apache-2.0
#pragma once
/* session: the open sessions of one partition, by event time.
 *
 *   click -> session_apply -> the session it belongs to (found, opened, or two merged)
 *   watermark -> session_expire -> closed sessions, in the order of their deadlines
 *
 * A session is kept by a key (session_id or user_id). It takes a click that lies inside it, or less than `gap` before
 * its first or after its last click, as long as it then stays shorter than `max_duration` and its deadline stays ahead
 * of the watermark; otherwise the click opens a new session of the same key. When both neighbours in time take a click,
 * they are merged if the whole satisfies the same, into the one opened first; else the earlier one gets it. So an
 * in-order stream makes the same sessions whatever the grace is. Several sessions of one key may be open at once. The
 * deadline is
 *   min(last + gap, first + max_duration) + grace,
 * and the watermark reaching it is the only thing that closes a session (except open_max, below).
 * A click that would open a session already past its deadline is late.
 *
 * Only the newest `clicks_max` clicks are kept (older ones are counted); clicks of equal time are in order of arrival.
 * A click with the event_id of one kept by the session it would join (compared as 64-bit hashes), or, with
 * infer_duplicates, one without event_id but equal to such a one in time, item and type, is a duplicate. At `open_max`
 * sessions the one with the earliest deadline is closed to make room, counted as evicted. By session_id, a session's
 * user is that of its latest click that names one.
 *
 * Everything is a function of the sequence of clicks and watermarks: no clock, no randomness, no pointer order.
 * Not thread-safe: one table per task. Memory: about 85 bytes a session + its key and user_id + 8 bytes a click kept
 * (16 with event ids), from pools that are given back at the end; no system allocation per click after warm-up. */
#include <eddy/base/arena.h>
#include <eddy/base/buffer.h>
#include <eddy/core/click.h>

#define SESSION_GAP_MAX_MS      ((int64_t)1 << 40)
#define SESSION_DURATION_MAX_MS ((int64_t)48 * 3600 * 1000)
#define SESSION_CLICKS_MAX      4000

struct session_options {
    int64_t gap_ms;          /* inactivity that ends a session, 1..SESSION_GAP_MAX_MS; default 30 min */
    int64_t grace_ms;        /* how long after that out-of-order clicks are still accepted, 0..SESSION_GAP_MAX_MS */
    int64_t max_duration_ms; /* 1..SESSION_DURATION_MAX_MS */
    uint32_t clicks_max;     /* clicks kept of a session, 2..SESSION_CLICKS_MAX */
    uint32_t open_max;       /* open sessions in the table, > 0 */
    bool by_user;            /* key = user_id instead of session_id */
    bool infer_duplicates;
};

#define SESSION_NONE UINT32_MAX

enum session_result {
    SESSION_APPLIED,
    SESSION_DUPLICATE, /* nothing changed; `session` has the click */
    SESSION_LATE,      /* nothing changed; the click belongs to the late-clicks topic */
};

struct session_outcome {
    enum session_result result;
    uint32_t session;  /* handle, valid until the next session_apply or session_expire; SESSION_NONE when late */
    uint32_t position; /* 1-based place of the click among all clicks of the session (kept or not), by time; 0 unless
                          applied. Older than all kept: as if it were the newest of those not kept */
    bool opened;       /* the click opened the session */
    bool out_of_order; /* an accepted click older than the session's last */
};

/* What scorers and encoders see of a session. Arrays are in time order, oldest first, `length` each; they and the
 * bytes live until the next change of the table (or, for closed ones, until the arena is reset). */
struct session_view {
    struct bytes key;        /* what the session is kept by */
    struct bytes session_id; /* = key by session_id; by user: "<user_id>/<time of the opening click in ms>" */
    struct bytes user_id;    /* empty: unknown */
    const uint32_t *items;   /* catalogue numbers */
    const int64_t *times_ms;
    const uint8_t *types; /* enum click_type */
    uint32_t length;      /* clicks kept */
    uint32_t total;       /* clicks ever, >= length */
};

struct session_table;

/* CONFIG when an option is out of its range. */
MUST_CHECK struct status session_table_open(const struct session_options *options, struct session_table **ret_table);
void session_table_close(struct session_table *table);

/* Applies one click on catalogue item `item`. Ids and time are as click_check() leaves them. `watermark_ms` must not
 * run backwards between calls and the table must have been expired up to it. An eviction at open_max appends to
 * `evicted` as session_expire does. MEMORY or LIMIT leave the table unchanged. */
struct closed_list;
MUST_CHECK struct status session_apply(struct session_table *table, const struct click *click, uint32_t item,
                                       int64_t watermark_ms, struct arena *batch, struct closed_list *evicted,
                                       struct session_outcome *ret_outcome);

/* The session as arrays, in memory of `batch`. */
MUST_CHECK struct status session_read(const struct session_table *table, uint32_t session, struct arena *batch,
                                      struct session_view *ret_view);

struct closed_session {
    struct session_view view;
    int64_t close_ms; /* the deadline that was reached; evicted: the watermark */
    bool evicted;
};

/* Grows in the arena. {0} is empty. Order: ascending (close_ms, number of opening). */
struct closed_list {
    struct closed_session *sessions;
    size_t count, capacity;
};

/* Closes and removes every session whose deadline is <= *watermark_ms, appending them in `batch`. When there are more
 * than about `max` (0: no limit), only the first, and *watermark_ms becomes that up to which all are closed: those of
 * one deadline close together. After MEMORY those in the list have been removed, the others not. */
MUST_CHECK struct status session_expire(struct session_table *table, int64_t *watermark_ms, uint32_t max,
                                        struct arena *batch, struct closed_list *closed);

uint32_t session_table_count(const struct session_table *table);
size_t session_table_memory(const struct session_table *table);
/* How many sessions' keys are of `partition` of a topic of `before` partitions, and of another one now that there are
 * `now`, as Kafka's Java clients choose them. */
uint32_t session_table_moved(const struct session_table *table, int32_t partition, int32_t before, int32_t now);

/* ---- What is stored. A session's number is given at its opening and ascending, so that hot sessions are neighbours in
 * the store and everything that has to be in some order is in that of opening. The record is versioned, has a checksum
 * and holds item ids as text. */

struct session_change {
    uint64_t number;
    uint32_t session; /* SESSION_NONE: the session was closed or merged away; delete its record */
};

/* Hands out each session changed since the last call of session_changes_done(), in ascending number; false at the
 * end. *cursor starts at 0. A session opened and closed in between is not handed out. */
bool session_next_change(struct session_table *table, size_t *cursor, struct session_change *ret_change);
/* How many changes there are to commit, at most. */
size_t session_change_count(const struct session_table *table);
/* Forgets the changes: they have been committed. */
void session_changes_done(struct session_table *table);

struct catalogue;
/* Appends the stored record of a session. */
void session_encode(const struct session_table *table, uint32_t session, const struct catalogue *catalogue,
                    struct buffer *out);

/* Stored records on their way back into a table. The caller has the numbers of their items looked up in between, under
 * the catalogue's lock. {0} is an empty batch. */
struct stored_session;
struct session_batch {
    struct stored_session *sessions;
    size_t session_count, session_capacity;
    struct arena records;
    struct bytes *item_ids; /* of the clicks to be kept of all sessions, one after the other */
    uint32_t *items;        /* their numbers */
    size_t item_count, item_capacity;
};
void session_batch_release(struct session_batch *batch);
/* Adds a copy of a record. CORRUPT when the bytes are not one, NEWER when of a later version, CONFIG when it was kept
 * by user_id and the table is not or the other way round; it is not in the batch then. */
MUST_CHECK struct status session_batch_add(struct session_batch *batch, const struct session_table *table,
                                           uint64_t number, struct bytes record);
/* Sets the items' numbers; false when some are new: then they are to be interned. */
bool session_batch_find_items(struct session_batch *batch, const struct catalogue *catalogue);
/* LIMIT when the catalogue is full. */
MUST_CHECK struct status session_batch_intern_items(struct session_batch *batch, struct catalogue *catalogue);
/* Puts the sessions into the table and empties the batch; numbers must ascend over all batches. CORRUPT when they do
 * not or when a session overlaps another one of its key; those before it are in the table then. Does not count as a
 * change. More than clicks_max clicks are cut to the newest; more than open_max sessions are let in. */
MUST_CHECK struct status session_batch_restore(struct session_batch *batch, struct session_table *table);
