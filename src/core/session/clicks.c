// SPDX-License-Identifier: Apache-2.0
#include "core/session/table.h"

struct new_click new_click_of(const struct click *click, uint32_t item, bool by_user)
{
    uint64_t id_hash = click->event_id.size ? bytes_hash(click->event_id) : 0;
    return (struct new_click){.time_ms = click->time_ms,
                              .item = item,
                              .type = (uint8_t)click->type,
                              .id_hash = click->event_id.size && !id_hash ? 1 : id_hash,
                              .user_id = by_user ? (struct bytes){0} : click->user_id};
}

static struct kept_click kept_click_of(int64_t opened_ms, int64_t time_ms, uint32_t item, uint8_t type)
{
    int64_t relative = time_ms - opened_ms;
    assert(relative > -(1 << 29) && relative < 1 << 29 && type < 4);
    return (struct kept_click){item, (uint32_t)relative << 2 | type};
}

static size_t click_size(bool with_ids)
{
    return sizeof(struct kept_click) + (with_ids ? sizeof(uint64_t) : 0);
}

uint32_t clicks_class(struct bytes key, struct bytes user_id, bool with_ids, uint32_t count)
{
    return pool_class_of(sizeof(struct block_head) + key.size + user_id.size + count * click_size(with_ids));
}

static struct block_head *block_of(const struct session_table *table, const struct session *session)
{
    return (struct block_head *)(void *)pool_data(&table->pool, session->block);
}

static struct kept_click *block_clicks(const struct session_table *table, const struct session *session)
{
    return (struct kept_click *)(void *)(block_of(table, session) + 1);
}

static uint64_t *block_ids(const struct session_table *table, const struct session *session)
{
    if (!session->with_ids)
        return NULL;
    return (uint64_t *)(void *)(block_clicks(table, session) + block_of(table, session)->capacity);
}

/* The key, and behind it the user. */
static uint8_t *block_texts(const struct block_head *block, bool with_ids)
{
    uint8_t *clicks = (uint8_t *)(uintptr_t)(block + 1);
    return clicks + block->capacity * click_size(with_ids);
}

struct bytes clicks_key(const struct session_table *table, uint32_t session)
{
    const struct session *entry = session_at(table, session);
    const struct block_head *block = block_of(table, entry);
    return bytes_of(block_texts(block, entry->with_ids), block->key_size);
}

struct bytes clicks_user(const struct session_table *table, uint32_t session)
{
    const struct session *entry = session_at(table, session);
    const struct block_head *block = block_of(table, entry);
    return bytes_of(block_texts(block, entry->with_ids) + block->key_size, block->user_size);
}

const struct kept_click *clicks_of(const struct session_table *table, uint32_t session)
{
    return block_clicks(table, session_at(table, session));
}

const uint64_t *clicks_id_hashes(const struct session_table *table, uint32_t session)
{
    return block_ids(table, session_at(table, session));
}

void clicks_open(struct session_table *table, uint32_t session, uint32_t class, struct bytes key, struct bytes user_id,
                 bool with_ids)
{
    assert(key.size > 0 && key.size <= CLICK_ID_MAX && user_id.size <= CLICK_ID_MAX);
    struct session *entry = session_at(table, session);
    size_t room = pool_class_size(class) - sizeof(struct block_head) - key.size - user_id.size;
    entry->block = pool_take(&table->pool, class, session);
    entry->class = (uint8_t) class;
    entry->length = 0;
    entry->with_ids = with_ids;
    struct block_head *block = block_of(table, entry);
    block->capacity = (uint16_t)(room / click_size(with_ids));
    block->key_size = (uint8_t)key.size;
    block->user_size = (uint8_t)user_id.size;
    memcpy(block_texts(block, with_ids), key.data, key.size);
    if (user_id.size)
        memcpy(block_texts(block, with_ids) + key.size, user_id.data, user_id.size);
}

