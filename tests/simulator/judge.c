// SPDX-License-Identifier: Apache-2.0
#include "simulator/judging.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct judge *court_open(const struct plan *plan, const struct sent_log *logs, const struct judge *calm)
{
    struct judge *judge = calloc(1, sizeof *judge);
    assert(judge);
    judge->plan = plan;
    judge->logs = logs;
    judge->calm = calm;
    struct status status = decoder_open(RECORD_RECOMMENDATION, RECORD_AVRO, &judge->recommendations);
    if (!failed(status))
        status = decoder_open(RECORD_CLOSED_SESSION, RECORD_AVRO, &judge->sessions);
    assert(!failed(status));
    for (int32_t p = 0; p < plan->partitions; p++) {
        struct track *track = &judge->tracks[p];
        track->model.options = plan->shard.engine.session;
        track->watermark_ms = track->log_watermark_ms = track->committed_watermark_ms = INT64_MIN;
        track->close_offset = track->committed = track->answered_offset = track->behind_clock_offset = -1;
        track->clicks = calloc(logs[p].count + 1, sizeof *track->clicks);
        assert(track->clicks);
    }
    return judge;
}

void court_close(struct judge *judge)
{
    for (int32_t p = 0; p < PARTITIONS_MAX; p++) {
        free(judge->tracks[p].clicks);
        free(judge->tracks[p].sessions);
        free(judge->tracks[p].pending);
    }
    decoder_close(judge->recommendations);
    decoder_close(judge->sessions);
    arena_release(&judge->batch);
    free(judge);
}

const char *judge_complaint(const struct judge *judge)
{
    return judge->complaint;
}

void judge_fail(struct judge *judge, const char *format, ...)
{
    if (judge->complaint[0])
        return; /* what follows from the first is of no interest */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(judge->complaint, sizeof judge->complaint, format, arguments);
    va_end(arguments);
}

void judge_note(struct judge *judge, uint64_t what)
{
    uint64_t parts[2] = {judge->hash, what};
    judge->hash = bytes_hash(bytes_of(parts, sizeof parts));
}

uint64_t judge_hash(const struct judge *judge)
{
    return judge->hash;
}

struct judge_counts judge_counts(const struct judge *judge)
{
    struct judge_counts counts = judge->counts;
    for (int32_t p = 0; p < PARTITIONS_MAX; p++)
        counts.excused += judge->tracks[p].excused;
    return counts;
}

/* ---- records */

void judge_records(struct judge *judge, struct output_record *const *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t offset;
        judge_note(judge, bytes_hash(records[i]->value));
        int32_t partition = record_partition(judge, records[i], &offset);
        if (partition < 0) {
            judge_fail(judge, "a record was published that makes no sense, on output %d", (int)records[i]->output);
            return;
        }
        struct track *track = &judge->tracks[partition];
        if (track->pending_count == track->pending_capacity) {
            track->pending_capacity = track->pending_capacity ? 2 * track->pending_capacity : 64;
            track->pending = realloc(track->pending, track->pending_capacity * sizeof(struct output_record *));
            assert(track->pending);
        }
        track->pending[track->pending_count++] = records[i];
    }
}

void compare_pending(struct judge *judge, int32_t partition)
{
    struct track *track = &judge->tracks[partition];
    size_t kept = 0;
    for (size_t i = 0; i < track->pending_count; i++) {
        int64_t offset = 0;
        record_partition(judge, track->pending[i], &offset);
        if (!judge->plan->exactly_once && !record_is_due(judge, partition, track->pending[i], offset))
            track->pending[kept++] = track->pending[i]; /* its commit is to come */
        else
            compare_record(judge, partition, track->pending[i]);
    }
    track->pending_count = kept;
}

/* A click that some earlier one may be taken for, if they meet in one session. */
static bool has_twin(const struct judge *judge, int32_t partition, size_t at)
{
    const struct sent_log *log = &judge->logs[partition];
    const struct sent *click = &log->sent[at];
    bool by_user = judge->plan->shard.limits.by_user, found = false;
    for (size_t i = 0; i < at && !found; i++) {
        const struct sent *other = &log->sent[i];
        bool same_key = by_user ? other->user == click->user : other->visitor == click->visitor;
        found = same_key && other->usable && other->event_id == click->event_id &&
                (click->event_id || (other->time_ms == click->time_ms && other->item == click->item));
    }
    return found;
}

