// SPDX-License-Identifier: Apache-2.0
#include "chaos/versions.h"

#include "app/models/assembly.h"
#include "app/models/directory.h"
#include "app/run/decoders.h"
#include "app/session_model.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#define SHOWN_MAX       10
#define PUBLISHED_LEAST 3 /* with fewer there is nothing to be seen */
#define ANSWERING_LEAST 2

void versions_release(struct versions *versions)
{
    for (size_t i = 0; i < versions->count; i++)
        free(versions->uses[i].sessions);
    free(versions->uses);
    *versions = (struct versions){0};
}

__attribute__((format(printf, 3, 4))) static void problem(struct versions *versions, FILE *out, const char *format, ...)
{
    va_list arguments;
    if (versions->problems++ >= SHOWN_MAX)
        return;
    fputs("models: ", out);
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    fputc('\n', out);
}

/* ---- the models topic */

static struct status add_use(struct versions *versions, const struct model_manifest *manifest, int64_t since_ms)
{
    if (versions->count == versions->capacity) {
        size_t capacity = versions->capacity ? versions->capacity * 2 : 64;
        struct use *uses = realloc(versions->uses, capacity * sizeof *uses);
        if (!uses)
            return FAIL(MEMORY, capacity, "no memory for versions");
        versions->uses = uses;
        versions->capacity = capacity;
    }
    struct use use = {.version = manifest->version, .since_ms = since_ms, .session_count = manifest->session_count};
    size_t size = manifest->session_count * sizeof *use.sessions;
    memcpy(use.digits, manifest->sha256.data, MODEL_DIGITS);
    use.sessions = malloc(size + 1);
    if (!use.sessions)
        return FAIL(MEMORY, size, "no memory for versions");
    if (size)
        memcpy(use.sessions, manifest->sessions, size);
    versions->uses[versions->count++] = use;
    return OK;
}

