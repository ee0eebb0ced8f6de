// SPDX-License-Identifier: Apache-2.0
/* What becomes of the clicks: the naive model goes over the log. */
#include "support/support.h"

#include "simulator/judging.h"

static void expect_closed(struct judge *judge, int32_t partition, const struct model_session *session, int64_t offset)
{
    struct track *track = &judge->tracks[partition];
    track->close_sequence = track->close_offset == offset ? track->close_sequence + 1 : 0;
    track->close_offset = offset;
    if (track->session_count == track->session_capacity) {
        track->session_capacity = track->session_capacity ? 2 * track->session_capacity : 16;
        track->sessions = realloc(track->sessions, track->session_capacity * sizeof *track->sessions);
        assert(track->sessions);
    }
    track->sessions[track->session_count++] =
        (struct expected_session){.origin = {partition, offset, track->close_sequence}, .session = *session};
    judge->counts.closed++;
}

static void move_watermark(struct judge *judge, int32_t partition, int64_t watermark_ms, int64_t offset)
{
    struct track *track = &judge->tracks[partition];
    struct model *model = &track->model;
    if (watermark_ms <= track->watermark_ms)
        return;
    track->watermark_ms = watermark_ms;
    for (uint32_t due; (due = model_first_due(model)) != UINT32_MAX;) {
        struct model_session *session = &model->sessions[due];
        session->close_ms = model_deadline(model, session->first_ms, session->last_ms);
        if (session->close_ms > watermark_ms)
            return;
        expect_closed(judge, partition, session, offset);
        model_remove(model, due);
    }
}

static void note_click(struct judge *judge, int32_t partition, const struct model_outcome *outcome, size_t at)
{
    struct track *track = &judge->tracks[partition];
    struct expected_click *expected = &track->clicks[at];
    if (outcome->result != SESSION_APPLIED) {
        bool late = outcome->result == SESSION_LATE;
        expected->fate = late ? FATE_LATE : FATE_DUPLICATE;
        judge->counts.late += late;
        judge->counts.duplicates += !late;
        return;
    }
    const struct model_session *session = &track->model.sessions[outcome->session];
    expected->fate = FATE_ANSWERED;
    expected->position = outcome->position;
    expected->key = session->key;
    expected->user = session->user;
    expected->opened_ms = session->opened_ms;
    judge->counts.answered++;
}

static void expect_click(struct judge *judge, int32_t partition, size_t at)
{
    struct track *track = &judge->tracks[partition];
    const struct sent *sent = &judge->logs[partition].sent[at];
    judge->counts.clicks++;
    track->offset = sent->message.offset + 1;
    if (!sent->usable) {
        track->clicks[at].fate = FATE_DEAD;
        judge->counts.dead++;
        return;
    }
    int64_t record_ms = sent->message.timestamp_ms;
    int64_t seen_ms = sent->time_ms < record_ms ? sent->time_ms : record_ms;
    track->log_watermark_ms = seen_ms > track->log_watermark_ms ? seen_ms : track->log_watermark_ms;
    if (track->log_watermark_ms < track->watermark_ms) {
        track->behind_clock_offset = sent->message.offset;
        track->behind_clock_ms = track->watermark_ms;
    }
    move_watermark(judge, partition, seen_ms, sent->message.offset);
    const struct model_click click = {
        .time_ms = sent->time_ms, .item = sent->item, .type = (uint8_t)sent->type, .event_id = sent->event_id};
    bool by_user = judge->plan->shard.limits.by_user;
    struct model_outcome outcome = model_apply(&track->model, by_user ? sent->user : sent->visitor,
                                               by_user ? 0 : sent->user, &click, track->watermark_ms);
    if (outcome.evicted)
        expect_closed(judge, partition, &outcome.evicted_session, sent->message.offset);
    note_click(judge, partition, &outcome, at);
}

void expect_clicks(struct judge *judge, int32_t partition, int64_t to_offset)
{
    struct track *track = &judge->tracks[partition];
    const struct sent_log *log = &judge->logs[partition];
    for (; track->next < log->count && log->sent[track->next].message.offset < to_offset; track->next++)
        expect_click(judge, partition, track->next);
}

int64_t expect_next_watermark(const struct judge *judge, int32_t partition)
{
    const struct track *track = &judge->tracks[partition];
    const struct sent_log *log = &judge->logs[partition];
    if (track->next == log->count || !log->sent[track->next].usable)
        return INT64_MIN;
    const struct sent *sent = &log->sent[track->next];
    int64_t record_ms = sent->message.timestamp_ms;
    return sent->time_ms < record_ms ? sent->time_ms : record_ms;
}

void expect_step(struct judge *judge, int32_t partition, int64_t watermark_ms, bool of_next_click)
{
    int64_t last = judge->tracks[partition].offset - 1;
    judge->counts.portions += of_next_click;
    judge->counts.idle_steps += !of_next_click;
    move_watermark(judge, partition, watermark_ms, of_next_click ? judge->tracks[partition].committed : last);
}
