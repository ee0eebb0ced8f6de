// SPDX-License-Identifier: Apache-2.0
/* A shard with its engine, its store in LMDB and its learned state, on a world in memory, in two lives: the second
 * begins with what the first has stored. At least once with clicks as Avro, and exactly once with clicks as JSON. */
#include "support/support.h"

#include "app/follower.h"
#include "app/shard.h"
#include "torture/torture.h"

#include <eddy/base/random.h>
#include <eddy/io/memory.h>
#include <eddy/io/session_store.h>

#define CLICKS   120
#define ITEMS    20
#define START_MS INT64_C(1700000000000)

struct self {
    bool exactly_once;
    enum sabotage sabotage;
    struct temporary_folder folder;
    char saved[300];
    struct memory_world *world;
    struct click_source source;
    struct record_sink sink;
    struct committer committer;
    int64_t now_ms;
};

/* What lives as long as a process. */
struct life {
    struct self *self;
    struct metrics metrics;
    struct state_directory *directory;
    struct store *store;
    struct session_store port;
    struct knowledge *knowledge;
    struct dead_watch *dead_watch;
    struct decoder *clicks, *items, *sessions;
    struct follower *follower;
    struct shard *shard;
};

/* ---- the world, which does not fail here */

#define CALM(call)                                                                                                     \
    __extension__({                                                                                                    \
        faults_pause();                                                                                                \
        __auto_type calm_ = (call);                                                                                    \
        faults_resume();                                                                                               \
        calm_;                                                                                                         \
    })

static struct status source_poll(void *context, int timeout_ms, struct message *messages, size_t capacity,
                                 size_t *ret_count)
{
    struct click_source source = ((struct self *)context)->source;
    return CALM(source.ops->poll(source.self, timeout_ms, messages, capacity, ret_count));
}

static struct status source_begin(void *context, int32_t partition, int64_t offset, int64_t end)
{
    struct click_source source = ((struct self *)context)->source;
    return source.ops->begin(source.self, partition, offset, end);
}

static struct status source_pause(void *context, int32_t partition, bool paused)
{
    struct click_source source = ((struct self *)context)->source;
    return source.ops->pause(source.self, partition, paused);
}

static bool source_at_end(void *context, int32_t partition)
{
    struct click_source source = ((struct self *)context)->source;
    return source.ops->at_end(source.self, partition);
}

static struct status source_offset_at(void *context, int32_t partition, int64_t time_ms, int64_t *ret_offset)
{
    struct click_source source = ((struct self *)context)->source;
    return source.ops->offset_at(source.self, partition, time_ms, ret_offset);
}

static struct status sink_publish(void *context, const struct output_record *record)
{
    struct record_sink sink = ((struct self *)context)->sink;
    return CALM(sink.ops->publish(sink.self, record));
}

static struct status sink_flush(void *context, int timeout_ms)
{
    struct record_sink sink = ((struct self *)context)->sink;
    return CALM(sink.ops->flush(sink.self, timeout_ms));
}

static double sink_fill(void *context)
{
    struct record_sink sink = ((struct self *)context)->sink;
    return sink.ops->fill(sink.self);
}

static struct status committer_commit(void *context, const struct commit_point *points, size_t count)
{
    struct committer committer = ((struct self *)context)->committer;
    return CALM(committer.ops->commit(committer.self, points, count));
}

static void committer_drop(void *context)
{
    struct committer committer = ((struct self *)context)->committer;
    committer.ops->drop(committer.self);
}

static const struct click_source_ops source_ops = {source_poll, source_begin, source_pause, source_at_end,
                                                   source_offset_at};
static const struct record_sink_ops sink_ops = {sink_publish, sink_flush, sink_fill};
static const struct committer_ops committer_ops = {committer_commit, committer_drop};

static int64_t wall_ms(void *context)
{
    return ((struct self *)context)->now_ms;
}

static int64_t monotonic_us(void *context)
{
    return ((struct self *)context)->now_ms * 1000;
}

static void wait_ms(void *context, int ms)
{
    ((struct self *)context)->now_ms += ms;
}

