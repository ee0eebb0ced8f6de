// SPDX-License-Identifier: Apache-2.0
#pragma once
/* json: JSON text of the records, by jansson.
 *
 * Reading turns an object into Avro bytes of a schema, which fixed.h then reads: members are the schema's fields,
 * others are ignored; a missing one, or a null where the schema has no null, takes the default. A string whose name
 * ends in _id may be a whole number, a timestamp an RFC 3339 string; bytes are base64; an enum's unknown symbol becomes
 * its default, as between two Avro schemas. Duplicate members, NaN and anything behind the object are refused.
 *
 * Writing: members stand in the order of the schema's fields; an optional field without a value is null. For text
 * that is not UTF-8 the buffer is marked as overflown. */
#include "core/event/schema.h"

#include <eddy/core/codec.h>
#include <eddy/core/intent_record.h>

#define UNKNOWN_SYMBOL_MAX 255 /* bytes; what is longer is cut */

/* Appends the record (one JSON object) in the schema's Avro bytes. The first symbol that no enum has and a default
 * stands for goes into `unknown`, which is empty before. */
MUST_CHECK struct status json_read_record(const struct schema *schema, struct bytes text, struct buffer *out,
                                          struct buffer *unknown, struct complaint *complaint);
/* The same for a parsed value; `path` names it in complaints. */
MUST_CHECK struct status json_to_avro(const struct schema *schema, const struct json_t *value, const char *path,
                                      struct buffer *out, struct complaint *complaint);

/* Whether jansson has lacked memory since the first of these calls, in this thread. Its own word for it cannot be
 * relied on: some of these failures look like bad text. */
void json_memory_begin(void);
bool json_memory_lacked(void);

void json_encode_click(const struct click *click, struct buffer *out);
void json_encode_item(const struct item *item, struct buffer *out);
void json_encode_closed_session(const struct closed_session *session, struct session_origin origin,
                                const struct catalogue *catalogue, struct buffer *out);
void json_encode_recommendation(const struct recommendation *recommendation, struct bytes topic,
                                const struct catalogue *catalogue, struct buffer *out);
void json_encode_intent_request(const struct intent_request *request, struct buffer *out);
void json_encode_intent(const struct intent *intent, struct buffer *out);
