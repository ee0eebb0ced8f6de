// SPDX-License-Identifier: Apache-2.0
#include "core/event/embedded.h"
#include "core/event/fixed.h"

#include <stdlib.h>

struct decoder {
    enum record_type type;
    enum record_format format;
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
    *ret_decoder = decoder;
    return OK;
}

void decoder_close(struct decoder *decoder)
{
    free(decoder);
}

struct status decoder_add_schema(struct decoder *decoder, int32_t id, struct bytes schema, struct complaint *complaint)
{
    (void)id;
    return decoder_set_schema(decoder, schema, complaint);
}

struct status decoder_set_schema(struct decoder *decoder, struct bytes schema, struct complaint *complaint)
{
    if (!bytes_equal_text(schema, record_schema(decoder->type)))
        return complain(complaint, FAIL(BAD_INPUT, 0, "another writer schema"), "only eddy's own schema is read");
    return OK;
}

/* The datum of a record in the embedded schema. */
static struct status datum_of(struct decoder *decoder, struct bytes record, struct reader *ret_reader,
                              struct complaint *complaint)
{
    *ret_reader = reader_of(record);
    if (decoder->format == RECORD_AVRO)
        return OK;
    if (decoder->format == RECORD_JSON)
        return complain(complaint, FAIL(BAD_INPUT, 0, "JSON"), "JSON is not read");
    if (record.size < CONFLUENT_FRAME_SIZE || record.data[0] != 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "no Confluent frame"),
                        "the record does not begin with the magic byte 0 and a schema id of 4 bytes");
    ret_reader->at += CONFLUENT_FRAME_SIZE;
    return OK;
}

struct status decode_click(struct decoder *decoder, struct bytes record, struct click *ret_click,
                           struct complaint *complaint)
{
    assert(decoder->type == RECORD_CLICK);
    struct reader reader;
    TRY(datum_of(decoder, record, &reader, complaint));
    return fixed_click(reader, ret_click, complaint);
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
