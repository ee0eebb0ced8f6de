// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model: what becomes of the clicks of one partition, by the words of include/eddy/core/session.h and nothing else: all
 * open sessions in one list, every click and event id kept, nothing clever. Sessions by session_id only. */
#include "chaos/facts.h"

#include <eddy/core/session.h>

enum verdict { VERDICT_ANSWERED, VERDICT_LATE, VERDICT_DUPLICATE };

struct model;

MUST_CHECK struct status model_open(const struct session_options *options, int32_t partition, struct model **ret_model);
void model_close(struct model *model);

/* Takes the next click. *ret_position: its place in its session, when answered. Sessions that its time closes are added
 * to `closed`. */
MUST_CHECK struct status model_take(struct model *model, const struct click *click, int64_t offset, int64_t record_ms,
                                    struct facts *closed, enum verdict *ret_verdict, uint32_t *ret_position);
/* The record at `offset` is no click. */
void model_pass(struct model *model, int64_t offset);

/* Adds the open sessions, and the position. */
MUST_CHECK struct status model_state(const struct model *model, struct facts *sessions, struct facts *positions);

/* Clicks that would have joined their session, were it not too long: where those begin is not the same for who begins
 * to read in the middle. */
size_t model_cut(const struct model *model);
/* The most clicks that a session had. */
size_t model_longest(const struct model *model);

/* A session and a position as the content of a fact. */
void describe_session(const struct session_view *view, const struct bytes *item_ids, struct buffer *out);
void describe_position(int64_t offset, int64_t watermark_ms, int64_t close_offset, uint32_t close_sequence,
                       struct buffer *out);
