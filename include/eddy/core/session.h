// SPDX-License-Identifier: Apache-2.0
#pragma once
/* session: the open sessions of one partition, by event time.
 *
 *   click -> session_apply -> the session it belongs to (found, opened, or two merged)
 *   watermark -> session_expire -> closed sessions, in the order of their deadlines
 *
 * A session is kept by a key (session_id or user_id). It takes a click whose time is within `gap` of its first or
 * last click and that keeps it within `max_duration`; otherwise the click opens a new session of the same key.
 * Several sessions of one key may be open at once while the watermark has not reached the older one's deadline;
 * an out-of-order click that bridges two of them merges them. The deadline is
 *   min(last + gap, first + max_duration) + grace,
 * and the watermark reaching it is the only thing that closes a session (except open_max, below).
 * A click that would open a session already past its deadline is late.
 *
 * Only the newest `clicks_max` clicks are kept (older ones are counted). A click with the event_id of one kept, or
 * without one but equal in time, item and type (infer_duplicates), is a duplicate. At `open_max` sessions the one
 * with the earliest deadline is closed to make room, counted as evicted.
 *
 * Everything is a function of the sequence of clicks and watermarks: no clock, no randomness, no pointer order.
 * Not thread-safe: one table per task. Memory: about 64 bytes a session + its key + 8 bytes a click kept (16 with
 * event ids), from pools; no system allocation per click after warm-up. */
#include <eddy/base/arena.h>
#include <eddy/base/buffer.h>
#include <eddy/core/click.h>

struct session_options {
    int64_t gap_ms;          /* inactivity that ends a session; default 30 min */
    int64_t grace_ms;        /* how long after that out-of-order clicks are still accepted */
    int64_t max_duration_ms; /* at most 48 h */
    uint32_t clicks_max;     /* clicks kept of a session, 2..65535 */
    uint32_t open_max;       /* open sessions in the table */
    bool by_user;            /* key = user_id instead of session_id */
    bool infer_duplicates;
};

#define SESSION_NONE UINT32_MAX

enum session_result {
    SESSION_APPLIED,
    SESSION_DUPLICATE, /* nothing changed */
    SESSION_LATE,      /* nothing changed; the click belongs to the late-clicks topic */
};

struct session_outcome {
    enum session_result result;
    uint32_t session;  /* handle, valid until the next session_apply or session_expire; SESSION_NONE when late */
    uint32_t position; /* 1-based place of the click among all clicks of the session (kept or not), by time */
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

MUST_CHECK struct status session_table_open(const struct session_options *options, struct session_table **ret_table);
void session_table_close(struct session_table *table);

/* Applies one click on catalogue item `item`. `watermark_ms` must not run backwards between calls. An eviction at
 * open_max appends to `evicted` as session_expire does. MEMORY or LIMIT leave the table unchanged. */
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

/* Closes and removes every session whose deadline is <= watermark_ms, appending them in `batch`. */
MUST_CHECK struct status session_expire(struct session_table *table, int64_t watermark_ms, struct arena *batch,
                                        struct closed_list *closed);

uint32_t session_table_count(const struct session_table *table);
size_t session_table_memory(const struct session_table *table);

/* ---- What is stored. A session's number is given at its opening, ascending, never reused in an environment, so that
 * hot sessions are neighbours in the store. The record is versioned and holds item ids as text. */

struct session_change {
    uint64_t number;
    uint32_t session; /* SESSION_NONE: the session was closed or merged away; delete its record */
};

/* Hands out each session changed since the last call of session_changes_done(), in ascending number; false at the
 * end. *cursor starts at 0. */
bool session_next_change(struct session_table *table, size_t *cursor, struct session_change *ret_change);
/* Forgets the changes: they have been committed. */
void session_changes_done(struct session_table *table);

struct catalogue;
/* Appends the stored record of a session. */
void session_encode(const struct session_table *table, uint32_t session, const struct catalogue *catalogue,
                    struct buffer *out);
/* Puts a stored record back, interning its items. CORRUPT when the bytes are not a record, NEWER when of a later
 * version; the table is then unchanged. Does not count as a change. */
MUST_CHECK struct status session_restore(struct session_table *table, uint64_t number, struct bytes record,
                                         struct catalogue *catalogue);
