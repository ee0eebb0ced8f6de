// SPDX-License-Identifier: Apache-2.0
#include "simulator/plan.h"

#include <eddy/core/codec.h>
#include <stdio.h>
#include <stdlib.h>

#define VISIT_MS  20000 /* as long as a visitor keeps one name */
#define JITTER_MS 30000 /* and so much earlier a click may have happened than others that came before it */

struct traffic {
    const struct plan *plan;
    struct random random;
    struct arena *arena;
    struct sent_log *logs;
    int64_t clock_ms;
    bool broker_stamps; /* else the producers do, in no order */
    uint32_t names[25], next_name;
    int64_t since_ms[25];
    struct buffer value;
};

static bool chance(struct traffic *traffic, uint32_t percent)
{
    return random_below(&traffic->random, 100) < percent;
}

static struct bytes copy(struct traffic *traffic, struct bytes bytes)
{
    struct bytes copied = arena_copy(traffic->arena, bytes);
    if (!bytes.size) /* nothing is not the same as none */
        copied = bytes_of(arena_alloc(traffic->arena, 1), 0);
    assert(copied.data);
    return copied;
}

/* Time passes, sometimes for longer than a session lasts. */
static void pass_time(struct traffic *traffic)
{
    uint32_t kind = random_below(&traffic->random, 200);
    int64_t gap_ms = traffic->plan->shard.engine.session.gap_ms;
    traffic->clock_ms += kind == 0  ? 3 * gap_ms + random_below(&traffic->random, 60000)
                         : kind < 4 ? random_below(&traffic->random, (uint32_t)gap_ms)
                                    : random_below(&traffic->random, 700);
}

static uint32_t visitor_of(struct traffic *traffic)
{
    uint32_t slot = random_below(&traffic->random, traffic->plan->visitors);
    bool fresh = traffic->names[slot] == 0 || traffic->clock_ms - traffic->since_ms[slot] > VISIT_MS;
    if (fresh || chance(traffic, 3)) {
        traffic->names[slot] = ++traffic->next_name;
        traffic->since_ms[slot] = traffic->clock_ms;
    }
    return traffic->names[slot];
}

static struct sent *add(struct traffic *traffic, int32_t partition)
{
    struct sent_log *log = &traffic->logs[partition];
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? 2 * log->capacity : 64;
        log->sent = realloc(log->sent, log->capacity * sizeof *log->sent);
        assert(log->sent);
    }
    log->end += chance(traffic, 3); /* a control record */
    struct sent *sent = &log->sent[log->count++];
    *sent = (struct sent){.message = {.partition = partition, .offset = log->end++}};
    return sent;
}

static int64_t event_time(struct traffic *traffic, int64_t record_ms)
{
    int64_t future_ms = traffic->plan->shard.limits.future_max_ms;
    if (chance(traffic, 2))
        return record_ms + random_below(&traffic->random, (uint32_t)future_ms + 1);
    if (chance(traffic, 20))
        return record_ms - random_below(&traffic->random, chance(traffic, 30) ? JITTER_MS : 2000);
    return record_ms;
}

static void encode(struct traffic *traffic, struct sent *sent)
{
    char visitor[32], user[32], item[32], event[32];
    snprintf(visitor, sizeof visitor, "v%u", sent->visitor);
    snprintf(user, sizeof user, "u%u", sent->user);
    snprintf(item, sizeof item, "item-%u", sent->item);
    snprintf(event, sizeof event, "e%u", sent->event_id);
    bool by_user = traffic->plan->shard.limits.by_user;
    struct click click = {.session_id = bytes_of_text(visitor),
                          .user_id = bytes_of_text(sent->user || by_user ? user : ""),
                          .item_id = bytes_of_text(item),
                          .event_id = bytes_of_text(sent->event_id ? event : ""),
                          .time_ms = sent->time_ms,
                          .type = sent->type};
    buffer_clear(&traffic->value);
    encode_click((struct encoding){RECORD_AVRO, 0}, &click, &traffic->value);
    sent->message.key = copy(traffic, by_user ? click.user_id : click.session_id);
    sent->message.value = copy(traffic, buffer_bytes(&traffic->value));
}

