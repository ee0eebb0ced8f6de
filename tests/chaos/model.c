// SPDX-License-Identifier: Apache-2.0
#include "chaos/model.h"

#include <inttypes.h>
#include <stdlib.h>

struct model_click {
    struct bytes item, event;
    int64_t time_ms;
    enum click_type type;
};

struct model_session {
    uint64_t number;
    struct bytes id, user;
    struct model_click *clicks; /* by time */
    size_t count, capacity;
};

struct naive_run {
    struct session_options options;
    int32_t partition;
    struct model_session *sessions; /* by number */
    size_t count, capacity;
    uint64_t next_number;
    int64_t watermark_ms, offset, close_offset;
    uint32_t close_sequence;
    size_t cut, longest;
    struct arena texts;
};

struct status naive_run_open(const struct session_options *options, int32_t partition, struct naive_run **ret_model)
{
    struct naive_run *model = calloc(1, sizeof *model);
    if (!model)
        return FAIL(MEMORY, 0, "no memory for a model");
    assert(!options->by_user);
    model->options = *options;
    model->partition = partition;
    model->watermark_ms = INT64_MIN;
    model->offset = model->close_offset = -1;
    model->texts.limit = (size_t)8 << 30;
    *ret_model = model;
    return OK;
}

void naive_run_close(struct naive_run *model)
{
    if (!model)
        return;
    for (size_t i = 0; i < model->count; i++)
        free(model->sessions[i].clicks);
    free(model->sessions);
    arena_release(&model->texts);
    free(model);
}

size_t naive_run_cut(const struct naive_run *model)
{
    return model->cut;
}

size_t naive_run_longest(const struct naive_run *model)
{
    return model->longest;
}

static int64_t first_ms(const struct model_session *session)
{
    return session->clicks[0].time_ms;
}

static int64_t last_ms(const struct model_session *session)
{
    return session->clicks[session->count - 1].time_ms;
}

static int64_t deadline(const struct naive_run *model, int64_t from_ms, int64_t to_ms)
{
    int64_t by_gap = to_ms + model->options.gap_ms, by_duration = from_ms + model->options.max_duration_ms;
    return (by_gap < by_duration ? by_gap : by_duration) + model->options.grace_ms;
}

/* ---- what facts say */

void describe_session(const struct session_view *view, const struct bytes *item_ids, struct buffer *out)
{
    buffer_format(out, "session " BYTES_FORMAT " user " BYTES_FORMAT " clicks %u:", BYTES_ARGS(view->session_id),
                  BYTES_ARGS(view->user_id), view->total);
    for (uint32_t i = 0; i < view->length; i++)
        buffer_format(out, " " BYTES_FORMAT "@%" PRId64 "/%u", BYTES_ARGS(item_ids[i]), view->times_ms[i],
                      view->types[i]);
}

void describe_position(int64_t offset, int64_t watermark_ms, int64_t close_offset, uint32_t close_sequence,
                       struct buffer *out)
{
    buffer_format(out, "offset %" PRId64 " watermark %" PRId64 " closed %" PRId64 "/%" PRIu32, offset, watermark_ms,
                  close_offset, close_sequence);
}

static void describe(const struct model_session *session, struct buffer *out)
{
    buffer_format(out, "session " BYTES_FORMAT " user " BYTES_FORMAT " clicks %zu:", BYTES_ARGS(session->id),
                  BYTES_ARGS(session->user), session->count);
    for (size_t i = 0; i < session->count; i++)
        buffer_format(out, " " BYTES_FORMAT "@%" PRId64 "/%u", BYTES_ARGS(session->clicks[i].item),
                      session->clicks[i].time_ms, session->clicks[i].type);
}

/* ---- closing */

static size_t next_to_close(const struct naive_run *model)
{
    size_t best = model->count;
    int64_t best_ms = INT64_MAX;
    for (size_t i = 0; i < model->count; i++) {
        int64_t at_ms = deadline(model, first_ms(&model->sessions[i]), last_ms(&model->sessions[i]));
        if (at_ms <= model->watermark_ms && at_ms < best_ms) {
            best = i;
            best_ms = at_ms;
        }
    }
    return best;
}

