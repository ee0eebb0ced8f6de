// SPDX-License-Identifier: Apache-2.0
#pragma once
/* models_log: the models topic in memory, as its log: records one behind the other, and compaction. */
#include "app/models/writing.h"

#define MODELS_LOG_MAX 4096

struct models_log {
    struct message records[MODELS_LOG_MAX]; /* whose bytes it owns */
    size_t count;
    int64_t next;
};

void models_log_release(struct models_log *log);
/* Appends copies. */
void models_log_put(struct models_log *log, struct bytes key, struct bytes value);
struct record_taker models_log_taker(struct models_log *log);
/* Removes each record that is followed by one of its key, and tombstones too. Offsets stay. */
void models_log_compact(struct models_log *log);
/* The record of a key that came last; NULL: none. */
struct message *models_log_find(struct models_log *log, const char *key);

/* Tells a directory all that it has not been told. Returns how many records could not be used. */
uint64_t models_log_read(const struct models_log *log, struct model_directory *directory);
/* As models_topic_fetch() and model_assembly_model(), without Kafka. */
struct status models_log_load(const struct models_log *log, const struct model_directory *directory,
                              const struct model_manifest *manifest, size_t size_max, struct model_file *ret_file,
                              struct complaint *complaint);

/* A model of `items` items called i0, i1, ..., to be closed by model_close(). */
struct model *models_log_model(uint32_t items, uint32_t width, uint64_t seed);
struct model_items models_log_items(void);
/* What model_publisher_publish() does, without Kafka; asserts that a slot is free. Returns the version. */
int64_t models_log_publish(struct models_log *log, struct model_directory *directory, const struct model *model,
                           enum model_precision precision, uint32_t keep);
