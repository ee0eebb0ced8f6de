// SPDX-License-Identifier: Apache-2.0
/* The stores at the end. */
#include "support/support.h"

#include "simulator/judging.h"
#include "support/restore.h"

struct opening {
    struct session_table *table;
    struct catalogue *catalogue;
};

static struct status restore(void *context, uint64_t number, struct bytes record)
{
    struct opening *opening = context;
    return restore_session(opening->table, number, record, opening->catalogue);
}

/* All sessions of the table, in the order of their deadlines. */
static void compare_sessions(struct judge *judge, int32_t partition, const struct opening *opening)
{
    struct model *model = &judge->tracks[partition].model;
    struct closed_list closed = {0};
    arena_reset(&judge->batch);
    struct status status = session_expire(opening->table, &(int64_t){INT64_MAX}, 0, &judge->batch, &closed);
    assert(!failed(status));
    (void)status;
    if (closed.count != model->count)
        judge_fail(judge, "partition %d: %zu sessions are stored; expected %u", partition, closed.count, model->count);
    for (size_t i = 0; i < closed.count && model->count; i++) {
        uint32_t due = model_first_due(model);
        const struct model_session *want = &model->sessions[due];
        const struct session_view *got = &closed.sessions[i].view;
        bool same = same_session(judge, want, got);
        for (uint32_t c = 0; same && c < got->length; c++) {
            char item[32];
            snprintf(item, sizeof item, "item-%u", want->clicks[c].item);
            same = bytes_equal_text(catalogue_id(opening->catalogue, got->items[c]), item);
        }
        if (!same)
            judge_fail(judge,
                       "partition %d: stored is session " BYTES_FORMAT
                       " with %u clicks; expected key %u opened at %lld with %u",
                       partition, BYTES_ARGS(got->session_id), got->total, want->key, (long long)want->opened_ms,
                       want->total);
        model_remove(model, due);
    }
}

static void compare_position(struct judge *judge, int32_t partition, const struct store_position *position)
{
    const struct track *track = &judge->tracks[partition];
    if (position->offset != track->committed || position->watermark_ms != track->watermark_ms ||
        position->close_offset != track->close_offset || position->close_sequence != track->close_sequence)
        judge_fail(judge,
                   "partition %d: stored is offset %lld, watermark %lld, close %lld/%u; expected %lld, %lld, %lld/%u",
                   partition, (long long)position->offset, (long long)position->watermark_ms,
                   (long long)position->close_offset, position->close_sequence, (long long)track->committed,
                   (long long)track->watermark_ms, (long long)track->close_offset, track->close_sequence);
}

void judge_final_store(struct judge *judge, int32_t partition, struct session_store store)
{
    struct opening opening = {0};
    struct store_position position = {0};
    bool found = false;
    compare_pending(judge, partition);
    if (judge->tracks[partition].excused)
        return;
    assert_ok(session_table_open(&judge->plan->shard.engine.session, &opening.table));
    assert_ok(catalogue_open(&judge->plan->knowledge.catalogue, &opening.catalogue));
    struct status status = store.ops->load(store.self, restore, &opening, &position, &found);
    if (failed(status))
        judge_fail(judge, "partition %d: what is stored cannot be read: %s", partition, status.fault->what);
    else
        compare_sessions(judge, partition, &opening);
    if (!failed(status) && found)
        compare_position(judge, partition, &position);
    session_table_close(opening.table);
    catalogue_close(opening.catalogue);
}
