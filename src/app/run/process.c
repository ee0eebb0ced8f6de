// SPDX-License-Identifier: Apache-2.0
#include "app/run/process.h"

#include "app/log.h"
#include "app/run/growth.h"
#include "app/run/kafka_log.h"
#include "app/run/lanes.h"
#include "app/run/model_loader.h"
#include "app/run/service.h"
#include "app/run/stores.h"
#include "app/run/topic_check.h"
#include "app/run/topic_reader.h"
#include "app/schemas.h"
#include "app/train/role.h"

#include <eddy/io/system.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BACKOFF_FIRST_MS   500
#define BACKOFF_MAX_MS     15000
#define WAIT_SLICE_MS      20
#define CLOSED_MAX         1024 /* sessions that one step closes: some MiB, 50 if all had 4,000 clicks */
#define POLL_MS            100
#define REFRESH_TIMEOUT_MS 10000
#define GAUGES_INTERVAL_US 1000000

enum stage {
    STAGE_BROKERS,
    STAGE_SCHEMAS,
    STAGE_READING,
    STAGE_JOINING,
    STAGE_CATCHING_UP,
    STAGE_READY,
    STAGE_STOPPING
};

struct process {
    struct process_options options;
    const struct config *config;
    struct kafka_options kafka;
    struct registry *registry; /* NULL: none */
    struct schema_writing recommendations, sessions;
    struct metrics metrics;
    struct kafka_log log;
    _Atomic bool stopping;
    _Atomic enum stage stage;
    struct service *service;
    struct topic_counts counts;
    struct stores *stores;
    struct knowledge *knowledge;
    struct dead_watch *dead_watch;
    struct topic_reader *reader;
    struct model_loader *loader; /* NULL: none */
    struct train_role *trainer;  /* NULL: not of this process's roles */
    struct kafka_consumer *consumer;
    struct lanes lanes;
    int64_t gauges_us;
    struct status drained; /* a failure: what was done last could not be committed when stopping */
};

/* ---- life */

static const char *const stage_texts[] = {
    [STAGE_BROKERS] = "waiting for the brokers",
    [STAGE_SCHEMAS] = "waiting for the schema registry",
    [STAGE_READING] = "reading items, sessions and the session model",
    [STAGE_JOINING] = "waiting for the group to assign partitions",
    [STAGE_CATCHING_UP] = "applying clicks that were answered before",
    [STAGE_READY] = NULL,
    [STAGE_STOPPING] = "stopping",
};

static const char *waiting_for(void *context)
{
    return stage_texts[atomic_load(&((struct process *)context)->stage)];
}

static void enter(struct process *process, enum stage stage)
{
    atomic_store(&process->stage, stage);
    metric_set(&process->metrics, METRIC_READY, stage == STAGE_READY);
    if (stage == STAGE_READY)
        log_always(LOG_INFO, "ready", "partitions=%lld items=%lld",
                   (long long)metric_get(&process->metrics, METRIC_PARTITIONS_ASSIGNED),
                   (long long)metric_get(&process->metrics, METRIC_ITEMS_CONSUMED));
    else
        log_always(LOG_INFO, "not_ready", "because=%s", stage_texts[stage]);
}

static struct status open_service(struct process *process, struct complaint *complaint)
{
    const struct service_options options = {process->config->http_listen, &process->metrics, waiting_for, process};
    return service_open(&options, &process->service, complaint);
}

struct status process_open(const struct process_options *options, struct process **ret_process,
                           struct complaint *complaint)
{
    struct process *process = calloc(1, sizeof *process);
    if (!process)
        return FAIL(MEMORY, 0, "no memory for the process");
    process->options = *options;
    process->config = options->config;
    kafka_log_open(&process->log, &process->metrics);
    struct status status = config_kafka_options(options->config, &process->kafka, complaint);
    process->kafka.listener = kafka_log_listener(&process->log);
    if (!failed(status))
        status = schemas_open_registry(options->config, 0, &process->registry, complaint);
    if (!failed(status))
        status = open_service(process, complaint);
    if (failed(status)) {
        process_close(process);
        return status;
    }
    *ret_process = process;
    return OK;
}

