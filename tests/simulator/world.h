// SPDX-License-Identifier: Apache-2.0
#pragma once
/* world: a simulated Kafka and the processes of eddy that use it, all on one thread and from one seed.
 *
 *   traffic.c -> logs -> ports.c -> shard, knowledge, follower of each process -> producer.c -> judge.c
 *                          group.c gives the partitions to processes, process.c is their life
 *
 * Each call of a port is a point where its process may crash, or pause while all others go on: the world then runs
 * inside of that call. After a crash nothing the process still does has any effect. Time passes with every action. */
#include "app/follower.h"
#include "simulator/judge.h"
#include "simulator/plan.h"

#include <eddy/io/memory.h>

/* ---- Kafka: the group */

struct group_offset {
    int64_t offset; /* -1: never committed */
    char metadata[128];
};

struct member {  /* of a process */
    uint64_t id; /* 0: not in the group */
    bool rejoined;
    int64_t seen_ms;
};

struct group {
    int32_t generation;
    bool rebalancing;
    int64_t deadline_ms; /* of the rebalance; who has not joined again by then is out */
    struct member members[PROCESSES_MAX];
    int owners[PARTITIONS_MAX]; /* process; -1: none */
    struct group_offset offsets[PARTITIONS_MAX];
    uint64_t next_member;
};

/* ---- Kafka: producers */

struct record_list {
    struct output_record **records; /* bytes in the world's arena */
    size_t count, capacity;
};

struct point_list {
    int32_t partitions[PARTITIONS_MAX];
    struct group_offset offsets[PARTITIONS_MAX];
    size_t count;
};

struct transaction { /* as the brokers know it, by transactional id */
    uint32_t epoch;
    bool open, has_points;
    bool commit_on_its_way; /* a commit that may be done at any time */
    int64_t began_ms;
    size_t done; /* transactions committed in this epoch */
    struct record_list records;
    struct point_list points;
};

enum stage { STAGE_NONE, STAGE_IDLE, STAGE_OPEN, STAGE_COMMITTING };

/* The client's side, as src/io/kafka/transactions.c and sink.c have it. */
struct producer {
    struct process *process;
    uint32_t lane;
    struct record_list kept; /* exactly once: until committed; at least once: the queue */
    size_t kept_bytes, queued, produced;
    bool refused; /* a record, for good */
    enum stage stage;
    uint32_t epoch;
    size_t done; /* transactions of this epoch that the client knows to be committed */
    bool in_doubt;
    int attempts;
    struct point_list points;
};

/* ---- processes */

struct lane {
    struct shard *shard;
    struct decoder *decoder;
    struct producer producer;
    struct process *process;
    int64_t positions[PARTITIONS_MAX]; /* next to deliver; -1: not delivered */
    bool paused[PARTITIONS_MAX], ended[PARTITIONS_MAX];
    size_t batch_max;
    struct status failure;
};

struct disk_store {
    struct process *process;
    int32_t partition;
    struct memory_store *store; /* survives the process */
};

struct process {
    struct world *world;
    int index;
    bool up, crashed, busy;
    int64_t paused_until_ms, wall_skew_ms;
    struct knowledge *knowledge;
    struct dead_watch *dead_watch; /* without limits */
    struct decoder *sessions_decoder;
    struct follower *follower;
    size_t sessions_read;
    struct metrics metrics;
    struct lane lanes[LANES_MAX];
    struct disk_store disk[PARTITIONS_MAX];
    uint64_t member;
    int32_t generation;
    bool owned[PARTITIONS_MAX];
    bool assigned; /* took what the generation gave it */
    int stores_open;
};

struct world {
    struct plan plan;
    struct random random;
    struct arena memory;
    struct sent_log logs[PARTITIONS_MAX];
    struct group group;
    struct transaction transactions[PROCESSES_MAX][LANES_MAX];
    struct process processes[PROCESSES_MAX];
    struct record_list sessions_topic;
    struct judge *judge;
    int64_t now_ms, monotonic_us, outage_until_ms;
    bool quiet; /* nothing goes wrong any more */
    int depth;
    uint64_t actions, crashes, starts, rebalances, rebuilds, doubts;
    bool verbose;
};

/* world.c */
bool world_chance(struct world *world, uint32_t per_million);
uint32_t world_below(struct world *world, uint32_t bound);
bool world_is_broken(const struct world *world);
bool world_outage(const struct world *world);
void world_say(const struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Before each effect of a process. */
MUST_CHECK struct status world_effect(struct process *process);
void world_pass(struct world *world, int64_t ms);
bool world_spoils(struct world *world, enum sabotage sabotage, uint32_t one_in);

/* group.c */
void group_open(struct group *group);
void group_rebalance(struct world *world);
void group_mind(struct world *world);
bool group_knows(const struct world *world, const struct process *process);
void group_commit(struct world *world, const struct point_list *points);
/* The process's part of the group's protocol: gives up, joins, takes. Fails when the process is to end. */
MUST_CHECK struct status group_poll(struct process *process);
void group_leave(struct process *process);

/* process.c */
void member_open(struct world *world, int index);
void member_close(struct process *process);
void member_start(struct process *process);
void member_crash(struct process *process);
void member_stop(struct process *process);
MUST_CHECK struct status member_accept(struct process *process, int32_t partition);
MUST_CHECK struct status member_release(struct process *process, const bool partitions[PARTITIONS_MAX], bool lost);
MUST_CHECK struct status member_step(struct process *process);

/* ports.c */
struct click_source lane_source(struct lane *lane);
struct time_source member_time(struct process *process);
struct store_opener member_stores(struct process *process);
int64_t log_high(const struct world *world, int32_t partition);

/* producer.c */
void producer_open(struct producer *producer, struct process *process, uint32_t lane);
void producer_crash(struct producer *producer);
void producer_release(struct producer *producer);
struct record_sink producer_sink(struct producer *producer);
struct committer producer_committer(struct producer *producer);
void producer_deliver(struct producer *producer, size_t most);

/* transactions.c */
struct committer transactions_committer(struct producer *producer);
struct record_sink transactions_sink(struct producer *producer);
bool transactions_hold(const struct world *world, int32_t partition);
void transactions_mind(struct world *world);
void record_list_add(struct record_list *list, struct output_record *record);
/* Adds a copy. */
void record_list_publish(struct world *world, struct record_list *list, const struct output_record *record);
void points_of(struct world *world, struct point_list *list, const struct commit_point *points, size_t count);
void records_seen(struct world *world, const struct record_list *records);
