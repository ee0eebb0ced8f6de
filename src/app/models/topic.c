// SPDX-License-Identifier: Apache-2.0
#include "app/models/topic.h"

#include <eddy/io/kafka_range.h>

static struct status open_range(const struct models_topic *topic, int64_t from, int64_t to,
                                struct kafka_range **ret_range, struct complaint *complaint)
{
    const struct kafka_range_options options = {
        .kafka = topic->kafka,
        .topic = topic->name,
        .partition_count = 1,
        .from = {from > 0 ? KAFKA_BOUND_OFFSET : KAFKA_BOUND_NONE, from},
        .to = {to > 0 ? KAFKA_BOUND_OFFSET : KAFKA_BOUND_NONE, to},
        .stop = topic->stop,
        .committed = true,
    };
    return kafka_range_open(&options, ret_range, complaint);
}

static struct status take_all(struct kafka_range *range, struct model_directory *directory, uint64_t *bad,
                              struct complaint *complaint)
{
    for (;;) {
        struct message record;
        struct complaint why = {""};
        bool found;
        TRY(kafka_range_next(range, &record, &found, complaint));
        if (!found)
            return OK;
        struct status status = model_directory_take(directory, &record, &why);
        *bad += failed_as(status, FAULT_BAD_INPUT);
        if (failed(status) && !failed_as(status, FAULT_BAD_INPUT))
            return status;
    }
}

struct status models_topic_read(const struct models_topic *topic, struct model_directory *directory, uint64_t *bad,
                                struct complaint *complaint)
{
    struct kafka_range *range;
    TRY(open_range(topic, model_directory_next(directory), 0, &range, complaint));
    struct status status = take_all(range, directory, bad, complaint);
    kafka_range_close(range);
    return status;
}

/* ---- one version */

/* Takes the records that lie where the directory says, and passes over what is between them. */
static struct status take_chunks(struct kafka_range *range, const struct model_directory *directory,
                                 const struct model_manifest *manifest, struct model_assembly *assembly,
                                 struct complaint *complaint)
{
    for (uint32_t chunk = 0; chunk < manifest->chunk_count;) {
        struct model_place place = model_directory_place(directory, manifest->slot, chunk);
        struct message record;
        bool found;
        TRY(kafka_range_next(range, &record, &found, complaint));
        if (!found || record.offset > place.offset)
            return complain(complaint, FAIL(NOT_FOUND, chunk, "a chunk of a model is gone"),
                            "version %lld: chunk %u was there and is gone", (long long)manifest->version, chunk);
        if (record.offset < place.offset)
            continue;
        TRY(model_assembly_take(assembly, record.value, complaint));
        chunk++;
    }
    return OK;
}

static struct status check_order(const struct model_directory *directory, const struct model_manifest *manifest,
                                 struct complaint *complaint)
{
    for (uint32_t chunk = 1; chunk < manifest->chunk_count; chunk++)
        if (model_directory_place(directory, manifest->slot, chunk).offset <
            model_directory_place(directory, manifest->slot, chunk - 1).offset)
            return complain(complaint, FAIL(BAD_INPUT, chunk, "chunks out of order"),
                            "version %lld: chunk %u was written before the one before it", (long long)manifest->version,
                            chunk);
    return OK;
}

struct status models_topic_fetch(const struct models_topic *topic, const struct model_directory *directory,
                                 const struct model_manifest *manifest, size_t size_max,
                                 struct model_assembly **ret_assembly, struct complaint *complaint)
{
    struct model_assembly *assembly;
    struct kafka_range *range;
    TRY(model_directory_check(directory, manifest, complaint));
    TRY(check_order(directory, manifest, complaint));
    TRY(model_assembly_open(manifest, size_max, &assembly, complaint));
    int64_t first = model_directory_place(directory, manifest->slot, 0).offset;
    int64_t last = model_directory_place(directory, manifest->slot, manifest->chunk_count - 1).offset;
    struct status status = open_range(topic, first, last + 1, &range, complaint);
    if (!failed(status)) {
        status = take_chunks(range, directory, manifest, assembly, complaint);
        kafka_range_close(range);
    }
    if (failed(status))
        model_assembly_close(assembly);
    else
        *ret_assembly = assembly;
    return status;
}
