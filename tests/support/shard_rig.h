// SPDX-License-Identifier: Apache-2.0
#pragma once
/* shard_rig: one shard on a world in memory, with a clock of its own, that can be crashed and started again. */
#include "app/follower.h"
#include "app/shard.h"

#include <eddy/core/codec.h>
#include <eddy/io/memory.h>

struct shard_rig {
    struct memory_world *world;
    int32_t partitions;
    bool exactly_once;         /* of the committer */
    int items;                 /* in the catalogue from the start: item-0, item-1, ... */
    enum record_format clicks; /* what the topic holds; those of the functions below are bare Avro */
    struct shard_options options;
    struct knowledge_options knowledge_options;
    struct schema_source schemas;

    struct dead_limits dead_limits; /* off */

    struct knowledge *knowledge;
    struct dead_watch *dead_watch;
    struct decoder *decoder, *items_decoder, *sessions_decoder;
    struct follower *follower;
    struct metrics metrics;
    struct shard *shard;
    int64_t wall_ms, monotonic_us;
    int stores_open;
    size_t traffic; /* clicks made by shard_rig_traffic() */
};

/* Short times: gap 10 s, grace 1 s, boundaries every 5 s; a commit every 100 ms; clicks as bare Avro. */
void shard_rig_open(struct shard_rig *rig, int32_t partitions);
void shard_rig_close(struct shard_rig *rig);

/* Starts a shard with new knowledge, fed with the sessions published so far, and gives it all partitions. The failure
 * is that of accepting one. */
MUST_CHECK struct status shard_rig_start(struct shard_rig *rig, struct complaint *complaint);
/* Without any goodbye. */
void shard_rig_crash(struct shard_rig *rig);
/* Gives all partitions up and stops. */
MUST_CHECK struct status shard_rig_stop(struct shard_rig *rig);

/* Steps, 10 ms apart, until everything is consumed and committed. */
MUST_CHECK struct status shard_rig_run(struct shard_rig *rig);

/* Appends the click of a visitor; the record's timestamp is the click's. */
int64_t shard_rig_click(struct shard_rig *rig, int32_t partition, const char *session_id, const char *item_id,
                        int64_t time_ms);
/* A record of the items topic comes, as JSON; NULL: a tombstone. */
void shard_rig_item(struct shard_rig *rig, const char *item_id, const char *value);
#define SHARD_RIG_TIME INT64_C(1700000000000)
/* `count` more clicks of interleaved sessions over the partitions, 250 ms apart. */
void shard_rig_traffic(struct shard_rig *rig, size_t count, uint64_t seed);

/* Flushed records of an output; `index` counts within it. NULL past the end. */
size_t shard_rig_count(const struct shard_rig *rig, enum output output);
const struct output_record *shard_rig_output(const struct shard_rig *rig, enum output output, size_t index);

/* A hash of all that the stores hold. */
uint64_t shard_rig_state(const struct shard_rig *rig);
/* The same without the sessions' numbers, which tell how many were opened before. */
uint64_t shard_rig_sessions(const struct shard_rig *rig);

/* The effects in the order they came, and one of them refused: a fault handler of the world. */
struct shard_trace {
    enum memory_effect effects[100000];
    size_t count;
    size_t fail_at;      /* this effect, from 1, is refused ... */
    struct status fault; /* ... with this */
};
struct status shard_trace_effect(void *context, enum memory_effect effect);
