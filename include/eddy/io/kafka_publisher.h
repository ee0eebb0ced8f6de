// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kafka_publisher: a producer of one topic of a single partition that writes in transactions of its own: what is put
 * between begin and commit becomes visible to readers of committed records together, or not at all.
 *
 *   open --> begin --> put, put, ... --> commit
 *                 \--> abort
 *
 * Whoever opens one fences all that were opened before under the same transactional id: their next call is FENCED.
 * After a failure a publisher is only good for closing. One thread. Records are copied; as many wait to be sent as
 * fit into queue_bytes_max, so what is written may be far larger than memory. */
#include <eddy/io/kafka.h>

struct kafka_publisher;

struct kafka_publisher_options {
    const struct kafka_options *kafka;
    const char *topic, *transactional_id;
    uint32_t queue_bytes_max;
    const _Atomic bool *stop; /* once it is true nothing is waited for any more: INTERRUPTED. NULL: never */
};

/* Ends what a former one of the same id has left open. UNAVAILABLE when the brokers do not answer in time, IO when they
 * refuse; INTERRUPTED. */
MUST_CHECK struct status kafka_publisher_open(const struct kafka_publisher_options *options, int timeout_ms,
                                              struct kafka_publisher **ret_publisher, struct complaint *complaint);
/* Aborts what was begun and not committed, if the brokers can be reached at once. */
void kafka_publisher_close(struct kafka_publisher *publisher);

/* The failures of these three: FENCED; IO: the brokers refuse a record or the transaction; UNAVAILABLE: they do not
 * answer, or have aborted it; INTERRUPTED. The complaint says why. */
MUST_CHECK struct status kafka_publisher_begin(struct kafka_publisher *publisher, struct complaint *complaint);
/* value.data == NULL: a tombstone. Waits while the queue is full. */
MUST_CHECK struct status kafka_publisher_put(struct kafka_publisher *publisher, struct bytes key, struct bytes value,
                                             struct complaint *complaint);
/* After UNAVAILABLE or INTERRUPTED it is not known whether all became visible: open another one, which settles it, and
 * look. */
MUST_CHECK struct status kafka_publisher_commit(struct kafka_publisher *publisher, struct complaint *complaint);