/* Whether nothing at all need to be published for a click. */
static bool may_be_silent(const struct judge *judge, int32_t partition, size_t at)
{
    const struct track *track = &judge->tracks[partition];
    return track->clicks[at].fate == FATE_DUPLICATE || (track->excused && has_twin(judge, partition, at));
}

static void check_all_seen(struct judge *judge, int32_t partition)
{
    struct track *track = &judge->tracks[partition];
    for (; track->checked_clicks < track->next; track->checked_clicks++) {
        const struct expected_click *click = &track->clicks[track->checked_clicks];
        if (!click->seen && !may_be_silent(judge, partition, track->checked_clicks))
            judge_fail(judge, "partition %d, offset %lld: committed, but its %s was not published", partition,
                       (long long)judge->logs[partition].sent[track->checked_clicks].message.offset,
                       click->fate == FATE_ANSWERED ? "answer"
                       : click->fate == FATE_LATE   ? "late click"
                                                    : "dead letter");
    }
    for (; track->checked_sessions < track->session_count; track->checked_sessions++) {
        const struct expected_session *session = &track->sessions[track->checked_sessions];
        if (!session->seen && !track->excused)
            judge_fail(judge, "partition %d: the session that closes at offset %lld/%u was not published", partition,
                       (long long)session->origin.offset, session->origin.sequence);
    }
}

void judge_commit(struct judge *judge, int32_t partition, int64_t offset, const char *metadata)
{
    struct track *track = &judge->tracks[partition];
    int64_t watermark_ms = INT64_MIN, close_offset;
    judge_note(judge, (uint64_t)offset);
    judge_note(judge, bytes_hash(bytes_of_text(metadata)));
    if (offset < track->committed)
        judge_fail(judge, "partition %d: the group was set back from %lld to %lld", partition,
                   (long long)track->committed, (long long)offset);
    if (sscanf(metadata, "eddy1 watermark=%" SCNd64 " close=%" SCNd64, &watermark_ms, &close_offset) != 2)
        judge_fail(judge, "partition %d: committed without a watermark: '%s'", partition, metadata);
    expect_clicks(judge, partition, offset);
    track->committed = offset;
    track->committed_watermark_ms = watermark_ms;
    if (watermark_ms < track->watermark_ms && !track->excused)
        judge_fail(judge, "partition %d, offset %lld: the committed watermark %lld is behind the clicks', %lld",
                   partition, (long long)offset, (long long)watermark_ms, (long long)track->watermark_ms);
    bool closing = close_offset == offset && watermark_ms < expect_next_watermark(judge, partition);
    if (watermark_ms > track->watermark_ms && !judge->plan->idle && !closing)
        judge_fail(judge, "partition %d, offset %lld: the committed watermark %lld is ahead of the clicks', %lld",
                   partition, (long long)offset, (long long)watermark_ms, (long long)track->watermark_ms);
    if (watermark_ms > track->watermark_ms)
        expect_step(judge, partition, watermark_ms, closing);
    compare_pending(judge, partition);
    check_all_seen(judge, partition);
}

void judge_transaction_end(struct judge *judge)
{
    for (int32_t p = 0; p < judge->plan->partitions; p++)
        if (judge->tracks[p].pending_count)
            judge_fail(judge, "partition %d: outputs became final without a position", p);
}

/* ---- stores */

void judge_store(struct judge *judge, int32_t partition, const struct store_position *position)
{
    const struct track *track = &judge->tracks[partition];
    judge_note(judge, (uint64_t)position->offset);
    bool ahead = position->offset > track->committed ||
                 (position->offset == track->committed && position->watermark_ms > track->committed_watermark_ms);
    if (ahead)
        judge_fail(judge, "a store of partition %d stands at %lld, watermark %lld, ahead of the group at %lld, %lld",
                   partition, (long long)position->offset, (long long)position->watermark_ms,
                   (long long)track->committed, (long long)track->committed_watermark_ms);
}

void judge_accept(struct judge *judge, int32_t partition, int64_t start, int64_t watermark_ms)
{
    struct track *track = &judge->tracks[partition];
    judge_note(judge, (uint64_t)start);
    if (start <= track->behind_clock_offset && watermark_ms < track->behind_clock_ms)
        track->excused = true;
}
