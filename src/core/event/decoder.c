// SPDX-License-Identifier: Apache-2.0
#include "core/event/embedded.h"
#include "core/event/fixed.h"
#include "core/event/json.h"
#include "core/event/writers.h"

#include <stdlib.h>

struct decoder {
    enum record_type type;
    enum record_format format;
    struct schema_document reader;
    struct writer bare;     /* of RECORD_AVRO */
    struct writers writers; /* of RECORD_CONFLUENT */
    struct bytes header;    /* of the next record */
    struct schema_name missing;
    struct buffer datum;   /* the record in the embedded schema's bytes, when it came in others */
    struct buffer unknown; /* a symbol of the record that an enum's default stands for */
};

static const char *const format_texts[] = {
    [RECORD_AVRO] = "avro",
    [RECORD_CONFLUENT] = "confluent",
    [RECORD_JSON] = "json",
};

bool record_format_of(struct bytes text, enum record_format *ret_format)
{
    for (int i = RECORD_AVRO; i <= RECORD_JSON; i++) {
        if (bytes_equal_text(text, format_texts[i])) {
            *ret_format = (enum record_format)i;
            return true;
        }
    }
    return false;
}

const char *record_schema(enum record_type type)
{
    static const char *const schemas[RECORD_TYPE_COUNT] = {
        [RECORD_CLICK] = embedded_click_event_avsc,
        [RECORD_ITEM] = embedded_item_avsc,
        [RECORD_RECOMMENDATION] = embedded_recommendation_avsc,
        [RECORD_CLOSED_SESSION] = embedded_closed_session_avsc,
        [RECORD_MODEL_CHUNK] = embedded_model_chunk_avsc,
        [RECORD_MODEL_MANIFEST] = embedded_model_manifest_avsc,
        [RECORD_INTENT_REQUEST] = embedded_intent_request_avsc,
        [RECORD_INTENT] = embedded_intent_avsc,
    };
    assert(type < RECORD_TYPE_COUNT);
    return schemas[type];
}

struct status decoder_open(enum record_type type, enum record_format format, struct decoder **ret_decoder)
{
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return FAIL(MEMORY, 0, "no memory for a decoder");
    decoder->type = type;
    decoder->format = format;
    struct status status = schema_parse(bytes_of_text(record_schema(type)), &decoder->reader, NULL);
    if (failed(status)) {
        decoder_close(decoder);
        return status;
    }
    *ret_decoder = decoder;
    return OK;
}

void decoder_close(struct decoder *decoder)
{
    if (!decoder)
        return;
    writers_release(&decoder->writers);
    writer_release(&decoder->bare);
    schema_document_release(&decoder->reader);
    buffer_release(&decoder->datum);
    buffer_release(&decoder->unknown);
    free(decoder);
}

struct status decoder_add_schema(struct decoder *decoder, int32_t id, struct bytes schema, struct complaint *complaint)
{
    assert(decoder->format == RECORD_CONFLUENT);
    const struct schema_name name = {.id = id};
    struct writer fresh = {0};
    TRY(writer_make(schema, decoder->reader.root, &fresh, complaint));
    return writers_put(&decoder->writers, &name, &fresh, false);
}

struct status decoder_learn_schema(struct decoder *decoder, const struct schema_name *name, struct bytes schema,
                                   struct complaint *complaint)
{
    assert(decoder->format == RECORD_CONFLUENT);
    struct writer fresh = {0};
    TRY(writer_make(schema, decoder->reader.root, &fresh, complaint));
    return writers_put(&decoder->writers, name, &fresh, true);
}

struct status decoder_refuse_schema(struct decoder *decoder, const struct schema_name *name, const char *why)
{
    assert(decoder->format == RECORD_CONFLUENT);
    struct writer refused = {.refusal = strdup(why)};
    if (!refused.refusal)
        return FAIL(MEMORY, 0, "no memory for a refused schema");
    return writers_put(&decoder->writers, name, &refused, true);
}

