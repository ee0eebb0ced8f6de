// SPDX-License-Identifier: Apache-2.0
/* What was published against what is expected. */
#include "simulator/judging.h"

#include <stdio.h>

static uint64_t record_hash(const struct output_record *record)
{
    uint64_t parts[3] = {bytes_hash(record->key), bytes_hash(record->value), (uint64_t)record->timestamp_ms};
    return bytes_hash(bytes_of(parts, sizeof parts));
}

static bool header_number(const struct output_record *record, const char *name, int64_t *ret_number)
{
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, name) == 0)
            return bytes_to_int64(record->headers[i].value, ret_number);
    return false;
}

static bool same_late(const struct sent *sent, const struct output_record *record)
{
    return sent->message.timestamp_ms == record->timestamp_ms && bytes_equal(sent->message.value, record->value) &&
           bytes_equal(sent->message.key, record->key);
}

/* A late click says nothing of its offset: the first of the same bytes that was not seen yet, or else the first. */
static int64_t late_offset(const struct judge *judge, const struct output_record *record)
{
    const struct sent_log *log = &judge->logs[record->partition];
    const struct track *track = &judge->tracks[record->partition];
    int64_t first = -1;
    for (size_t i = 0; i < log->count; i++) {
        if (!log->sent[i].usable || !same_late(&log->sent[i], record))
            continue;
        bool may_be_late = track->clicks[i].fate == FATE_LATE || track->excused;
        if (i >= track->next || (may_be_late && !track->clicks[i].seen))
            return log->sent[i].message.offset;
        if (first < 0 && may_be_late)
            first = log->sent[i].message.offset;
    }
    return first;
}

static bool decode_session(struct judge *judge, const struct output_record *record, struct closed_record *session)
{
    arena_reset(&judge->batch);
    return !failed(decode_closed_session(judge->sessions, record->value, &judge->batch, session, NULL));
}

static bool decode_answer(struct judge *judge, const struct output_record *record, struct recommendation_record *answer)
{
    arena_reset(&judge->batch);
    return !failed(decode_recommendation(judge->recommendations, record->value, &judge->batch, answer, NULL));
}

int32_t record_partition(struct judge *judge, const struct output_record *record, int64_t *ret_offset)
{
    struct closed_record session;
    struct recommendation_record answer;
    int64_t partition = -1;
    if (record->output == OUTPUT_RECOMMENDATIONS && decode_answer(judge, record, &answer)) {
        partition = answer.partition;
        *ret_offset = answer.offset;
    } else if (record->output == OUTPUT_SESSIONS && decode_session(judge, record, &session)) {
        partition = session.origin.partition;
        *ret_offset = session.origin.offset;
    } else if (record->output == OUTPUT_LATE_CLICKS && record->partition < judge->plan->partitions) {
        partition = record->partition;
        *ret_offset = late_offset(judge, record);
    } else if (record->output == OUTPUT_DEAD_LETTERS) {
        if (!header_number(record, "__connect.errors.partition", &partition) ||
            !header_number(record, "__connect.errors.offset", ret_offset))
            partition = -1;
    }
    return partition >= 0 && partition < judge->plan->partitions ? (int32_t)partition : -1;
}

bool record_is_due(struct judge *judge, int32_t partition, const struct output_record *record, int64_t offset)
{
    const struct track *track = &judge->tracks[partition];
    struct closed_record session;
    if (offset != track->committed || record->output != OUTPUT_SESSIONS)
        return offset < track->committed;
    return decode_session(judge, record, &session) && track->close_offset == offset &&
           session.origin.sequence <= track->close_sequence;
}

/* ---- one record */

static void count_seen(struct judge *judge, uint32_t *seen, const char *what, int32_t partition, int64_t offset)
{
    judge->counts.repeats += *seen > 0;
    if (++*seen > 1 && judge->plan->exactly_once)
        judge_fail(judge, "%s of partition %d, offset %lld, was published twice", what, partition, (long long)offset);
}

