// SPDX-License-Identifier: Apache-2.0
/* A producer and committer that deliver exactly once, and the brokers' side of their transactions. The client goes
 * through the stages of src/io/kafka/transactions.c: what is aborted is made again from the kept records, and a commit
 * in doubt is settled by a new epoch, after which the group's offsets say how it ended. */
#include "simulator/world.h"

#define PATIENCE 4 /* tries of one commit, after which the producer is made anew */

static struct transaction *transaction_of(const struct producer *producer)
{
    return &producer->process->world->transactions[producer->process->index][producer->lane];
}

/* ---- the brokers */

static void broker_abort(struct world *world, struct transaction *transaction)
{
    if (world->plan.sabotage == SABOTAGE_TORN)
        records_seen(world, &transaction->records);
    transaction->open = transaction->has_points = transaction->commit_on_its_way = false;
    transaction->records.count = 0;
}

static void broker_commit(struct world *world, struct transaction *transaction)
{
    records_seen(world, &transaction->records);
    if (transaction->has_points)
        group_commit(world, &transaction->points);
    judge_transaction_end(world->judge);
    transaction->done++;
    transaction->open = transaction->has_points = transaction->commit_on_its_way = false;
    transaction->records.count = 0;
}

/* Transactions that took too long are aborted, and their producers fenced. */
void transactions_mind(struct world *world)
{
    for (int i = 0; i < world->plan.processes; i++)
        for (uint32_t l = 0; l < world->plan.lanes; l++) {
            struct transaction *transaction = &world->transactions[i][l];
            if (transaction->commit_on_its_way && world_below(world, 10) == 0) {
                world_say(world, "process %d: a delayed commit is done", i);
                broker_commit(world, transaction);
            }
            if (transaction->open && world->now_ms - transaction->began_ms > world->plan.transaction_timeout_ms) {
                world_say(world, "process %d: its transaction timed out", i);
                broker_abort(world, transaction);
                transaction->epoch++;
            }
        }
}

bool transactions_hold(const struct world *world, int32_t partition)
{
    for (int i = 0; i < PROCESSES_MAX; i++)
        for (uint32_t l = 0; l < LANES_MAX; l++) {
            const struct transaction *transaction = &world->transactions[i][l];
            for (size_t k = 0; transaction->open && transaction->has_points && k < transaction->points.count; k++)
                if (transaction->points.partitions[k] == partition)
                    return true;
        }
    return false;
}

/* ---- the client */

static void forget(struct producer *producer)
{
    producer->kept.count = producer->kept_bytes = producer->produced = producer->queued = 0;
    producer->in_doubt = false;
    producer->attempts = 0;
}

static void break_up(struct producer *producer)
{
    producer->in_doubt = producer->in_doubt || producer->stage == STAGE_COMMITTING;
    producer->process->world->doubts += producer->in_doubt;
    producer->stage = STAGE_NONE;
    producer->produced = producer->queued = 0;
    producer->attempts = 0;
}

static bool is_fenced(const struct producer *producer)
{
    return producer->epoch != transaction_of(producer)->epoch;
}

static void roll_back(struct producer *producer)
{
    producer->produced = producer->queued = 0;
    producer->stage = STAGE_IDLE;
    if (is_fenced(producer))
        break_up(producer);
    else
        broker_abort(producer->process->world, transaction_of(producer));
}

/* A request that fails for as long as the brokers are away. */
static struct status request(struct producer *producer)
{
    struct world *world = producer->process->world;
    TRY(world_effect(producer->process));
    world_pass(world, 1);
    if (!world_outage(world) && !world_chance(world, 10000))
        return OK;
    world_pass(world, 500);
    return FAIL(UNAVAILABLE, 0, "the brokers are away");
}

/* init_transactions: a new epoch, which ends what the one before left open. */
static struct status start(struct producer *producer)
{
    struct world *world = producer->process->world;
    struct transaction *transaction = transaction_of(producer);
    TRY(request(producer));
    if (transaction->commit_on_its_way && world_below(world, 2))
        broker_commit(world, transaction);
    broker_abort(world, transaction);
    transaction->done = producer->done = 0;
    producer->epoch = ++transaction->epoch;
    producer->stage = STAGE_IDLE;
    return OK;
}

static bool stands_at(const struct world *world, const struct point_list *points)
{
    bool stands = true;
    for (size_t i = 0; i < points->count; i++) {
        const struct group_offset *offset = &world->group.offsets[points->partitions[i]];
        stands = stands && offset->offset == points->offsets[i].offset &&
                 strcmp(offset->metadata, points->offsets[i].metadata) == 0;
    }
    return stands;
}

static struct status settle(struct producer *producer, bool *ret_committed)
{
    struct world *world = producer->process->world;
    *ret_committed = false;
    if (!producer->in_doubt)
        return OK;
    TRY(request(producer));
    *ret_committed = stands_at(world, &producer->points) && world->plan.sabotage != SABOTAGE_DOUBT_IS_FAILURE;
    world_say(world, "process %d: a commit in doubt was %s", producer->process->index,
              *ret_committed ? "done" : "not done");
    producer->in_doubt = false;
    return OK;
}

static void produce(struct producer *producer)
{
    struct world *world = producer->process->world;
    struct transaction *transaction = transaction_of(producer);
    if (!transaction->open)
        transaction->began_ms = world->now_ms;
    transaction->open = true;
    producer->stage = STAGE_OPEN;
    for (; producer->produced < producer->kept.count; producer->produced++)
        record_list_add(&transaction->records, producer->kept.records[producer->produced]);
}

/* ---- the sink */

