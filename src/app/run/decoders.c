// SPDX-License-Identifier: Apache-2.0
#include "app/run/decoders.h"

#include "app/log.h"

#include <errno.h>
#include <stdio.h>

#define SCHEMA_BYTES_MAX (64 * 1024)

static const char *const type_names[RECORD_TYPE_COUNT] = {
    [RECORD_CLICK] = "click",
    [RECORD_ITEM] = "item",
    [RECORD_RECOMMENDATION] = "recommendation",
    [RECORD_CLOSED_SESSION] = "closed session",
    [RECORD_MODEL_CHUNK] = "model chunk",
    [RECORD_MODEL_MANIFEST] = "model manifest",
    [RECORD_INTENT_REQUEST] = "intent request",
    [RECORD_INTENT] = "intent",
};

static struct status read_file(const char *path, struct buffer *out, struct complaint *complaint)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain(complaint, FAIL(CONFIG, errno, "a schema cannot be read"), "cannot read the schema %s: %s",
                        path, strerror(errno));
    out->limit = SCHEMA_BYTES_MAX + 1;
    uint8_t *room = buffer_reserve(out, SCHEMA_BYTES_MAX);
    out->size = room ? fread(room, 1, SCHEMA_BYTES_MAX, file) : 0;
    bool whole = room && fgetc(file) == EOF && !ferror(file);
    fclose(file);
    TRY(buffer_check(out));
    return whole ? OK
                 : complain(complaint, FAIL(CONFIG, SCHEMA_BYTES_MAX, "a schema cannot be read"),
                            "the schema %s cannot be read, or has more than 64 KiB", path);
}

static struct status add_schema(const struct schema_file *schema, enum record_type type, struct decoder *decoder,
                                struct complaint *complaint)
{
    AUTO(buffer) text = {0};
    TRY(read_file(schema->path, &text, complaint));
    struct complaint why = {0};
    struct status status = decoder_add_schema(decoder, schema->id, buffer_bytes(&text), &why);
    if (!failed_as(status, FAULT_BAD_INPUT))
        return status;
    /* An id may belong to another type of record; a record that does carry it is then undecodable. */
    log_event(LOG_INFO, "schema_passed_over", "id=%d path=%s type=%s reason=%s", schema->id, schema->path,
              type_names[type], why.text);
    return OK;
}

struct status decoder_open_configured(const struct config *config, enum record_type type, struct decoder **ret_decoder,
                                      struct complaint *complaint)
{
    struct decoder *decoder;
    TRY(decoder_open(type, config->encodings[type].format, &decoder));
    struct status status = OK;
    for (size_t i = 0; i < config->schema_count && !failed(status); i++)
        if (config->encodings[type].format == RECORD_CONFLUENT)
            status = add_schema(&config->schemas[i], type, decoder, complaint);
    if (failed(status)) {
        decoder_close(decoder);
        return status;
    }
    *ret_decoder = decoder;
    return OK;
}
