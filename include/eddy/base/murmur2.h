// SPDX-License-Identifier: Apache-2.0
#pragma once
/* murmur2: the hash by which Kafka's Java clients, and eddy's producers, choose the partition of a key. */
#include <eddy/base/bytes.h>

uint32_t murmur2(struct bytes bytes);

/* Of a key that is not empty, in a topic of `count` partitions. */
static inline int32_t murmur2_partition(struct bytes key, int32_t count)
{
    return (int32_t)(murmur2(key) & 0x7fffffff) % count;
}
