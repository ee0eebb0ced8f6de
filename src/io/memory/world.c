// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/memory.h>

#include <stdlib.h>

#define METADATA_MAX 255
#define HEADERS_MAX  8

struct log {
    struct message *messages; /* of `bytes` */
    size_t count, capacity;
    int64_t position; /* next to deliver; -1: not assigned */
    bool paused;
    int64_t committed;
    char metadata[METADATA_MAX + 1];
};

struct record {
    struct output_record record;
    struct header headers[HEADERS_MAX];
};

struct guarded_store { /* a store behind the fault handler */
    struct memory_world *world;
    struct memory_store *store;
};

struct memory_world {
    struct arena bytes; /* of everything that was appended or published */
    struct log *logs;
    struct guarded_store *stores;
    int32_t partition_count;
    int32_t next_partition; /* polling goes round */
    struct memory_faults faults;
    const struct record **records;
    size_t record_count, record_capacity, queue_max;
    size_t acknowledged; /* records that have left the queue */
    size_t flushed;      /* and that everybody sees */
    bool transactional;  /* which takes a commit */
};

static struct status before(struct memory_world *world, enum memory_effect effect)
{
    return world->faults.before ? world->faults.before(world->faults.context, effect) : OK;
}

static struct status after(struct memory_world *world, enum memory_effect effect)
{
    return world->faults.after ? world->faults.after(world->faults.context, effect) : OK;
}

struct status memory_world_open(int32_t partition_count, struct memory_world **ret_world)
{
    assert(partition_count > 0);
    struct memory_world *world = calloc(1, sizeof *world);
    if (!world)
        return FAIL(MEMORY, 0, "no memory for a world");
    world->partition_count = partition_count;
    world->logs = calloc((size_t)partition_count, sizeof *world->logs);
    world->stores = calloc((size_t)partition_count, sizeof *world->stores);
    struct status status = world->logs && world->stores ? OK : FAIL(MEMORY, partition_count, "no memory for a world");
    for (int32_t p = 0; p < partition_count && !failed(status); p++) {
        world->logs[p].position = world->logs[p].committed = -1;
        world->stores[p].world = world;
        status = memory_store_open(&world->stores[p].store);
    }
    if (failed(status)) {
        memory_world_close(world);
        return status;
    }
    *ret_world = world;
    return OK;
}

void memory_world_close(struct memory_world *world)
{
    if (!world)
        return;
    for (int32_t p = 0; p < world->partition_count; p++) {
        if (world->logs)
            free(world->logs[p].messages);
        if (world->stores)
            memory_store_close(world->stores[p].store);
    }
    free(world->logs);
    free(world->stores);
    free(world->records);
    arena_release(&world->bytes);
    free(world);
}

void memory_world_set_faults(struct memory_world *world, struct memory_faults faults)
{
    world->faults = faults;
}

void memory_world_set_queue(struct memory_world *world, size_t records_max)
{
    world->queue_max = records_max;
}

static struct log *log_of(const struct memory_world *world, int32_t partition)
{
    assert(partition >= 0 && partition < world->partition_count);
    return &world->logs[partition];
}

/* A copy that keeps the difference between no bytes and none given. */
static struct bytes keep(struct memory_world *world, struct bytes bytes)
{
    if (!bytes.data)
        return (struct bytes){0};
    uint8_t *copy = arena_alloc(&world->bytes, bytes.size + 1);
    assert(copy);
    memcpy(copy, bytes.data, bytes.size);
    return bytes_of(copy, bytes.size);
}

int64_t memory_world_append(struct memory_world *world, int32_t partition, int64_t timestamp_ms, struct bytes key,
                            struct bytes value)
{
    struct log *log = log_of(world, partition);
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 64;
        log->messages = realloc(log->messages, log->capacity * sizeof *log->messages);
        assert(log->messages);
    }
    log->messages[log->count] = (struct message){.partition = partition,
                                                 .offset = (int64_t)log->count,
                                                 .timestamp_ms = timestamp_ms,
                                                 .key = keep(world, key),
                                                 .value = keep(world, value)};
    return (int64_t)log->count++;
}