/* What cannot be used, in one of several ways. */
static void spoil(struct traffic *traffic, struct sent *sent)
{
    int64_t future_ms = sent->message.timestamp_ms + traffic->plan->shard.limits.future_max_ms;
    uint32_t kind = random_below(&traffic->random, 5);
    sent->usable = false;
    if (kind == 0)
        sent->time_ms = future_ms + 1 + random_below(&traffic->random, 1000000000);
    if (kind == 1)
        sent->time_ms = random_below(&traffic->random, 1000000000);
    encode(traffic, sent);
    if (kind == 2)
        sent->message.value = (struct bytes){0};
    if (kind == 3)
        sent->message.value.size = random_below(&traffic->random, 3);
    if (kind == 4)
        sent->message.value = copy(traffic, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
}

static void send_again(struct traffic *traffic, struct sent *sent)
{
    const struct sent_log *log = &traffic->logs[sent->message.partition];
    size_t back = 1 + random_below(&traffic->random, 40);
    if (back + 1 > log->count)
        return;
    const struct sent *old = &log->sent[log->count - 1 - back];
    struct message message = old->message;
    if (!old->usable)
        return;
    message.offset = sent->message.offset;
    message.timestamp_ms = sent->message.timestamp_ms;
    int64_t arrival_ms = sent->arrival_ms;
    *sent = *old;
    sent->message = message;
    sent->arrival_ms = arrival_ms;
    int64_t lead_ms = sent->time_ms - message.timestamp_ms;
    sent->usable = lead_ms <= traffic->plan->shard.limits.future_max_ms;
}

static void send(struct traffic *traffic)
{
    const struct plan *plan = traffic->plan;
    pass_time(traffic);
    uint32_t visitor = visitor_of(traffic);
    int32_t partition = (int32_t)(visitor % (uint32_t)plan->partitions);
    if (chance(traffic, 3))
        partition = (int32_t)random_below(&traffic->random, (uint32_t)plan->partitions);
    struct sent *sent = add(traffic, partition);
    int64_t record_ms = traffic->clock_ms;
    if (!traffic->broker_stamps)
        record_ms -= random_below(&traffic->random, 2000);
    sent->message.timestamp_ms = record_ms;
    sent->arrival_ms = traffic->clock_ms;
    sent->usable = true;
    sent->visitor = visitor;
    sent->user = plan->shard.limits.by_user ? visitor : chance(traffic, 70) ? visitor + 1000 * chance(traffic, 10) : 0;
    sent->item = random_below(&traffic->random, plan->frozen ? ITEMS : ITEMS + 10);
    sent->event_id = chance(traffic, 50) ? 1 + random_below(&traffic->random, 100000) : 0;
    sent->type = (enum click_type)random_below(&traffic->random, CLICK_TYPE_COUNT);
    sent->time_ms = event_time(traffic, record_ms);
    if (chance(traffic, 5))
        spoil(traffic, sent);
    else
        encode(traffic, sent);
    if (chance(traffic, 8))
        send_again(traffic, sent);
}

void traffic_make(const struct plan *plan, struct arena *arena, struct sent_log logs[PARTITIONS_MAX])
{
    struct traffic traffic = {.plan = plan, .arena = arena, .logs = logs, .clock_ms = PLAN_TIME};
    random_seed(&traffic.random, plan->seed ^ UINT64_C(0x7261666669630001));
    traffic.broker_stamps = chance(&traffic, 50);
    for (uint32_t i = 0; i < plan->clicks; i++)
        send(&traffic);
    for (int32_t p = 0; p < plan->partitions; p++)
        logs[p].end += chance(&traffic, 30);
    buffer_release(&traffic.value);
}

void traffic_release(struct sent_log logs[PARTITIONS_MAX])
{
    for (int32_t p = 0; p < PARTITIONS_MAX; p++)
        free(logs[p].sent);
}
