// SPDX-License-Identifier: Apache-2.0
/* The learner as bytes, little-endian:
 *   in a frame (core/frame.h): the place learned last, u32 marks, a place per mark; a place: i64 close, i32 partition,
 * i64 offset, u32 sequence u32 pending, then each in the order of learning: its place, u8 evicted, u32 total, u32
 * length, u16 size and session id, u16 size and user id, i64 times, u8 types, and per click u8 size and item id */
#include "core/learn/learner.h"

#include <eddy/core/frame.h>
#include <stdlib.h>

#define VERSION  1
#define TEXT_MAX 1024 /* of a session's id, which may be made of a user's */

static const char snapshot_magic[FRAME_MAGIC_SIZE] = "eddylnr";

/* ---- writing */

#define PUT(out, value) buffer_append((out), &(value), sizeof(value))

static void put_place(const struct place *place, struct buffer *out)
{
    PUT(out, place->close_ms);
    PUT(out, place->origin.partition);
    PUT(out, place->origin.offset);
    PUT(out, place->origin.sequence);
}

static void put_text(struct bytes text, struct buffer *out)
{
    uint16_t size = (uint16_t)text.size;
    assert(text.size <= TEXT_MAX);
    PUT(out, size);
    buffer_append_bytes(out, text);
}

static void put_pending(const struct pending *pending, const struct catalogue *catalogue, struct buffer *out)
{
    const struct session_view *view = &pending->session.view;
    put_place(&pending->place, out);
    buffer_append_byte(out, pending->session.evicted);
    PUT(out, view->total);
    PUT(out, view->length);
    put_text(view->session_id, out);
    put_text(view->user_id, out);
    buffer_append(out, view->times_ms, view->length * sizeof *view->times_ms);
    buffer_append(out, view->types, view->length);
    for (uint32_t i = 0; i < view->length; i++) {
        struct bytes id = catalogue_id(catalogue, view->items[i]);
        buffer_append_byte(out, (uint8_t)id.size);
        buffer_append_bytes(out, id);
    }
}

static int compare_pending(const void *a, const void *b)
{
    const struct pending *const *left = a, *const *right = b;
    return learner_compare(&(*left)->place, &(*right)->place);
}

static void put_all_pending(const struct learner *learner, const struct catalogue *catalogue, struct buffer *out)
{
    struct pending **sorted = malloc((learner->count + 1) * sizeof(struct pending *));
    if (!sorted) {
        buffer_starve(out);
        return;
    }
    if (learner->count)
        memcpy(sorted, learner->heap, learner->count * sizeof(struct pending *));
    qsort(sorted, learner->count, sizeof(struct pending *), compare_pending);
    PUT(out, learner->count);
    for (uint32_t i = 0; i < learner->count; i++)
        put_pending(sorted[i], catalogue, out);
    free(sorted);
}

void learner_encode(const struct learner *learner, const struct catalogue *catalogue, struct buffer *out)
{
    size_t start = frame_begin(out, snapshot_magic, VERSION);
    put_place(&learner->learned_last, out);
    PUT(out, learner->mark_count);
    for (uint32_t i = 0; i < learner->mark_count; i++)
        put_place(&learner->marks[i], out);
    put_all_pending(learner, catalogue, out);
    frame_end(out, start);
}

/* ---- reading */

#define GET(rest, to) frame_take((rest), &(to), sizeof(to))

static struct status get_place(struct bytes *rest, struct place *ret_place)
{
    TRY(GET(rest, ret_place->close_ms));
    TRY(GET(rest, ret_place->origin.partition));
    TRY(GET(rest, ret_place->origin.offset));
    return GET(rest, ret_place->origin.sequence);
}

static struct status get_text(struct bytes *rest, size_t size, size_t size_max, struct bytes *ret_text)
{
    return size > size_max ? FAIL(CORRUPT, size, "a text in the learner's snapshot is too long")
                           : frame_take_bytes(rest, size, ret_text);
}

static struct status get_id(struct bytes *rest, struct bytes *ret_text)
{
    uint16_t size;
    TRY(GET(rest, size));
    return get_text(rest, size, TEXT_MAX, ret_text);
}

static struct status get_items(struct bytes *rest, struct catalogue *catalogue, uint32_t *items, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        uint8_t size;
        struct bytes id;
        TRY(GET(rest, size));
        TRY(get_text(rest, size, CLICK_ID_MAX, &id));
        if (!id.size || !bytes_is_utf8(id))
            return FAIL(CORRUPT, i, "an item id in the learner's snapshot is not one");
        TRY(catalogue_intern(catalogue, id, &items[i]));
    }
    return OK;
}

