// SPDX-License-Identifier: Apache-2.0
#include "app/run/model_loader.h"

#include "app/log.h"
#include "app/models/topic.h"
#include "app/session_model.h"

#include <eddy/io/system.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BATCH          8 /* records, each up to 900 KiB */
#define WAIT_MS        100
#define SLICE_ROWS     1024 /* numbered under one writer lock, which the shards wait for: about 0.2 ms */
#define SLICE_PAUSE_MS 1    /* in which they get their turn */
#define PAUSE_FIRST_US 500000
#define PAUSE_MAX_US   30000000

struct model_loader {
    const struct config *config;
    struct models_topic topic;
    struct knowledge *knowledge;
    struct metrics *metrics;
    struct kafka_reader *reader;
    struct model_directory *directory;
    struct model_identity loaded, refused, missed; /* missed: of which a chunk was gone, once */
    int64_t pause_us, again_us;                    /* after a failure that may pass */
    int64_t opened_us;
    bool waited_for; /* long enough */
    pthread_t thread;
    bool started;
    _Atomic bool stopping, caught_up;
    _Atomic int64_t created_ms; /* of the one at work; 0: none */
    _Atomic(const struct fault *) fault;
};

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

/* ---- loading */

static struct status fetch(struct model_loader *loader, const struct model_manifest *manifest,
                           struct model_file *ret_file, struct complaint *complaint)
{
    struct model_assembly *assembly;
    TRY(models_topic_fetch(&loader->topic, loader->directory, manifest, loader->config->models.size_max_bytes,
                           &assembly, complaint));
    struct status status = model_assembly_model(assembly, ret_file, complaint);
    model_assembly_close(assembly);
    return status;
}

static struct status number_rows(struct model_loader *loader, const struct model_file *file, uint32_t *numbers)
{
    uint32_t count = interner_count(file->item_ids);
    for (uint32_t from = 0; from < count; from += SLICE_ROWS) {
        uint32_t to = count - from < SLICE_ROWS ? count : from + SLICE_ROWS;
        if (atomic_load(&loader->stopping))
            return FAIL(INTERRUPTED, from, "stopped while loading a model");
        knowledge_lock_write(loader->knowledge);
        struct status status = session_model_number(file, from, to, knowledge_catalogue(loader->knowledge), numbers);
        knowledge_unlock(loader->knowledge);
        TRY(status);
        system_wait_ms(SLICE_PAUSE_MS);
    }
    return OK;
}

static struct status bind(struct model_loader *loader, struct model_file *file, struct session_model *ret_model)
{
    uint32_t count = interner_count(file->item_ids), *numbers = malloc(((size_t)count + 1) * sizeof *numbers);
    if (!numbers)
        return FAIL(MEMORY, count, "no memory to find a model's items");
    struct status status = number_rows(loader, file, numbers);
    if (!failed(status)) {
        knowledge_lock_read(loader->knowledge);
        uint32_t known = catalogue_count(knowledge_catalogue(loader->knowledge));
        knowledge_unlock(loader->knowledge);
        status = session_model_make(file, numbers, known, ret_model);
    }
    free(numbers);
    return status;
}

static struct status load(struct model_loader *loader, const struct model_manifest *manifest,
                          struct complaint *complaint)
{
    struct model_file file = {0};
    struct session_model model = {0};
    TRY(fetch(loader, manifest, &file, complaint));
    struct status status = bind(loader, &file, &model);
    model_file_release(&file);
    TRY(status);
    model_version_write(manifest->version, manifest->sha256, model.version);
    knowledge_swap_model(loader->knowledge, &model);
    session_model_release(&model); /* the one before */
    return OK;
}

/* ---- which one */

static void note_loaded(struct model_loader *loader, const struct model_manifest *manifest, int64_t began_us)
{
    char version[MODEL_VERSION_SIZE];
    int64_t took_us = now_us() - began_us;
    model_version_write(manifest->version, manifest->sha256, version);
    loader->loaded = model_identity_of(manifest);
    loader->refused = (struct model_identity){0};
    atomic_store(&loader->created_ms, manifest->created_ms);
    metric_set(loader->metrics, METRIC_MODEL_VERSION, manifest->version);
    metric_add(loader->metrics, METRIC_MODEL_LOADS, 1);
    metric_add(loader->metrics, METRIC_MODEL_LOAD_MICROSECONDS, took_us);
    log_always(LOG_INFO, "model_loaded", "version=%s items=%u ms=%lld pinned=%s", version, manifest->item_count,
               (long long)(took_us / 1000), model_directory_pinned(loader->directory) ? "yes" : "no");
}

static void note_refused(struct model_loader *loader, const struct model_manifest *manifest, const char *reason)
{
    loader->refused = model_identity_of(manifest);
    metric_add(loader->metrics, METRIC_MODEL_REFUSALS, 1);
    log_always(LOG_ERROR, "model_refused", "version=%lld reason=%s note=%s", (long long)manifest->version, reason,
               "the model before stays in use; 'eddy model rollback' takes another one for all");
}

static void note_delay(struct model_loader *loader, const struct model_manifest *manifest, const char *reason)
{
    loader->pause_us = loader->pause_us ? loader->pause_us * 2 : PAUSE_FIRST_US;
    loader->pause_us = loader->pause_us < PAUSE_MAX_US ? loader->pause_us : PAUSE_MAX_US;
    loader->again_us = now_us() + loader->pause_us;
    log_event(LOG_WARN, "model_delayed", "version=%lld next_try_ms=%lld reason=%s", (long long)manifest->version,
              (long long)(loader->pause_us / 1000), reason);
}