static const struct time_source_ops time_ops = {wall_ms, monotonic_us, wait_ms};

/* ---- the store */

/* The sabotage: a commit that failed is taken for done. */
static struct session_store_ops careless_ops;
static struct status (*careful_commit)(void *self, const struct store_position *position);

static struct status careless_commit(void *self, const struct store_position *position)
{
    struct status ignored = careful_commit(self, position);
    (void)ignored;
    return OK;
}

static struct status open_store(void *context, int32_t partition, struct session_store *ret_store,
                                struct complaint *complaint)
{
    struct life *life = context;
    const struct store_options options = {
        .topic = "clicks", .partition = partition, .identity = "shop", .map_size_bytes = 1 << 20};
    TRY(store_open(life->directory, &options, &life->store, complaint));
    *ret_store = store_port(life->store);
    if (life->self->sabotage != SABOTAGE_IGNORED_COMMIT)
        return OK;
    careful_commit = ret_store->ops->commit;
    careless_ops = *ret_store->ops;
    careless_ops.commit = careless_commit;
    ret_store->ops = &careless_ops;
    return OK;
}

static void close_store(void *context, int32_t partition, struct session_store store)
{
    (void)partition;
    (void)store;
    struct life *life = context;
    store_close(life->store);
    life->store = NULL;
}

/* ---- a life */

static struct status feed_items(struct life *life)
{
    for (int i = 0; i < ITEMS; i++) {
        char id[16], value[128];
        snprintf(id, sizeof id, "item-%d", i);
        snprintf(value, sizeof value, "{\"item_id\":\"%s\",\"title\":\"Item %d\",\"categories\":[\"all\",\"c%d\"]}", id,
                 i, i % 3);
        const struct message message = {.offset = i, .key = bytes_of_text(id), .value = bytes_of_text(value)};
        TRY(follower_take_items(life->follower, &message, 1));
    }
    return OK;
}

/* From where the saved state had come to; *ret_count is how many there are. */
static struct status feed_sessions(struct life *life, int64_t *ret_count)
{
    int32_t partitions;
    int64_t at = 0;
    const int64_t *positions = knowledge_positions(life->knowledge, &partitions);
    for (size_t i = 0; i < memory_world_output_count(life->self->world); i++) {
        const struct output_record *record = memory_world_output(life->self->world, i);
        if (record->output != OUTPUT_SESSIONS)
            continue;
        const struct message message = {.partition = record->partition, .offset = at++, .value = record->value};
        if (!positions || message.offset >= positions[0])
            TRY(follower_take_sessions(life->follower, &message, 1));
    }
    *ret_count = at;
    return OK;
}

static struct status open_knowledge(struct life *life)
{
    const struct knowledge_options knowledge = {
        .catalogue = {.items_max = 1000, .memory_max_bytes = 1 << 20, .title_max_bytes = 100},
        .learned = learned_options_default(),
        .learner = {.delay_ms = 2000, .pending_max = 1000},
        .own = life->self->saved,
    };
    const struct dead_limits limits = {.window_clicks = 1000};
    int64_t sessions;
    TRY(knowledge_open(&knowledge, &life->knowledge, NULL));
    TRY(dead_watch_open(&limits, &life->dead_watch));
    TRY(decoder_open(RECORD_CLICK, life->self->exactly_once ? RECORD_JSON : RECORD_AVRO, &life->clicks));
    TRY(decoder_open(RECORD_ITEM, RECORD_JSON, &life->items));
    TRY(decoder_open(RECORD_CLOSED_SESSION, RECORD_AVRO, &life->sessions));
    TRY(follower_open(life->items, life->sessions, life->knowledge, &life->metrics, &life->follower));
    TRY(feed_items(life));
    return feed_sessions(life, &sessions);
}

