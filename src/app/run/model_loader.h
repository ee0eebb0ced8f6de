// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model_loader: follows the models topic and puts the version that is pinned, or else current, to work.
 *
 *   topic --> directory --> wanted another one? --> its chunks --> verified, decoded --> rows numbered in the
 *   catalogue, some at a time --> struct neural, without any lock --> swapped into the knowledge between two batches
 *
 * A version that cannot be used (not whole, not what its manifest says, too large, of an unknown kind) is refused,
 * once, with its reason in the log, and the one before stays. What a broker does not give now is asked for again. While
 * both are there, the old and the new one are in memory, and of the new one its payload until it is decoded.
 *
 * It works in a thread of its own once it is started; one that is not is the caller's to step. */
#include "app/config.h"
#include "app/knowledge.h"

#include <eddy/base/metrics.h>

struct model_loader;

/* All but the complaint are borrowed until it is closed. UNAVAILABLE, CONFIG as kafka_reader_open(). */
MUST_CHECK struct status model_loader_open(const struct config *config, const struct kafka_options *kafka,
                                           struct knowledge *knowledge, struct metrics *metrics,
                                           struct model_loader **ret_loader, struct complaint *complaint);
/* MEMORY: there is no thread. */
MUST_CHECK struct status model_loader_start(struct model_loader *loader);
/* Takes what has come, waiting for a moment, and puts what is wanted to work. A failure, of memory, is for good. */
MUST_CHECK struct status model_loader_step(struct model_loader *loader);
void model_loader_close(struct model_loader *loader);

/* True once the topic has been read to the end that it had, and what is wanted there is at work, or refused. */
bool model_loader_caught_up(const struct model_loader *loader);
/* The same, or that it has been waited for long enough (models.wait_ms), which is said once: clicks that are answered
 * without the model are answered worse, but one that does not come holds nobody up for ever. For NULL true. */
bool model_loader_ready(struct model_loader *loader);
/* OK, or why it has stopped following. For NULL OK. */
MUST_CHECK struct status model_loader_failure(const struct model_loader *loader);
/* Sets the age of the version at work. Any thread; NULL is fine. */
void model_loader_measure(const struct model_loader *loader, int64_t wall_ms);