/* A chunk that is gone may have been retired by a newer version, of which we have yet to hear: true once. */
static bool is_overtaken(struct model_loader *loader, const struct model_identity *identity, struct status status)
{
    bool overtaken = failed_as(status, FAULT_NOT_FOUND) && !model_identity_same(identity, &loader->missed);
    if (overtaken)
        loader->missed = *identity;
    return overtaken;
}

/* False while what is wanted is neither at work nor refused. */
static bool settle(struct model_loader *loader)
{
    const struct model_manifest *wanted = model_directory_wanted(loader->directory);
    if (!wanted)
        return true;
    struct model_identity identity = model_identity_of(wanted);
    struct complaint why = {""};
    int64_t began_us = now_us();
    if (model_identity_same(&identity, &loader->loaded) || model_identity_same(&identity, &loader->refused))
        return true;
    if (began_us < loader->again_us)
        return false;
    struct status status = load(loader, wanted, &why);
    const char *reason = failed(status) && !why.text[0] ? status.fault->what : why.text;
    if (failed_as(status, FAULT_INTERRUPTED))
        return false;
    if (failed(status) && (!model_assembly_refuses(status) || is_overtaken(loader, &identity, status))) {
        note_delay(loader, wanted, reason);
        return false;
    }
    loader->pause_us = loader->again_us = 0;
    if (failed(status))
        note_refused(loader, wanted, reason);
    else
        note_loaded(loader, wanted, began_us);
    return true;
}

/* ---- following */

static struct status take(struct model_loader *loader, const struct message *record)
{
    struct complaint why = {""};
    struct status status = model_directory_take(loader->directory, record, &why);
    if (!failed_as(status, FAULT_BAD_INPUT))
        return status;
    metric_add(loader->metrics, METRIC_MODEL_RECORDS_BAD, 1);
    log_event(LOG_WARN, "bad_model_record", "offset=%lld reason=%s", (long long)record->offset, why.text);
    return OK;
}

static struct status read_some(struct model_loader *loader)
{
    struct message records[BATCH];
    size_t count;
    TRY(kafka_reader_poll(loader->reader, WAIT_MS, records, BATCH, &count));
    for (size_t i = 0; i < count; i++)
        TRY(take(loader, &records[i]));
    return OK;
}

struct status model_loader_step(struct model_loader *loader)
{
    TRY(read_some(loader));
    if (kafka_reader_caught_up(loader->reader) && settle(loader))
        atomic_store(&loader->caught_up, true);
    return OK;
}

static void *follow(void *context)
{
    struct model_loader *loader = context;
    struct status status = OK;
    while (!atomic_load(&loader->stopping) && !failed(status))
        status = model_loader_step(loader);
    if (failed(status)) {
        char text[256];
        log_always(LOG_ERROR, "model_loader_failed", "reason=%s", status_text(status, text, sizeof text));
        atomic_store(&loader->fault, status.fault);
    }
    return NULL;
}

/* ---- life */

static struct status open_parts(struct model_loader *loader, struct complaint *complaint)
{
    const struct kafka_reader_options options = {.kafka = loader->topic.kafka,
                                                 .topic = loader->topic.name,
                                                 .partition_count = 1,
                                                 .start = {KAFKA_START_EARLIEST, 0},
                                                 .committed = true};
    TRY(model_directory_open(loader->config->models.name, &loader->directory));
    return kafka_reader_open(&options, &loader->reader, complaint);
}

struct status model_loader_open(const struct config *config, const struct kafka_options *kafka,
                                struct knowledge *knowledge, struct metrics *metrics, struct model_loader **ret_loader,
                                struct complaint *complaint)
{
    struct model_loader *loader = calloc(1, sizeof *loader);
    if (!loader)
        return FAIL(MEMORY, 0, "no memory for the loader of models");
    loader->config = config;
    loader->topic = (struct models_topic){kafka, config_topic(config, TOPIC_MODELS), &loader->stopping};
    loader->knowledge = knowledge;
    loader->metrics = metrics;
    loader->opened_us = now_us();
    struct status status = open_parts(loader, complaint);
    if (failed(status)) {
        model_loader_close(loader);
        return status;
    }
    *ret_loader = loader;
    return OK;
}

struct status model_loader_start(struct model_loader *loader)
{
    int error = pthread_create(&loader->thread, NULL, follow, loader);
    loader->started = !error;
    return error ? FAIL(MEMORY, error, "a thread cannot be made") : OK;
}

void model_loader_close(struct model_loader *loader)
{
    if (!loader)
        return;
    atomic_store(&loader->stopping, true);
    if (loader->started)
        pthread_join(loader->thread, NULL);
    kafka_reader_close(loader->reader);
    model_directory_close(loader->directory);
    free(loader);
}

bool model_loader_caught_up(const struct model_loader *loader)
{
    return atomic_load(&loader->caught_up);
}

bool model_loader_ready(struct model_loader *loader)
{
    if (!loader || model_loader_caught_up(loader) || loader->waited_for)
        return true;
    loader->waited_for = (now_us() - loader->opened_us) / 1000 >= loader->config->models.wait_ms;
    if (loader->waited_for)
        log_always(LOG_WARN, "model_behind", "waited_ms=%lld note=%s", (long long)loader->config->models.wait_ms,
                   "clicks are answered without the session model in use until it is loaded (models.wait_ms)");
    return loader->waited_for;
}

struct status model_loader_failure(const struct model_loader *loader)
{
    return loader ? (struct status){.fault = atomic_load(&loader->fault)} : OK;
}

void model_loader_measure(const struct model_loader *loader, int64_t wall_ms)
{
    int64_t created_ms = loader ? atomic_load(&loader->created_ms) : 0;
    if (loader)
        metric_set(loader->metrics, METRIC_MODEL_AGE,
                   created_ms && wall_ms > created_ms ? (wall_ms - created_ms) / 1000 : 0);
}
