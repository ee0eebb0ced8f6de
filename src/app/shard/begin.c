// SPDX-License-Identifier: Apache-2.0
#include "app/shard/shard.h"

#include "app/log.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- the metadata of a committed offset: the rest of the position, as text that people can read */

#define METADATA_FORMAT_OUT "eddy1 watermark=%" PRId64 " close=%" PRId64 "/%" PRIu32
#define METADATA_FORMAT_IN  "eddy1 watermark=%" SCNd64 " close=%" SCNd64 "/%" SCNu32

void task_metadata(const struct task *task, char text[TASK_METADATA_MAX])
{
    struct engine_position position = engine_position(task->engine);
    snprintf(text, TASK_METADATA_MAX, METADATA_FORMAT_OUT, position.watermark_ms, position.close_offset,
             position.close_sequence);
}

/* The group's position; a commit by other tools has no metadata of ours. */
static struct engine_position group_position(const struct assignment *assignment)
{
    struct engine_position position = {
        .offset = assignment->committed, .watermark_ms = INT64_MIN, .close_offset = -1, .close_sequence = 0};
    struct engine_position read = position;
    char text[TASK_METADATA_MAX];
    if (assignment->metadata.size >= sizeof text)
        return position;
    snprintf(text, sizeof text, BYTES_FORMAT, BYTES_ARGS(assignment->metadata));
    if (sscanf(text, METADATA_FORMAT_IN, &read.watermark_ms, &read.close_offset, &read.close_sequence) == 3)
        return read;
    return position;
}

/* ---- the stored position */

#define RESTORE_SESSIONS 256  /* are looked up together ... */
#define RESTORE_ITEMS    4096 /* ... unless they have so many clicks */

struct restoring {
    struct knowledge *knowledge;
    struct session_table *sessions;
    struct session_batch batch;
};

static struct status restore_batch(struct restoring *restoring)
{
    struct knowledge *knowledge = restoring->knowledge;
    struct session_batch *batch = &restoring->batch;
    knowledge_lock_read(knowledge);
    bool known = session_batch_find_items(batch, knowledge_catalogue(knowledge));
    knowledge_unlock(knowledge);
    if (!known) {
        knowledge_lock_write(knowledge);
        struct status status = session_batch_intern_items(batch, knowledge_catalogue(knowledge));
        knowledge_unlock(knowledge);
        TRY(status);
    }
    return session_batch_restore(batch, restoring->sessions);
}

static struct status restore_session(void *context, uint64_t number, struct bytes record)
{
    struct restoring *restoring = context;
    TRY(session_batch_add(&restoring->batch, restoring->sessions, number, record));
    if (restoring->batch.session_count < RESTORE_SESSIONS && restoring->batch.item_count < RESTORE_ITEMS)
        return OK;
    return restore_batch(restoring);
}

static struct status restore(struct shard *shard, struct task *task, struct engine_position *ret_position,
                             bool *ret_found, struct complaint *complaint)
{
    struct restoring restoring = {.knowledge = shard->ports.knowledge, .sessions = engine_sessions(task->engine)};
    struct store_position stored = {.offset = -1};
    struct status status = task->store.ops->load(task->store.self, restore_session, &restoring, &stored, ret_found);
    if (!failed(status))
        status = restore_batch(&restoring);
    session_batch_release(&restoring.batch);
    if (failed(status)) {
        char text[256];
        return complain(complaint, status, "partition %d: the stored sessions cannot be read: %s", task->partition,
                        status_text(status, text, sizeof text));
    }
    *ret_position = (struct engine_position){.offset = stored.offset,
                                             .watermark_ms = stored.watermark_ms,
                                             .close_offset = stored.close_offset,
                                             .close_sequence = stored.close_sequence};
    return OK;
}

/* ---- where to begin */

static struct status check_end(const struct shard *shard, const struct assignment *assignment, const char *whose,
                               int64_t offset, struct complaint *complaint)
{
    if (offset <= assignment->high)
        return OK;
    return complain(complaint, FAIL(CONFIG, offset, "a position past the log's end"),
                    "topic " BYTES_FORMAT ", partition %d: %s offset is %" PRId64 ", but the log ends at %" PRId64
                    ". Was the topic made anew? Then use a new group_id and an empty state.directory",
                    BYTES_ARGS(shard->options.topic), assignment->partition, whose, offset, assignment->high);
}

/* ---- rebuilding: the sessions that were open at the group's position, from the clicks */

/* Before this time no click can matter to a session that was open when the watermark stood at watermark_ms, and none
 * was joined by a click that was late then: those began less than a duration, a gap and a grace before it. The record
 * of a click may be older than the click by what click_check() allows. */
