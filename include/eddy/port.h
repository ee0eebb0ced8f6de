// SPDX-License-Identifier: Apache-2.0
#pragma once
/* port: all of the outside world that a shard touches, on one screen. A port is {const struct x_ops *ops; void *self}.
 * io/ implements them on Kafka, LMDB and the system; io/memory for replay and tests. No library types here. */
#include <eddy/base/arena.h>
#include <eddy/base/buffer.h>

/* ---- where clicks come from: one source per shard, delivering the partitions of its tasks */

#define ATTEMPT_HEADER                                                                                                 \
    "eddy.retry.attempt" /* of a dead letter that was sent again: for how many times, as a number                      \
                          */

struct message {
    int32_t partition;
    uint32_t attempt; /* the value of ATTEMPT_HEADER; 0 without one */
    int64_t offset;
    int64_t timestamp_ms;
    struct bytes key;
    struct bytes value;         /* data == NULL: a tombstone */
    struct bytes schema_header; /* the value of SCHEMA_HEADER; empty without one */
};

/* A partition that a source is about to deliver. */
struct assignment {
    int32_t partition;
    int64_t committed;     /* next to consume as the group knows it; -1: never committed */
    struct bytes metadata; /* that was committed with it */
    int64_t low, high;     /* first offset in the log, and the one after the last */
    int64_t start;         /* where delivery begins: a proposal, for the receiver to change */
};

struct click_source_ops {
    /* Up to `capacity` messages of any of the source's partitions, waiting at most timeout_ms for the first. Their
     * bytes live until the next poll. */
    struct status (*poll)(void *self, int timeout_ms, struct message *messages, size_t capacity, size_t *ret_count);
    /* A partition is about to be delivered from `offset` on, and nothing before that is; its log ended at `end`
     * already. What was known of an earlier delivery is forgotten. MEMORY. */
    struct status (*begin)(void *self, int32_t partition, int64_t offset, int64_t end);
    /* Stops or restarts the delivery of a partition (backpressure). */
    struct status (*pause)(void *self, int32_t partition, bool paused);
    /* True when the partition was delivered to the end that its log had some seconds ago at most. Does not wait: false
     * until a broker has said so, so call it again. */
    bool (*at_end)(void *self, int32_t partition);
    /* The first offset whose record's timestamp is at or after time_ms; -1: there is none. Asks a broker. */
    struct status (*offset_at)(void *self, int32_t partition, int64_t time_ms, int64_t *ret_offset);
};
struct click_source {
    const struct click_source_ops *ops;
    void *self;
};

/* ---- where outputs go: one sink per shard */

enum output {
    OUTPUT_RECOMMENDATIONS,
    OUTPUT_SESSIONS,
    OUTPUT_LATE_CLICKS,
    OUTPUT_DEAD_LETTERS,
    OUTPUT_CLICKS, /* these two are written by what plays the shop: generator, demo, tests */
    OUTPUT_ITEMS,
    OUTPUT_MODELS, /* by whoever publishes one */
    OUTPUT_COUNT
};

struct header {
    const char *name;
    struct bytes value;
};

struct output_record {
    enum output output;
    int32_t partition; /* -1: by key */
    int64_t timestamp_ms;
    struct bytes key, value;
    const struct header *headers;
    size_t header_count;
};

struct record_sink_ops {
    /* Copies the record. LIMIT when the queue is full: nothing was taken, call again after the source was paused and
     * some deliveries have come back. */
    struct status (*publish)(void *self, const struct output_record *record);
    /* Waits until everything published is acknowledged; UNAVAILABLE after timeout_ms, IO when a record was refused. */
    struct status (*flush)(void *self, int timeout_ms);
    /* How much of the queue is in use, 0..1. */
    double (*fill)(void *self);
};
struct record_sink {
    const struct record_sink_ops *ops;
    void *self;
};

/* ---- what makes outputs and offsets final: one committer per shard, beside its sink */

/* How far a task has come: next to consume, and the rest of its position as text. */
struct commit_point {
    int32_t partition;
    int64_t offset;
    const char *metadata;
};

struct committer_ops {
    /* Makes the points final in the group, and all that was published to the sink since the last commit with them. OK:
     * they are. UNAVAILABLE: they are not, or it is not known whether they are. FENCED: they are not, because the
     * process may own the partitions no more. After these two the caller may go on and commit later points, unless
     * `exactly_once`: then it publishes nothing and calls again with the same points until it is OK, or drops them. IO:
     * a broker refuses a record or the points for good. May wait for some seconds. */
    struct status (*commit)(void *self, const struct commit_point *points, size_t count);
    /* The partitions were lost: what was published since the last commit is not to become final, as far as it can be
     * taken back. */
    void (*drop)(void *self);
};
struct committer {
    const struct committer_ops *ops;
    void *self;
    bool exactly_once; /* outputs and points become final together, or not at all */
};

/* ---- what outlives the process: one store per task */

struct store_position {
    int64_t offset, watermark_ms, close_offset; /* as struct engine_position */
    uint32_t close_sequence;
};

struct session_store_ops {
    /* Calls `visit` for each stored session, ascending; *ret_found is false (and position untouched) for a new store.
     */
    struct status (*load)(void *self, struct status (*visit)(void *context, uint64_t number, struct bytes record),
                          void *context, struct store_position *ret_position, bool *ret_found);
    /* One transaction: begin, puts and removes in ascending number, commit with the position. On any failure
     * nothing of it is there. DISK_FULL, LIMIT (map full and not growable), IO. */
    struct status (*begin)(void *self);
    struct status (*put)(void *self, uint64_t number, struct bytes record);
    struct status (*remove)(void *self, uint64_t number);
    struct status (*commit)(void *self, const struct store_position *position);
    void (*abort)(void *self);
    /* Forgets all that is stored, at once. Outside of a transaction. */
    struct status (*clear)(void *self);
};
struct session_store {
    const struct session_store_ops *ops;
    void *self;
};

/* ---- where writers' schemas come from */

#define SCHEMA_HEADER "__value_schema_id" /* where a record names its schema that does not name it before its value */

/* How a record names its writer's schema. */
struct schema_name {
    int32_t id;       /* the number that a registry gave it */
    int32_t by_guid;  /* 1: by `guid`, which every registry gives it, and `id` is 0 */
    uint8_t guid[16]; /* otherwise zeros */
};

struct schema_source_ops {
    /* Appends the Avro schema (JSON text) of a name. NOT_FOUND: there is none, for now; BAD_INPUT: what there is is of
     * no use, for ever; UNAVAILABLE: it cannot be had now, ask again later. The complaint says more. May wait for the
     * network, boundedly. Any thread. */
    struct status (*fetch)(void *self, const struct schema_name *name, struct buffer *out, struct complaint *complaint);
};
struct schema_source {
    const struct schema_source_ops *ops; /* NULL: there is none */
    void *self;
};

/* ---- time, so that tests and replay own it */

struct time_source_ops {
    int64_t (*wall_ms)(void *self);      /* since the Unix epoch */
    int64_t (*monotonic_us)(void *self); /* never runs backwards */
    void (*wait)(void *self, int ms);    /* lets so much time pass */
};
struct time_source {
    const struct time_source_ops *ops;
    void *self;
};