void process_close(struct process *process)
{
    if (!process)
        return;
    service_close(process->service);
    train_role_close(process->trainer);
    lanes_close(&process->lanes);
    kafka_consumer_close(process->consumer);
    topic_reader_close(process->reader);
    model_loader_close(process->loader);
    knowledge_close(process->knowledge);
    dead_watch_close(process->dead_watch);
    stores_close(process->stores);
    kafka_log_close(&process->log);
    registry_close(process->registry);
    free(process);
}

void process_stop(struct process *process)
{
    atomic_store(&process->stopping, true);
}

bool process_ready(const struct process *process)
{
    return atomic_load(&process->stage) == STAGE_READY;
}

struct metrics *process_metrics(struct process *process)
{
    return &process->metrics;
}

static bool stopping(const struct process *process)
{
    return atomic_load(&process->stopping);
}

/* ---- brokers and topics */

static void wait_before_retry(struct process *process, int backoff_ms, const struct complaint *complaint)
{
    bool registry = atomic_load(&process->stage) == STAGE_SCHEMAS;
    log_always(LOG_WARN, registry ? "registry_unreachable" : "brokers_unreachable", "next_try_ms=%d reason=%s",
               backoff_ms, complaint->text);
    for (; backoff_ms > 0 && !stopping(process); backoff_ms -= WAIT_SLICE_MS)
        system_wait_ms(WAIT_SLICE_MS);
}

/* Calls `attempt` until it does something else than not reaching a broker (or the registry). INTERRUPTED when the
 * process is stopped. */
static struct status keep_trying(struct process *process,
                                 struct status (*attempt)(struct process *process, struct complaint *complaint),
                                 struct complaint *complaint)
{
    for (int backoff_ms = BACKOFF_FIRST_MS; !stopping(process);) {
        struct status status = attempt(process, complaint);
        if (!failed_as(status, FAULT_UNAVAILABLE))
            return status;
        wait_before_retry(process, backoff_ms, complaint);
        backoff_ms = backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
    }
    return FAIL(INTERRUPTED, 0, "stopped while waiting for brokers or registry");
}

static struct status check_topics(struct process *process, struct complaint *complaint)
{
    return topic_check(process->config, &process->kafka, &process->stopping, &process->counts, complaint);
}

/* The ids of what this process writes. */
static struct status ask_registry(struct process *process, struct complaint *complaint)
{
    const struct config *config = process->config;
    TRY(schema_writing_of(config, process->registry, RECORD_RECOMMENDATION, &process->recommendations, complaint));
    TRY(schema_writing_of(config, process->registry, RECORD_CLOSED_SESSION, &process->sessions, complaint));
    if (process->registry)
        log_always(LOG_INFO, "schemas", "recommendations=%d sessions=%d", process->recommendations.encoding.schema_id,
                   process->sessions.encoding.schema_id);
    return OK;
}

static struct status open_reader(struct process *process, struct complaint *complaint)
{
    struct time_source time = system_time();
    const struct topic_reader_options options = {.config = process->config,
                                                 .kafka = &process->kafka,
                                                 .counts = &process->counts,
                                                 .wall_ms = time.ops->wall_ms(time.self),
                                                 .knowledge = process->knowledge,
                                                 .metrics = &process->metrics,
                                                 .schemas = schemas_source(process->registry),
                                                 .saved = stores_saved(process->stores)};
    return topic_reader_open(&options, &process->reader, complaint);
}

static struct status open_loader(struct process *process, struct complaint *complaint)
{
    TRY(model_loader_open(process->config, &process->kafka, process->knowledge, &process->metrics, &process->loader,
                          complaint));
    return model_loader_start(process->loader);
}