static int64_t rebuild_time_ms(const struct shard *shard, int64_t watermark_ms)
{
    const struct session_options *session = &shard->options.engine.session;
    int64_t reach_ms = session->max_duration_ms + 2 * session->gap_ms + session->grace_ms;
    return watermark_ms - reach_ms - shard->options.limits.future_max_ms;
}

static struct status rebuild_from(const struct shard *shard, const struct assignment *assignment,
                                  struct engine_position group, int64_t *ret_offset, struct complaint *complaint)
{
    struct click_source source = shard->ports.source;
    if (group.watermark_ms == INT64_MIN) {
        *ret_offset = group.offset;
        log_always(LOG_WARN, "no_stored_sessions", "partition=%d offset=%" PRId64 " note=%s", assignment->partition,
                   group.offset,
                   "the group's offset was not committed by eddy, so it is not known which clicks belong to sessions "
                   "that are open there; they begin anew");
        return OK;
    }
    int64_t time_ms = rebuild_time_ms(shard, group.watermark_ms), offset;
    struct status status = source.ops->offset_at(source.self, assignment->partition, time_ms, &offset);
    if (failed(status))
        return complain(complaint, status,
                        "topic " BYTES_FORMAT ", partition %d: the brokers do not say where its clicks of %" PRId64
                        " (milliseconds since 1970) begin, from which on sessions are to be rebuilt",
                        BYTES_ARGS(shard->options.topic), assignment->partition, time_ms);
    if (offset < 0 || offset > group.offset)
        offset = group.offset;
    if (offset <= assignment->low && assignment->low > 0)
        log_always(LOG_WARN, "rebuild_is_short", "partition=%d from=%" PRId64 " note=%s", assignment->partition,
                   assignment->low,
                   "retention has taken clicks that sessions may have begun with; keep clicks for longer than "
                   "session.max_duration_ms");
    *ret_offset = offset > assignment->low ? offset : assignment->low;
    return OK;
}

static struct status begin_rebuild(struct shard *shard, struct task *task, const struct assignment *assignment,
                                   struct engine_position group, struct engine_position *ret_position,
                                   struct complaint *complaint)
{
    int64_t offset;
    TRY(rebuild_from(shard, assignment, group, &offset, complaint));
    *ret_position =
        (struct engine_position){.offset = offset, .watermark_ms = INT64_MIN, .close_offset = -1, .close_sequence = 0};
    task->answered = group;
    log_always(LOG_INFO, "rebuilding", "partition=%d from=%" PRId64 " to=%" PRId64, task->partition, offset,
               group.offset);
    return OK;
}

/* ---- the four cases */

static struct status begin_new(const struct shard *shard, const struct assignment *assignment,
                               struct engine_position *ret_position, struct complaint *complaint)
{
    if (shard->options.start_stored)
        return complain(complaint, FAIL(NOT_FOUND, assignment->partition, "nothing was ever committed"),
                        "topic " BYTES_FORMAT ", partition %d: the group has committed no offset, and start: stored "
                        "forbids to begin without one. Is group_id right? Otherwise set start to earliest, latest or "
                        "a time",
                        BYTES_ARGS(shard->options.topic), assignment->partition);
    ret_position->offset = assignment->start;
    return OK;
}

static struct status forget_and_rebuild(struct shard *shard, struct task *task, const struct assignment *assignment,
                                        struct engine_position group, struct engine_position *ret_position,
                                        struct complaint *complaint)
{
    TRY(task->store.ops->clear(task->store.self));
    TRY(task_open_engine(shard, task));
    return begin_rebuild(shard, task, assignment, group, ret_position, complaint);
}

static struct status begin_adopting(struct shard *shard, struct task *task, const struct assignment *assignment,
                                    struct engine_position stored, struct engine_position group,
                                    struct engine_position *ret_position, struct complaint *complaint)
{
    if (!shard->options.adopt)
        return complain(complaint, FAIL(CONFIG, group.offset, "the group is behind the stored sessions"),
                        "topic " BYTES_FORMAT ", partition %d: the stored sessions stand at offset %" PRId64
                        ", but the group at %" PRId64
                        ": somebody has set its offsets back. Start with --adopt to go back to there (sessions are "
                        "rebuilt, and the clicks from there on answered again), or set the group's offset to %" PRId64,
                        BYTES_ARGS(shard->options.topic), assignment->partition, stored.offset, group.offset,
                        stored.offset);
    log_always(LOG_WARN, "adopting", "partition=%d state=%" PRId64 " group=%" PRId64 " note=%s", task->partition,
               stored.offset, group.offset, "the stored sessions are forgotten and rebuilt");
    return forget_and_rebuild(shard, task, assignment, group, ret_position, complaint);
}

