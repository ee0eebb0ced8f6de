// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/models_log.h"

static struct bytes copy_of(struct bytes bytes)
{
    if (!bytes.data)
        return bytes;
    uint8_t *copy = malloc(bytes.size + 1); /* a value of no bytes is no tombstone */
    assert_non_null(copy);
    if (bytes.size)
        memcpy(copy, bytes.data, bytes.size);
    return bytes_of(copy, bytes.size);
}

static void drop(struct message *record)
{
    free((void *)(uintptr_t)record->key.data);
    free((void *)(uintptr_t)record->value.data);
}

void models_log_release(struct models_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        drop(&log->records[i]);
    log->count = 0;
}

void models_log_put(struct models_log *log, struct bytes key, struct bytes value)
{
    assert_true(log->count < MODELS_LOG_MAX);
    log->records[log->count++] = (struct message){.offset = log->next++, .key = copy_of(key), .value = copy_of(value)};
}

static struct status put(void *self, struct bytes key, struct bytes value)
{
    models_log_put(self, key, value);
    return OK;
}

struct record_taker models_log_taker(struct models_log *log)
{
    return (struct record_taker){put, log};
}

void models_log_compact(struct models_log *log)
{
    size_t kept = 0;
    for (size_t i = 0; i < log->count; i++) {
        bool superseded = !log->records[i].value.data;
        for (size_t k = i + 1; k < log->count && !superseded; k++)
            superseded = bytes_equal(log->records[k].key, log->records[i].key);
        if (superseded)
            drop(&log->records[i]);
        else
            log->records[kept++] = log->records[i];
    }
    log->count = kept;
}

struct message *models_log_find(struct models_log *log, const char *key)
{
    for (size_t i = log->count; i-- > 0;)
        if (bytes_equal_text(log->records[i].key, key))
            return &log->records[i];
    return NULL;
}

uint64_t models_log_read(const struct models_log *log, struct model_directory *directory)
{
    uint64_t bad = 0;
    for (size_t i = 0; i < log->count; i++) {
        struct complaint why = {""};
        if (log->records[i].offset < model_directory_next(directory))
            continue;
        struct status status = model_directory_take(directory, &log->records[i], &why);
        if (failed(status)) {
            assert_true(failed_as(status, FAULT_BAD_INPUT));
            assert_true(why.text[0]);
            bad++;
        }
    }
    return bad;
}

static struct status assemble(const struct models_log *log, const struct model_directory *directory,
                              const struct model_manifest *manifest, struct model_assembly *assembly,
                              struct complaint *complaint)
{
    for (uint32_t chunk = 0; chunk < manifest->chunk_count; chunk++)
        for (size_t i = 0; i < log->count; i++)
            if (log->records[i].offset == model_directory_place(directory, manifest->slot, chunk).offset)
                TRY(model_assembly_take(assembly, log->records[i].value, complaint));
    return OK;
}

struct status models_log_load(const struct models_log *log, const struct model_directory *directory,
                              const struct model_manifest *manifest, size_t size_max, struct model_file *ret_file,
                              struct complaint *complaint)
{
    struct model_assembly *assembly;
    TRY(model_directory_check(directory, manifest, complaint));
    TRY(model_assembly_open(manifest, size_max, &assembly, complaint));
    struct status status = assemble(log, directory, manifest, assembly, complaint);
    if (!failed(status))
        status = model_assembly_model(assembly, ret_file, complaint);
    model_assembly_close(assembly);
    return status;
}

struct model *models_log_model(uint32_t items, uint32_t width, uint64_t seed)
{
    const struct model_options options = {
        .backbone = backbone_named("pw_core"), .width = width, .length_max = 5, .normalise = true, .temperature = 0.1f};
    struct model *model;
    assert_ok(model_open(&options, items, seed, &model));
    return model;
}

static struct bytes id(const void *context, uint32_t row)
{
    static _Thread_local char text[16];
    (void)context;
    return bytes_of(text, (size_t)snprintf(text, sizeof text, "i%u", row));
}

struct model_items models_log_items(void)
{
    return (struct model_items){id, NULL};
}

int64_t models_log_publish(struct models_log *log, struct model_directory *directory, const struct model *model,
                           enum model_precision precision, uint32_t keep)
{
    static const struct sessions_read sessions[] = {{0, 17}, {3, 9}};
    const struct model_publication publication = {.model = model,
                                                  .items = models_log_items(),
                                                  .created_ms = 1700000000000,
                                                  .sessions = sessions,
                                                  .session_count = 2,
                                                  .gate = {100, 20, 0.25, 0.24, 0.5, 0.4},
                                                  .training = {7, 70, 700, 5.5},
                                                  .note = "a test"};
    struct record_taker taker = models_log_taker(log);
    struct model_manifest begun = {.name = bytes_of_text(model_directory_name(directory)), .precision = precision};
    struct model_manifest manifest;
    char sha256[SHA256_TEXT_SIZE];
    models_log_read(log, directory);
    begun.version = model_directory_latest(directory) + 1;
    assert_ok(writing_slot(directory, keep, &begun.slot));
    assert_ok(writing_version(&publication, &begun, sha256, taker, &manifest));
    assert_ok(writing_retire(directory, &manifest, keep, taker));
    assert_ok(writing_pointer(model_directory_name(directory), MODEL_KEY_CURRENT, &manifest, taker));
    models_log_read(log, directory);
    return manifest.version;
}
