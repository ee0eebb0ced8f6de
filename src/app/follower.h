// SPDX-License-Identifier: Apache-2.0
#pragma once
/* follower: brings what the items and sessions topics say into the shared knowledge. It takes records in any portions,
 * of each partition in order; it has no thread and no Kafka of its own. Broken records are counted, logged and passed
 * over; a catalogue that is full refuses items, counted. One thread at a time.
 *
 * A record of the sessions topic that this process produced itself is known to the learner by its mark and dropped.
 * While the process has no task, sessions closed over FOLLOW_MARGIN_MS before the latest are learned as they come;
 * newer ones wait for the tasks, which may have to begin somewhat earlier in the stream. */
#include "app/knowledge.h"

#include <eddy/base/metrics.h>
#include <eddy/core/codec.h>
#include <eddy/port.h>

#define FOLLOW_MARGIN_MS INT64_C(86400000)

struct follower;

/* BAD_INPUT when a time of the record is absurd: one that closes past all time would make every later session of its
 * partition a repetition. */
MUST_CHECK struct status closed_record_check(const struct closed_record *record);

/* The decoders stay the caller's; `items` may be NULL when that topic is not read. */
MUST_CHECK struct status follower_open(struct decoder *items, struct decoder *sessions, struct knowledge *knowledge,
                                       struct metrics *metrics, struct follower **ret_follower);
/* Where schemas come from that the decoders miss; without it records in them are broken ones. */
void follower_set_schemas(struct follower *follower, struct schema_source schemas);
void follower_close(struct follower *follower);

/* UNAVAILABLE (detail: how many of the messages were taken) when a schema cannot be had now: call again with the rest.
 */
MUST_CHECK struct status follower_take_items(struct follower *follower, const struct message *messages, size_t count);
MUST_CHECK struct status follower_take_sessions(struct follower *follower, const struct message *messages,
                                                size_t count);
