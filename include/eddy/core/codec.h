// SPDX-License-Identifier: Apache-2.0
#pragma once
/* codec: record values <-> structs, for the record types of schemas/.
 *
 *   Avro -> [framing] -> its writer's schema is the embedded one ------> fixed decoder -> struct
 *                     -> it is another one -> plan of its resolution --^  (bounds-checked, no allocation)
 *   JSON -> jansson ---------------------------------------------------^
 *
 * Formats: RECORD_AVRO, bare Avro binary in the embedded schema; RECORD_CONFLUENT, magic byte 0, big-endian 4-byte
 * schema id, Avro binary in that id's schema, or the schema's name in a header of the record, and bare Avro;
 * RECORD_JSON, one JSON object with the schema's field names (an id may be a number, a timestamp milliseconds or an RFC
 * 3339 string; bytes are base64; unknown fields are ignored; missing ones, and nulls where the schema has no null, take
 * the schema's default; an unknown type is a view, and noted in the click).
 *
 * Another writer's schema is resolved by the rules of Avro: fields are matched by name, whatever their order; those
 * eddy does not know are skipped, those it misses take its schema's default; int, long and float are promoted; unions
 * are opened; unknown enum symbols take the default (a click notes its type); timestamp-micros and -nanos become
 * milliseconds (docs/adr/0002-avro-decoding.md).
 *
 * A decoder belongs to one thread. Decoded bytes are borrowed from the record or from the decoder and live until its
 * next decode call. Anything undecodable is BAD_INPUT with a complaint that names the field, and the byte offset where
 * there is one; the only other failures are MEMORY, LIMIT (the record would pass 64 MiB) and NOT_FOUND (below). A
 * decoder survives any input and never allocates more than a fixed multiple of the record's size. Specification:
 * Apache Avro 1.11; Confluent wire format. */
#include <eddy/base/arena.h>
#include <eddy/base/buffer.h>
#include <eddy/core/learner.h>
#include <eddy/core/recommendation.h>
#include <eddy/port.h>

enum record_format { RECORD_AVRO, RECORD_CONFLUENT, RECORD_JSON };
enum record_type {
    RECORD_CLICK,
    RECORD_ITEM,
    RECORD_RECOMMENDATION,
    RECORD_CLOSED_SESSION,
    RECORD_MODEL_CHUNK, /* these two: model_record.h */
    RECORD_MODEL_MANIFEST,
    RECORD_INTENT_REQUEST, /* these two: intent_record.h */
    RECORD_INTENT,
    RECORD_TYPE_COUNT
};

/* "avro", "confluent", "json". */
bool record_format_of(struct bytes text, enum record_format *ret_format);
/* The embedded schema of a type, as JSON text. */
const char *record_schema(enum record_type type);

struct decoder;

MUST_CHECK struct status decoder_open(enum record_type type, enum record_format format, struct decoder **ret_decoder);
void decoder_close(struct decoder *decoder);

/* Makes a Confluent schema id known (RECORD_CONFLUENT); again for a known id replaces it. `schema` is Avro JSON text,
 * at most 64 KiB; BAD_INPUT when it is not an Avro schema, too big or deep, contains itself, or cannot be resolved to
 * the type's reader schema; LIMIT at 256 ids. */
MUST_CHECK struct status decoder_add_schema(struct decoder *decoder, int32_t id, struct bytes schema,
                                            struct complaint *complaint);

/* The same for any name of a schema, while the process runs: at 256 names the one that was used longest ago leaves. */
MUST_CHECK struct status decoder_learn_schema(struct decoder *decoder, const struct schema_name *name,
                                              struct bytes schema, struct complaint *complaint);
/* From now on records in that schema are BAD_INPUT, because of `why`: it is the schema that cannot be used. */
MUST_CHECK struct status decoder_refuse_schema(struct decoder *decoder, const struct schema_name *name,
                                               const char *why);
/* What the next record's SCHEMA_HEADER says; it goes before what stands in the record. Empty: the record has none. */
void decoder_set_header(struct decoder *decoder, struct bytes header);
/* Which schema was unknown when a record could not be decoded with NOT_FOUND. */
struct schema_name decoder_missing(const struct decoder *decoder);

#define SCHEMA_NAME_TEXT_MAX 48
/* "id 8" or "GUID 89791762-2336-4f8f-a1e1-2f1e0a3b5c5d" */
void schema_name_text(const struct schema_name *name, char text[SCHEMA_NAME_TEXT_MAX]);

/* Sets the writer schema of bare Avro (RECORD_AVRO; an Avro container's header, for example). */
MUST_CHECK struct status decoder_set_schema(struct decoder *decoder, struct bytes schema, struct complaint *complaint);

/* How many bytes the first of several bare Avro records that follow each other takes (RECORD_AVRO; an Avro container's
 * block holds them so). BAD_INPUT when there is no whole record. */
MUST_CHECK struct status decoder_measure(const struct decoder *decoder, struct bytes records, size_t *ret_size,
                                         struct complaint *complaint);

/* NOT_FOUND (detail = the id; decoder_missing()) when the record names an unknown schema. A click's texts and time are
 * left to click_check(); in the other records texts are checked UTF-8 and item ids have 1..CLICK_ID_MAX bytes. */
MUST_CHECK struct status decode_click(struct decoder *decoder, struct bytes record, struct click *ret_click,
                                      struct complaint *complaint);
MUST_CHECK struct status decode_item(struct decoder *decoder, struct bytes record, struct item *ret_item,
                                     struct complaint *complaint);

struct closed_record { /* a ClosedSession before its items are interned */
    struct bytes session_id, user_id;
    struct session_origin origin;
    int64_t close_ms;
    bool evicted;
    uint32_t total, length;
    const struct bytes *item_ids; /* length */
    const int64_t *times_ms;
    const uint8_t *types;
};
MUST_CHECK struct status decode_closed_session(struct decoder *decoder, struct bytes record, struct arena *batch,
                                               struct closed_record *ret_session, struct complaint *complaint);

struct recommendation_record { /* a decoded Recommendation, for our own tools and tests */
    struct bytes session_id, user_id, topic, model_version, learned_version, click_item_id;
    int32_t partition;
    int64_t offset, click_time_ms;
    uint32_t revision, position, count;
    const struct bytes *item_ids;
    const float *scores;
    const struct bytes *reasons;
    uint32_t scorer_count;
    const struct bytes *scorers;
    const float *shares; /* (count, scorer_count) */
};
MUST_CHECK struct status decode_recommendation(struct decoder *decoder, struct bytes record, struct arena *batch,
                                               struct recommendation_record *ret_record, struct complaint *complaint);

/* How to write: appended to a buffer (check it with buffer_check). schema_id is used by RECORD_CONFLUENT. */
struct encoding {
    enum record_format format;
    int32_t schema_id;
};

void encode_click(struct encoding encoding, const struct click *click, struct buffer *out);
void encode_item(struct encoding encoding, const struct item *item, struct buffer *out);
void encode_closed_session(struct encoding encoding, const struct closed_session *session, struct session_origin origin,
                           const struct catalogue *catalogue, struct buffer *out);
/* `topic` is the clicks topic. */
void encode_recommendation(struct encoding encoding, const struct recommendation *recommendation, struct bytes topic,
                           const struct catalogue *catalogue, struct buffer *out);
