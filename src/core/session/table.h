// SPDX-License-Identifier: Apache-2.0
#pragma once
/* table: how open sessions are laid out, shared by the files of this folder.
 *
 *   slots (hash of key) -> newest session of the key -> older -> older     heads.c
 *   session (40 bytes, its handle never changes while it is open)
 *     block (pool.h): head | clicks | event id hashes, if any | key | user_id     clicks.c
 *   queue: a 4-ary heap by deadline, one entry a session, and places: where that is     queue.c
 *   changes: what the store does not know yet     changes.c
 *
 * Sessions of one key never overlap in time, so their chain is in descending order of time.
 * Functions named _reserve are the fallible part of a change; what comes after them cannot fail. */
#include <eddy/core/session.h>

#include "core/session/pool.h"

#define SESSIONS_A_CHUNK_BITS 12
#define SESSIONS_A_CHUNK      (1u << SESSIONS_A_CHUNK_BITS)
#define NUMBER_NONE           UINT64_MAX
#define TIME_MAX_MS           ((int64_t)1 << 50) /* of a stored or applied click; far outside what click_check takes */

struct session {
    int64_t opened_ms; /* time of the opening click; all other times are kept relative to it */
    uint64_t number;   /* NUMBER_NONE: not in use */
    int32_t first, last;
    uint32_t block;
    uint32_t older; /* of the same key; or the next free session */
    uint32_t total;
    uint16_t length;
    uint8_t class; /* of the block */
    bool with_ids : 1;
    bool stored : 1;  /* the store has a record of it */
    bool changed : 1; /* it is among the changes */
};

struct block_head {
    uint32_t owner;
    uint16_t capacity; /* clicks there is room for */
    uint8_t key_size, user_size;
};

struct kept_click {
    uint32_t item;
    uint32_t when; /* time relative to opened_ms, 30 bits, and type, 2 bits */
};

struct slot {
    uint32_t hash;
    uint32_t session; /* SESSION_NONE: free */
};

struct deadline {
    int64_t time_ms; /* at most the session's deadline: it is put right when its turn comes */
    uint32_t session;
    uint32_t order; /* low half of its number: enough to order sessions that are open at once */
};

struct change {
    uint64_t number;
    uint32_t session; /* may have been closed since: then its number is another one */
    bool stored;
};

struct session_table {
    struct session_options options;
    struct pool pool;
    struct session **chunks;
    uint32_t chunk_count, chunk_capacity;
    uint32_t free_session; /* head of the list of free sessions */
    uint32_t count;
    uint64_t next_number;
    struct slot *slots;
    uint32_t mask, keys; /* slots - 1; slots in use */
    struct deadline *queue;
    uint32_t *places; /* of sessions in the queue; apart from them, because moving entries touches nothing else */
    uint32_t queue_capacity;
    struct change *changes, *changes_scratch;
    size_t change_count, change_capacity;
    bool changes_sorted;
};

static inline struct session *session_at(const struct session_table *table, uint32_t session)
{
    return &table->chunks[session >> SESSIONS_A_CHUNK_BITS][session & (SESSIONS_A_CHUNK - 1)];
}

static inline int64_t session_first_ms(const struct session *session)
{
    return session->opened_ms + session->first;
}

static inline int64_t session_last_ms(const struct session *session)
{
    return session->opened_ms + session->last;
}

static inline int64_t deadline_of(const struct session_options *options, int64_t first_ms, int64_t last_ms)
{
    int64_t idle_ms = last_ms + options->gap_ms, full_ms = first_ms + options->max_duration_ms;
    return (idle_ms < full_ms ? idle_ms : full_ms) + options->grace_ms;
}

static inline uint32_t clamped_sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* table.c: sessions without content. */
MUST_CHECK struct status sessions_reserve(struct session_table *table);
uint32_t sessions_take(struct session_table *table);
void sessions_give_back(struct session_table *table, uint32_t session);

/* heads.c: the newest session of each key. A slot number stays good until the next change of the heads. */
struct heads_key {
    struct bytes key;
    uint32_t hash;
};
struct heads_key heads_key(struct bytes key);
MUST_CHECK struct status heads_reserve(struct session_table *table);
uint32_t heads_slot(const struct session_table *table, struct heads_key key);
/* Makes `session` the newest of the slot's key; SESSION_NONE frees the slot. */
void heads_set(struct session_table *table, uint32_t slot, struct heads_key key, uint32_t session);
/* Takes a session out of its key's chain. */
void heads_unlink(struct session_table *table, uint32_t session);

/* queue.c */
MUST_CHECK struct status queue_reserve(struct session_table *table);
void queue_add(struct session_table *table, uint32_t session);
void queue_remove(struct session_table *table, uint32_t session);
/* To be called when a session's deadline may have come nearer; one that went away needs no call. */
void queue_update(struct session_table *table, uint32_t session);
/* The session with the earliest deadline, by (deadline, number); SESSION_NONE when that is later than `limit_ms`. */
uint32_t queue_first(struct session_table *table, int64_t limit_ms);

/* clicks.c: the content of sessions. Pointers and struct bytes into a block die at the next take or give back. */
struct new_click {
    int64_t time_ms;
    uint32_t item;
    uint8_t type;
    uint64_t id_hash; /* 0: none */
    struct bytes user_id;
};
struct new_click new_click_of(const struct click *click, uint32_t item, bool by_user);
uint32_t clicks_class(struct bytes key, struct bytes user_id, bool with_ids, uint32_t count);
/* Gives `session` a block of a reserved class, its key and user, and no clicks. */
void clicks_open(struct session_table *table, uint32_t session, uint32_t class, struct bytes key, struct bytes user_id,
                 bool with_ids);
void clicks_close(struct session_table *table, uint32_t session);
/* Appends a click that is not older than the last one; there must be room. */
void clicks_append(struct session_table *table, uint32_t session, uint32_t item, int64_t time_ms, uint8_t type,
                   uint64_t id_hash);
/* Puts a click in its place, the oldest out when there are too many. The click's position in the session. MEMORY or
 * LIMIT change nothing. */
MUST_CHECK struct status clicks_insert(struct session_table *table, uint32_t session, const struct new_click *click,
                                       uint32_t *ret_position);
/* Joins the clicks of `before`, then `click`, then those of `after` in `into`, which is one of the two; the other one
 * has no block then. */
MUST_CHECK struct status clicks_merge(struct session_table *table, uint32_t before, uint32_t after, uint32_t into,
                                      const struct new_click *click);
bool clicks_has(const struct session_table *table, uint32_t session, const struct new_click *click);
struct bytes clicks_key(const struct session_table *table, uint32_t session);
struct bytes clicks_user(const struct session_table *table, uint32_t session);
const struct kept_click *clicks_of(const struct session_table *table, uint32_t session);
const uint64_t *clicks_id_hashes(const struct session_table *table, uint32_t session); /* NULL: none */

static inline int32_t kept_time(struct kept_click click)
{
    return (int32_t)click.when >> 2;
}

static inline uint8_t kept_type(struct kept_click click)
{
    return click.when & 3;
}

/* close.c: reads the session into `closed`, appends that to the list and removes the session. */
MUST_CHECK struct status session_close(struct session_table *table, uint32_t session, struct closed_session closed,
                                       struct arena *batch, struct closed_list *list);

/* changes.c: two entries at most are added by one change of the table. */
MUST_CHECK struct status changes_reserve(struct session_table *table);
void changes_add(struct session_table *table, uint32_t session);
/* To be called before the session is given back. */
void changes_add_removal(struct session_table *table, uint32_t session);
