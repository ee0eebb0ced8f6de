// SPDX-License-Identifier: Apache-2.0
#include "simulator/world.h"

#include "simulator/simulation.h"

#include <stdio.h>
#include <stdlib.h>

#define NESTED_ACTIONS 40     /* of others while one process stands still inside of a call */
#define ACTIONS_MAX    200000 /* then it is stuck */
#define STEP_MS        60

/* ---- chance and time */

bool world_chance(struct world *world, uint32_t per_million)
{
    return !world->quiet && per_million && random_below(&world->random, 1000000) < per_million;
}

uint32_t world_below(struct world *world, uint32_t bound)
{
    return random_below(&world->random, bound);
}

bool world_spoils(struct world *world, enum sabotage sabotage, uint32_t one_in)
{
    return world->plan.sabotage == sabotage && world_below(world, one_in) == 0;
}

bool world_is_broken(const struct world *world)
{
    return judge_complaint(world->judge)[0] != 0;
}

void world_pass(struct world *world, int64_t ms)
{
    world->now_ms += ms;
    world->monotonic_us += ms * 1000;
}

bool world_outage(const struct world *world)
{
    return !world->quiet && world->now_ms < world->outage_until_ms;
}

void world_say(const struct world *world, const char *format, ...)
{
    if (!world->verbose)
        return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%8lld ", (long long)(world->now_ms - PLAN_TIME));
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* ---- actions */

static void act_down(struct world *world, struct process *process)
{
    if (world_chance(world, world->plan.rates.wipe)) {
        int32_t partition = (int32_t)world_below(world, (uint32_t)world->plan.partitions);
        struct session_store store = memory_store_port(process->disk[partition].store);
        struct status status = store.ops->clear(store.self);
        assert(!failed(status));
        world_say(world, "process %d: its store of partition %d is lost", process->index, partition);
    }
    if (world->quiet || world_below(world, 20) == 0)
        member_start(process);
}

/* What ends a process in the real one too: all that is not expected to pass. */
static void end_process(struct process *process, struct status status)
{
    struct world *world = process->world;
    char text[256];
    world_say(world, "process %d ends: %s", process->index, status_text(status, text, sizeof text));
    bool expected = failed_as(status, FAULT_DISK_FULL) || failed_as(status, FAULT_FENCED) ||
                    failed_as(status, FAULT_UNAVAILABLE) || failed_as(status, FAULT_INTERRUPTED) ||
                    failed_as(status, FAULT_IO);
    if (!process->crashed && !expected)
        judge_fail(world->judge, "process %d ended: %s", process->index, status_text(status, text, sizeof text));
    if (process->crashed)
        member_crash(process);
    else
        member_stop(process);
}

static void act_up(struct world *world, struct process *process)
{
    if (world_chance(world, world->plan.rates.stop)) {
        world_say(world, "process %d is stopped", process->index);
        member_stop(process);
        return;
    }
    if (world_chance(world, world->plan.rates.pause))
        process->paused_until_ms = world->now_ms + world_below(world, 20000);
    if (world_chance(world, 2000))
        process->wall_skew_ms += (int64_t)world_below(world, 100000) - 40000;
    bool polls = world_below(world, 3) == 0;
    struct status status = polls ? group_poll(process) : member_step(process);
    if (failed(status) || process->crashed)
        end_process(process, status);
}

static void act(struct world *world)
{
    world->actions++;
    world_pass(world, world_below(world, STEP_MS));
    if (world_chance(world, world->plan.rates.outage))
        world->outage_until_ms = world->now_ms + world_below(world, 5000);
    transactions_mind(world);
    group_mind(world);
    struct process *process = &world->processes[world_below(world, (uint32_t)world->plan.processes)];
    if (process->busy || (!world->quiet && process->paused_until_ms > world->now_ms))
        return;
    process->busy = true;
    if (process->up)
        act_up(world, process);
    else
        act_down(world, process);
    process->busy = false;
}

struct status world_effect(struct process *process)
{
    struct world *world = process->world;
    if (process->crashed || world_is_broken(world))
        return FAIL(INTERRUPTED, 0, "crashed");
    if (world_chance(world, world->plan.rates.crash)) {
        process->crashed = true;
        judge_note(world->judge, world->actions);
        return FAIL(INTERRUPTED, 0, "crashed");
    }
    if (world_chance(world, world->plan.rates.rebalance / 100))
        group_rebalance(world);
    if (world->depth == 0 && world->plan.processes > 1 && world_chance(world, world->plan.rates.pause / 10)) {
        world->depth++;
        world_say(world, "process %d stands still", process->index);
        uint32_t actions = world_below(world, 10) ? NESTED_ACTIONS : 20 * NESTED_ACTIONS;
        for (uint32_t i = 0; i < actions && !world_is_broken(world); i++)
            act(world);
        world_say(world, "process %d goes on", process->index);
        world->depth--;
    }
    return OK;
}

/* ---- the run */

static bool is_committed(const struct world *world, int32_t partition)
{
    const struct sent_log *log = &world->logs[partition];
    return !log->count || world->group.offsets[partition].offset > log->sent[log->count - 1].message.offset;
}

/* Its owner has it and nothing left to catch up with. */
static bool is_settled(const struct world *world, int32_t partition)
{
    int owner = world->group.owners[partition];
    if (owner < 0 || world->group.rebalancing)
        return false;
    const struct process *process = &world->processes[owner];
    return process->up && process->owned[partition] &&
           metric_get(&process->metrics, METRIC_PARTITIONS_CATCHING_UP) == 0;
}

static bool all_committed(const struct world *world)
{
    bool all = true;
    for (int32_t p = 0; p < world->plan.partitions && all; p++)
        all = is_committed(world, p) && is_settled(world, p);
    return all;
}

static bool all_arrived(const struct world *world)
{
    bool arrived = true;
    for (int32_t p = 0; p < world->plan.partitions; p++)
        arrived = arrived && log_high(world, p) == world->logs[p].end;
    return arrived;
}

static void say_what_is_stuck(struct world *world)
{
    int32_t p = 0;
    while (p + 1 < world->plan.partitions && is_committed(world, p) && is_settled(world, p))
        p++;
    int owner = world->group.owners[p];
    int64_t behind = owner < 0 ? 0 : metric_get(&world->processes[owner].metrics, METRIC_PARTITIONS_CATCHING_UP);
    judge_fail(
        world->judge,
        "stuck after %d actions: partition %d of process %d is committed up to %lld of %lld, and %lld partitions "
        "of the process are not caught up",
        ACTIONS_MAX, p, owner, (long long)world->group.offsets[p].offset, (long long)world->logs[p].end,
        (long long)behind);
}

static void run_until(struct world *world, bool (*done)(const struct world *world))
{
    uint64_t end = world->actions + ACTIONS_MAX;
    while (!world_is_broken(world) && !done(world)) {
        act(world);
        if (world->actions == end)
            say_what_is_stuck(world);
    }
}

/* All clicks are there and nothing goes wrong any more: everything has to come to its end. */
static void settle(struct world *world)
{
    world->quiet = true;
    run_until(world, all_committed);
    int owners[PARTITIONS_MAX];
    memcpy(owners, world->group.owners, sizeof owners);
    for (int i = 0; i < world->plan.processes && !world_is_broken(world); i++)
        if (world->processes[i].up)
            member_stop(&world->processes[i]);
    for (int32_t p = 0; p < world->plan.partitions && !world_is_broken(world); p++)
        judge_final_store(world->judge, p, memory_store_port(world->processes[owners[p]].disk[p].store));
}

static void world_close(struct world *world)
{
    for (int i = 0; i < PROCESSES_MAX; i++) {
        member_crash(&world->processes[i]);
        member_close(&world->processes[i]);
        for (uint32_t l = 0; l < LANES_MAX; l++) {
            free(world->transactions[i][l].records.records);
            producer_release(&world->processes[i].lanes[l].producer);
        }
    }
    free(world->sessions_topic.records);
    arena_release(&world->memory);
    free(world);
}

/* Runs a plan in a new world; the judge says how it went. */
static struct simulated run(const struct plan *plan, const struct sent_log *logs, struct judge *judge, bool verbose)
{
    struct world *world = calloc(1, sizeof *world);
    assert(world);
    world->plan = *plan;
    world->verbose = verbose;
    world->judge = judge;
    memcpy(world->logs, logs, sizeof world->logs);
    static uint64_t unseeded;
    unseeded += plan->sabotage == SABOTAGE_UNSEEDED;
    random_seed(&world->random, (plan->seed + unseeded) ^ UINT64_C(0x776f726c64000001));
    world->now_ms = PLAN_TIME + plan->backlog_ms;
    group_open(&world->group);
    for (int i = 0; i < PROCESSES_MAX; i++)
        member_open(world, i);
    world->quiet = plan->calm;
    run_until(world, all_arrived);
    settle(world);
    struct simulated simulated = {.actions = world->actions,
                                  .crashes = world->crashes,
                                  .starts = world->starts,
                                  .rebalances = world->rebalances,
                                  .rebuilds = world->rebuilds,
                                  .doubts = world->doubts};
    world_close(world);
    return simulated;
}

void simulate(uint64_t seed, enum sabotage sabotage, bool verbose, struct simulated *ret_simulated)
{
    struct plan plan, calm_plan;
    struct arena memory = {0};
    struct sent_log logs[PARTITIONS_MAX] = {0};
    plan_draw(&plan, seed, sabotage);
    plan_calm(&plan, &calm_plan);
    traffic_make(&plan, &memory, logs);
    struct judge *calm = NULL;
    if (!plan.idle) {
        calm = court_open(&calm_plan, logs, NULL);
        run(&calm_plan, logs, calm, false);
    }
    struct judge *judge = court_open(&plan, logs, calm);
    if (calm && judge_complaint(calm)[0])
        judge_fail(judge, "without any fault: %s", judge_complaint(calm));
    *ret_simulated = run(&plan, logs, judge, verbose);
    snprintf(ret_simulated->complaint, sizeof ret_simulated->complaint, "%s", judge_complaint(judge));
    ret_simulated->hash = judge_hash(judge) ^ ret_simulated->actions;
    ret_simulated->counts = judge_counts(judge);
    ret_simulated->exactly_once = plan.exactly_once;
    court_close(judge);
    if (calm)
        court_close(calm);
    traffic_release(logs);
    arena_release(&memory);
}