void memory_world_head(struct memory_world *world, int32_t partition, struct bytes schema_header)
{
    struct log *log = log_of(world, partition);
    assert(log->count > 0);
    log->messages[log->count - 1].schema_header = keep(world, schema_header);
}

int64_t memory_world_end(const struct memory_world *world, int32_t partition)
{
    return (int64_t)log_of(world, partition)->count;
}

int64_t memory_world_committed(const struct memory_world *world, int32_t partition, const char **ret_metadata)
{
    const struct log *log = log_of(world, partition);
    if (ret_metadata)
        *ret_metadata = log->metadata;
    return log->committed;
}

void memory_world_assign(struct memory_world *world, int32_t partition, int64_t offset)
{
    log_of(world, partition)->position = offset;
    log_of(world, partition)->paused = false;
}

/* ---- source */

static struct status poll(void *self, int timeout_ms, struct message *messages, size_t capacity, size_t *ret_count)
{
    (void)timeout_ms; /* nothing comes by waiting */
    struct memory_world *world = self;
    size_t count = 0;
    for (int32_t i = 0; i < world->partition_count; i++) {
        struct log *log = &world->logs[(world->next_partition + i) % world->partition_count];
        while (count < capacity && !log->paused && log->position >= 0 && (size_t)log->position < log->count)
            messages[count++] = log->messages[log->position++];
    }
    world->next_partition = (world->next_partition + 1) % world->partition_count;
    *ret_count = count;
    return OK;
}

static struct status begin(void *self, int32_t partition, int64_t offset, int64_t end)
{
    (void)offset, (void)end; /* whoever assigns the partition sets its position */
    log_of(self, partition)->position = -1;
    return OK;
}

static struct status pause_partition(void *self, int32_t partition, bool paused)
{
    log_of(self, partition)->paused = paused;
    return OK;
}

static bool at_end(void *self, int32_t partition)
{
    const struct log *log = log_of(self, partition);
    return log->position >= 0 && (size_t)log->position >= log->count;
}

static struct status offset_at(void *self, int32_t partition, int64_t time_ms, int64_t *ret_offset)
{
    const struct log *log = log_of(self, partition);
    *ret_offset = -1;
    for (size_t i = 0; i < log->count && *ret_offset < 0; i++)
        if (log->messages[i].timestamp_ms >= time_ms)
            *ret_offset = (int64_t)i;
    return OK;
}

struct click_source memory_world_source(struct memory_world *world)
{
    static const struct click_source_ops ops = {poll, begin, pause_partition, at_end, offset_at};
    return (struct click_source){&ops, world};
}

/* ---- sink */

static struct status publish(void *self, const struct output_record *record)
{
    struct memory_world *world = self;
    TRY(before(world, MEMORY_PUBLISH));
    if (world->queue_max && world->record_count - world->acknowledged >= world->queue_max)
        return FAIL(LIMIT, world->queue_max, "the queue is full");
    if (world->record_count == world->record_capacity) {
        size_t capacity = world->record_capacity ? world->record_capacity * 2 : 64;
        const struct record **records = realloc(world->records, capacity * sizeof *records);
        if (!records)
            return FAIL(MEMORY, capacity, "no memory for records");
        world->records = records;
        world->record_capacity = capacity;
    }
    struct record *copy = arena_alloc(&world->bytes, sizeof *copy);
    if (!copy)
        return FAIL(MEMORY, 0, "no memory for a record");
    assert(record->header_count <= HEADERS_MAX);
    *copy = (struct record){.record = *record};
    copy->record.key = keep(world, record->key);
    copy->record.value = keep(world, record->value);
    copy->record.headers = copy->headers;
    for (size_t i = 0; i < record->header_count; i++)
        copy->headers[i] = (struct header){record->headers[i].name, keep(world, record->headers[i].value)};
    world->records[world->record_count++] = copy;
    return OK;
}

static struct status flush(void *self, int timeout_ms)
{
    (void)timeout_ms;
    struct memory_world *world = self;
    TRY(before(world, MEMORY_FLUSH));
    world->acknowledged = world->record_count;
    if (!world->transactional)
        world->flushed = world->record_count;
    return OK;
}