static struct status open_shard(struct life *life)
{
    struct self *self = life->self;
    struct shard_options options = {
        .engine = {.session = {.gap_ms = 10000,
                               .grace_ms = 1000,
                               .max_duration_ms = 600000,
                               .clicks_max = 100,
                               .open_max = 1000,
                               .infer_duplicates = true},
                   .fusion = fusion_options_default(),
                   .learn_interval_ms = 5000,
                   .closed_max = 1, /* so that a commit stands between what one click closes */
                   .scoring = true},
        .limits = {.future_max_ms = 60000},
        .topic = BYTES("clicks"),
        .batch_clicks = 7,
        .commit_clicks = 20,
        .commit_sessions = 4,
        .commit_interval_ms = 100,
    };
    options.engine.fusion.list_size = 5;
    const struct shard_ports ports = {.source = {&source_ops, self},
                                      .sink = {&sink_ops, self},
                                      .committer = {&committer_ops, self, self->exactly_once},
                                      .time = {&time_ops, self},
                                      .stores = {open_store, close_store, life},
                                      .decoder = life->clicks,
                                      .knowledge = life->knowledge,
                                      .dead_watch = life->dead_watch,
                                      .metrics = &life->metrics};
    return shard_open(&options, &ports, &life->shard);
}

static int64_t committed(const struct self *self, struct assignment *assignment)
{
    const char *metadata;
    int64_t offset = memory_world_committed(self->world, 0, &metadata);
    if (assignment)
        *assignment = (struct assignment){.committed = offset,
                                          .metadata = bytes_of_text(metadata),
                                          .high = memory_world_end(self->world, 0),
                                          .start = offset < 0 ? 0 : offset};
    return offset;
}

/* A store that lags behind what was answered is brought up to it. */
static bool is_done(const struct life *life, int64_t until)
{
    return committed(life->self, NULL) >= until && metric_get(&life->metrics, METRIC_PARTITIONS_CATCHING_UP) == 0;
}

static struct status work(struct life *life, int64_t until)
{
    struct assignment assignment;
    committed(life->self, &assignment);
    TRY(shard_accept(life->shard, &assignment, NULL));
    memory_world_assign(life->self->world, 0, assignment.start);
    for (int rounds = 0; !is_done(life, until); rounds++) {
        size_t count;
        if (rounds == 10000)
            return FAIL(CORRUPT, rounds, "the run does not come to its end");
        TRY(shard_step(life->shard, 0, &count));
        life->self->now_ms += 10;
    }
    int32_t partition = 0;
    return shard_release(life->shard, &partition, 1, false, 1000);
}

/* As its process does at its end: up to where it has read the sessions topic. */
static struct status save(struct life *life)
{
    int64_t sessions;
    TRY(feed_sessions(life, &sessions));
    return knowledge_save(life->knowledge, life->self->saved, &sessions, 1, NULL);
}

static struct status run_life(struct life *life, int64_t until)
{
    TRY(state_directory_open(life->self->folder.path, &life->directory, NULL));
    TRY(open_knowledge(life));
    TRY(open_shard(life));
    TRY(work(life, until));
    return save(life);
}

static struct status live(struct self *self, int64_t until)
{
    struct life life = {.self = self};
    struct status status = run_life(&life, until);
    shard_close(life.shard);
    follower_close(life.follower);
    decoder_close(life.clicks);
    decoder_close(life.items);
    decoder_close(life.sessions);
    dead_watch_close(life.dead_watch);
    knowledge_close(life.knowledge);
    state_directory_close(life.directory);
    if (failed(status))
        memory_world_crash(self->world);
    return status;
}

static struct status once(void *context)
{
    struct self *self = context;
    if (committed(self, NULL) < CLICKS / 2)
        TRY(live(self, CLICKS / 2));
    return live(self, memory_world_end(self->world, 0));
}

/* ---- what it begins with */

static void append(struct self *self, int number, struct random *random)
{
    char session[32], item[32];
    uint32_t visitor = random_below(random, 8);
    snprintf(session, sizeof session, "s%u-%d", visitor, number / 50);
    snprintf(item, sizeof item, "item-%u", random_below(random, ITEMS + 3));
    int64_t time_ms = START_MS + number * 700, late_ms = number % 40 == 39 ? 30000 : 0;
    const struct click click = {
        .session_id = bytes_of_text(session), .item_id = bytes_of_text(item), .time_ms = time_ms - late_ms};
    AUTO(buffer) value = {0};
    encode_click((struct encoding){self->exactly_once ? RECORD_JSON : RECORD_AVRO, 0}, &click, &value);
    struct bytes bytes = number % 30 == 29 ? BYTES("no click") : buffer_bytes(&value);
    memory_world_append(self->world, 0, time_ms, click.session_id, bytes);
}