static size_t click_at(const struct judge *judge, int32_t partition, int64_t offset)
{
    const struct sent_log *log = &judge->logs[partition];
    size_t low = 0, high = log->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (log->sent[middle].message.offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < log->count && log->sent[low].message.offset == offset ? low : SIZE_MAX;
}

/* At least once, what was published without being committed is answered again, and that may be after the wall clock
 * has moved the watermark, or with that not having been done. */
static bool may_be_undone(const struct judge *judge)
{
    return judge->plan->idle && !judge->plan->exactly_once;
}

/* NULL, with a complaint where there is one to make: the record is not for a click of that fate. */
static struct expected_click *expected_with_fate(struct judge *judge, int32_t partition, int64_t offset, enum fate fate,
                                                 const char *what)
{
    static const char *const fates[] = {"not committed", "answered", "late", "a duplicate", "a dead letter"};
    struct track *track = &judge->tracks[partition];
    size_t at = click_at(judge, partition, offset);
    enum fate want = at == SIZE_MAX ? FATE_UNKNOWN : track->clicks[at].fate;
    if (at != SIZE_MAX && (want == fate || track->excused))
        return &track->clicks[at];
    if (!may_be_undone(judge))
        judge_fail(judge, "%s of partition %d, offset %lld, was published, but %s%s", what, partition,
                   (long long)offset, at == SIZE_MAX ? "there is no such click" : "it is ",
                   at == SIZE_MAX ? "" : fates[want]);
    return NULL;
}

static bool id_is(struct bytes id, char mark, uint32_t number)
{
    char text[32] = "";
    if (number)
        snprintf(text, sizeof text, "%c%u", mark, number);
    return bytes_equal_text(id, text);
}

static bool session_id_is(const struct judge *judge, struct bytes id, uint32_t key, int64_t opened_ms)
{
    char text[64];
    if (!judge->plan->shard.limits.by_user)
        return id_is(id, 'v', key);
    snprintf(text, sizeof text, "u%u/%lld", key, (long long)opened_ms);
    return bytes_equal_text(id, text);
}

static void same_bytes(struct judge *judge, uint64_t *first, const uint64_t *calm, uint64_t hash, bool exact,
                       const char *what, int64_t offset)
{
    if (exact && *first && *first != hash)
        judge_fail(judge, "%s at offset %lld was published again with other bytes", what, (long long)offset);
    if (exact && calm && *calm && *calm != hash)
        judge_fail(judge, "%s at offset %lld has other bytes than without faults", what, (long long)offset);
    *first = hash;
}

static bool same_answer(const struct judge *judge, const struct expected_click *want, const struct sent *sent,
                        const struct recommendation_record *got)
{
    char item[32];
    snprintf(item, sizeof item, "item-%u", sent->item);
    bool by_user = judge->plan->shard.limits.by_user;
    return got->position == want->position && got->click_time_ms == sent->time_ms && got->revision == 0 &&
           bytes_equal_text(got->click_item_id, item) &&
           session_id_is(judge, got->session_id, want->key, want->opened_ms) &&
           id_is(got->user_id, 'u', by_user ? want->key : want->user);
}

static void compare_answer(struct judge *judge, int32_t partition, const struct output_record *record)
{
    struct recommendation_record got;
    bool decoded = decode_answer(judge, record, &got);
    assert(decoded); /* it was, before */
    (void)decoded;
    struct expected_click *want = expected_with_fate(judge, partition, got.offset, FATE_ANSWERED, "an answer");
    if (!want)
        return;
    size_t at = click_at(judge, partition, got.offset);
    bool excused = judge->tracks[partition].excused;
    bool same = excused || same_answer(judge, want, &judge->logs[partition].sent[at], &got);
    if (!same && may_be_undone(judge))
        return;
    count_seen(judge, &want->seen, "an answer", partition, got.offset);
    int64_t *last = &judge->tracks[partition].answered_offset;
    if (judge->plan->exactly_once && got.offset < *last)
        judge_fail(judge, "partition %d: offset %lld is answered after %lld", partition, (long long)got.offset,
                   (long long)*last);
    *last = got.offset;
    if (!same)
        judge_fail(judge,
                   "the answer to partition %d, offset %lld, is for session " BYTES_FORMAT ", position %u; expected "
                   "key %u opened at %lld, position %u",
                   partition, (long long)got.offset, BYTES_ARGS(got.session_id), got.position, want->key,
                   (long long)want->opened_ms, want->position);
    const struct track *calm = judge->calm ? &judge->calm->tracks[partition] : NULL;
    same_bytes(judge, &want->bytes, calm ? &calm->clicks[at].bytes : NULL, record_hash(record),
               (judge->plan->frozen || judge->plan->alone) && !excused, "the answer", got.offset);
}

bool same_session(struct judge *judge, const struct model_session *want, const struct session_view *got)
{
    bool by_user = judge->plan->shard.limits.by_user;
    bool same = session_id_is(judge, got->session_id, want->key, want->opened_ms) &&
                id_is(got->user_id, 'u', by_user ? want->key : want->user) && got->length == want->length &&
                got->total == want->total;
    for (uint32_t i = 0; same && i < want->length; i++)
        same = got->times_ms[i] == want->clicks[i].time_ms && got->types[i] == want->clicks[i].type;
    return same;
}

static bool same_record(struct judge *judge, const struct model_session *want, const struct closed_record *got)
{
    const struct session_view view = {.session_id = got->session_id,
                                      .user_id = got->user_id,
                                      .times_ms = got->times_ms,
                                      .types = got->types,
                                      .length = got->length,
                                      .total = got->total};
    bool same = got->close_ms == want->close_ms && got->evicted == want->evicted && same_session(judge, want, &view);
    for (uint32_t i = 0; same && i < got->length; i++) {
        char item[32];
        snprintf(item, sizeof item, "item-%u", want->clicks[i].item);
        same = bytes_equal_text(got->item_ids[i], item);
    }
    return same;
}

static void compare_session(struct judge *judge, int32_t partition, const struct output_record *record)
{
    struct closed_record got;
    struct track *track = &judge->tracks[partition];
    bool decoded = decode_session(judge, record, &got);
    assert(decoded);
    (void)decoded;
    for (size_t i = track->session_count; i-- > 0 && !track->excused;) {
        struct expected_session *want = &track->sessions[i];
        if (want->origin.offset != got.origin.offset || want->origin.sequence != got.origin.sequence)
            continue;
        if (may_be_undone(judge) && !same_record(judge, &want->session, &got))
            return;
        count_seen(judge, &want->seen, "a session", partition, got.origin.offset);
        if (!same_record(judge, &want->session, &got))
            judge_fail(judge,
                       "the session closed at partition %d, offset %lld/%u is " BYTES_FORMAT
                       " of %u clicks; expected key %u opened at %lld of %u clicks",
                       partition, (long long)got.origin.offset, got.origin.sequence, BYTES_ARGS(got.session_id),
                       got.total, want->session.key, (long long)want->session.opened_ms, want->session.total);
        const struct track *calm = judge->calm ? &judge->calm->tracks[partition] : NULL;
        same_bytes(judge, &want->bytes, calm && i < calm->session_count ? &calm->sessions[i].bytes : NULL,
                   record_hash(record), true, "the session closed", got.origin.offset);
        return;
    }
    if (!track->excused && !may_be_undone(judge))
        judge_fail(judge, "no session closes at partition %d, offset %lld/%u, but " BYTES_FORMAT " was published",
                   partition, (long long)got.origin.offset, got.origin.sequence, BYTES_ARGS(got.session_id));
}

void compare_record(struct judge *judge, int32_t partition, const struct output_record *record)
{
    int64_t offset = 0;
    struct expected_click *want;
    switch (record->output) {
    case OUTPUT_RECOMMENDATIONS:
        compare_answer(judge, partition, record);
        return;
    case OUTPUT_SESSIONS:
        compare_session(judge, partition, record);
        return;
    default:
        record_partition(judge, record, &offset);
        bool late = record->output == OUTPUT_LATE_CLICKS;
        const char *what = late ? "a late click" : "a dead letter";
        want = expected_with_fate(judge, partition, offset, late ? FATE_LATE : FATE_DEAD, what);
        if (want)
            count_seen(judge, &want->seen, what, partition, offset);
    }
}