static void block_give_back(struct session_table *table, uint32_t class, uint32_t block)
{
    uint32_t moved = pool_give_back(&table->pool, class, block);
    if (moved != POOL_OWNER_NONE)
        session_at(table, moved)->block = block;
}

void clicks_close(struct session_table *table, uint32_t session)
{
    const struct session *entry = session_at(table, session);
    block_give_back(table, entry->class, entry->block);
}

/* Places the click before clicks[place]; there is room. */
static void put_at(struct session_table *table, struct session *session, uint32_t place, struct kept_click click,
                   uint64_t id_hash)
{
    assert(session->length < block_of(table, session)->capacity && place <= session->length);
    struct kept_click *clicks = block_clicks(table, session);
    uint64_t *ids = block_ids(table, session);
    size_t behind = session->length - place;
    memmove(clicks + place + 1, clicks + place, behind * sizeof *clicks);
    clicks[place] = click;
    if (ids) {
        memmove(ids + place + 1, ids + place, behind * sizeof *ids);
        ids[place] = id_hash;
    }
    session->length++;
}

void clicks_append(struct session_table *table, uint32_t session, uint32_t item, int64_t time_ms, uint8_t type,
                   uint64_t id_hash)
{
    struct session *entry = session_at(table, session);
    assert(entry->with_ids || !id_hash);
    put_at(table, entry, entry->length, kept_click_of(entry->opened_ms, time_ms, item, type), id_hash);
}

/* Appends the clicks of another session (or an earlier state of this one) but for the `skipped` oldest. */
static void append_all(struct session_table *table, struct session *into, const struct session *from, uint32_t skipped)
{
    const struct kept_click *clicks = block_clicks(table, from);
    const uint64_t *ids = block_ids(table, from);
    if (into->opened_ms == from->opened_ms && !into->with_ids && !into->length && skipped < from->length) {
        into->length = (uint16_t)(from->length - skipped);
        memcpy(block_clicks(table, into), clicks + skipped, into->length * sizeof *clicks);
        return;
    }
    for (uint32_t i = skipped; i < from->length; i++) {
        int64_t time_ms = from->opened_ms + kept_time(clicks[i]);
        put_at(table, into, into->length, kept_click_of(into->opened_ms, time_ms, clicks[i].item, kept_type(clicks[i])),
               ids ? ids[i] : 0);
    }
}

/* A block with room for `count` clicks, event ids if asked for, and another user. */
static struct status rebuild(struct session_table *table, uint32_t session, uint32_t count, struct bytes user_id,
                             bool with_ids)
{
    struct session *entry = session_at(table, session), old = *entry;
    struct bytes key = clicks_key(table, session);
    uint32_t class = clicks_class(key, user_id, with_ids, count);
    TRY(pool_reserve(&table->pool, class));
    clicks_open(table, session, class, key, user_id, with_ids);
    append_all(table, entry, &old, 0);
    block_give_back(table, old.class, old.block);
    return OK;
}

/* Room for one more click, or for its replacing the oldest. */
static struct status make_room(struct session_table *table, uint32_t session, bool with_ids, struct bytes user_id)
{
    struct session *entry = session_at(table, session);
    uint32_t clicks_max = table->options.clicks_max;
    uint32_t count = entry->length < clicks_max ? entry->length + 1u : clicks_max;
    with_ids = with_ids || entry->with_ids;
    struct bytes known = clicks_user(table, session);
    if (!user_id.size)
        user_id = known;
    struct block_head *block = block_of(table, entry);
    if (count > block->capacity || with_ids != entry->with_ids || user_id.size != known.size)
        return rebuild(table, session, count, user_id, with_ids);
    if (user_id.data != known.data && user_id.size)
        memcpy(block_texts(block, with_ids) + block->key_size, user_id.data, user_id.size);
    return OK;
}

static void drop_oldest(struct session_table *table, struct session *session)
{
    struct kept_click *clicks = block_clicks(table, session);
    uint64_t *ids = block_ids(table, session);
    session->length--;
    memmove(clicks, clicks + 1, session->length * sizeof *clicks);
    if (ids)
        memmove(ids, ids + 1, session->length * sizeof *ids);
}

