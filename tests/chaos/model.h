// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model: what becomes of the clicks of one partition, by the words of include/eddy/core/session.h and nothing else: all
 * open sessions in one list, every click and event id kept, nothing clever. Sessions by session_id only. */
#include "chaos/facts.h"

#include <eddy/core/session.h>

enum verdict { VERDICT_ANSWERED, VERDICT_LATE, VERDICT_DUPLICATE };

struct naive_run;

MUST_CHECK struct status naive_run_open(const struct session_options *options, int32_t partition,
                                        struct naive_run **ret_model);
void naive_run_close(struct naive_run *model);

/* Takes the next click. *ret_position: its place in its session, when answered. Sessions that its time closes are added
 * to `closed`. */
MUST_CHECK struct status naive_run_take(struct naive_run *model, const struct click *click, int64_t offset,
                                        int64_t record_ms, struct facts *closed, enum verdict *ret_verdict,
                                        uint32_t *ret_position);
/* The record at `offset` is no click. */
void naive_run_pass(struct naive_run *model, int64_t offset);

/* Adds the open sessions, and the position. */
MUST_CHECK struct status naive_run_state(const struct naive_run *model, struct facts *sessions,
                                         struct facts *positions);

/* Clicks that would have joined their session, were it not too long: where those begin is not the same for who begins
 * to read in the middle. */
size_t naive_run_cut(const struct naive_run *model);
/* The most clicks that a session had. */
size_t naive_run_longest(const struct naive_run *model);

/* A session and a position as the content of a fact. */
void describe_session(const struct session_view *view, const struct bytes *item_ids, struct buffer *out);
void describe_position(int64_t offset, int64_t watermark_ms, int64_t close_offset, uint32_t close_sequence,
                       struct buffer *out);