static const struct dump_record *record_at(const struct dump *dump, int64_t offset)
{
    for (size_t low = 0, high = dump->count; low < high;) {
        size_t middle = (low + high) / 2;
        int64_t is = dump->records[middle].message.offset;
        if (is == offset)
            return &dump->records[middle];
        if (is < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct status assemble(const struct dump *dump, const struct model_directory *directory,
                              const struct model_manifest *manifest, struct model_assembly *assembly,
                              struct complaint *why)
{
    struct model_file file;
    for (uint32_t chunk = 0; chunk < manifest->chunk_count; chunk++) {
        const struct dump_record *record =
            record_at(dump, model_directory_place(directory, manifest->slot, chunk).offset);
        assert(record); /* the directory knows no others */
        TRY(model_assembly_take(assembly, record->message.value, why));
    }
    TRY(model_assembly_model(assembly, &file, why));
    model_file_release(&file);
    return OK;
}

/* As who reads just this far would load it. */
static struct status load(const struct config *config, const struct dump *dump, const struct model_directory *directory,
                          const struct model_manifest *manifest, struct complaint *why)
{
    struct model_assembly *assembly;
    TRY(model_directory_check(directory, manifest, why));
    TRY(model_assembly_open(manifest, config->models.size_max_bytes, &assembly, why));
    struct status status = assemble(dump, directory, manifest, assembly, why);
    model_assembly_close(assembly);
    return status;
}

static int64_t learned_of(const struct sessions_read *sessions, uint32_t count, int32_t partition)
{
    for (uint32_t i = 0; i < count; i++)
        if (sessions[i].partition == partition)
            return sessions[i].offset;
    return 0;
}

static void check_growth(struct versions *versions, const struct use *before, const struct model_manifest *manifest,
                         FILE *out)
{
    for (uint32_t i = 0; i < before->session_count; i++) {
        struct sessions_read had = before->sessions[i];
        int64_t has = learned_of(manifest->sessions, manifest->session_count, had.partition);
        if (has < had.offset)
            problem(versions, out,
                    "version %" PRId64 " has learned partition %d up to %" PRId64 ", version %" PRId64
                    " before it up to %" PRId64,
                    manifest->version, had.partition, has, before->version, had.offset);
    }
}

struct reading {
    const struct config *config;
    const struct dump *dump;
    struct model_directory *directory;
    int64_t newest; /* the highest version that was ever in use */
    FILE *out;
    struct versions *versions;
};

static struct status take_current(struct reading *reading, const struct dump_record *record)
{
    struct versions *versions = reading->versions;
    const struct model_manifest *current = model_directory_current(reading->directory);
    struct complaint why = {""};
    if (!current) {
        problem(versions, reading->out, "offset %" PRId64 ": no version is in use any more", record->message.offset);
        return OK;
    }
    struct status status = load(reading->config, reading->dump, reading->directory, current, &why);
    if (failed_as(status, FAULT_MEMORY))
        return status;
    if (failed(status))
        problem(versions, reading->out, "version %" PRId64 " came into use at offset %" PRId64 " and cannot be: %s",
                current->version, record->message.offset, why.text[0] ? why.text : status.fault->what);
    if (current->version > reading->newest) {
        if (versions->count > 0)
            check_growth(versions, &versions->uses[versions->count - 1], current, reading->out);
        versions->published++;
        reading->newest = current->version;
    } else {
        versions->rollbacks++;
    }
    if (current->chunk_count > versions->largest)
        versions->largest = current->chunk_count;
    return add_use(versions, current, record->message.timestamp_ms);
}

static struct status take(struct reading *reading, const struct dump_record *record)
{
    struct versions *versions = reading->versions;
    struct model_key key;
    struct complaint why = {""};
    int64_t before = model_directory_latest(reading->directory);
    struct status status = model_directory_take(reading->directory, &record->message, &why);
    if (failed_as(status, FAULT_BAD_INPUT)) {
        problem(versions, reading->out, "offset %" PRId64 ": %s", record->message.offset, why.text);
        return OK;
    }
    TRY(status);
    if (!model_key_parse(record->message.key, &key))
        return OK;
    if (key.kind == MODEL_KEY_MANIFEST && record->message.value.data) {
        int64_t version = model_directory_slot(reading->directory, key.slot)->version;
        if (version != before + 1)
            problem(versions, reading->out, "offset %" PRId64 ": version %" PRId64 " comes after version %" PRId64,
                    record->message.offset, version, before);
    }
    return key.kind == MODEL_KEY_CURRENT ? take_current(reading, record) : OK;
}

struct status versions_read(const struct config *config, const struct dump *models, FILE *out,
                            struct versions *versions, struct complaint *complaint)
{
    struct reading reading = {.config = config, .dump = models, .out = out, .versions = versions};
    (void)complaint;
    TRY(model_directory_open(config->models.name, &reading.directory));
    struct status status = OK;
    for (size_t i = 0; i < models->count && !failed(status); i++)
        status = take(&reading, &models->records[i]);
    model_directory_close(reading.directory);
    return status;
}

/* ---- the sessions topic */

void versions_check_sessions(struct versions *versions, const struct dump *sessions, FILE *out)
{
    for (size_t i = 0; i < versions->count; i++)
        for (uint32_t s = 0; s < versions->uses[i].session_count; s++) {
            struct sessions_read read = versions->uses[i].sessions[s];
            int64_t end = 0;
            for (size_t r = 0; r < sessions->count; r++) {
                const struct message *message = &sessions->records[r].message;
                if (message->partition == read.partition && message->offset >= end)
                    end = message->offset + 1;
            }
            if (read.offset > end)
                problem(versions, out,
                        "version %" PRId64 " has learned partition %d up to %" PRId64 ", which ends at %" PRId64,
                        versions->uses[i].version, read.partition, read.offset, end);
        }
}

/* ---- answers */

/* The first time that the version of a recommendation was in use; NULL: it never was. */
static struct use *find_use(struct versions *versions, struct bytes named)
{
    for (size_t i = 0; i < versions->count; i++) {
        char text[MODEL_VERSION_SIZE];
        model_version_write(versions->uses[i].version, bytes_of(versions->uses[i].digits, MODEL_DIGITS), text);
        if (bytes_equal_text(named, text))
            return &versions->uses[i];
    }
    return NULL;
}

static void check_answer(struct versions *versions, const struct message *message,
                         const struct recommendation_record *record, bool *named, FILE *out)
{
    versions->answers++;
    if (!record->model_version.size)
        return;
    versions->answers_by_model++;
    const struct use *use = find_use(versions, record->model_version);
    if (!use)
        problem(versions, out,
                "the answer to partition %d, offset %" PRId64 " is by version " BYTES_FORMAT ", which never was in use",
                record->partition, record->offset, BYTES_ARGS(record->model_version));
    else if (message->timestamp_ms < use->since_ms)
        problem(versions, out,
                "the answer to partition %d, offset %" PRId64 " is by version " BYTES_FORMAT " and %" PRId64
                " ms older than that",
                record->partition, record->offset, BYTES_ARGS(record->model_version),
                use->since_ms - message->timestamp_ms);
    else if (!named[use - versions->uses]) {
        named[use - versions->uses] = true;
        versions->answering++;
    }
}

struct status versions_check_answers(const struct config *config, const struct dump *recommendations, FILE *out,
                                     struct versions *versions, struct complaint *complaint)
{
    struct decoder *decoder;
    struct arena batch = {0};
    bool *named = calloc(versions->count + 1, sizeof *named);
    if (!named)
        return FAIL(MEMORY, versions->count, "no memory for versions");
    struct status status = decoder_open_configured(config, RECORD_RECOMMENDATION, &decoder, complaint);
    if (failed(status)) {
        free(named);
        return status;
    }
    for (size_t i = 0; i < recommendations->count && !failed(status); i++) {
        const struct message *message = &recommendations->records[i].message;
        struct recommendation_record record;
        status = decode_recommendation(decoder, message->value, &batch, &record, complaint);
        if (!failed(status))
            check_answer(versions, message, &record, named, out);
        arena_reset(&batch);
    }
    arena_release(&batch);
    decoder_close(decoder);
    free(named);
    return status;
}

/* ---- who has loaded what */

static struct bytes next_line(struct bytes *rest)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->data) : rest->size;
    struct bytes line = bytes_of(rest->data, size);
    size += end != NULL;
    *rest = bytes_of(rest->data + size, rest->size - size);
    return line;
}

void versions_check_loaded(struct versions *versions, struct bytes loaded, FILE *out)
{
    struct bytes first = {0};
    while (loaded.size) {
        struct bytes line = next_line(&loaded);
        const uint8_t *space = line.size ? memchr(line.data, ' ', line.size) : NULL;
        size_t taken = space ? (size_t)(space - line.data) + 1 : line.size;
        struct bytes version = bytes_of(line.data + taken, line.size - taken);
        if (!find_use(versions, version))
            problem(versions, out, "'" BYTES_FORMAT "': that version never was in use", BYTES_ARGS(line));
        if (first.data && !bytes_equal(first, version))
            problem(versions, out, "'" BYTES_FORMAT "' in the end, and another one " BYTES_FORMAT, BYTES_ARGS(line),
                    BYTES_ARGS(first));
        first = first.data ? first : version;
    }
    if (!first.data)
        problem(versions, out, "nobody says which version was loaded in the end");
}

/* ---- the verdict */

bool versions_judge(const struct versions *versions, FILE *out)
{
    bool enough = versions->published >= PUBLISHED_LEAST && versions->answering >= ANSWERING_LEAST;
    fprintf(out,
            "models: %zu versions published, of up to %zu chunks, %zu times gone back; %zu of %zu answers by %zu of "
            "them; %zu problems\n",
            versions->published, versions->largest, versions->rollbacks, versions->answers_by_model, versions->answers,
            versions->answering, versions->problems);
    if (!enough)
        fprintf(out, "models: too little to say anything: %d published and %d answering are the least\n",
                PUBLISHED_LEAST, ANSWERING_LEAST);
    return enough && !versions->problems;
}
