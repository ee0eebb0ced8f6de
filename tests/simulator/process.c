// SPDX-License-Identifier: Apache-2.0
/* A process of eddy, as src/app/run/process.c puts one together, without its threads. */
#include "simulator/world.h"

#include <stdio.h>

#define RELEASE_MS  3000
#define BATCH_BYTES 10000 /* of outputs that one batch adds, besides its answers */
#define PRELEARNED  40    /* sessions, where nothing is learned later */

static void must(struct status status)
{
    assert(!failed(status));
    (void)status;
}

void member_open(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    process->world = world;
    process->index = index;
    for (int32_t p = 0; p < PARTITIONS_MAX; p++) {
        process->disk[p] = (struct disk_store){.process = process, .partition = p};
        must(memory_store_open(&process->disk[p].store));
    }
    for (uint32_t l = 0; l < LANES_MAX; l++)
        producer_open(&process->lanes[l].producer, process, l);
}

void member_close(struct process *process)
{
    for (int32_t p = 0; p < PARTITIONS_MAX; p++)
        memory_store_close(process->disk[p].store);
}

/* ---- what it knows */

static void feed_items(struct process *process)
{
    for (int i = 0; i < ITEMS; i++) {
        char id[32];
        snprintf(id, sizeof id, "item-%d", i);
        struct item item = {.item_id = bytes_of_text(id), .available = true};
        must(catalogue_put(knowledge_catalogue(process->knowledge), &item, NULL));
    }
}

static void learn_first(struct process *process)
{
    struct random random;
    random_seed(&random, process->world->plan.seed);
    for (int i = 0; i < PRELEARNED; i++) {
        uint32_t items[4];
        uint8_t types[4] = {0};
        int64_t times_ms[4];
        for (int c = 0; c < 4; c++) {
            items[c] = random_below(&random, ITEMS);
            times_ms[c] = PLAN_TIME - 100000 + i * 1000 + c;
        }
        struct closed_session session = {.view = {.session_id = BYTES("s"),
                                                  .items = items,
                                                  .times_ms = times_ms,
                                                  .types = types,
                                                  .length = 4,
                                                  .total = 4},
                                         .close_ms = times_ms[3]};
        must(learned_learn(knowledge_learned(process->knowledge), &session));
    }
}

/* The sessions topic, to its end. */
static struct status feed_sessions(struct process *process)
{
    const struct record_list *topic = &process->world->sessions_topic;
    for (; process->sessions_read < topic->count; process->sessions_read++) {
        const struct output_record *record = topic->records[process->sessions_read];
        struct message message = {
            .partition = record->partition, .offset = (int64_t)process->sessions_read, .value = record->value};
        TRY(follower_take_sessions(process->follower, &message, 1));
    }
    return OK;
}

/* ---- life */

static void start_lane(struct process *process, uint32_t number)
{
    struct world *world = process->world;
    struct lane *lane = &process->lanes[number];
    struct producer producer = lane->producer;
    *lane = (struct lane){.process = process, .producer = producer};
    for (int32_t p = 0; p < PARTITIONS_MAX; p++)
        lane->positions[p] = -1;
    must(decoder_open(RECORD_CLICK, RECORD_AVRO, &lane->decoder));
    bool once = world->plan.exactly_once;
    const struct shard_ports ports = {
        .source = lane_source(lane),
        .sink = once ? transactions_sink(&lane->producer) : producer_sink(&lane->producer),
        .committer = once ? transactions_committer(&lane->producer) : producer_committer(&lane->producer),
        .time = member_time(process),
        .stores = member_stores(process),
        .decoder = lane->decoder,
        .knowledge = process->knowledge,
        .dead_watch = process->dead_watch,
        .metrics = &process->metrics};
    struct shard_options options = world->plan.shard;
    if (world->plan.sabotage == SABOTAGE_OTHER_RULES)
        options.engine.session.gap_ms -= 100;
    must(shard_open(&options, &ports, &lane->shard));
}