struct status clicks_insert(struct session_table *table, uint32_t session, const struct new_click *click,
                            uint32_t *ret_position)
{
    struct session *entry = session_at(table, session);
    int32_t time = (int32_t)(click->time_ms - entry->opened_ms);
    /* An older click does not know better who the visitor is than a later one did. */
    bool names_user = click->user_id.size && (time >= entry->last || !clicks_user(table, session).size);
    TRY(make_room(table, session, click->id_hash != 0, names_user ? click->user_id : (struct bytes){0}));
    const struct kept_click *clicks = block_clicks(table, entry);
    uint32_t place = entry->length, older = entry->total - entry->length;
    while (place > 0 && kept_time(clicks[place - 1]) > time)
        place--;
    *ret_position = clamped_sum(older + place, 1);
    bool full = entry->length == table->options.clicks_max;
    if (!full || place > 0) {
        if (full)
            drop_oldest(table, entry);
        put_at(table, entry, place - full, kept_click_of(entry->opened_ms, click->time_ms, click->item, click->type),
               click->id_hash);
    }
    entry->total = clamped_sum(entry->total, 1);
    entry->first = time < entry->first ? time : entry->first;
    entry->last = time > entry->last ? time : entry->last;
    return OK;
}

static uint32_t excess(uint32_t count, uint32_t count_max)
{
    return count > count_max ? count - count_max : 0;
}

struct status clicks_merge(struct session_table *table, uint32_t before, uint32_t after, uint32_t into,
                           const struct new_click *click)
{
    assert(before != after && (into == before || into == after));
    struct session left = *session_at(table, before), right = *session_at(table, after);
    struct session *merged = session_at(table, into);
    struct bytes user_id = clicks_user(table, after);
    if (!user_id.size)
        user_id = click->user_id.size ? click->user_id : clicks_user(table, before);
    bool with_ids = left.with_ids || right.with_ids || click->id_hash;
    uint32_t skipped = excess(left.length + 1u + right.length, table->options.clicks_max);
    uint32_t count = left.length + 1u + right.length - skipped;
    struct bytes key = clicks_key(table, into);
    uint32_t class = clicks_class(key, user_id, with_ids, count);
    TRY(pool_reserve(&table->pool, class));
    clicks_open(table, into, class, key, user_id, with_ids);
    append_all(table, merged, &left, skipped);
    if (skipped <= left.length)
        clicks_append(table, into, click->item, click->time_ms, click->type, click->id_hash);
    append_all(table, merged, &right, excess(skipped, left.length + 1u));
    merged->first = (int32_t)(session_first_ms(&left) - merged->opened_ms);
    merged->last = (int32_t)(session_last_ms(&right) - merged->opened_ms);
    merged->total = clamped_sum(clamped_sum(left.total, right.total), 1);
    /* The first give back may move the other block: its new handle is then in its session. */
    const struct session *own = into == before ? &left : &right;
    block_give_back(table, own->class, own->block);
    uint32_t other = into == before ? after : before;
    clicks_close(table, other);
    return OK;
}

bool clicks_has(const struct session_table *table, uint32_t session, const struct new_click *click)
{
    const struct session *entry = session_at(table, session);
    const struct kept_click *clicks = block_clicks(table, entry);
    const uint64_t *ids = block_ids(table, entry);
    if (click->id_hash) {
        for (uint32_t i = 0; ids && i < entry->length; i++)
            if (ids[i] == click->id_hash)
                return true;
        return false;
    }
    int64_t time = click->time_ms - entry->opened_ms;
    if (!table->options.infer_duplicates || time > entry->last)
        return false;
    struct kept_click same = kept_click_of(entry->opened_ms, click->time_ms, click->item, click->type);
    for (uint32_t i = entry->length; i-- > 0 && kept_time(clicks[i]) >= time;)
        if (clicks[i].item == same.item && clicks[i].when == same.when && !(ids && ids[i]))
            return true;
    return false;
}
