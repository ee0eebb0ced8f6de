// SPDX-License-Identifier: Apache-2.0
#include "core/session/table.h"

/* One click on its way into the table, and where it falls among the open sessions of its key. */
struct applying {
    struct new_click click;
    struct heads_key key;
    int64_t watermark_ms;
    uint32_t slot;
    uint32_t newer;  /* the session behind `after` */
    uint32_t after;  /* the nearest session that lies wholly later than the click */
    uint32_t before; /* the nearest one that began before or with it: the click may lie inside */
};

static void look_around(const struct session_table *table, struct applying *applying)
{
    applying->slot = heads_slot(table, applying->key);
    applying->newer = applying->after = SESSION_NONE;
    uint32_t session = table->slots[applying->slot].session;
    while (session != SESSION_NONE && session_first_ms(session_at(table, session)) > applying->click.time_ms) {
        applying->newer = applying->after;
        applying->after = session;
        session = session_at(table, session)->older;
    }
    applying->before = session;
}

/* True when a session from first_ms to last_ms is not too long and still open. */
static bool may_span(const struct session_table *table, int64_t first_ms, int64_t last_ms, int64_t watermark_ms)
{
    const struct session_options *options = &table->options;
    return last_ms - first_ms < options->max_duration_ms && deadline_of(options, first_ms, last_ms) > watermark_ms;
}

static bool takes(const struct session_table *table, uint32_t session, const struct applying *applying)
{
    if (session == SESSION_NONE)
        return false;
    int64_t time_ms = applying->click.time_ms;
    int64_t first_ms = session_first_ms(session_at(table, session));
    int64_t last_ms = session_last_ms(session_at(table, session));
    if (first_ms <= time_ms && time_ms <= last_ms)
        return true;
    int64_t distance_ms = time_ms < first_ms ? first_ms - time_ms : time_ms - last_ms;
    if (distance_ms >= table->options.gap_ms)
        return false;
    return time_ms < first_ms ? may_span(table, time_ms, last_ms, applying->watermark_ms)
                              : may_span(table, first_ms, time_ms, applying->watermark_ms);
}

static bool may_merge(const struct session_table *table, const struct applying *applying)
{
    return may_span(table, session_first_ms(session_at(table, applying->before)),
                    session_last_ms(session_at(table, applying->after)), applying->watermark_ms);
}

static struct status insert(struct session_table *table, uint32_t session, const struct new_click *click,
                            struct session_outcome *ret_outcome)
{
    bool out_of_order = click->time_ms < session_last_ms(session_at(table, session));
    bool begins_earlier = click->time_ms < session_first_ms(session_at(table, session));
    uint32_t position;
    TRY(changes_reserve(table));
    TRY(clicks_insert(table, session, click, &position));
    if (begins_earlier)
        queue_update(table, session);
    changes_add(table, session);
    *ret_outcome = (struct session_outcome){
        .result = SESSION_APPLIED, .session = session, .position = position, .out_of_order = out_of_order};
    return OK;
}

/* The session opened first lives on, with both sessions' clicks. */
static struct status merge(struct session_table *table, const struct applying *applying,
                           struct session_outcome *ret_outcome)
{
    uint32_t before = applying->before, after = applying->after;
    bool keeps_before = session_at(table, before)->number < session_at(table, after)->number;
    uint32_t into = keeps_before ? before : after, gone = keeps_before ? after : before;
    uint32_t position = clamped_sum(session_at(table, before)->total, 1);
    TRY(changes_reserve(table));
    TRY(clicks_merge(table, before, after, into, &applying->click));
    session_at(table, into)->older = session_at(table, before)->older;
    if (applying->newer != SESSION_NONE)
        session_at(table, applying->newer)->older = into;
    else
        heads_set(table, applying->slot, applying->key, into);
    changes_add_removal(table, gone);
    queue_remove(table, gone);
    sessions_give_back(table, gone);
    queue_update(table, into);
    changes_add(table, into);
    *ret_outcome = (struct session_outcome){
        .result = SESSION_APPLIED, .session = into, .position = position, .out_of_order = true};
    return OK;
}