static void remove_session(struct naive_run *model, size_t at)
{
    free(model->sessions[at].clicks);
    model->count--;
    memmove(model->sessions + at, model->sessions + at + 1, (model->count - at) * sizeof *model->sessions);
}

static struct status close_one(struct naive_run *model, size_t at, int64_t offset, struct facts *closed)
{
    const struct model_session *session = &model->sessions[at];
    AUTO(buffer) content = {0};
    model->close_sequence = model->close_offset == offset ? model->close_sequence + 1 : 0;
    model->close_offset = offset;
    describe(session, &content);
    buffer_format(&content, " closed %" PRId64, deadline(model, first_ms(session), last_ms(session)));
    TRY(facts_add(closed, (struct fact){model->partition, offset, model->close_sequence, buffer_bytes(&content)}));
    remove_session(model, at);
    return OK;
}

static struct status close_all(struct naive_run *model, int64_t offset, struct facts *closed)
{
    for (size_t at; (at = next_to_close(model)) < model->count;)
        TRY(close_one(model, at, offset, closed));
    return OK;
}

/* ---- joining */

static bool may_span(const struct naive_run *model, int64_t from_ms, int64_t to_ms)
{
    return to_ms - from_ms < model->options.max_duration_ms && deadline(model, from_ms, to_ms) > model->watermark_ms;
}

static bool takes(struct naive_run *model, const struct model_session *session, int64_t time_ms)
{
    int64_t from_ms = first_ms(session), to_ms = last_ms(session);
    if (time_ms >= from_ms && time_ms <= to_ms)
        return true;
    if (time_ms >= to_ms + model->options.gap_ms || time_ms <= from_ms - model->options.gap_ms)
        return false;
    from_ms = time_ms < from_ms ? time_ms : from_ms;
    to_ms = time_ms > to_ms ? time_ms : to_ms;
    model->cut += to_ms - from_ms >= model->options.max_duration_ms;
    return may_span(model, from_ms, to_ms);
}

/* Of the sessions of an id, the nearest that began before or with the time (or after it). */
static struct model_session *neighbour(const struct naive_run *model, struct bytes id, int64_t time_ms, bool after)
{
    struct model_session *best = NULL;
    for (size_t i = 0; i < model->count; i++) {
        struct model_session *session = &model->sessions[i];
        if (!bytes_equal(session->id, id) || (first_ms(session) > time_ms) != after)
            continue;
        if (!best || (after ? first_ms(session) < first_ms(best) : first_ms(session) > first_ms(best)))
            best = session;
    }
    return best;
}

static bool has(const struct naive_run *model, const struct model_session *session, const struct click *click)
{
    for (size_t i = 0; i < session->count; i++) {
        const struct model_click *kept = &session->clicks[i];
        if (click->event_id.size && bytes_equal(kept->event, click->event_id))
            return true;
        bool same =
            kept->time_ms == click->time_ms && kept->type == click->type && bytes_equal(kept->item, click->item_id);
        if (!click->event_id.size && !kept->event.size && same && model->options.infer_duplicates)
            return true;
    }
    return false;
}

static struct status reserve(struct model_session *session, size_t count)
{
    if (count <= session->capacity)
        return OK;
    struct model_click *clicks = realloc(session->clicks, 2 * count * sizeof *clicks);
    if (!clicks)
        return FAIL(MEMORY, count, "no memory for a session");
    session->clicks = clicks;
    session->capacity = 2 * count;
    return OK;
}

static struct status insert(struct naive_run *model, struct model_session *session, const struct click *click,
                            uint32_t *ret_position)
{
    TRY(reserve(session, session->count + 1));
    size_t at = session->count;
    while (at > 0 && session->clicks[at - 1].time_ms > click->time_ms)
        at--;
    if (click->user_id.size && (at == session->count || !session->user.size))
        session->user = arena_copy(&model->texts, click->user_id);
    memmove(session->clicks + at + 1, session->clicks + at, (session->count - at) * sizeof *session->clicks);
    session->clicks[at] = (struct model_click){arena_copy(&model->texts, click->item_id),
                                               arena_copy(&model->texts, click->event_id), click->time_ms, click->type};
    session->count++;
    if (session->count > model->longest)
        model->longest = session->count;
    *ret_position = (uint32_t)at + 1;
    return OK;
}

