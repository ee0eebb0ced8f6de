// SPDX-License-Identifier: Apache-2.0
/* A producer and committer that deliver at least once: records leave a bounded queue in their order, whenever the
 * brokers get to it; offsets are committed to the group after a flush. */
#include "simulator/world.h"

#include <stdlib.h>

#define HEADERS_MAX 8

/* ---- records */

void record_list_add(struct record_list *list, struct output_record *record)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        list->records = realloc(list->records, list->capacity * sizeof(struct output_record *));
        assert(list->records);
    }
    list->records[list->count++] = record;
}

static struct bytes copy(struct world *world, struct bytes bytes)
{
    if (!bytes.data)
        return bytes;
    uint8_t *data = arena_alloc(&world->memory, bytes.size + 1);
    assert(data);
    if (bytes.size)
        memcpy(data, bytes.data, bytes.size);
    return bytes_of(data, bytes.size);
}

static struct output_record *record_copy(struct world *world, const struct output_record *record)
{
    struct output_record *copied = ARENA_ARRAY(&world->memory, struct output_record, 1);
    struct header *headers = ARENA_ARRAY(&world->memory, struct header, HEADERS_MAX);
    assert(copied && headers && record->header_count <= HEADERS_MAX);
    bool spoiled = (record->output == OUTPUT_RECOMMENDATIONS && world_spoils(world, SABOTAGE_OTHER_BYTES, 200)) ||
                   (record->output == OUTPUT_SESSIONS && world_spoils(world, SABOTAGE_OTHER_SESSION, 20));
    *copied = *record;
    copied->timestamp_ms += spoiled;
    copied->key = copy(world, record->key);
    copied->value = copy(world, record->value);
    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct header){record->headers[i].name, copy(world, record->headers[i].value)};
    copied->headers = headers;
    return copied;
}

static void swap_last(struct record_list *list)
{
    struct output_record *last = list->records[list->count - 1];
    list->records[list->count - 1] = list->records[list->count - 2];
    list->records[list->count - 2] = last;
}

void record_list_publish(struct world *world, struct record_list *list, const struct output_record *record)
{
    record_list_add(list, record_copy(world, record));
    if (list->count > 1 && world_spoils(world, SABOTAGE_SWAP, 50))
        swap_last(list);
}

/* Subscribers see them; the sessions among them come back to the processes. */
void records_seen(struct world *world, const struct record_list *records)
{
    for (size_t i = 0; i < records->count; i++)
        if (records->records[i]->output == OUTPUT_SESSIONS)
            record_list_add(&world->sessions_topic, records->records[i]);
    judge_records(world->judge, records->records, records->count);
}

void points_of(struct world *world, struct point_list *list, const struct commit_point *points, size_t count)
{
    count -= count > 1 && world_spoils(world, SABOTAGE_LOSE_POINT, 5);
    list->count = count;
    for (size_t i = 0; i < count; i++) {
        struct group_offset *offset = &list->offsets[i];
        list->partitions[i] = points[i].partition;
        offset->offset = points[i].offset;
        assert(strlen(points[i].metadata) < sizeof offset->metadata);
        memcpy(offset->metadata, points[i].metadata, strlen(points[i].metadata) + 1);
    }
}

/* ---- life */

void producer_open(struct producer *producer, struct process *process, uint32_t lane)
{
    producer->process = process;
    producer->lane = lane;
}

/* What the client had goes with it; some of the queue may have been on its way. */
void producer_crash(struct producer *producer)
{
    struct world *world = producer->process->world;
    if (!world->plan.exactly_once && !world_is_broken(world))
        producer_deliver(producer, world_below(world, (uint32_t)producer->kept.count + 1));
    struct record_list kept = producer->kept;
    *producer = (struct producer){.process = producer->process, .lane = producer->lane, .kept = kept};
    producer->kept.count = 0;
}

void producer_release(struct producer *producer)
{
    free(producer->kept.records);
    producer->kept = (struct record_list){0};
}

void producer_deliver(struct producer *producer, size_t most)
{
    struct record_list *kept = &producer->kept;
    struct record_list seen = {kept->records, most < kept->count ? most : kept->count, 0};
    records_seen(producer->process->world, &seen);
    kept->count -= seen.count;
    if (kept->count)
        memmove(kept->records, kept->records + seen.count, kept->count * sizeof(struct output_record *));
    producer->queued = kept->count;
}

/* ---- the sink */

static struct status publish(void *self, const struct output_record *record)
{
    struct producer *producer = self;
    struct world *world = producer->process->world;
    TRY(world_effect(producer->process));
    bool full = producer->kept.count >= world->plan.queue_max && world->plan.sabotage != SABOTAGE_NO_LIMIT;
    if (full || world_chance(world, world->plan.rates.queue_full))
        return FAIL(LIMIT, world->plan.queue_max, "the queue is full");
    for (int i = 0; i <= world_spoils(world, SABOTAGE_PUBLISH_TWICE, 100); i++)
        record_list_publish(world, &producer->kept, record);
    producer->queued = producer->kept.count;
    return OK;
}

static struct status flush(void *self, int timeout_ms)
{
    struct producer *producer = self;
    struct world *world = producer->process->world;
    TRY(world_effect(producer->process));
    if (producer->kept.count && world_chance(world, world->plan.rates.refusal)) {
        producer->refused = true;
        producer->kept.count--;
    }
    if (producer->refused)
        return FAIL(IO, 0, "a record was refused");
    if (world_outage(world) || world_chance(world, 10000)) {
        world_pass(world, timeout_ms);
        producer_deliver(producer, world_below(world, 3));
        return FAIL(UNAVAILABLE, 0, "the brokers are away");
    }
    world_pass(world, 1);
    producer_deliver(producer, SIZE_MAX);
    return OK;
}

static double fill(void *self)
{
    const struct producer *producer = self;
    return (double)producer->kept.count / (double)producer->process->world->plan.queue_max;
}

struct record_sink producer_sink(struct producer *producer)
{
    static const struct record_sink_ops ops = {publish, flush, fill};
    return (struct record_sink){&ops, producer};
}

/* ---- the committer */

static struct status commit(void *self, const struct commit_point *points, size_t count)
{
    struct producer *producer = self;
    struct world *world = producer->process->world;
    TRY(flush(self, 500));
    TRY(world_effect(producer->process));
    if (!group_knows(world, producer->process))
        return FAIL(FENCED, 0, "the partition has another owner");
    bool answered = !world_chance(world, 20000), done = answered || world_below(world, 2);
    if (world_outage(world) || world->plan.sabotage == SABOTAGE_NO_PROGRESS)
        answered = done = false;
    if (!answered)
        world_pass(world, 500);
    struct point_list list;
    points_of(world, &list, points, count);
    if (done && !world_spoils(world, SABOTAGE_COMMIT_NOTHING, 20))
        group_commit(world, &list);
    return answered ? OK : FAIL(UNAVAILABLE, 0, "the commit was not answered");
}

static void drop(void *self)
{
    (void)self; /* what is published stays so */
}

struct committer producer_committer(struct producer *producer)
{
    static const struct committer_ops ops = {commit, drop};
    return (struct committer){&ops, producer, false};
}