void decoder_set_header(struct decoder *decoder, struct bytes header)
{
    decoder->header = header;
}

struct schema_name decoder_missing(const struct decoder *decoder)
{
    return decoder->missing;
}

struct status decoder_set_schema(struct decoder *decoder, struct bytes schema, struct complaint *complaint)
{
    assert(decoder->format == RECORD_AVRO);
    struct writer fresh = {0};
    TRY(writer_make(schema, decoder->reader.root, &fresh, complaint));
    writer_release(&decoder->bare);
    decoder->bare = fresh;
    return OK;
}

struct status decoder_measure(const struct decoder *decoder, struct bytes records, size_t *ret_size,
                              struct complaint *complaint)
{
    assert(decoder->format == RECORD_AVRO);
    const struct schema *schema = decoder->bare.plan ? decoder->bare.document.root : decoder->reader.root;
    struct reader reader = reader_of(records);
    if (!schema_skip(schema, &reader, "record"))
        return reader_status(&reader, complaint);
    *ret_size = (size_t)(reader.at - reader.start);
    return OK;
}

/* ---- decoding */

/* Checks that the datum fitted and makes it the reader's bytes. */
static struct status converted(struct decoder *decoder, struct reader *ret_reader, struct complaint *complaint)
{
    struct status status = buffer_check(&decoder->datum);
    if (failed(status))
        return complain(complaint, status, "record: %s to be read",
                        decoder->datum.no_memory ? "there is no memory for it" : "it is too big");
    *ret_reader = reader_of(buffer_bytes(&decoder->datum));
    ret_reader->converted = true;
    return OK;
}

static struct status convert_avro(struct decoder *decoder, const struct writer *writer, struct reader *reader,
                                  struct complaint *complaint)
{
    buffer_clear(&decoder->datum);
    bool good = plan_run(writer->plan, reader, &decoder->datum) && reader_finish(reader);
    if (!good && reader->problem)
        return reader_status(reader, complaint);
    assert(good || decoder->datum.overflow);
    if (reader->unknown)
        buffer_append_bytes(&decoder->unknown, bytes_utf8_prefix(bytes_of_text(reader->unknown), UNKNOWN_SYMBOL_MAX));
    return converted(decoder, reader, complaint);
}

static struct status convert_json(struct decoder *decoder, struct bytes record, struct reader *ret_reader,
                                  struct complaint *complaint)
{
    buffer_clear(&decoder->datum);
    TRY(json_read_record(decoder->reader.root, record, &decoder->datum, &decoder->unknown, complaint));
    return converted(decoder, ret_reader, complaint);
}

/* Which schema the record is in, from its header or from the frame before its datum. */
static struct status read_name(struct decoder *decoder, struct reader *reader, struct schema_name *ret_name,
                               struct complaint *complaint)
{
    struct bytes header = decoder->header, frame = bytes_of(reader->at, reader_left(reader));
    if (header.size > 0) {
        decoder->header = (struct bytes){0};
        return schema_name_read(header, true, ret_name, NULL, complaint);
    }
    size_t taken;
    TRY(schema_name_read(frame, false, ret_name, &taken, complaint));
    reader->at += taken;
    return OK;
}

static struct status find_writer(struct decoder *decoder, struct reader *reader, const struct writer **ret_writer,
                                 struct complaint *complaint)
{
    struct schema_name name;
    char text[SCHEMA_NAME_TEXT_MAX];
    TRY(read_name(decoder, reader, &name, complaint));
    const struct writer *writer = writers_find(&decoder->writers, &name);
    if (writer && !writer->refusal) {
        *ret_writer = writer;
        return OK;
    }
    schema_name_text(&name, text);
    if (writer)
        return complain(complaint, FAIL(BAD_INPUT, name.id, "the record's schema cannot be used"),
                        "record: its schema %s cannot be used: %s", text, writer->refusal);
    decoder->missing = name;
    return complain(complaint, FAIL(NOT_FOUND, name.id, "the schema id is unknown"), "record: its schema %s is unknown",
                    text);
}