static double fill(void *self)
{
    const struct memory_world *world = self;
    return world->queue_max ? (double)(world->record_count - world->acknowledged) / (double)world->queue_max : 0;
}

struct record_sink memory_world_sink(struct memory_world *world)
{
    static const struct record_sink_ops ops = {publish, flush, fill};
    return (struct record_sink){&ops, world};
}

size_t memory_world_output_count(const struct memory_world *world)
{
    return world->flushed;
}

const struct output_record *memory_world_output(const struct memory_world *world, size_t index)
{
    assert(index < world->flushed);
    return &world->records[index]->record;
}

/* ---- committers */

static void set_points(struct memory_world *world, const struct commit_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct log *log = log_of(world, points[i].partition);
        log->committed = points[i].offset;
        const char *text = points[i].metadata ? points[i].metadata : "";
        assert(strlen(text) <= METADATA_MAX);
        memcpy(log->metadata, text, strlen(text) + 1);
    }
}

static struct status commit_at_least_once(void *self, const struct commit_point *points, size_t count)
{
    struct memory_world *world = self;
    TRY(flush(world, 0));
    TRY(before(world, MEMORY_COMMIT_OFFSETS));
    set_points(world, points, count);
    return after(world, MEMORY_COMMIT_OFFSETS);
}

static void drop_nothing(void *self)
{
    (void)self;
}

static struct status commit_exactly_once(void *self, const struct commit_point *points, size_t count)
{
    struct memory_world *world = self;
    TRY(before(world, MEMORY_COMMIT_OFFSETS));
    world->acknowledged = world->flushed = world->record_count;
    set_points(world, points, count);
    return after(world, MEMORY_COMMIT_OFFSETS);
}

static void drop_uncommitted(void *self)
{
    struct memory_world *world = self;
    world->record_count = world->acknowledged = world->flushed;
}

struct committer memory_world_committer(struct memory_world *world, bool exactly_once)
{
    static const struct committer_ops at_least = {commit_at_least_once, drop_nothing};
    static const struct committer_ops exactly = {commit_exactly_once, drop_uncommitted};
    world->transactional = exactly_once;
    return (struct committer){exactly_once ? &exactly : &at_least, world, exactly_once};
}

/* ---- stores */

static struct session_store inner(void *self)
{
    return memory_store_port(((struct guarded_store *)self)->store);
}

static struct status store_load(void *self, struct status (*visit)(void *context, uint64_t number, struct bytes record),
                                void *context, struct store_position *ret_position, bool *ret_found)
{
    struct session_store store = inner(self);
    return store.ops->load(store.self, visit, context, ret_position, ret_found);
}

static struct status store_begin(void *self)
{
    struct session_store store = inner(self);
    return store.ops->begin(store.self);
}

static struct status store_put(void *self, uint64_t number, struct bytes record)
{
    struct session_store store = inner(self);
    return store.ops->put(store.self, number, record);
}

static struct status store_remove(void *self, uint64_t number)
{
    struct session_store store = inner(self);
    return store.ops->remove(store.self, number);
}

static struct status store_commit(void *self, const struct store_position *position)
{
    struct session_store store = inner(self);
    TRY(before(((struct guarded_store *)self)->world, MEMORY_COMMIT_STORE));
    return store.ops->commit(store.self, position);
}

static void store_abort(void *self)
{
    struct session_store store = inner(self);
    store.ops->abort(store.self);
}

static struct status store_clear(void *self)
{
    struct session_store store = inner(self);
    return store.ops->clear(store.self);
}

struct session_store memory_world_store(struct memory_world *world, int32_t partition)
{
    static const struct session_store_ops ops = {store_load,   store_begin, store_put,  store_remove,
                                                 store_commit, store_abort, store_clear};
    assert(partition >= 0 && partition < world->partition_count);
    return (struct session_store){&ops, &world->stores[partition]};
}

void memory_world_crash(struct memory_world *world)
{
    world->record_count = world->acknowledged = world->flushed;
    for (int32_t p = 0; p < world->partition_count; p++) {
        world->logs[p].position = -1;
        world->logs[p].paused = false;
        store_abort(&world->stores[p]);
    }
}