static struct status read_topics(struct process *process, struct complaint *complaint)
{
    if (process->config->models.enabled)
        TRY(keep_trying(process, open_loader, complaint));
    TRY(keep_trying(process, open_reader, complaint));
    while (!topic_reader_caught_up(process->reader) || !model_loader_ready(process->loader)) {
        if (stopping(process))
            return FAIL(INTERRUPTED, 0, "stopped while reading items and sessions");
        TRY(topic_reader_failure(process->reader));
        TRY(model_loader_failure(process->loader));
        system_wait_ms(WAIT_SLICE_MS);
    }
    return OK;
}

/* ---- rebalances; they run inside kafka_consumer_poll() and kafka_consumer_leave() */

static struct growth growth_of(struct process *process)
{
    return (struct growth){.config = process->config,
                           .consumer = process->consumer,
                           .metrics = &process->metrics,
                           .counts = &process->counts,
                           .lanes = &process->lanes};
}

static struct status on_assigned(void *context, struct assignment *assignments, size_t count,
                                 struct complaint *complaint)
{
    struct process *process = context;
    bool fresh = !count || topic_reader_refresh(process->reader, REFRESH_TIMEOUT_MS, &process->stopping);
    if (stopping(process))
        return FAIL(INTERRUPTED, 0, "stopped while taking partitions up");
    if (!fresh)
        log_always(LOG_WARN, "sessions_behind", "note=%s",
                   "the sessions topic could not be read to its end in time; some closed sessions may not be learned");
    const struct growth growth = growth_of(process);
    growth_mind_late_clicks(&growth, assignments, count);
    struct status status = lanes_accept(&process->lanes, assignments, count, complaint);
    if (!failed(status) && metric_get(&process->metrics, METRIC_REBALANCES) > 0)
        growth_mind_sessions(&growth);
    metric_add(&process->metrics, METRIC_REBALANCES, 1);
    log_always(LOG_INFO, "assigned", "partitions=%zu", count);
    bool behind = metric_get(&process->metrics, METRIC_PARTITIONS_CATCHING_UP) > 0;
    if (!failed(status) && !stopping(process))
        enter(process, behind ? STAGE_CATCHING_UP : STAGE_READY);
    return status;
}

static void on_revoked(void *context, const int32_t *partitions, size_t count, bool lost)
{
    struct process *process = context;
    metric_add(&process->metrics, METRIC_REBALANCES, 1);
    log_always(LOG_INFO, "revoked", "partitions=%zu lost=%s", count, lost ? "yes" : "no");
    struct status status = lanes_release(&process->lanes, partitions, count, lost, PROCESS_DRAIN_MS);
    if (failed(status))
        process->drained = status;
    enum stage stage = atomic_load(&process->stage);
    if (stage == STAGE_READY || stage == STAGE_CATCHING_UP)
        enter(process, STAGE_JOINING);
}

/* ---- lanes */

static uint32_t lanes_wanted(const struct process *process)
{
    uint32_t wanted = process->config->shards ? process->config->shards : system_cpu_count();
    uint32_t partitions = (uint32_t)process->counts.partitions[TOPIC_CLICKS];
    return wanted < partitions ? wanted : partitions;
}

static struct shard_options shard_options_of(const struct process *process)
{
    const struct config *config = process->config;
    struct engine_options engine = config->engine;
    engine.closed_max = CLOSED_MAX;
    return (struct shard_options){
        .engine = engine,
        .limits = config->clicks,
        .recommendations = process->recommendations.encoding,
        .sessions = process->sessions.encoding,
        .schema_headers = {[OUTPUT_RECOMMENDATIONS] = schema_header(&process->recommendations),
                           [OUTPUT_SESSIONS] = schema_header(&process->sessions)},
        .topic = bytes_of_text(config_topic(config, TOPIC_CLICKS)),
        .batch_clicks = config->batch_clicks,
        .commit_clicks = config->commit_clicks,
        .commit_sessions = config->commit_sessions,
        .commit_interval_ms = config->commit_interval_ms,
        .idle_ms = config->session_idle_ms,
        .start_stored = config->start.kind == START_STORED,
        .adopt = process->options.adopt};
}

