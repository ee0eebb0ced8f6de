// SPDX-License-Identifier: Apache-2.0
#pragma once
/* plan: what a seed decides before anything runs: how large the world is, how it is configured, what goes wrong how
 * often, and all clicks with the time at which each arrives. */
#include "app/shard.h"

#include <eddy/base/random.h>

#define PARTITIONS_MAX 4
#define PROCESSES_MAX  3
#define LANES_MAX      2
#define PLAN_TIME      INT64_C(1700000000000)

/* Ways to break the system or the world: what is broken, and part of the sentence in which it has to be noticed. */
#define SABOTAGES(X)                                                                                                   \
    X(NONE, "", "")                                                                                                    \
    X(LOSE_CLICK, "now and then a click is not delivered", "its answer was not published")                             \
    X(PUBLISH_TWICE, "now and then a record is published twice", "was published twice")                                \
    X(SWAP, "now and then two records change places", "is answered after")                                             \
    X(COMMIT_NOTHING, "now and then a commit is acknowledged but not done", "ahead of the group")                      \
    X(LOSE_POINT, "now and then a partition is left out of a commit", "without a position")                            \
    X(TORN, "what an aborted transaction published is seen", "was published twice")                                    \
    X(NO_FENCING, "zombies may commit", "the group was set back")                                                      \
    X(DOUBT_IS_FAILURE, "a commit that was not answered is taken for one that was not done", "was published twice")    \
    X(NO_WAIT, "clicks are answered while a commit is in doubt", "publishes although a commit is not done")            \
    X(LOSE_PUT, "now and then a store loses a session", "sessions are stored; expected")                               \
    X(LOSE_POSITION, "now and then a store keeps an older watermark", "stored is offset")                              \
    X(LOSE_METADATA, "the group forgets what was committed with an offset", "the answer to partition")                 \
    X(RENUMBER, "what a click closes in portions is numbered anew in each", "was published twice")                     \
    X(OTHER_BYTES, "now and then an answer is spoiled", "has other bytes than without faults")                         \
    X(OTHER_SESSION, "now and then a closed session is spoiled", "the session closed at offset")                       \
    X(OTHER_RULES, "sessions are kept by another gap", "the session closed at partition")                              \
    X(NO_LIMIT, "the queue takes more than it may", "in a queue of")                                                   \
    X(NO_FILL, "the producer does not say how full it is", "bytes of a transaction")                                   \
    X(GAUGE, "a gauge is wrong", "but gauge")                                                                          \
    X(NO_PROGRESS, "nothing is committed", "stuck")                                                                    \
    X(UNSEEDED, "the seed is not all that decides", "the same seed ran in two ways")

enum sabotage {
#define X(name, text, notice) SABOTAGE_##name,
    SABOTAGES(X)
#undef X
        SABOTAGE_COUNT
};

/* A record of the clicks topic, and what it says in numbers. */
struct sent {
    struct message message;
    int64_t arrival_ms;
    bool usable; /* a click that the engine sees */
    uint32_t visitor, user, item;
    uint32_t event_id; /* 0: none */
    int64_t time_ms;
    enum click_type type;
};

struct sent_log {
    struct sent *sent;
    size_t count, capacity;
    int64_t end; /* the offset after the last, which may be that of a control record */
};

struct rates { /* chances per million, per port call or per action */
    uint32_t crash, pause, rebalance, disk_full, wipe, stop, outage, queue_full, refusal, interrupt;
};

struct plan {
    uint64_t seed;
    enum sabotage sabotage;
    int32_t partitions;
    int processes;
    uint32_t lanes;
    bool exactly_once;
    bool frozen; /* nothing is learned, so that each answer is a function of the clicks alone */
    bool alone;  /* one partition of one process that keeps it while it lives: answers are so although it learns */
    bool idle;   /* the wall clock moves watermarks */
    bool static_members, calm;
    bool cooperative; /* rebalances move some partitions only */
    uint32_t clicks, visitors;
    int64_t backlog_ms; /* of clicks that are there at the start */
    int64_t session_timeout_ms, transaction_timeout_ms;
    size_t queue_max, kept_bytes_max;
    struct rates rates;
    struct shard_options shard;
    struct knowledge_options knowledge;
};

#define ITEMS 30

void plan_draw(struct plan *plan, uint64_t seed, enum sabotage sabotage);
/* The same world without faults: one process, one lane. */
void plan_calm(const struct plan *plan, struct plan *ret_calm);
/* The clicks of a plan; bytes in `arena`, arrays freed by traffic_release(). */
void traffic_make(const struct plan *plan, struct arena *arena, struct sent_log logs[PARTITIONS_MAX]);
void traffic_release(struct sent_log logs[PARTITIONS_MAX]);
