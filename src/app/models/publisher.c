// SPDX-License-Identifier: Apache-2.0
#include "app/models/publisher.h"

#include "app/models/writing.h"
#include "app/topics.h"

#include <eddy/io/kafka_publisher.h>
#include <eddy/io/system.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define OPEN_MS         15000
#define TOPICS_MS       10000
#define SEEN_MS         10000
#define SEEN_STEP_MS    20
#define QUEUE_BYTES_MAX (16u << 20)
#define ID_MAX          (512 + MODEL_NAME_MAX)

struct model_publisher {
    const struct config *config;
    struct models_topic topic;
    char id[ID_MAX]; /* transactional */
    struct model_directory *directory;
    struct kafka_publisher *kafka; /* NULL: to be made anew */
    bool fenced;
};

/* ---- life */

static struct status check_topic(const struct model_publisher *publisher, struct complaint *complaint)
{
    int32_t partitions = 0;
    struct complaint why = {""};
    struct status status =
        topic_count_partitions(publisher->topic.kafka, publisher->topic.name, TOPICS_MS, &partitions, &why);
    if (failed_as(status, FAULT_NOT_FOUND))
        return complain(complaint, FAIL(CONFIG, 0, "no models topic"),
                        "there is no topic %s: create it with 'eddy topics create', or correct topics.models",
                        publisher->topic.name);
    if (failed(status))
        return complain(complaint, status, "%s", why.text);
    if (partitions != 1)
        return complain(complaint, FAIL(CONFIG, partitions, "a wrong number of partitions"),
                        "topic %s has %d partitions and needs one; name another in topics.models and create it with "
                        "'eddy topics create'",
                        publisher->topic.name, partitions);
    return OK;
}

static struct status make_producer(struct model_publisher *publisher, struct complaint *complaint)
{
    const struct kafka_publisher_options options = {.kafka = publisher->topic.kafka,
                                                    .topic = publisher->topic.name,
                                                    .transactional_id = publisher->id,
                                                    .queue_bytes_max = QUEUE_BYTES_MAX,
                                                    .stop = publisher->topic.stop};
    if (publisher->fenced)
        return complain(complaint, FAIL(FENCED, 0, "another publisher has taken over"),
                        "topic %s: another publisher has taken over", publisher->topic.name);
    return publisher->kafka ? OK : kafka_publisher_open(&options, OPEN_MS, &publisher->kafka, complaint);
}

static struct status open_parts(struct model_publisher *publisher, struct complaint *complaint)
{
    TRY(model_directory_open(publisher->config->models.name, &publisher->directory));
    TRY(check_topic(publisher, complaint));
    return make_producer(publisher, complaint);
}

struct status model_publisher_open(const struct config *config, const struct kafka_options *kafka,
                                   const _Atomic bool *stop, struct model_publisher **ret_publisher,
                                   struct complaint *complaint)
{
    struct model_publisher *publisher = calloc(1, sizeof *publisher);
    if (!publisher)
        return FAIL(MEMORY, 0, "no memory for a publisher");
    publisher->config = config;
    publisher->topic = (struct models_topic){kafka, config_topic(config, TOPIC_MODELS), stop};
    snprintf(publisher->id, sizeof publisher->id, "%s-models-%s", config->group_id, config->models.name);
    struct status status = open_parts(publisher, complaint);
    if (failed(status)) {
        model_publisher_close(publisher);
        return status;
    }
    *ret_publisher = publisher;
    return OK;
}

void model_publisher_close(struct model_publisher *publisher)
{
    if (!publisher)
        return;
    kafka_publisher_close(publisher->kafka);
    model_directory_close(publisher->directory);
    free(publisher);
}

/* ---- reading */

const struct model_directory *model_publisher_directory(const struct model_publisher *publisher)
{
    return publisher->directory;
}

struct status model_publisher_read(struct model_publisher *publisher, struct complaint *complaint)
{
    uint64_t bad = 0; /* `eddy run` speaks of them */
    return models_topic_read(&publisher->topic, publisher->directory, &bad, complaint);
}

struct status model_publisher_fetch(struct model_publisher *publisher, const struct model_manifest *manifest,
                                    struct model_file *ret_file, struct complaint *complaint)
{
    struct model_assembly *assembly;
    TRY(models_topic_fetch(&publisher->topic, publisher->directory, manifest, publisher->config->models.size_max_bytes,
                           &assembly, complaint));
    struct status status = model_assembly_model(assembly, ret_file, complaint);
    model_assembly_close(assembly);
    return status;
}

/* ---- writing */

/* What is written, within one transaction. */
struct work {
    struct status (*write)(struct model_publisher *publisher, struct work *work, struct record_taker taker);
    const struct model_publication *publication;
    struct model_manifest manifest;
    char sha256[SHA256_TEXT_SIZE];
    enum model_key_kind pointer;
    bool removes; /* the pointer */
    struct complaint *complaint;
};

/* Puts records into the transaction. */
struct target {
    struct kafka_publisher *kafka;
    struct complaint *complaint;
};

static struct status put(void *self, struct bytes key, struct bytes value)
{
    const struct target *target = self;
    return kafka_publisher_put(target->kafka, key, value, target->complaint);
}

static struct status write_all(struct model_publisher *publisher, struct work *work)
{
    struct target target = {publisher->kafka, work->complaint};
    TRY(kafka_publisher_begin(publisher->kafka, work->complaint));
    TRY(work->write(publisher, work, (struct record_taker){put, &target}));
    return kafka_publisher_commit(publisher->kafka, work->complaint);
}

/* Whether the topic says what was written. */
static bool is_there(const struct model_publisher *publisher, const struct work *work)
{
    const struct model_manifest *is = work->pointer == MODEL_KEY_PINNED ? model_directory_pinned(publisher->directory)
                                                                        : model_directory_current(publisher->directory);
    if (work->removes)
        return !is;
    return is && is->version == work->manifest.version && bytes_equal(is->sha256, work->manifest.sha256);
}

