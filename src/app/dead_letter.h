// SPDX-License-Identifier: Apache-2.0
#pragma once
/* dead_letter: a record that could not be used, as it lies in the dead letters' topic: the original key, value and
 * timestamp, and why in headers, under the names that Kafka Connect gave them. Also a late click, which has no headers.
 *
 * All of it is somebody else's bytes: what is written for people holds no control characters and is cut. */
#include <eddy/port.h>

#define ORIGIN_TOPIC_HEADER     "__connect.errors.topic"
#define ORIGIN_PARTITION_HEADER "__connect.errors.partition"
#define ORIGIN_OFFSET_HEADER    "__connect.errors.offset"
#define REASON_CLASS_HEADER     "__connect.errors.exception.class.name"
#define REASON_HEADER           "__connect.errors.exception.message"
#define CUT_HEADER              "eddy.cut.from.bytes" /* of one that was too long to be kept whole */
#define RETRY_OF_HEADER         "eddy.retry.of"       /* of a record sent again: TOPIC:PARTITION:OFFSET of its letter */

#define DEAD_LETTER_HEADERS_MAX 32 /* read of a record */

struct dead_letter {
    const char *topic;                       /* that it lies in */
    struct message record;                   /* attempt: how often it was sent again before */
    struct bytes origin_topic;               /* empty: it does not say */
    int64_t origin_partition, origin_offset; /* -1: it does not say */
    struct bytes reason_class, reason;
    int64_t cut_from_bytes; /* 0: it is whole */
};

/* Borrows from its arguments. */
struct dead_letter dead_letter_read(const char *topic, const struct message *record, const struct header *headers,
                                    size_t header_count);

struct dead_letter_place {
    int32_t partition;
    int64_t offset;
};
/* "PARTITION:OFFSET". */
bool dead_letter_place_parse(const char *text, struct dead_letter_place *ret_place);

/* Which ones are meant. {.until_ms = INT64_MAX} is all. */
struct dead_letter_filter {
    int64_t since_ms, until_ms; /* of the record's timestamp; until_ms itself is not meant */
    const char *reason;         /* within the reason or its class, whatever the case; NULL: any */
    const struct dead_letter_place *places;
    size_t place_count; /* 0: any */
};
bool dead_letter_matches(const struct dead_letter *letter, const struct dead_letter_filter *filter);

/* A line of a table for people, and its heading. */
void dead_letter_write_heading(struct buffer *out);
void dead_letter_write_row(const struct dead_letter *letter, struct buffer *out);
/* One JSON object on a line, always with the same keys. Key and value are text if they are UTF-8, else they are null
 * and key_base64 or value_base64 has them. */
void dead_letter_write_json(const struct dead_letter *letter, struct buffer *out);
