// SPDX-License-Identifier: Apache-2.0
#pragma once
/* Inside the judge: expect.c what the model expects of the clicks, compare.c records with it, judge.c when what is
 * compared, final.c the stores at the end. */
#include "simulator/judge.h"
#include "support/session_model.h"

#include <eddy/core/codec.h>

enum fate { FATE_UNKNOWN, FATE_ANSWERED, FATE_LATE, FATE_DUPLICATE, FATE_DEAD };

struct expected_click {
    enum fate fate;
    uint32_t seen;
    uint32_t position;
    uint32_t key, user;
    int64_t opened_ms;
    uint64_t bytes; /* hash of the answer seen first */
};

struct expected_session {
    struct session_origin origin;
    struct model_session session;
    uint32_t seen;
    uint64_t bytes;
};

struct track { /* of a partition */
    struct model model;
    size_t next; /* in the log: not yet applied */
    int64_t offset, watermark_ms, log_watermark_ms, close_offset;
    uint32_t close_sequence;
    int64_t committed, committed_watermark_ms, answered_offset;
    struct expected_click *clicks; /* as the log's */
    struct expected_session *sessions;
    size_t session_count, session_capacity;
    struct output_record **pending; /* seen, but not accounted for yet */
    size_t pending_count, pending_capacity;
    size_t checked_clicks, checked_sessions; /* were all seen */
    /* The last click that was older than what the wall clock had moved the watermark to, and that watermark; -1. */
    int64_t behind_clock_offset, behind_clock_ms;
    bool excused; /* such a click was applied again without that watermark (docs/adr/0006) */
};

struct judge {
    const struct plan *plan;
    const struct sent_log *logs;
    const struct judge *calm;
    struct track tracks[PARTITIONS_MAX];
    struct decoder *recommendations, *sessions;
    struct arena batch;
    uint64_t hash;
    struct judge_counts counts;
    char complaint[1024];
};

/* expect.c */
void expect_clicks(struct judge *judge, int32_t partition, int64_t to_offset);
/* Where the next click will move the watermark; INT64_MIN when it is none. */
int64_t expect_next_watermark(const struct judge *judge, int32_t partition);
/* The watermark has moved without a click: by the wall clock, or as far as a portion of what the next one closes. */
void expect_step(struct judge *judge, int32_t partition, int64_t watermark_ms, bool of_next_click);
/* compare.c: where a record belongs; -1 when it says nothing that makes sense. */
int32_t record_partition(struct judge *judge, const struct output_record *record, int64_t *ret_offset);
/* Whether a record of that offset belongs to what is committed: to the clicks, or to a portion of what the next closes.
 */
bool record_is_due(struct judge *judge, int32_t partition, const struct output_record *record, int64_t offset);
/* Accounts for one record. */
void compare_record(struct judge *judge, int32_t partition, const struct output_record *record);
/* Accounts for what was seen of a partition up to its commit. */
void compare_pending(struct judge *judge, int32_t partition);
bool same_session(struct judge *judge, const struct model_session *want, const struct session_view *got);