/* Those that are not open yet. */
static struct status open_outputs(struct process *process, struct complaint *complaint)
{
    for (uint32_t i = 0; i < process->lanes.count; i++)
        if (!lane_has_output(&process->lanes.lanes[i]))
            TRY(lane_open_output(&process->lanes.lanes[i], process->config, &process->kafka, &process->counts,
                                 stores_instance(process->stores), i, complaint));
    return OK;
}

static struct status start_lane(struct process *process, uint32_t number, struct complaint *complaint)
{
    const struct shard_options options = shard_options_of(process);
    const struct shard_ports ports = {.time = system_time(),
                                      .stores = stores_opener(process->stores),
                                      .schemas = schemas_source(process->registry),
                                      .knowledge = process->knowledge,
                                      .dead_watch = process->dead_watch,
                                      .metrics = &process->metrics};
    return lane_start(&process->lanes.lanes[number], process->config, &options, ports, process->consumer, number,
                      complaint);
}

/* For static membership: a process that comes back under the same name within the session's time-out gets its
 * partitions again at once, without a rebalance. */
static const char *member_id(const struct process *process)
{
    bool stays = process->config->static_membership && !process->options.state_in_memory;
    return stays ? stores_instance(process->stores) : "";
}

static struct status join_group(struct process *process, struct complaint *complaint)
{
    const struct config *config = process->config;
    static const enum kafka_start_kind kinds[] = {[START_STORED] = KAFKA_START_EARLIEST,
                                                  [START_EARLIEST] = KAFKA_START_EARLIEST,
                                                  [START_LATEST] = KAFKA_START_LATEST,
                                                  [START_TIME] = KAFKA_START_TIME};
    TRY(lanes_make(&process->lanes, lanes_wanted(process)));
    const struct kafka_consumer_options options = {.kafka = &process->kafka,
                                                   .group_id = config->group_id,
                                                   .instance_id = member_id(process),
                                                   .topic = config_topic(config, TOPIC_CLICKS),
                                                   .start = {kinds[config->start.kind], config->start.time_ms},
                                                   .shard_count = process->lanes.count,
                                                   .rebalance = {on_assigned, on_revoked, process}};
    /* Before the group's offsets are read: an open transaction of a former run would hold them back. */
    TRY(keep_trying(process, open_outputs, complaint));
    TRY(kafka_consumer_open(&options, &process->consumer, complaint));
    for (uint32_t i = 0; i < process->lanes.count; i++)
        TRY(start_lane(process, i, complaint));
    return OK;
}

/* ---- the main thread's round */

static void refresh_gauges(struct process *process)
{
    struct time_source time = system_time();
    int64_t now_us = time.ops->monotonic_us(time.self);
    if (now_us - process->gauges_us < GAUGES_INTERVAL_US)
        return;
    process->gauges_us = now_us;
    struct metrics *metrics = &process->metrics;
    if (!process->config->roles.recommend)
        return;
    struct mixing mixing = knowledge_mixing(process->knowledge);
    service_set_mixing(process->service, &mixing);
    knowledge_measure(process->knowledge, metrics);
    metric_set(metrics, METRIC_STATE_MAP_USED_RATIO, stores_map_used_percent(process->stores));
    metric_set(metrics, METRIC_DELIVERY_FAILURES, lanes_refused(&process->lanes));
    model_loader_measure(process->loader, time.ops->wall_ms(time.self));
}

/* Ports fail without a sentence, as they know nothing of the configuration. */
static struct status explain(const struct process *process, struct status status, struct complaint *complaint)
{
    char text[256];
    if (failed_as(status, FAULT_DISK_FULL))
        return complain(complaint, status,
                        "the disk of state.directory (%s) is full; make room and start again: no click is lost",
                        process->config->state.directory);
    if (failed_as(status, FAULT_CONFIG))
        return complain(complaint, status,
                        "%s; the log names the topic. If it was made anew, use a new group_id and an empty "
                        "state.directory",
                        status.fault->what);
    return complain(complaint, status, "a shard cannot go on, the log says more: %s; start again: no click is lost",
                    status_text(status, text, sizeof text));
}

