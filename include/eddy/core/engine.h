// SPDX-License-Identifier: Apache-2.0
#pragma once
/* engine: the work of one task (one input partition) as one state machine, pure: no clock, no I/O, no thread.
 *
 *   clicks -> watermark -> session_expire -> [learn up to here] -> session_apply -> [all: neural_ask, fuse]
 *          -> effects
 *
 * engine_step() applies clicks in order until the batch ends or a learning boundary is reached: the watermark has
 * entered a new interval of `learn_interval_ms`, so closed sessions must be offered to the learner and
 * learner_advance() called before the next click is answered. Then it stops before that click, says so in
 * effects.learn_to_ms, and is called again for the rest. What a click sees of the learned state is thereby decided by
 * stream time alone. The clicks of a step are scored together at its end, so that a session model's products are worth
 * their while; what a click is answered does not depend on which others are in its step (but for the last bits of
 * backbones other than PW-CORE, see neural.h).
 *
 * A click may also move the watermark so far that more sessions close than are to be kept in memory at once. Then the
 * step closes a portion, says so in effects.closing, and is called again: in between the state may be committed like
 * any other, with a watermark between those of the two clicks.
 *
 * The caller performs the effects in this order: learn; publish; commit offsets; commit the store (session_next_change,
 * offset and watermark in one transaction). Everything in effects lives in `batch` until arena_reset(). */
#include <eddy/core/fusion.h>
#include <eddy/core/learner.h>
#include <eddy/core/neural.h>
#include <eddy/core/session.h>

struct engine_options {
    struct session_options session;
    struct fusion_options fusion;
    int64_t learn_interval_ms; /* > 0 */
    uint32_t closed_max;       /* sessions closed in one step, and those of the last one's deadline; 0: no limit */
    int32_t partition;
    struct neural_options neural;
    bool scoring; /* false: recommendations carry no items */
};

struct engine_click {
    struct click click;
    uint32_t item; /* catalogue number of click.item_id */
    int64_t offset;
    int64_t record_time_ms;
    bool silent; /* already answered before a restart: apply, emit nothing */
};

struct engine_position {  /* what is committed with the state */
    int64_t offset;       /* next to consume; -1: nothing consumed yet */
    int64_t watermark_ms; /* INT64_MIN: none yet */
    int64_t close_offset; /* with close_sequence: identity of the last session closed */
    uint32_t close_sequence;
};

struct late_click {
    int64_t offset;
};

struct engine_closed {
    struct closed_session session;
    struct session_origin origin;
    bool silent;
};

struct effects {
    size_t consumed; /* clicks of the input that were applied */
    bool learn;      /* a boundary: learner_advance(learn_to_ms) before calling again */
    int64_t learn_to_ms;
    bool closing; /* more sessions close before the next click is applied: call again */
    const struct recommendation *recommendations;
    size_t recommendation_count;
    const struct engine_closed *closed;
    size_t closed_count;
    const struct late_click *late;
    size_t late_count;
    struct {
        uint32_t answered, silent, duplicates, out_of_order, opened, evicted;
    } counts;
};

struct engine;

/* What clicks are scored with, of one thread. */
struct scoring {
    struct scoring_scratch *scratch;
    const struct neural *neural; /* NULL: no session model */
    struct bytes model_version;  /* of it; outlives the step's effects */
};

/* `learned` and `catalogue` are shared and must outlive the engine; `scratch` is the shard's. */
MUST_CHECK struct status engine_open(const struct engine_options *options, const struct catalogue *catalogue,
                                     const struct learned *learned, struct engine **ret_engine);
void engine_close(struct engine *engine);

/* Applies clicks[0..count) as far as the comment above says. On failure (MEMORY) nothing of this call may be
 * published or committed: the task is to be reopened from the store. Needs the reader lock. */
MUST_CHECK struct status engine_step(struct engine *engine, const struct engine_click *clicks, size_t count,
                                     const struct scoring *scoring, struct arena *batch, struct effects *ret_effects);

/* The record at `offset`, after all those stepped over so far, is no click: the position goes past it. */
void engine_pass(struct engine *engine, int64_t offset);

/* Moves the watermark of an idle partition on to `watermark_ms` (decided by the caller from the wall clock) and
 * closes what that closes, or a portion of it (effects.closing); a step like any other, to be committed. Lower values
 * change nothing. */
MUST_CHECK struct status engine_advance(struct engine *engine, int64_t watermark_ms, struct arena *batch,
                                        struct effects *ret_effects);

struct session_table *engine_sessions(struct engine *engine);
struct engine_position engine_position(const struct engine *engine);
/* Before the first step, after the stored sessions are restored. */
void engine_restore_position(struct engine *engine, struct engine_position position);