/* The record's datum in the embedded schema's bytes. */
static struct status datum_of(struct decoder *decoder, struct bytes record, struct reader *ret_reader,
                              struct complaint *complaint)
{
    buffer_clear(&decoder->unknown);
    if (decoder->format == RECORD_JSON)
        return convert_json(decoder, record, ret_reader, complaint);
    const struct writer *writer = &decoder->bare;
    *ret_reader = reader_of(record);
    if (decoder->format == RECORD_CONFLUENT)
        TRY(find_writer(decoder, ret_reader, &writer, complaint));
    return writer->plan ? convert_avro(decoder, writer, ret_reader, complaint) : OK;
}

struct status decode_click(struct decoder *decoder, struct bytes record, struct click *ret_click,
                           struct complaint *complaint)
{
    assert(decoder->type == RECORD_CLICK);
    struct reader reader;
    TRY(datum_of(decoder, record, &reader, complaint));
    TRY(fixed_click(reader, ret_click, complaint));
    ret_click->unknown_type = buffer_bytes(&decoder->unknown);
    return OK;
}

struct status decode_item(struct decoder *decoder, struct bytes record, struct item *ret_item,
                          struct complaint *complaint)
{
    assert(decoder->type == RECORD_ITEM);
    struct reader reader;
    TRY(datum_of(decoder, record, &reader, complaint));
    return fixed_item(reader, ret_item, complaint);
}

struct status decode_closed_session(struct decoder *decoder, struct bytes record, struct arena *batch,
                                    struct closed_record *ret_session, struct complaint *complaint)
{
    assert(decoder->type == RECORD_CLOSED_SESSION);
    struct reader reader;
    TRY(datum_of(decoder, record, &reader, complaint));
    return fixed_closed_session(reader, batch, ret_session, complaint);
}

struct status decode_recommendation(struct decoder *decoder, struct bytes record, struct arena *batch,
                                    struct recommendation_record *ret_record, struct complaint *complaint)
{
    assert(decoder->type == RECORD_RECOMMENDATION);
    struct reader reader;
    TRY(datum_of(decoder, record, &reader, complaint));
    return fixed_recommendation(reader, batch, ret_record, complaint);
}

struct status decode_model_chunk(struct decoder *decoder, struct bytes record, struct model_chunk *ret_chunk,
                                 struct complaint *complaint)
{
    assert(decoder->type == RECORD_MODEL_CHUNK && decoder->format != RECORD_JSON);
    struct reader reader;
    TRY(datum_of(decoder, record, &reader, complaint));
    return fixed_model_chunk(reader, ret_chunk, complaint);
}

struct status decode_model_manifest(struct decoder *decoder, struct bytes record, struct arena *batch,
                                    struct model_manifest *ret_manifest, struct complaint *complaint)
{
    assert(decoder->type == RECORD_MODEL_MANIFEST && decoder->format != RECORD_JSON);
    struct reader reader;
    TRY(datum_of(decoder, record, &reader, complaint));
    return fixed_model_manifest(reader, batch, ret_manifest, complaint);
}

struct status decode_intent_request(struct decoder *decoder, struct bytes record, struct arena *batch,
                                    struct intent_request *ret_request, struct complaint *complaint)
{
    assert(decoder->type == RECORD_INTENT_REQUEST);
    struct reader reader;
    TRY(datum_of(decoder, record, &reader, complaint));
    return fixed_intent_request(reader, batch, ret_request, complaint);
}

struct status decode_intent(struct decoder *decoder, struct bytes record, struct arena *batch,
                            struct intent *ret_intent, struct complaint *complaint)
{
    assert(decoder->type == RECORD_INTENT);
    struct reader reader;
    TRY(datum_of(decoder, record, &reader, complaint));
    return fixed_intent(reader, batch, ret_intent, complaint);
}
