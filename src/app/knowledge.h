// SPDX-License-Identifier: Apache-2.0
#pragma once
/* knowledge: what all shards of a process share: catalogue, learned state and learner, under one reader-writer lock
 * that prefers the writer.
 *
 *   shards                  read while they score a chunk of clicks; write to name new items
 *   a task at a boundary    offers its closed sessions, then learns up to where all tasks have come
 *   log reader              writes what items and sessions bring
 *
 * Tasks join with their partition and say how far they have come; an idle one holds nobody back. Sessions are learned
 * up to the earliest boundary of the tasks that are not idle, so that with one task what a click sees is decided by
 * stream time alone. All functions are thread-safe. */
#include <eddy/base/metrics.h>
#include <eddy/core/learner.h>

struct knowledge_options {
    struct catalogue_options catalogue;
    struct learned_options learned;
    struct learner_options learner;
    const char *snapshot; /* file to begin with; "" or NULL: with nothing learned */
    const char *model;    /* file of a session model; "" or NULL: none */
    const char *own;      /* file that knowledge_save() wrote, which comes first, if it can be used; "" or NULL: none */
};

struct knowledge;
struct neural;
struct session_model;

/* NOT_FOUND, CORRUPT, NEWER, CONFIG, IO when the snapshot or the model cannot be used. */
MUST_CHECK struct status knowledge_open(const struct knowledge_options *options, struct knowledge **ret_knowledge,
                                        struct complaint *complaint);
void knowledge_close(struct knowledge *knowledge);

/* Where the sessions topic is to be read on after `own` was restored: by partition, as many as there were then. NULL
 * when all of it is to be read. */
const int64_t *knowledge_positions(const struct knowledge *knowledge, int32_t *ret_count);
/* Writes what is known, having read the sessions topic up to `positions`, to the file. Takes the reader lock while it
 * copies the state. Only to be called by who reads that topic. */
MUST_CHECK struct status knowledge_save(struct knowledge *knowledge, const char *path, const int64_t *positions,
                                        int32_t count, struct complaint *complaint);

/* The pointers are fixed; what they point to may be used between lock and unlock, const under the reader lock. */
struct catalogue *knowledge_catalogue(const struct knowledge *knowledge);
struct learned *knowledge_learned(const struct knowledge *knowledge);
struct learner *knowledge_learner(const struct knowledge *knowledge);

/* The session model that clicks are scored with, NULL: none; and its version, "" then. To be used like the above. */
const struct neural *knowledge_neural(const struct knowledge *knowledge);
const char *knowledge_model_version(const struct knowledge *knowledge);

/* From now on *model, which was made for this catalogue, is the one; *model becomes the one before, which nobody uses
 * any more. Waits for the writer lock, and holds it for a moment. */
void knowledge_swap_model(struct knowledge *knowledge, struct session_model *model);

void knowledge_lock_read(struct knowledge *knowledge);
void knowledge_lock_write(struct knowledge *knowledge);
void knowledge_unlock(struct knowledge *knowledge);

/* How much each scorer's word counts now. Takes the reader lock. */
struct mixing knowledge_mixing(struct knowledge *knowledge);
/* Sets the metrics of what is known: how much it is, and what its bounds have cost. Takes the reader lock. */
void knowledge_measure(struct knowledge *knowledge, struct metrics *metrics);

/* ---- progress of the tasks; the writer lock must be held */

MUST_CHECK struct status knowledge_join(struct knowledge *knowledge, int32_t partition);
void knowledge_leave(struct knowledge *knowledge, int32_t partition);
/* The task stands at the boundary `time_ms` and is awake, or idle: learns what all tasks allow. */
MUST_CHECK struct status knowledge_reached(struct knowledge *knowledge, int32_t partition, int64_t time_ms);
void knowledge_set_idle(struct knowledge *knowledge, int32_t partition);
/* Without any task in the process: learns up to `time_ms`, as far as the sessions topic was read. */
MUST_CHECK struct status knowledge_follow(struct knowledge *knowledge, int64_t time_ms);