static struct status check_threads(struct process *process, struct complaint *complaint)
{
    struct status status = process->reader ? topic_reader_failure(process->reader) : OK;
    if (!failed(status))
        status = model_loader_failure(process->loader);
    if (!failed(status))
        status = lanes_failure(&process->lanes);
    return failed(status) ? explain(process, status, complaint) : OK;
}

static void mind_readiness(struct process *process)
{
    if (atomic_load(&process->stage) == STAGE_CATCHING_UP &&
        metric_get(&process->metrics, METRIC_PARTITIONS_CATCHING_UP) == 0)
        enter(process, STAGE_READY);
}

static struct status serve(struct process *process, struct complaint *complaint)
{
    while (!stopping(process)) {
        if (process->consumer)
            TRY(kafka_consumer_poll(process->consumer, POLL_MS, complaint));
        else
            system_wait_ms(POLL_MS);
        TRY(check_threads(process, complaint));
        if (process->dead_watch)
            TRY(dead_watch_verdict(process->dead_watch, config_topic(process->config, TOPIC_DEAD_LETTERS), complaint));
        mind_readiness(process);
        refresh_gauges(process);
    }
    return OK;
}

static struct status start(struct process *process, struct complaint *complaint)
{
    const struct config *config = process->config;
    TRY(keep_trying(process, check_topics, complaint));
    const struct train_role_options training = {config, &process->kafka, schemas_source(process->registry),
                                                &process->metrics};
    if (config->roles.train)
        TRY(train_role_open(&training, &process->trainer, complaint));
    if (!config->roles.recommend) {
        enter(process, STAGE_READY);
        return OK;
    }
    TRY(stores_open(config, process->options.state_in_memory, &process->stores, complaint));
    const struct knowledge_options knowledge = {.catalogue = config->catalogue,
                                                .learned = config->learned,
                                                .learner = config->learner,
                                                .snapshot = config->learn_snapshot,
                                                .model = config->neural.model,
                                                .own = stores_saved(process->stores)};
    TRY(knowledge_open(&knowledge, &process->knowledge, complaint));
    if (process->registry)
        enter(process, STAGE_SCHEMAS);
    TRY(keep_trying(process, ask_registry, complaint));
    TRY(dead_watch_open(&config->dead_limits, &process->dead_watch));
    enter(process, STAGE_READING);
    TRY(read_topics(process, complaint));
    enter(process, STAGE_JOINING);
    return join_group(process, complaint);
}

/* A broker answers a leave only after the join before it, and librdkafka waits 5 s for that. Without it the group would
 * give this member partitions that nobody serves until session.timeout.ms is over, 45 s. */
static void leave_group(struct process *process)
{
    bool joining = atomic_load(&process->stage) == STAGE_JOINING;
    enter(process, STAGE_STOPPING);
    if (!process->consumer)
        return;
    if (joining)
        log_always(LOG_INFO, "leaving", "note=%s",
                   "the group is being joined; it is left when the broker answers, which takes up to 5 s");
    kafka_consumer_leave(process->consumer);
}

struct status process_run(struct process *process, struct complaint *complaint)
{
    log_always(LOG_INFO, "starting", "brokers=%s group=%s librdkafka=%s", process->kafka.bootstrap,
               process->config->group_id, kafka_library_version());
    struct status status = start(process, complaint);
    if (!failed(status))
        status = serve(process, complaint);
    leave_group(process);
    if (failed_as(status, FAULT_INTERRUPTED) && stopping(process))
        status = OK;
    if (!failed(status) && failed(process->drained))
        status = complain(complaint, process->drained,
                          "the last commit was not possible, so the clicks since the one before are answered again: %s",
                          process->drained.fault->what);
    log_always(LOG_INFO, "stopped", "result=%s", failed(status) ? status.fault->what : "ok");
    return status;
}
