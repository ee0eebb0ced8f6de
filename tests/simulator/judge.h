// SPDX-License-Identifier: Apache-2.0
#pragma once
/* judge: what must hold, checked as it happens.
 *
 *   a commit of a partition   the naive model of sessions goes over the clicks up to there, then to the watermark that
 *                             was committed: what it says must be what was published, no more and no less
 *   a store's commit          never ahead of the group
 *   the end                   all clicks committed, the stores hold the model's open sessions
 *
 * The first thing that does not hold is kept as a sentence. Everything seen goes into a hash. */
#include "simulator/plan.h"

#include <eddy/io/memory.h>

struct judge;

/* `calm`: the judge of a fault-free run of the same clicks, to compare bytes with; NULL: this is one. It and `logs`
 * outlive the judge. */
struct judge *court_open(const struct plan *plan, const struct sent_log *logs, const struct judge *calm);
void court_close(struct judge *judge);

/* "" as long as everything holds. */
const char *judge_complaint(const struct judge *judge);
void judge_fail(struct judge *judge, const char *format, ...) __attribute__((format(printf, 2, 3)));
void judge_note(struct judge *judge, uint64_t what);
uint64_t judge_hash(const struct judge *judge);

/* Records that subscribers see from now on, in their order. */
void judge_records(struct judge *judge, struct output_record *const *records, size_t count);
/* The group's position of a partition, after judge_records() of what became final with it. */
void judge_commit(struct judge *judge, int32_t partition, int64_t offset, const char *metadata);
/* What was seen with the commits since the last call is all that they account for. */
void judge_transaction_end(struct judge *judge);
void judge_store(struct judge *judge, int32_t partition, const struct store_position *position);
/* A task begins at `start`, with a store whose watermark is that; INT64_MIN: without one. */
void judge_accept(struct judge *judge, int32_t partition, int64_t start, int64_t watermark_ms);
/* The store of a partition's last owner, at the end. */
void judge_final_store(struct judge *judge, int32_t partition, struct session_store store);

struct judge_counts {
    uint64_t clicks, answered, late, duplicates, dead, closed, repeats, excused, idle_steps, portions;
};
struct judge_counts judge_counts(const struct judge *judge);
