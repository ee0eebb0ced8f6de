// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kafka_range: a part of a topic, read once from its beginning to its end, without a group.
 *
 * Where each partition begins and ends is found when the range is opened and does not move: what is produced meanwhile
 * is not read. Records come in the order of (record timestamp, partition), as far as the timestamps of a partition
 * rise; within a partition in the order of their offsets. So the same range gives the same sequence each time. One
 * thread. Memory: what librdkafka fetches ahead, 8 MiB. */
#include <eddy/io/kafka.h>

struct kafka_bound {
    enum { KAFKA_BOUND_NONE, KAFKA_BOUND_OFFSET, KAFKA_BOUND_TIME } kind;
    int64_t value; /* offset, of every partition; or the time of the first record at or after it */
};

struct kafka_range_options {
    const struct kafka_options *kafka;
    const char *topic;
    int32_t partition_count;
    struct kafka_bound from, to; /* from the log's start, up to its end, when NONE; `to` itself is not read */
    const _Atomic bool *stop;    /* once it is true nothing is waited for any more: INTERRUPTED. NULL: never */
    bool committed;              /* only records of committed transactions, whatever the user's isolation.level */
};

struct kafka_range;

/* UNAVAILABLE when no broker answers in time. */
MUST_CHECK struct status kafka_range_open(const struct kafka_range_options *options, struct kafka_range **ret_range,
                                          struct complaint *complaint);
void kafka_range_close(struct kafka_range *range);

/* Records that the range holds, at most: compaction and transactions leave gaps. */
int64_t kafka_range_size(const struct kafka_range *range);

/* The next record; its bytes live until the next call. INTERRUPTED; UNAVAILABLE when nothing comes for 30 s: call
 * again, or close.
 */
MUST_CHECK struct status kafka_range_next(struct kafka_range *range, struct message *ret_message, bool *ret_found,
                                          struct complaint *complaint);
/* The headers of the record that came last, the first `capacity` of them; returns how many. They live as long as its
 * bytes. */
size_t kafka_range_headers(const struct kafka_range *range, struct header *headers, size_t capacity);