static bool may_produce(const struct producer *producer)
{
    return !producer->in_doubt && producer->produced + 1 == producer->kept.count && !is_fenced(producer) &&
           (producer->stage == STAGE_IDLE || producer->stage == STAGE_OPEN);
}

static struct status publish(void *self, const struct output_record *record)
{
    struct producer *producer = self;
    struct world *world = producer->process->world;
    TRY(world_effect(producer->process));
    if (producer->in_doubt || producer->stage == STAGE_COMMITTING)
        judge_fail(world->judge, "process %d publishes although a commit is not done", producer->process->index);
    for (int i = 0; i <= world_spoils(world, SABOTAGE_PUBLISH_TWICE, 100); i++) {
        bool full = producer->queued >= world->plan.queue_max && world->plan.sabotage != SABOTAGE_NO_LIMIT;
        if (full || world_chance(world, world->plan.rates.queue_full))
            return FAIL(LIMIT, world->plan.queue_max, "the queue is full");
        record_list_publish(world, &producer->kept, record);
        producer->kept_bytes += record->key.size + record->value.size;
        if (!may_produce(producer)) /* the commit will */
            continue;
        produce(producer);
        producer->queued++;
    }
    return OK;
}

static struct status flush(void *self, int timeout_ms)
{
    struct producer *producer = self;
    struct world *world = producer->process->world;
    TRY(world_effect(producer->process));
    if (producer->stage != STAGE_NONE && world_outage(world)) {
        world_pass(world, timeout_ms);
        return FAIL(UNAVAILABLE, 0, "the brokers are away");
    }
    producer->queued = 0;
    return OK;
}

static double fill(void *self)
{
    struct producer *producer = self;
    struct world *world = producer->process->world;
    if (!world_outage(world) && producer->queued)
        producer->queued -= world_below(world, (uint32_t)producer->queued + 1);
    double kept = (double)producer->kept_bytes / (double)world->plan.kept_bytes_max;
    double queued = (double)producer->queued / (double)world->plan.queue_max;
    if (world->plan.sabotage == SABOTAGE_NO_FILL)
        return 0;
    return kept > queued ? kept : queued;
}

struct record_sink transactions_sink(struct producer *producer)
{
    static const struct record_sink_ops ops = {publish, flush, fill};
    return (struct record_sink){&ops, producer};
}

/* ---- the committer */

static struct status aborted(struct producer *producer)
{
    if (is_fenced(producer))
        break_up(producer);
    else
        roll_back(producer);
    return FAIL(UNAVAILABLE, 0, "the transaction was aborted and is made again");
}

static struct status send_offsets(struct producer *producer, const struct commit_point *points, size_t count)
{
    struct world *world = producer->process->world;
    struct transaction *transaction = transaction_of(producer);
    points_of(world, &producer->points, points, count);
    TRY(request(producer));
    if (is_fenced(producer))
        return aborted(producer);
    if (!group_knows(world, producer->process)) {
        roll_back(producer);
        return FAIL(FENCED, 0, "the partitions have another owner");
    }
    transaction->points = producer->points;
    transaction->has_points = true;
    producer->stage = STAGE_COMMITTING;
    return OK;
}

/* What may become of a commit: done or not, and answered or not. */
static struct status finish(struct producer *producer)
{
    struct world *world = producer->process->world;
    struct transaction *transaction = transaction_of(producer);
    TRY(world_effect(producer->process));
    if (is_fenced(producer))
        return aborted(producer);
    bool lost = world_outage(world) || world_chance(world, 20000) || world->plan.sabotage == SABOTAGE_NO_PROGRESS;
    bool done = transaction->done > producer->done;
    if (lost && !done && world_below(world, 2) && world->plan.sabotage != SABOTAGE_NO_PROGRESS)
        transaction->commit_on_its_way = true;
    if (!lost && !done && !world_spoils(world, SABOTAGE_COMMIT_NOTHING, 20))
        broker_commit(world, transaction);
    if (lost || world_chance(world, 20000)) {
        world_pass(world, 500);
        if (++producer->attempts > PATIENCE || world_below(world, 4) == 0)
            break_up(producer);
        return FAIL(UNAVAILABLE, 0, "the commit was not answered");
    }
    producer->done = transaction->done;
    producer->stage = STAGE_IDLE;
    forget(producer);
    return OK;
}

static struct status commit(void *self, const struct commit_point *points, size_t count)
{
    struct producer *producer = self;
    struct world *world = producer->process->world;
    bool committed;
    producer->refused = producer->refused || world_chance(world, world->plan.rates.refusal);
    if (producer->refused)
        return FAIL(IO, 0, "records were refused");
    if (producer->stage == STAGE_NONE)
        TRY(start(producer));
    TRY(settle(producer, &committed));
    if (committed) {
        forget(producer);
        return OK;
    }
    if (producer->stage != STAGE_COMMITTING) {
        if (is_fenced(producer))
            return aborted(producer);
        produce(producer);
        TRY(send_offsets(producer, points, count));
    }
    return finish(producer);
}

static void drop(void *self)
{
    struct producer *producer = self;
    if (failed(world_effect(producer->process)))
        return;
    if (producer->stage == STAGE_OPEN)
        roll_back(producer);
    else if (producer->stage == STAGE_COMMITTING)
        break_up(producer);
    forget(producer);
}

struct committer transactions_committer(struct producer *producer)
{
    static const struct committer_ops ops = {commit, drop};
    bool waits = producer->process->world->plan.sabotage != SABOTAGE_NO_WAIT;
    return (struct committer){&ops, producer, waits};
}