static void *begin(enum sabotage sabotage, bool exactly_once)
{
    struct self *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->exactly_once = exactly_once;
    self->sabotage = sabotage;
    self->now_ms = START_MS;
    self->folder = temporary_folder_make();
    snprintf(self->saved, sizeof self->saved, "%s/saved", self->folder.path);
    assert_ok(memory_world_open(1, &self->world));
    self->source = memory_world_source(self->world);
    self->sink = memory_world_sink(self->world);
    self->committer = memory_world_committer(self->world, exactly_once);
    struct random random;
    random_seed(&random, 5);
    for (int i = 0; i < CLICKS; i++)
        append(self, i, &random);
    return self;
}

static void *begin_at_least_once(enum sabotage sabotage)
{
    return begin(sabotage, false);
}

static void *begin_exactly_once(enum sabotage sabotage)
{
    return begin(sabotage, true);
}

static void end(void *context)
{
    struct self *self = context;
    memory_world_close(self->world);
    temporary_folder_remove(&self->folder);
    free(self);
}

/* ---- what it comes to */

static struct status add_session(void *context, uint64_t number, struct bytes record)
{
    (void)number; /* how many were opened before is another one after a rebuild */
    *(uint64_t *)context += bytes_hash(record);
    return OK;
}

static uint64_t stored(const struct self *self)
{
    struct life life = {.self = (struct self *)(uintptr_t)self};
    struct session_store port;
    struct store_position position = {0};
    uint64_t sum = 0;
    bool found;
    assert_ok(state_directory_open(self->folder.path, &life.directory, NULL));
    assert_ok(open_store(&life, 0, &port, NULL));
    assert_ok(port.ops->load(port.self, add_session, &sum, &position, &found));
    assert_true(found);
    close_store(&life, 0, port);
    state_directory_close(life.directory);
    const uint64_t parts[5] = {sum, (uint64_t)position.offset, (uint64_t)position.watermark_ms,
                               (uint64_t)position.close_offset, position.close_sequence};
    return bytes_hash(bytes_of(parts, sizeof parts));
}

static uint64_t hash_record(const struct output_record *record)
{
    const uint64_t parts[4] = {record->output, (uint64_t)record->partition, bytes_hash(record->key),
                               bytes_hash(record->value)};
    return bytes_hash(bytes_of(parts, sizeof parts));
}

static int by_value(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

/* Of the records, whatever their order; a record that is there twice is there once, if that may be. */
static uint64_t answered(const struct self *self)
{
    size_t count = memory_world_output_count(self->world);
    uint64_t *hashes = calloc(count + 1, sizeof *hashes), sum = 0;
    assert_non_null(hashes);
    for (size_t i = 0; i < count; i++)
        hashes[i] = hash_record(memory_world_output(self->world, i));
    qsort(hashes, count, sizeof *hashes, by_value);
    for (size_t i = 0; i < count; i++)
        if (self->exactly_once || i == 0 || hashes[i] != hashes[i - 1])
            sum = result_with(sum, bytes_of(&hashes[i], sizeof hashes[i]));
    free(hashes);
    return sum;
}

static uint64_t result(void *context)
{
    uint64_t parts[2] = {stored(context), answered(context)};
    return bytes_hash(bytes_of(parts, sizeof parts));
}

#define CLASSES                                                                                                        \
    (1u << FAULTS_MEMORY | 1u << FAULTS_STORE_IO | 1u << FAULTS_STORE_MAP | 1u << FAULTS_STORE_DISK | 1u << FAULTS_FILE)

const struct run run_at_least_once = {"at-least-once", CLASSES, false, begin_at_least_once, once, result, end};
const struct run run_exactly_once = {"exactly-once", CLASSES, false, begin_exactly_once, once, result, end};
