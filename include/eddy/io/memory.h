// SPDX-License-Identifier: Apache-2.0
#pragma once
/* memory: the ports in memory, for tests, simulation and the embedded broker's session state. One thread.
 *
 *   memory_world   click logs by partition, the group's offsets, what was published, one store per partition
 *   memory_store   a session_store by itself
 *
 * A world survives what uses it: closing a shard and opening another on the same world is a crash and a restart. What
 * was published but not flushed, and a store transaction that was not committed, is forgotten by
 * memory_world_crash(). A fault handler sees every effect before it happens and can refuse it. */
#include <eddy/port.h>

/* ---- store */

struct memory_store;

MUST_CHECK struct status memory_store_open(struct memory_store **ret_store);
void memory_store_close(struct memory_store *store);
struct session_store memory_store_port(struct memory_store *store);
size_t memory_store_count(const struct memory_store *store);

/* ---- world */

enum memory_effect { MEMORY_PUBLISH, MEMORY_FLUSH, MEMORY_COMMIT_OFFSETS, MEMORY_COMMIT_STORE };

struct memory_faults {
    /* OK lets the effect happen. */
    struct status (*before)(void *context, enum memory_effect effect);
    void *context;
    /* What is said of an offset commit that did happen, its answer being lost, for example; may be NULL. */
    struct status (*after)(void *context, enum memory_effect effect);
};

struct memory_world;

MUST_CHECK struct status memory_world_open(int32_t partition_count, struct memory_world **ret_world);
void memory_world_close(struct memory_world *world);
void memory_world_set_faults(struct memory_world *world, struct memory_faults faults);

/* Appends a record to a click log; its offset is returned. */
int64_t memory_world_append(struct memory_world *world, int32_t partition, int64_t timestamp_ms, struct bytes key,
                            struct bytes value);
/* Gives the last message of a partition a SCHEMA_HEADER. */
void memory_world_head(struct memory_world *world, int32_t partition, struct bytes schema_header);
int64_t memory_world_end(const struct memory_world *world, int32_t partition);
/* The group's offset of a partition, -1 for none; *ret_metadata (may be NULL) "" for none. */
int64_t memory_world_committed(const struct memory_world *world, int32_t partition, const char **ret_metadata);
/* Delivers a partition from `offset`; -1 stops it. */
void memory_world_assign(struct memory_world *world, int32_t partition, int64_t offset);

struct click_source memory_world_source(struct memory_world *world);
struct record_sink memory_world_sink(struct memory_world *world);
/* At least once: MEMORY_FLUSH, then MEMORY_COMMIT_OFFSETS. Exactly once: MEMORY_COMMIT_OFFSETS does both. */
struct committer memory_world_committer(struct memory_world *world, bool exactly_once);
/* Lives as long as the world. */
struct session_store memory_world_store(struct memory_world *world, int32_t partition);
/* From here on publish takes this many records between two flushes; 0: any number. */
void memory_world_set_queue(struct memory_world *world, size_t records_max);

void memory_world_crash(struct memory_world *world);

/* The flushed records, in order of publication. Bytes and headers live as long as the world. */
size_t memory_world_output_count(const struct memory_world *world);
const struct output_record *memory_world_output(const struct memory_world *world, size_t index);