/* `before`, the click, `after`; the one opened first lives on. */
static struct status merge(struct naive_run *model, struct model_session *before, struct model_session *after,
                           const struct click *click, uint32_t *ret_position)
{
    struct bytes user = after->user.size ? after->user : (struct bytes){0};
    TRY(insert(model, before, click, ret_position));
    TRY(reserve(before, before->count + after->count));
    memcpy(before->clicks + before->count, after->clicks, after->count * sizeof *after->clicks);
    before->count += after->count;
    if (before->count > model->longest)
        model->longest = before->count;
    if (user.size)
        before->user = user;
    bool first = before->number < after->number;
    struct model_session whole = *before, *place = first ? before : after, *gone = first ? after : before;
    whole.number = place->number;
    struct model_click *unused = after->clicks;
    *place = whole;
    gone->clicks = unused;
    remove_session(model, (size_t)(gone - model->sessions));
    return OK;
}

static struct status open(struct naive_run *model, const struct click *click, uint32_t *ret_position)
{
    if (model->count == model->capacity) {
        size_t capacity = model->capacity ? model->capacity * 2 : 64;
        struct model_session *sessions = realloc(model->sessions, capacity * sizeof *sessions);
        if (!sessions)
            return FAIL(MEMORY, capacity, "no memory for sessions");
        model->sessions = sessions;
        model->capacity = capacity;
    }
    struct model_session *session = &model->sessions[model->count++];
    *session =
        (struct model_session){.number = model->next_number++, .id = arena_copy(&model->texts, click->session_id)};
    return insert(model, session, click, ret_position);
}

static struct status join(struct naive_run *model, const struct click *click, enum verdict *ret_verdict,
                          uint32_t *ret_position)
{
    struct model_session *before = neighbour(model, click->session_id, click->time_ms, false);
    struct model_session *after = neighbour(model, click->session_id, click->time_ms, true);
    if (before && !takes(model, before, click->time_ms))
        before = NULL;
    if (after && !takes(model, after, click->time_ms))
        after = NULL;
    *ret_verdict = VERDICT_DUPLICATE;
    if ((before && has(model, before, click)) || (after && has(model, after, click)))
        return OK;
    *ret_verdict = VERDICT_ANSWERED;
    if (before && after && may_span(model, first_ms(before), last_ms(after)))
        return merge(model, before, after, click, ret_position);
    if (before || after)
        return insert(model, before ? before : after, click, ret_position);
    if (deadline(model, click->time_ms, click->time_ms) > model->watermark_ms)
        return open(model, click, ret_position);
    *ret_verdict = VERDICT_LATE;
    return OK;
}

struct status naive_run_take(struct naive_run *model, const struct click *click, int64_t offset, int64_t record_ms,
                             struct facts *closed, enum verdict *ret_verdict, uint32_t *ret_position)
{
    int64_t seen_ms = click->time_ms < record_ms ? click->time_ms : record_ms;
    if (seen_ms > model->watermark_ms)
        model->watermark_ms = seen_ms;
    TRY(close_all(model, offset, closed));
    *ret_position = 0;
    TRY(join(model, click, ret_verdict, ret_position));
    model->offset = offset + 1;
    return OK;
}

void naive_run_pass(struct naive_run *model, int64_t offset)
{
    model->offset = offset + 1;
}

struct status naive_run_state(const struct naive_run *model, struct facts *sessions, struct facts *positions)
{
    AUTO(buffer) content = {0};
    for (size_t i = 0; i < model->count; i++) {
        buffer_clear(&content);
        describe(&model->sessions[i], &content);
        TRY(facts_add_content(sessions, model->partition, buffer_bytes(&content)));
    }
    buffer_clear(&content);
    describe_position(model->offset, model->watermark_ms, model->close_offset, model->close_sequence, &content);
    return facts_add(positions, (struct fact){model->partition, 0, 0, buffer_bytes(&content)});
}