void member_start(struct process *process)
{
    struct world *world = process->world;
    world_say(world, "process %d starts", process->index);
    world->starts++;
    process->up = true;
    process->crashed = process->assigned = false;
    process->member = 0;
    process->generation = 0;
    process->sessions_read = 0;
    process->metrics = (struct metrics){0};
    must(knowledge_open(&world->plan.knowledge, &process->knowledge, NULL));
    must(dead_watch_open(&(struct dead_limits){.window_clicks = 1}, &process->dead_watch));
    must(decoder_open(RECORD_CLOSED_SESSION, RECORD_AVRO, &process->sessions_decoder));
    must(follower_open(NULL, process->sessions_decoder, process->knowledge, &process->metrics, &process->follower));
    feed_items(process);
    if (world->plan.frozen)
        learn_first(process);
    must(feed_sessions(process));
    for (uint32_t l = 0; l < world->plan.lanes; l++)
        start_lane(process, l);
}

static void check_gauges(struct process *process)
{
    if (process->world->plan.sabotage == SABOTAGE_GAUGE)
        metric_add(&process->metrics, METRIC_SESSIONS_OPEN, 1);
    static const enum metric gauges[] = {METRIC_PARTITIONS_ASSIGNED, METRIC_PARTITIONS_CATCHING_UP,
                                         METRIC_SESSIONS_OPEN, METRIC_CLICKS_BEHIND};
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++) {
        int64_t left = metric_get(&process->metrics, gauges[i]);
        if (left)
            judge_fail(process->world->judge, "process %d is closed, but gauge %d stands at %lld", process->index,
                       (int)gauges[i], (long long)left);
    }
}

static void close_parts(struct process *process)
{
    struct world *world = process->world;
    for (uint32_t l = 0; l < world->plan.lanes; l++) {
        shard_close(process->lanes[l].shard);
        decoder_close(process->lanes[l].decoder);
        process->lanes[l].shard = NULL;
        process->lanes[l].decoder = NULL;
        producer_crash(&process->lanes[l].producer);
    }
    follower_close(process->follower);
    decoder_close(process->sessions_decoder);
    knowledge_close(process->knowledge);
    dead_watch_close(process->dead_watch);
    process->up = process->crashed = false;
    for (int32_t p = 0; p < PARTITIONS_MAX; p++) {
        struct session_store store = memory_store_port(process->disk[p].store);
        store.ops->abort(store.self);
        process->owned[p] = false;
    }
    check_gauges(process);
    if (process->stores_open)
        judge_fail(world->judge, "process %d left %d stores open", process->index, process->stores_open);
}

void member_crash(struct process *process)
{
    if (!process->up)
        return;
    world_say(process->world, "process %d crashed", process->index);
    process->world->crashes++;
    process->crashed = true;
    process->member = 0;
    close_parts(process);
}

void member_stop(struct process *process)
{
    bool member = group_knows(process->world, process);
    struct status status = member_release(process, process->owned, false);
    if (process->crashed) {
        member_crash(process);
        return;
    }
    if (failed(status) && member && process->world->quiet)
        judge_fail(process->world->judge, "process %d could not commit at its end", process->index);
    group_leave(process);
    close_parts(process);
}

/* ---- partitions */

static struct lane *lane_of(struct process *process, int32_t partition)
{
    return &process->lanes[(uint32_t)partition % process->world->plan.lanes];
}

static struct status pass_by(void *context, uint64_t number, struct bytes record)
{
    (void)context;
    (void)number;
    (void)record;
    return OK;
}

static int64_t stored_watermark_ms(const struct process *process, int32_t partition)
{
    struct session_store store = memory_store_port(process->disk[partition].store);
    struct store_position position;
    bool found;
    must(store.ops->load(store.self, pass_by, NULL, &position, &found));
    return found ? position.watermark_ms : INT64_MIN;
}