/* Its commit was asked for and not answered; a new producer has ended it one way or the other. */
static bool came_through(struct model_publisher *publisher, const struct work *work)
{
    struct complaint ignored = {""};
    return !failed(make_producer(publisher, &ignored)) && !failed(model_publisher_read(publisher, &ignored)) &&
           is_there(publisher, work);
}

static bool is_stopped(const struct model_publisher *publisher)
{
    return publisher->topic.stop && atomic_load(publisher->topic.stop);
}

static void drop_producer(struct model_publisher *publisher)
{
    kafka_publisher_close(publisher->kafka);
    publisher->kafka = NULL;
}

/* Brokers show the records of a transaction a moment after they have said that it is committed; before that the topic
 * must not be gone by. Should it take too long, it is committed all the same: a new producer begins only when they are
 * shown. */
static void see(struct model_publisher *publisher, const struct work *work)
{
    struct complaint ignored = {""};
    struct time_source time = system_time();
    int64_t end_us = time.ops->monotonic_us(time.self) + SEEN_MS * INT64_C(1000);
    while (time.ops->monotonic_us(time.self) < end_us && !is_stopped(publisher)) {
        if (!failed(model_publisher_read(publisher, &ignored)) && is_there(publisher, work))
            return;
        system_wait_ms(SEEN_STEP_MS);
    }
    drop_producer(publisher);
}

static struct status transact(struct model_publisher *publisher, struct work *work)
{
    struct status status = write_all(publisher, work);
    if (!failed(status)) {
        see(publisher, work);
        return OK;
    }
    drop_producer(publisher);
    publisher->fenced = failed_as(status, FAULT_FENCED);
    return failed_as(status, FAULT_UNAVAILABLE) && came_through(publisher, work) ? OK : status;
}

/* The producer is ours before the topic is read: whatever another one commits after that is not to be. */
static struct status prepare(struct model_publisher *publisher, struct complaint *complaint)
{
    TRY(make_producer(publisher, complaint));
    return model_publisher_read(publisher, complaint);
}

/* ---- publishing */

static struct status check_size(const struct model_publisher *publisher, const struct model_publication *publication,
                                struct complaint *complaint)
{
    uint64_t size = 0;
    enum model_precision precision = publisher->config->models.payload;
    TRY(model_file_encode(publication->model, publication->items, precision, counting_sink(&size)));
    if (size <= publisher->config->models.size_max_bytes)
        return OK;
    return complain(complaint, FAIL(LIMIT, size, "a model is too large"),
                    "the model has %llu bytes as %s, more than models.size_max_bytes (%zu): raise that here and where "
                    "it is loaded, or set models.payload to one that takes less",
                    (unsigned long long)size, model_precision_name(precision),
                    publisher->config->models.size_max_bytes);
}

static struct status write_version(struct model_publisher *publisher, struct work *work, struct record_taker taker)
{
    const struct model_manifest begun = work->manifest;
    TRY(writing_version(work->publication, &begun, work->sha256, taker, &work->manifest));
    TRY(writing_retire(publisher->directory, &work->manifest, publisher->config->models.keep, taker));
    return writing_pointer(publisher->config->models.name, MODEL_KEY_CURRENT, &work->manifest, taker);
}

struct status model_publisher_publish(struct model_publisher *publisher, const struct model_publication *publication,
                                      struct complaint *complaint)
{
    uint32_t slot;
    TRY(check_size(publisher, publication, complaint));
    TRY(prepare(publisher, complaint));
    struct status status = writing_slot(publisher->directory, publisher->config->models.keep, &slot);
    if (failed(status))
        return complain(
            complaint, status,
            "all slots hold the current or the pinned version: raise models.keep, or unpin with 'eddy model "
            "unpin'");
    struct work work = {.write = write_version,
                        .publication = publication,
                        .manifest = {.name = bytes_of_text(publisher->config->models.name),
                                     .version = model_directory_latest(publisher->directory) + 1,
                                     .slot = slot,
                                     .precision = publisher->config->models.payload},
                        .pointer = MODEL_KEY_CURRENT,
                        .complaint = complaint};
    return transact(publisher, &work);
}

/* ---- pointers */

static struct status write_pointer(struct model_publisher *publisher, struct work *work, struct record_taker taker)
{
    return writing_pointer(publisher->config->models.name, work->pointer, work->removes ? NULL : &work->manifest,
                           taker);
}

/* The manifest is in memory that reading the topic frees. */
static struct status find_version(struct model_publisher *publisher, int64_t version, struct work *work,
                                  struct complaint *complaint)
{
    const struct model_manifest *manifest = model_directory_version(publisher->directory, version);
    if (!manifest)
        return complain(complaint, FAIL(NOT_FOUND, version, "no such version"),
                        "there is no version %lld any more; 'eddy model list' shows those that there are",
                        (long long)version);
    TRY(model_directory_check(publisher->directory, manifest, complaint));
    work->manifest = *manifest;
    memcpy(work->sha256, manifest->sha256.data, MODEL_DIGITS);
    work->manifest.sha256 = bytes_of(work->sha256, MODEL_DIGITS); /* the rest is not looked at once it is written */
    return OK;
}

struct status model_publisher_point(struct model_publisher *publisher, enum model_key_kind pointer, int64_t version,
                                    struct complaint *complaint)
{
    struct work work = {.write = write_pointer, .pointer = pointer, .removes = version == 0, .complaint = complaint};
    TRY(prepare(publisher, complaint));
    if (version)
        TRY(find_version(publisher, version, &work, complaint));
    return transact(publisher, &work);
}
