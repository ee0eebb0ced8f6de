// SPDX-License-Identifier: Apache-2.0
#pragma once
/* intake: closed sessions on their way from the sessions topic to the updater: items become rows, partitions are put
 * into the order of closing, and what a version has learned up to is known by offsets.
 *
 *   records --intake_take--> [waiting, in any order] --intake_pass--> updater_add, in the order of closing
 *
 * Rows are those of the model that it began with, then others in the order in which they are met. What waits is bounded
 * by the clicks that the updater keeps, twice; the oldest are dropped. One thread. */
#include "app/config.h"
#include "app/models/directory.h"
#include "app/models/publisher.h"

#include <eddy/core/updater.h>

struct intake;

/* `known` are the rows to begin with; NULL: none. MEMORY. */
MUST_CHECK struct status intake_open(const struct config *config, const struct interner *known, int32_t partition_count,
                                     struct intake **ret_intake);
void intake_close(struct intake *intake);

/* The record is of a session; all of a partition in their order. LIMIT: there is no room for the id of an item; MEMORY.
 */
MUST_CHECK struct status intake_take(struct intake *intake, const struct closed_record *record,
                                     const struct message *message);
/* A record that is none of ours was passed over. */
void intake_skip(struct intake *intake, const struct message *message);

/* Hands to the updater what waits and lies before the offsets of `manifest` (NULL: nothing does), and marks it
 * learned; then all the rest. MEMORY. */
MUST_CHECK struct status intake_pass(struct intake *intake, const struct model_manifest *manifest,
                                     struct updater *updater);
/* Clicks that wait to be passed. */
uint64_t intake_waiting(const struct intake *intake);
/* When the newest session closed, that waits or was passed; INT64_MIN: there was none. */
int64_t intake_newest_ms(const struct intake *intake);

/* When the newest session closed that a version had learned before; INT64_MIN: there was none. */
int64_t intake_learned_ms(const struct intake *intake);

/* After an update: up to where the model has learned, when it held so many of the passed sessions back. Lives until the
 * next call. */
const struct sessions_read *intake_learned(struct intake *intake, uint32_t held_sessions, uint32_t *ret_count);
struct model_items intake_items(const struct intake *intake);