struct status member_accept(struct process *process, int32_t partition)
{
    struct world *world = process->world;
    const struct group_offset committed = world->group.offsets[partition];
    struct lane *lane = lane_of(process, partition);
    struct assignment assignment = {.partition = partition,
                                    .committed = committed.offset,
                                    .metadata = bytes_of_text(committed.offset < 0 ? "" : committed.metadata),
                                    .high = log_high(world, partition)};
    assignment.start = committed.offset < 0 ? 0 : committed.offset;
    int64_t watermark_ms = stored_watermark_ms(process, partition);
    TRY(feed_sessions(process));
    struct complaint complaint = {0};
    struct status status = shard_accept(lane->shard, &assignment, &complaint);
    if (failed(status)) {
        world_say(world, "process %d refuses partition %d: %s", process->index, partition, complaint.text);
        return status;
    }
    world_say(world, "process %d takes partition %d from %lld, group at %lld " BYTES_FORMAT, process->index, partition,
              (long long)assignment.start, (long long)committed.offset, BYTES_ARGS(assignment.metadata));
    judge_accept(world->judge, partition, assignment.start, watermark_ms);
    world->rebuilds += assignment.start < committed.offset;
    process->owned[partition] = true;
    lane->positions[partition] = assignment.start;
    lane->paused[partition] = lane->ended[partition] = false;
    return OK;
}

struct status member_release(struct process *process, const bool partitions[PARTITIONS_MAX], bool lost)
{
    struct world *world = process->world;
    struct status result = OK;
    bool gone[PARTITIONS_MAX];
    memcpy(gone, partitions, sizeof gone);
    for (uint32_t l = 0; l < world->plan.lanes; l++) {
        struct lane *lane = &process->lanes[l];
        int32_t list[PARTITIONS_MAX];
        size_t count = 0;
        for (int32_t p = 0; p < world->plan.partitions; p++)
            if (gone[p] && process->owned[p] && lane_of(process, p) == lane)
                list[count++] = p;
        if (!count)
            continue;
        if (world_chance(world, world->plan.rates.interrupt))
            shard_interrupt(lane->shard); /* it takes too long */
        struct status status = shard_release(lane->shard, list, count, lost || failed(lane->failure), RELEASE_MS);
        shard_resume(lane->shard);
        for (size_t i = 0; i < count; i++) {
            process->owned[list[i]] = false;
            lane->positions[list[i]] = -1;
        }
        if (failed(status))
            result = status;
    }
    world_say(world, "process %d gave up partitions%s%s", process->index, lost ? ", lost" : "",
              failed(result) ? ", uncommitted" : "");
    return process->crashed || world->quiet ? result : OK; /* the process goes on without them */
}

/* ---- a round */

static void check_bounds(struct process *process, const struct lane *lane)
{
    struct world *world = process->world;
    size_t queued = lane->producer.queued;
    if (queued > world->plan.queue_max)
        judge_fail(world->judge, "process %d has %zu records in a queue of %zu", process->index, queued,
                   world->plan.queue_max);
    size_t kept_max = world->plan.kept_bytes_max / 2 + BATCH_BYTES + (size_t)world->plan.shard.batch_clicks * 1000;
    if (lane->producer.kept_bytes > kept_max)
        judge_fail(world->judge, "process %d keeps %zu bytes of a transaction", process->index,
                   lane->producer.kept_bytes);
}

struct status member_step(struct process *process)
{
    struct world *world = process->world;
    struct lane *lane = &process->lanes[world_below(world, world->plan.lanes)];
    size_t count;
    if (world_below(world, 4) == 0)
        TRY(feed_sessions(process));
    if (!world->plan.exactly_once && !world_outage(world))
        producer_deliver(&lane->producer, world_below(world, 20));
    if (world_chance(world, world->plan.rates.interrupt / 100))
        shard_interrupt(lane->shard); /* a release waits for the step's end; there was none in time, or it is over */
    lane->failure = shard_step(lane->shard, 0, &count);
    shard_resume(lane->shard);
    if (failed(lane->failure))
        return lane->failure;
    check_bounds(process, lane);
    return OK;
}