/* All that can fail of an opening. */
static struct status opening_reserve(struct session_table *table, const struct applying *applying, uint32_t class,
                                     struct arena *batch, struct closed_list *evicted)
{
    TRY(sessions_reserve(table));
    TRY(heads_reserve(table));
    TRY(queue_reserve(table));
    TRY(changes_reserve(table));
    TRY(pool_reserve(&table->pool, class));
    if (table->count < table->options.open_max)
        return OK;
    struct closed_session closed = {.close_ms = applying->watermark_ms, .evicted = true};
    return session_close(table, queue_first(table, INT64_MAX), closed, batch, evicted);
}

static struct status open(struct session_table *table, struct applying *applying, struct arena *batch,
                          struct closed_list *evicted, struct session_outcome *ret_outcome)
{
    const struct new_click *click = &applying->click;
    uint32_t class = clicks_class(applying->key.key, click->user_id, click->id_hash != 0, 1);
    TRY(opening_reserve(table, applying, class, batch, evicted));
    look_around(table, applying); /* again: the key's slot may have moved, its neighbour may be evicted */
    uint32_t session = sessions_take(table);
    struct session *entry = session_at(table, session);
    entry->number = table->next_number++;
    entry->opened_ms = click->time_ms;
    entry->total = 1;
    clicks_open(table, session, class, applying->key.key, click->user_id, click->id_hash != 0);
    clicks_append(table, session, click->item, click->time_ms, click->type, click->id_hash);
    entry->older = applying->before;
    if (applying->after != SESSION_NONE)
        session_at(table, applying->after)->older = session;
    else
        heads_set(table, applying->slot, applying->key, session);
    queue_add(table, session);
    changes_add(table, session);
    *ret_outcome =
        (struct session_outcome){.result = SESSION_APPLIED, .session = session, .position = 1, .opened = true};
    return OK;
}

static bool is_late(const struct session_table *table, const struct applying *applying)
{
    int64_t time_ms = applying->click.time_ms;
    return deadline_of(&table->options, time_ms, time_ms) <= applying->watermark_ms;
}

struct status session_apply(struct session_table *table, const struct click *click, uint32_t item, int64_t watermark_ms,
                            struct arena *batch, struct closed_list *evicted, struct session_outcome *ret_outcome)
{
    struct bytes key = table->options.by_user ? click->user_id : click->session_id;
    assert(key.size > 0 && key.size <= CLICK_ID_MAX && click->user_id.size <= CLICK_ID_MAX);
    assert(click->time_ms > -TIME_MAX_MS && click->time_ms < TIME_MAX_MS && click->type < CLICK_TYPE_COUNT);
    struct applying applying = {.click = new_click_of(click, item, table->options.by_user),
                                .key = heads_key(key),
                                .watermark_ms = watermark_ms};
    look_around(table, &applying);
    uint32_t takers[2], count = 0;
    if (takes(table, applying.before, &applying))
        takers[count++] = applying.before;
    if (takes(table, applying.after, &applying))
        takers[count++] = applying.after;
    for (uint32_t i = 0; i < count; i++) {
        if (!clicks_has(table, takers[i], &applying.click))
            continue;
        *ret_outcome = (struct session_outcome){.result = SESSION_DUPLICATE, .session = takers[i]};
        return OK;
    }
    if (count == 2 && may_merge(table, &applying))
        return merge(table, &applying, ret_outcome);
    if (count > 0)
        return insert(table, takers[0], &applying.click, ret_outcome);
    if (!is_late(table, &applying))
        return open(table, &applying, batch, evicted, ret_outcome);
    *ret_outcome = (struct session_outcome){.result = SESSION_LATE, .session = SESSION_NONE};
    return OK;
}
