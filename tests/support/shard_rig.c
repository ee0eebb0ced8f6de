// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/shard_rig.h"

#include <eddy/base/random.h>

static int64_t rig_wall_ms(void *self)
{
    return ((struct shard_rig *)self)->wall_ms;
}

static int64_t rig_monotonic_us(void *self)
{
    return ((struct shard_rig *)self)->monotonic_us;
}

/* Time passes only between steps. */
static void rig_wait(void *self, int ms)
{
    (void)self;
    (void)ms;
}

static const struct time_source_ops rig_clock = {rig_wall_ms, rig_monotonic_us, rig_wait};

static struct status open_store(void *context, int32_t partition, struct session_store *ret_store,
                                struct complaint *complaint)
{
    (void)complaint;
    struct shard_rig *rig = context;
    rig->stores_open++;
    *ret_store = memory_world_store(rig->world, partition);
    return OK;
}

static void close_store(void *context, int32_t partition, struct session_store store)
{
    (void)partition;
    (void)store;
    ((struct shard_rig *)context)->stores_open--;
}

void shard_rig_open(struct shard_rig *rig, int32_t partitions)
{
    *rig = (struct shard_rig){
        .partitions = partitions,
        .items = 30,
        .wall_ms = SHARD_RIG_TIME,
        .dead_limits = {.window_clicks = 1000},
        .options =
            {
                .engine = {.session = {.gap_ms = 10000,
                                       .grace_ms = 1000,
                                       .max_duration_ms = 600000,
                                       .clicks_max = 100,
                                       .open_max = 10000,
                                       .infer_duplicates = true},
                           .fusion = fusion_options_default(),
                           .learn_interval_ms = 5000,
                           .scoring = true},
                .limits = {.future_max_ms = 60000},
                .topic = BYTES("clicks"),
                .batch_clicks = 50,
                .commit_clicks = 1000000,
                .commit_sessions = 1000000,
                .commit_interval_ms = 100,
            },
        .knowledge_options =
            {
                .catalogue = {.items_max = 10000, .memory_max_bytes = 1 << 24, .title_max_bytes = 100},
                .learned = learned_options_default(),
                .learner = {.delay_ms = 2000, .pending_max = 100000},
            },
    };
    rig->options.engine.fusion.list_size = 5;
    rig->knowledge_options.learned.sessions_max = 1000;
    assert_ok(memory_world_open(partitions, &rig->world));
}

static void close_parts(struct shard_rig *rig)
{
    shard_close(rig->shard);
    follower_close(rig->follower);
    decoder_close(rig->decoder);
    decoder_close(rig->items_decoder);
    decoder_close(rig->sessions_decoder);
    knowledge_close(rig->knowledge);
    dead_watch_close(rig->dead_watch);
    rig->shard = NULL;
    rig->dead_watch = NULL;
    rig->follower = NULL;
    rig->decoder = rig->items_decoder = rig->sessions_decoder = NULL;
    rig->knowledge = NULL;
    assert_int_equal(rig->stores_open, 0);
}

void shard_rig_close(struct shard_rig *rig)
{
    close_parts(rig);
    memory_world_close(rig->world);
}

/* What the process does before it takes partitions: reads the items and sessions topics to their ends. */
static void feed_items(struct shard_rig *rig)
{
    for (int i = 0; i < rig->items; i++) {
        char id[32];
        snprintf(id, sizeof id, "item-%d", i);
        struct item item = {.item_id = bytes_of_text(id), .available = true};
        assert_ok(catalogue_put(knowledge_catalogue(rig->knowledge), &item, NULL));
    }
}

static void feed_sessions(struct shard_rig *rig)
{
    for (size_t i = 0;; i++) {
        const struct output_record *record = shard_rig_output(rig, OUTPUT_SESSIONS, i);
        if (!record)
            return;
        struct message message = {.partition = record->partition, .offset = (int64_t)i, .value = record->value};
        assert_ok(follower_take_sessions(rig->follower, &message, 1));
    }
}

struct status shard_rig_start(struct shard_rig *rig, struct complaint *complaint)
{
    assert_null(rig->shard);
    assert_ok(dead_watch_open(&rig->dead_limits, &rig->dead_watch));
    assert_ok(knowledge_open(&rig->knowledge_options, &rig->knowledge, NULL));
    assert_ok(decoder_open(RECORD_CLICK, rig->clicks, &rig->decoder));
    assert_ok(decoder_open(RECORD_ITEM, RECORD_JSON, &rig->items_decoder));
    assert_ok(decoder_open(RECORD_CLOSED_SESSION, RECORD_AVRO, &rig->sessions_decoder));
    assert_ok(follower_open(rig->items_decoder, rig->sessions_decoder, rig->knowledge, &rig->metrics, &rig->follower));
    feed_items(rig);
    feed_sessions(rig);
    const struct shard_ports ports = {.source = memory_world_source(rig->world),
                                      .sink = memory_world_sink(rig->world),
                                      .committer = memory_world_committer(rig->world, rig->exactly_once),
                                      .time = {&rig_clock, rig},
                                      .stores = {open_store, close_store, rig},
                                      .decoder = rig->decoder,
                                      .schemas = rig->schemas,
                                      .knowledge = rig->knowledge,
                                      .dead_watch = rig->dead_watch,
                                      .metrics = &rig->metrics};
    assert_ok(shard_open(&rig->options, &ports, &rig->shard));
    for (int32_t p = 0; p < rig->partitions; p++) {
        struct assignment assignment = {.partition = p, .high = memory_world_end(rig->world, p)};
        const char *metadata;
        assignment.committed = memory_world_committed(rig->world, p, &metadata);
        assignment.metadata = bytes_of_text(metadata);
        assignment.start = assignment.committed < 0 ? 0 : assignment.committed;
        TRY(shard_accept(rig->shard, &assignment, complaint));
        memory_world_assign(rig->world, p, assignment.start);
    }
    return OK;
}

