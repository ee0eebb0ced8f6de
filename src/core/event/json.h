// SPDX-License-Identifier: Apache-2.0
#pragma once
/* json: JSON text of the records, by jansson. Members stand in the order of the schema's fields; an optional field
 * without a value is null. Without memory, or for text that is not UTF-8, the buffer is marked as overflown. */
#include <eddy/core/codec.h>

#define REASON_MAX           512 /* bytes of a reason with its NUL */
#define LEARNED_VERSION_SIZE 16

/* The version as 16 hexadecimal digits in `text`, which has room for LEARNED_VERSION_SIZE. */
struct bytes learned_version_text(uint64_t version, char *text);

void json_encode_click(const struct click *click, struct buffer *out);
void json_encode_item(const struct item *item, struct buffer *out);
void json_encode_closed_session(const struct closed_session *session, struct session_origin origin,
                                const struct catalogue *catalogue, struct buffer *out);
void json_encode_recommendation(const struct recommendation *recommendation, struct bytes topic,
                                const struct catalogue *catalogue, struct buffer *out);