/* The arrays of one pending session, in memory of `room`. */
static struct status get_clicks(struct bytes *rest, struct catalogue *catalogue, struct arena *room,
                                struct session_view *view)
{
    uint32_t length = view->length;
    if (length > SESSION_CLICKS_MAX || view->total < length)
        return FAIL(CORRUPT, length, "a session in the learner's snapshot has too many clicks");
    int64_t *times_ms = ARENA_ARRAY(room, int64_t, length + 1);
    uint8_t *types = ARENA_ARRAY(room, uint8_t, length + 1);
    uint32_t *items = ARENA_ARRAY(room, uint32_t, length + 1);
    if (!times_ms || !types || !items)
        return FAIL(MEMORY, length, "no memory for a pending session");
    TRY(frame_take(rest, times_ms, length * sizeof *times_ms));
    TRY(frame_take(rest, types, length));
    TRY(get_items(rest, catalogue, items, length));
    for (uint32_t i = 0; i < length; i++)
        if (types[i] >= CLICK_TYPE_COUNT || times_ms[i] < CLICK_TIME_MIN_MS || times_ms[i] > CLICK_TIME_MAX_MS)
            return FAIL(CORRUPT, i, "a click in the learner's snapshot is none");
    view->times_ms = times_ms;
    view->types = types;
    view->items = items;
    return OK;
}

static struct status get_pending(struct bytes *rest, struct catalogue *catalogue, struct arena *room,
                                 struct learner *learner)
{
    struct place place;
    struct closed_session session = {0};
    uint8_t evicted;
    bool fresh;
    TRY(get_place(rest, &place));
    TRY(GET(rest, evicted));
    TRY(GET(rest, session.view.total));
    TRY(GET(rest, session.view.length));
    TRY(get_id(rest, &session.view.session_id));
    TRY(get_id(rest, &session.view.user_id));
    TRY(get_clicks(rest, catalogue, room, &session.view));
    if (evicted > 1 || place.close_ms < CLICK_TIME_MIN_MS || place.close_ms > CLICK_TIME_MAX_MS)
        return FAIL(CORRUPT, evicted, "a session in the learner's snapshot is none");
    session.close_ms = place.close_ms;
    session.evicted = evicted;
    struct status status = learner_offer(learner, &session, place.origin, &fresh);
    if (failed_as(status, FAULT_BAD_INPUT) || (!failed(status) && !fresh))
        return FAIL(CORRUPT, place.origin.offset, "the sessions in the learner's snapshot are in no order");
    return status;
}

static struct status get_marks(struct bytes *rest, struct place **ret_marks, uint32_t *ret_count)
{
    uint32_t count;
    TRY(GET(rest, count));
    if (count > rest->size)
        return FAIL(CORRUPT, count, "the learner's snapshot is truncated");
    struct place *marks = calloc(count + 1, sizeof *marks);
    if (!marks)
        return FAIL(MEMORY, count, "no memory for the partitions' marks");
    struct status status = OK;
    for (uint32_t i = 0; i < count && !failed(status); i++)
        status = get_place(rest, &marks[i]);
    if (failed(status)) {
        free(marks);
        return status;
    }
    *ret_marks = marks;
    *ret_count = count;
    return OK;
}

static struct status get_all_pending(struct bytes *rest, struct catalogue *catalogue, struct learner *learner)
{
    struct arena room = {0};
    uint32_t count;
    TRY(GET(rest, count));
    struct status status = OK;
    for (uint32_t i = 0; i < count && !failed(status); i++) {
        status = get_pending(rest, catalogue, &room, learner);
        arena_reset(&room);
    }
    arena_release(&room);
    return status;
}

/* Offering moves the marks, so they are set when all is offered. */
static struct status get_all(struct bytes *rest, struct catalogue *catalogue, struct learner *learner)
{
    struct place last, *marks;
    uint32_t count;
    TRY(get_place(rest, &last));
    TRY(get_marks(rest, &marks, &count));
    struct status status = get_all_pending(rest, catalogue, learner);
    if (!failed(status) && rest->size)
        status = FAIL(CORRUPT, 0, "the learner's snapshot has something at its end");
    if (!failed(status) && count)
        status = learner_reserve_marks(learner, (int32_t)(count < INT32_MAX ? count : INT32_MAX) - 1);
    if (!failed(status) && count) {
        memcpy(learner->marks, marks, count * sizeof *marks);
        learner->learned_last = last;
    }
    free(marks);
    return failed_as(status, FAULT_BAD_INPUT) ? FAIL(CORRUPT, count, "the learner's snapshot has too many marks")
                                              : status;
}

struct status learner_restore(struct bytes snapshot, struct catalogue *catalogue, struct learner *learner)
{
    TRY(frame_open(&snapshot, snapshot_magic, VERSION));
    return get_all(&snapshot, catalogue, learner);
}
