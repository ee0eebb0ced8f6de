// SPDX-License-Identifier: Apache-2.0
#include "core/event/embedded.h"
#include "core/event/fixed.h"
#include "core/event/json.h"
#include "core/event/resolve.h"

#include <stdlib.h>

#define WRITERS_MAX 256 /* schema ids known to one decoder */

struct writer { /* a writer's schema; {0}: the embedded one */
    int32_t id;
    struct schema_document document; /* owns the plan too */
    struct plan *plan;               /* NULL: its bytes are those of the embedded schema */
};

struct decoder {
    enum record_type type;
    enum record_format format;
    struct schema_document reader;
    struct writer bare;     /* of RECORD_AVRO */
    struct writer *writers; /* of RECORD_CONFLUENT, by ascending id */
    size_t writer_count;
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
    for (size_t i = 0; i < decoder->writer_count; i++)
        schema_document_release(&decoder->writers[i].document);
    free(decoder->writers);
    schema_document_release(&decoder->bare.document);
    schema_document_release(&decoder->reader);
    buffer_release(&decoder->datum);
    buffer_release(&decoder->unknown);
    free(decoder);
}

static struct status writer_make(const struct decoder *decoder, struct bytes schema, struct writer *ret_writer,
                                 struct complaint *complaint)
{
    AUTO(schema_document) document = {0};
    struct plan *plan = NULL;
    TRY(schema_parse(schema, &document, complaint));
    if (!schema_is_same(document.root, decoder->reader.root))
        TRY(plan_make(document.root, decoder->reader.root, &document.memory, &plan, complaint));
    *ret_writer = (struct writer){.document = document, .plan = plan};
    document = (struct schema_document){0};
    return OK;
}

/* The place of the first id that is not below `id`. */
static size_t writer_place(const struct decoder *decoder, int32_t id)
{
    size_t low = 0, high = decoder->writer_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (decoder->writers[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct writer *writer_find(const struct decoder *decoder, int32_t id)
{
    size_t place = writer_place(decoder, id);
    bool found = place < decoder->writer_count && decoder->writers[place].id == id;
    return found ? &decoder->writers[place] : NULL;
}

/* Makes room for a new id; its writer is {0} but for the id. */
static struct status writer_insert(struct decoder *decoder, int32_t id, struct writer **ret_writer)
{
    if (decoder->writer_count == WRITERS_MAX)
        return FAIL(LIMIT, WRITERS_MAX, "too many schema ids");
    struct writer *writers = realloc(decoder->writers, (decoder->writer_count + 1) * sizeof *writers);
    if (!writers)
        return FAIL(MEMORY, 0, "no memory for a schema");
    decoder->writers = writers;
    size_t place = writer_place(decoder, id);
    memmove(writers + place + 1, writers + place, (decoder->writer_count - place) * sizeof *writers);
    writers[place] = (struct writer){.id = id};
    decoder->writer_count++;
    *ret_writer = &writers[place];
    return OK;
}

/* Puts a new schema in the place of an older one. */
static void writer_replace(struct writer *writer, struct writer fresh)
{
    schema_document_release(&writer->document);
    fresh.id = writer->id;
    *writer = fresh;
}

struct status decoder_add_schema(struct decoder *decoder, int32_t id, struct bytes schema, struct complaint *complaint)
{
    assert(decoder->format == RECORD_CONFLUENT);
    struct writer fresh, *writer = writer_find(decoder, id);
    TRY(writer_make(decoder, schema, &fresh, complaint));
    struct status status = writer ? OK : writer_insert(decoder, id, &writer);
    if (failed(status))
        schema_document_release(&fresh.document);
    else
        writer_replace(writer, fresh);
    return status;
}

struct status decoder_set_schema(struct decoder *decoder, struct bytes schema, struct complaint *complaint)
{
    assert(decoder->format == RECORD_AVRO);
    struct writer fresh;
    TRY(writer_make(decoder, schema, &fresh, complaint));
    writer_replace(&decoder->bare, fresh);
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
        return complain(complaint, status, "record: it is too big to be read");
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

static struct status read_frame(const struct decoder *decoder, struct reader *reader, const struct writer **ret_writer,
                                struct complaint *complaint)
{
    const uint8_t *frame = reader->at;
    if (reader_left(reader) < CONFLUENT_FRAME_SIZE || frame[0] != 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "the record has no Confluent frame"),
                        "record: it does not begin with the magic byte 0 and a schema id of 4 bytes (is its format "
                        "another one?)");
    uint32_t id = (uint32_t)frame[1] << 24 | (uint32_t)frame[2] << 16 | (uint32_t)frame[3] << 8 | frame[4];
    *ret_writer = writer_find(decoder, (int32_t)id);
    if (!*ret_writer)
        return complain(complaint, FAIL(NOT_FOUND, (int32_t)id, "the schema id is unknown"),
                        "record: its schema id %d is unknown", (int32_t)id);
    reader->at += CONFLUENT_FRAME_SIZE;
    return OK;
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
        TRY(read_frame(decoder, ret_reader, &writer, complaint));
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
