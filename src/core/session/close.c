// SPDX-License-Identifier: Apache-2.0
/* Reading sessions out, and closing them. */
#include "core/session/table.h"

#include <stdio.h>

static struct status view_arrays(const struct session_table *table, uint32_t session, struct arena *batch,
                                 struct session_view *view)
{
    const struct session *entry = session_at(table, session);
    const struct kept_click *clicks = clicks_of(table, session);
    uint32_t *items = ARENA_ARRAY(batch, uint32_t, entry->length);
    int64_t *times_ms = ARENA_ARRAY(batch, int64_t, entry->length);
    uint8_t *types = ARENA_ARRAY(batch, uint8_t, entry->length);
    if (!items || !times_ms || !types)
        return FAIL(MEMORY, entry->length, "no memory for a session's clicks");
    for (uint32_t i = 0; i < entry->length; i++) {
        items[i] = clicks[i].item;
        times_ms[i] = entry->opened_ms + kept_time(clicks[i]);
        types[i] = kept_type(clicks[i]);
    }
    *view = (struct session_view){
        .items = items, .times_ms = times_ms, .types = types, .length = entry->length, .total = entry->total};
    return OK;
}

/* A visit of a user without an id of its own is named by when it began. */
static struct status visit_id(struct bytes user_id, int64_t opened_ms, struct arena *batch, struct bytes *ret_id)
{
    char time[24];
    size_t size = (size_t)snprintf(time, sizeof time, "/%lld", (long long)opened_ms);
    uint8_t *text = arena_alloc(batch, user_id.size + size);
    if (!text)
        return FAIL(MEMORY, user_id.size, "no memory for a session id");
    memcpy(text, user_id.data, user_id.size);
    memcpy(text + user_id.size, time, size);
    *ret_id = bytes_of(text, user_id.size + size);
    return OK;
}

struct status session_read(const struct session_table *table, uint32_t session, struct arena *batch,
                           struct session_view *ret_view)
{
    assert(session_at(table, session)->number != NUMBER_NONE);
    struct session_view view;
    TRY(view_arrays(table, session, batch, &view));
    view.key = view.session_id = clicks_key(table, session);
    view.user_id = clicks_user(table, session);
    if (table->options.by_user) {
        TRY(visit_id(view.key, session_at(table, session)->opened_ms, batch, &view.session_id));
        view.user_id = view.key;
    }
    *ret_view = view;
    return OK;
}

static struct status bytes_keep(struct bytes *bytes, struct arena *batch)
{
    size_t size = bytes->size;
    *bytes = arena_copy(batch, *bytes);
    return bytes->size == size ? OK : FAIL(MEMORY, size, "no memory for a closed session");
}

/* A view that outlives the session. */
static struct status view_keep(const struct session_table *table, uint32_t session, struct arena *batch,
                               struct session_view *ret_view)
{
    struct session_view view;
    TRY(session_read(table, session, batch, &view));
    TRY(bytes_keep(&view.key, batch));
    if (table->options.by_user)
        view.user_id = view.key;
    else
        view.session_id = view.key;
    if (!table->options.by_user)
        TRY(bytes_keep(&view.user_id, batch));
    *ret_view = view;
    return OK;
}

static struct status list_reserve(struct closed_list *list, struct arena *batch)
{
    if (list->count < list->capacity)
        return OK;
    size_t capacity = list->capacity ? list->capacity * 2 : 16;
    struct closed_session *sessions = ARENA_ARRAY(batch, struct closed_session, capacity);
    if (!sessions)
        return FAIL(MEMORY, capacity, "no memory for closed sessions");
    if (list->count)
        memcpy(sessions, list->sessions, list->count * sizeof *sessions);
    list->sessions = sessions;
    list->capacity = capacity;
    return OK;
}

struct status session_close(struct session_table *table, uint32_t session, struct closed_session closed,
                            struct arena *batch, struct closed_list *list)
{
    TRY(changes_reserve(table));
    TRY(list_reserve(list, batch));
    TRY(view_keep(table, session, batch, &closed.view));
    list->sessions[list->count++] = closed;
    changes_add_removal(table, session);
    heads_unlink(table, session);
    queue_remove(table, session);
    clicks_close(table, session);
    sessions_give_back(table, session);
    return OK;
}

struct status session_expire(struct session_table *table, int64_t *watermark_ms, uint32_t max, struct arena *batch,
                             struct closed_list *closed)
{
    int64_t last_ms = INT64_MIN;
    for (uint32_t count = 0;; count++) {
        uint32_t session = queue_first(table, *watermark_ms);
        if (session == SESSION_NONE)
            return OK;
        const struct session *entry = session_at(table, session);
        int64_t close_ms = deadline_of(&table->options, session_first_ms(entry), session_last_ms(entry));
        if (max && count >= max && close_ms > last_ms) {
            *watermark_ms = close_ms - 1;
            return OK;
        }
        last_ms = close_ms;
        TRY(session_close(table, session, (struct closed_session){.close_ms = close_ms}, batch, closed));
    }
}