static struct status begin_stored(struct shard *shard, struct task *task, const struct assignment *assignment,
                                  struct engine_position stored, struct engine_position group,
                                  struct engine_position *ret_position, struct complaint *complaint)
{
    TRY(check_end(shard, assignment, "the stored sessions'", stored.offset, complaint));
    if (assignment->committed >= 0 && group.offset < stored.offset)
        return begin_adopting(shard, task, assignment, stored, group, ret_position, complaint);
    *ret_position = stored;
    if (assignment->committed < 0) {
        log_always(
            LOG_WARN, "group_forgotten", "partition=%d offset=%" PRId64 " note=%s", task->partition, stored.offset,
            "the brokers know no offset of the group any more; going on from the stored sessions, which may have "
            "lagged behind it: their last clicks are then answered twice");
        return OK;
    }
    if (group.watermark_ms != INT64_MIN && group.offset > stored.offset) {
        int64_t from;
        TRY(rebuild_from(shard, assignment, group, &from, complaint));
        if (from > stored.offset) /* another owner has been at it for long since */
            return forget_and_rebuild(shard, task, assignment, group, ret_position, complaint);
    }
    task->answered = group;
    if (group.offset > stored.offset)
        log_always(LOG_INFO, "catching_up", "partition=%d from=%" PRId64 " to=%" PRId64, assignment->partition,
                   stored.offset, group.offset);
    return OK;
}

static void check_begin(const struct assignment *assignment, struct engine_position *position)
{
    if (position->offset >= assignment->low)
        return;
    log_always(LOG_ERROR, "clicks_gone", "partition=%d from=%" PRId64 " to=%" PRId64 " note=%s", assignment->partition,
               position->offset, assignment->low - 1,
               "retention has taken clicks that were not consumed yet; going on at the log's first");
    position->offset = assignment->low;
}

struct status task_begin(struct shard *shard, struct task *task, struct assignment *assignment,
                         struct complaint *complaint)
{
    struct engine_position stored, group = group_position(assignment), position = group;
    bool found;
    task->answered = (struct engine_position){.offset = -1, .watermark_ms = INT64_MIN};
    TRY(restore(shard, task, &stored, &found, complaint));
    TRY(check_end(shard, assignment, "the group's", group.offset, complaint));
    if (found)
        TRY(begin_stored(shard, task, assignment, stored, group, &position, complaint));
    else if (assignment->committed < 0)
        TRY(begin_new(shard, assignment, &position, complaint));
    else
        TRY(begin_rebuild(shard, task, assignment, group, &position, complaint));
    check_begin(assignment, &position);
    engine_restore_position(task->engine, position);
    task->next_offset = assignment->start = position.offset;
    task->catching_up = task->answered.offset >= 0;
    metric_add(shard->ports.metrics, METRIC_PARTITIONS_CATCHING_UP, task->catching_up);
    return OK;
}

/* ---- catching up */

/* The task is at the clicks' end or past the group's offset: nothing is left that was answered before. */
static struct status finish_catching_up(struct shard *shard, struct task *task)
{
    struct engine_position answered = task->answered;
    if (answered.watermark_ms > engine_position(task->engine).watermark_ms)
        TRY(shard_advance(shard, task, answered.watermark_ms)); /* in silence, as it was done */
    struct engine_position position = engine_position(task->engine);
    if (answered.watermark_ms != INT64_MIN) {
        position.close_offset = answered.close_offset;
        position.close_sequence = answered.close_sequence;
    }
    if (answered.offset > position.offset)
        position.offset = answered.offset;
    engine_restore_position(task->engine, position);
    task->next_offset = position.offset;
    task->catching_up = false;
    metric_add(shard->ports.metrics, METRIC_PARTITIONS_CATCHING_UP, -1);
    task->awake_watermark_ms = position.watermark_ms;
    log_always(LOG_INFO, "caught_up", "partition=%d offset=%" PRId64 " sessions=%u", task->partition, position.offset,
               session_table_count(engine_sessions(task->engine)));
    return task->changed ? shard_commit_store(shard, task) : OK;
}

struct status task_mind_catching_up(struct shard *shard, struct task *task)
{
    return task->catching_up && task->next_offset >= task->answered.offset ? finish_catching_up(shard, task) : OK;
}

struct status task_mind_end(struct shard *shard, struct task *task)
{
    struct click_source source = shard->ports.source;
    if (task->catching_up && source.ops->at_end(source.self, task->partition))
        return finish_catching_up(shard, task);
    return OK;
}