void shard_rig_crash(struct shard_rig *rig)
{
    close_parts(rig);
    memory_world_crash(rig->world);
}

struct status shard_rig_stop(struct shard_rig *rig)
{
    int32_t partitions[64];
    assert_true(rig->partitions <= 64);
    for (int32_t p = 0; p < rig->partitions; p++)
        partitions[p] = p;
    TRY(shard_release(rig->shard, partitions, (size_t)rig->partitions, false, 1000));
    close_parts(rig);
    return OK;
}

static bool all_committed(const struct shard_rig *rig)
{
    for (int32_t p = 0; p < rig->partitions; p++) {
        int64_t end = memory_world_end(rig->world, p);
        if (end > 0 && memory_world_committed(rig->world, p, NULL) != end)
            return false;
    }
    return true;
}

struct status shard_rig_run(struct shard_rig *rig)
{
    size_t count = 1;
    for (int rounds = 0; count > 0 || !all_committed(rig); rounds++) {
        assert_true(rounds < 100000);
        TRY(shard_step(rig->shard, 0, &count));
        rig->wall_ms += 10;
        rig->monotonic_us += 10000;
    }
    return OK;
}

int64_t shard_rig_click(struct shard_rig *rig, int32_t partition, const char *session_id, const char *item_id,
                        int64_t time_ms)
{
    struct click click = {
        .session_id = bytes_of_text(session_id), .item_id = bytes_of_text(item_id), .time_ms = time_ms};
    AUTO(buffer) value = {0};
    encode_click((struct encoding){RECORD_AVRO, 0}, &click, &value);
    return memory_world_append(rig->world, partition, time_ms, click.session_id, buffer_bytes(&value));
}

void shard_rig_item(struct shard_rig *rig, const char *item_id, const char *value)
{
    struct message message = {.key = bytes_of_text(item_id)};
    if (value)
        message.value = bytes_of_text(value);
    assert_ok(follower_take_items(rig->follower, &message, 1));
}

void shard_rig_traffic(struct shard_rig *rig, size_t count, uint64_t seed)
{
    struct random random;
    random_seed(&random, seed);
    for (size_t i = rig->traffic; i < rig->traffic + count; i++) {
        char session[32], item[32];
        uint32_t visitor = random_below(&random, 12);
        snprintf(session, sizeof session, "s%u-%zu", visitor, i / 200);
        snprintf(item, sizeof item, "item-%u", (visitor % 3) * 10 + random_below(&random, 10));
        shard_rig_click(rig, (int32_t)(visitor % (uint32_t)rig->partitions), session, item,
                        SHARD_RIG_TIME + (int64_t)i * 250);
    }
    rig->traffic += count;
}

size_t shard_rig_count(const struct shard_rig *rig, enum output output)
{
    size_t count = 0;
    for (size_t i = 0; i < memory_world_output_count(rig->world); i++)
        count += memory_world_output(rig->world, i)->output == output;
    return count;
}

const struct output_record *shard_rig_output(const struct shard_rig *rig, enum output output, size_t index)
{
    for (size_t i = 0; i < memory_world_output_count(rig->world); i++) {
        const struct output_record *record = memory_world_output(rig->world, i);
        if (record->output == output && index-- == 0)
            return record;
    }
    return NULL;
}

struct hashing {
    uint64_t hash;
    bool without_numbers;
};

static struct status hash_session(void *context, uint64_t number, struct bytes record)
{
    struct hashing *hashing = context;
    uint64_t parts[3] = {hashing->hash, hashing->without_numbers ? 0 : number, bytes_hash(record)};
    hashing->hash = bytes_hash(bytes_of(parts, sizeof parts));
    return OK;
}

static uint64_t hash_stores(const struct shard_rig *rig, struct hashing hashing)
{
    for (int32_t p = 0; p < rig->partitions; p++) {
        struct session_store store = memory_world_store(rig->world, p);
        struct store_position position = {0};
        bool found;
        assert_ok(store.ops->load(store.self, hash_session, &hashing, &position, &found));
        uint64_t parts[5] = {hashing.hash, (uint64_t)position.offset, (uint64_t)position.watermark_ms,
                             (uint64_t)position.close_offset, position.close_sequence};
        hashing.hash = bytes_hash(bytes_of(parts, sizeof parts));
    }
    return hashing.hash;
}

uint64_t shard_rig_state(const struct shard_rig *rig)
{
    return hash_stores(rig, (struct hashing){0});
}

uint64_t shard_rig_sessions(const struct shard_rig *rig)
{
    return hash_stores(rig, (struct hashing){.without_numbers = true});
}

struct status shard_trace_effect(void *context, enum memory_effect effect)
{
    struct shard_trace *trace = context;
    assert_true(trace->count < sizeof trace->effects / sizeof *trace->effects);
    trace->effects[trace->count++] = effect;
    return trace->count == trace->fail_at ? trace->fault : OK;
}
