// SPDX-License-Identifier: Apache-2.0
/* The consumer group. In an eager rebalance each member gives up what it has, joins again, and gets its part of the
 * next generation. In a cooperative one it keeps it, and gives up what the next generation does not leave it; another
 * rebalance then hands that on. A member that is not seen for too long is out, and finds out later. */
#include "simulator/world.h"

#include <stdio.h>

#define JOIN_MS 3000

void group_open(struct group *group)
{
    for (int32_t p = 0; p < PARTITIONS_MAX; p++) {
        group->owners[p] = -1;
        group->offsets[p].offset = -1;
    }
}

void group_rebalance(struct world *world)
{
    struct group *group = &world->group;
    if (group->rebalancing)
        return;
    world_say(world, "group: rebalance after generation %d", group->generation);
    world->rebalances++;
    group->rebalancing = true;
    group->deadline_ms = world->now_ms + JOIN_MS;
    for (int i = 0; i < PROCESSES_MAX; i++)
        group->members[i].rejoined = false;
}

static bool all_rejoined(const struct group *group)
{
    bool all = true;
    for (int i = 0; i < PROCESSES_MAX; i++)
        all = all && (!group->members[i].id || group->members[i].rejoined);
    return all;
}

/* The member that has a partition; -1: none has. */
static int holder(const struct world *world, int32_t partition)
{
    for (int i = 0; i < PROCESSES_MAX; i++) {
        uint64_t id = world->group.members[i].id;
        if (id && world->processes[i].member == id && world->processes[i].owned[partition])
            return i;
    }
    return -1;
}

static int next_owner(struct world *world, int32_t partition, int chosen)
{
    int owner = world->plan.cooperative ? holder(world, partition) : -1;
    bool stays = world->quiet || world_below(world, 3) > 0;
    if (owner < 0)
        return chosen;
    return stays || owner == chosen ? owner : -1; /* not before it is given up */
}

/* Whoever was to give it up is gone, or has come back without it. */
static bool has_orphan(const struct world *world)
{
    bool found = false;
    for (int32_t p = 0; p < world->plan.partitions && world->plan.cooperative; p++)
        found = found || (world->group.owners[p] < 0 && holder(world, p) < 0);
    return found;
}

static void complete(struct world *world)
{
    struct group *group = &world->group;
    int members[PROCESSES_MAX];
    uint32_t count = 0;
    for (int i = 0; i < PROCESSES_MAX; i++) {
        if (!group->members[i].rejoined)
            group->members[i].id = 0;
        if (group->members[i].id)
            members[count++] = i;
    }
    group->rebalancing = false;
    group->generation++;
    for (int32_t p = 0; p < world->plan.partitions; p++)
        group->owners[p] = count ? next_owner(world, p, members[world_below(world, count)]) : -1;
    world_say(world, "group: generation %d, %u members", group->generation, count);
}

void group_mind(struct world *world)
{
    struct group *group = &world->group;
    for (int i = 0; i < PROCESSES_MAX; i++) {
        struct member *member = &group->members[i];
        if (member->id && world->now_ms - member->seen_ms > world->plan.session_timeout_ms) {
            world_say(world, "group: process %d is out", i);
            member->id = 0;
            group_rebalance(world);
        }
    }
    if (world_chance(world, world->plan.rates.rebalance) || (world->quiet && has_orphan(world)))
        group_rebalance(world);
    if (group->rebalancing && (all_rejoined(group) || world->now_ms > group->deadline_ms))
        complete(world);
}

bool group_knows(const struct world *world, const struct process *process)
{
    const struct group *group = &world->group;
    if (world->plan.sabotage == SABOTAGE_NO_FENCING)
        return true;
    return process->member && group->members[process->index].id == process->member &&
           process->generation == group->generation;
}

/* As if the next click had closed no session yet. */
static void forget_portion(struct group_offset *offset)
{
    char *close = strstr(offset->metadata, " close=");
    long long at;
    if (close && sscanf(close, " close=%lld", &at) == 1 && at == offset->offset)
        snprintf(close, sizeof offset->metadata - (size_t)(close - offset->metadata), " close=-1/0");
}

void group_commit(struct world *world, const struct point_list *points)
{
    for (size_t i = 0; i < points->count; i++) {
        int32_t p = points->partitions[i];
        struct group_offset *offset = &world->group.offsets[p];
        *offset = points->offsets[i];
        judge_commit(world->judge, p, offset->offset, offset->metadata);
        if (world_spoils(world, SABOTAGE_LOSE_METADATA, 1))
            offset->metadata[0] = 0;
        if (world_spoils(world, SABOTAGE_RENUMBER, 1))
            forget_portion(offset);
    }
}

/* ---- a member's side */

/* A static member that comes back in time takes up where it was, and nobody else notices. */
static void join(struct process *process)
{
    struct world *world = process->world;
    struct group *group = &world->group;
    struct member *member = &group->members[process->index];
    bool back = world->plan.static_members && member->id && !process->member && !group->rebalancing;
    process->member = ++group->next_member;
    process->assigned = false;
    *member = (struct member){process->member, true, world->now_ms};
    if (back) {
        process->generation = group->generation;
        return;
    }
    group_rebalance(world);
    member->rejoined = true;
}

static struct status take_up(struct process *process)
{
    struct world *world = process->world;
    const struct group *group = &world->group;
    for (int32_t p = 0; p < world->plan.partitions; p++)
        if (group->owners[p] == process->index && !process->owned[p] && transactions_hold(world, p))
            return OK; /* the group's offset is not stable: later */
    process->assigned = true;
    for (int32_t p = 0; p < world->plan.partitions; p++)
        if (group->owners[p] == process->index && !process->owned[p])
            TRY(member_accept(process, p));
    return OK;
}

/* What the new generation does not leave it. */
static struct status give_up(struct process *process)
{
    struct world *world = process->world;
    bool gone[PARTITIONS_MAX] = {0}, any = false;
    process->generation = world->group.generation;
    process->assigned = false;
    for (int32_t p = 0; p < world->plan.partitions; p++) {
        gone[p] = process->owned[p] && world->group.owners[p] != process->index;
        any = any || gone[p];
    }
    if (!any)
        return OK;
    TRY(member_release(process, gone, false));
    group_rebalance(world);
    return OK;
}

/* A rebalance is going on, and the member has not joined again. */
static struct status rejoin(struct process *process)
{
    struct world *world = process->world;
    struct member *member = &world->group.members[process->index];
    if (!world->plan.cooperative) {
        TRY(member_release(process, process->owned, world_chance(world, 50000)));
        process->assigned = false;
    }
    member->rejoined = member->id == process->member; /* unless it was out before it was done */
    return OK;
}

static struct status join_anew(struct process *process)
{
    bool lost = process->member != 0;
    process->member = 0;
    if (lost)
        TRY(member_release(process, process->owned, true));
    join(process);
    return OK;
}

struct status group_poll(struct process *process)
{
    struct world *world = process->world;
    struct group *group = &world->group;
    struct member *member = &group->members[process->index];
    if (world_outage(world))
        return OK;
    if (!process->member || member->id != process->member)
        return join_anew(process);
    member->seen_ms = world->now_ms;
    if (group->rebalancing)
        return member->rejoined ? OK : rejoin(process);
    if (process->generation != group->generation)
        return give_up(process);
    return process->assigned ? OK : take_up(process);
}

void group_leave(struct process *process)
{
    struct world *world = process->world;
    struct member *member = &world->group.members[process->index];
    if (process->member && member->id == process->member && !world->plan.static_members) {
        member->id = 0;
        group_rebalance(world);
    }
    process->member = 0;
}
