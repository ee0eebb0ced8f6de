// SPDX-License-Identifier: Apache-2.0
/* What a process reads from and keeps on its disk. */
#include "simulator/world.h"

/* ---- the clicks */

/* One past the last record that has arrived, control records included. */
int64_t log_high(const struct world *world, int32_t partition)
{
    const struct sent_log *log = &world->logs[partition];
    size_t low = 0, high = log->count; /* arrivals ascend */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (log->sent[middle].arrival_ms <= world->now_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low == log->count ? log->end : low == 0 ? 0 : log->sent[low - 1].message.offset + 1;
}

/* The first record at or after an offset. */
static size_t find(const struct sent_log *log, int64_t offset)
{
    size_t low = 0, high = log->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (log->sent[middle].message.offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void poll_partition(struct lane *lane, int32_t p, struct message *messages, size_t capacity, size_t *count)
{
    struct world *world = lane->process->world;
    const struct sent_log *log = &world->logs[p];
    int64_t high = log_high(world, p);
    for (size_t i = find(log, lane->positions[p]); i < log->count && *count < capacity; i++) {
        if (log->sent[i].message.offset >= high)
            break;
        lane->positions[p] = log->sent[i].message.offset + 1;
        lane->ended[p] = false;
        if (!world_spoils(world, SABOTAGE_LOSE_CLICK, 50))
            messages[(*count)++] = log->sent[i].message;
    }
    size_t next = find(log, lane->positions[p]);
    if (*count < capacity && (next == log->count || log->sent[next].message.offset >= high)) {
        lane->positions[p] = high > lane->positions[p] ? high : lane->positions[p];
        lane->ended[p] = true;
    }
}

static struct status poll(void *self, int timeout_ms, struct message *messages, size_t capacity, size_t *ret_count)
{
    (void)timeout_ms;
    struct lane *lane = self;
    struct world *world = lane->process->world;
    TRY(world_effect(lane->process));
    *ret_count = 0;
    if (world_outage(world) || world_chance(world, 20000))
        return OK;
    int32_t count = world->plan.partitions;
    int32_t first = (int32_t)world_below(world, (uint32_t)count);
    size_t portion = world->quiet ? capacity : 1 + world_below(world, (uint32_t)capacity);
    for (int32_t i = 0; i < count; i++) {
        int32_t p = (first + i) % count;
        if (lane->positions[p] >= 0 && !lane->paused[p])
            poll_partition(lane, p, messages, portion, ret_count);
    }
    return OK;
}

static struct status begin(void *self, int32_t partition, int64_t offset, int64_t end)
{
    (void)offset, (void)end; /* the group sets its position */
    ((struct lane *)self)->positions[partition] = -1;
    ((struct lane *)self)->ended[partition] = false;
    return OK;
}

static struct status pause_partition(void *self, int32_t partition, bool paused)
{
    struct lane *lane = self;
    TRY(world_effect(lane->process));
    if (world_chance(lane->process->world, lane->process->world->plan.rates.refusal))
        return FAIL(IO, 0, "cannot pause or resume");
    lane->paused[partition] = paused;
    return OK;
}

static bool at_end(void *self, int32_t partition)
{
    struct lane *lane = self;
    struct world *world = lane->process->world;
    if (failed(world_effect(lane->process)) || world_outage(world) || !lane->ended[partition])
        return false;
    return log_high(world, partition) <= lane->positions[partition];
}

static struct status offset_at(void *self, int32_t partition, int64_t time_ms, int64_t *ret_offset)
{
    struct lane *lane = self;
    struct world *world = lane->process->world;
    const struct sent_log *log = &world->logs[partition];
    TRY(world_effect(lane->process));
    if (world_outage(world) || world_chance(world, 50000))
        return FAIL(UNAVAILABLE, 0, "the brokers do not say where a time begins");
    int64_t high = log_high(world, partition);
    *ret_offset = -1;
    for (size_t i = 0; i < log->count && log->sent[i].message.offset < high && *ret_offset < 0; i++)
        if (log->sent[i].message.timestamp_ms >= time_ms)
            *ret_offset = log->sent[i].message.offset;
    return OK;
}

struct click_source lane_source(struct lane *lane)
{
    static const struct click_source_ops ops = {poll, begin, pause_partition, at_end, offset_at};
    return (struct click_source){&ops, lane};
}

/* ---- time */

static int64_t wall_ms(void *self)
{
    const struct process *process = self;
    return process->world->now_ms + process->wall_skew_ms;
}

static int64_t monotonic_us(void *self)
{
    return ((const struct process *)self)->world->monotonic_us;
}

/* Time passes only between steps. */
static void let_pass(void *self, int ms)
{
    (void)self;
    (void)ms;
}

struct time_source member_time(struct process *process)
{
    static const struct time_source_ops ops = {wall_ms, monotonic_us, let_pass};
    return (struct time_source){&ops, process};
}

/* ---- the disk */

static struct session_store inner(void *self)
{
    return memory_store_port(((struct disk_store *)self)->store);
}

/* Before each use of the disk. */
static struct status touch(struct disk_store *disk)
{
    struct world *world = disk->process->world;
    TRY(world_effect(disk->process));
    return world_chance(world, world->plan.rates.disk_full) ? FAIL(DISK_FULL, 0, "the disk is full") : OK;
}

static struct status load(void *self, struct status (*visit)(void *context, uint64_t number, struct bytes record),
                          void *context, struct store_position *ret_position, bool *ret_found)
{
    TRY(world_effect(((struct disk_store *)self)->process));
    struct session_store store = inner(self);
    return store.ops->load(store.self, visit, context, ret_position, ret_found);
}

static struct status store_begin(void *self)
{
    TRY(touch(self));
    struct session_store store = inner(self);
    return store.ops->begin(store.self);
}

static struct status put(void *self, uint64_t number, struct bytes record)
{
    struct disk_store *disk = self;
    TRY(touch(disk));
    struct session_store store = inner(self);
    if (world_spoils(disk->process->world, SABOTAGE_LOSE_PUT, 30))
        return OK;
    return store.ops->put(store.self, number, record);
}

static struct status remove_one(void *self, uint64_t number)
{
    TRY(touch(self));
    struct session_store store = inner(self);
    return store.ops->remove(store.self, number);
}

static struct status commit(void *self, const struct store_position *position)
{
    struct disk_store *disk = self;
    struct world *world = disk->process->world;
    struct session_store store = inner(self);
    struct status status = touch(disk);
    if (failed(status)) {
        store.ops->abort(store.self);
        return status;
    }
    world_say(world, "process %d stores partition %d at %lld, watermark %lld", disk->process->index, disk->partition,
              (long long)position->offset, (long long)position->watermark_ms);
    judge_store(world->judge, disk->partition, position);
    struct store_position kept = *position;
    kept.watermark_ms -= world_spoils(world, SABOTAGE_LOSE_POSITION, 5);
    return store.ops->commit(store.self, &kept);
}

static void abort_transaction(void *self)
{
    struct session_store store = inner(self);
    store.ops->abort(store.self);
}

static struct status clear(void *self)
{
    TRY(touch(self));
    struct session_store store = inner(self);
    return store.ops->clear(store.self);
}

static struct status open_store(void *context, int32_t partition, struct session_store *ret_store,
                                struct complaint *complaint)
{
    static const struct session_store_ops ops = {load, store_begin, put, remove_one, commit, abort_transaction, clear};
    (void)complaint;
    struct process *process = context;
    TRY(world_effect(process));
    process->stores_open++;
    *ret_store = (struct session_store){&ops, &process->disk[partition]};
    return OK;
}

static void close_store(void *context, int32_t partition, struct session_store store)
{
    (void)partition;
    (void)store;
    ((struct process *)context)->stores_open--;
}

struct store_opener member_stores(struct process *process)
{
    return (struct store_opener){open_store, close_store, process};
}
