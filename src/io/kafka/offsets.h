// SPDX-License-Identifier: Apache-2.0
#pragma once
/* offsets: asks the leaders of a topic's partitions for offsets in their logs.
 *
 * Of a topic that is known to the handle (by rd_kafka_topic_new(), or as it is assigned): librdkafka looks for the new
 * leader of no other when the one that it knows refuses. */
#include <librdkafka/rdkafka.h>

/* Of each partition in the list, given a time in ms: the first offset at or after it, or RD_KAFKA_OFFSET_END when no
 * record is that new. Given RD_KAFKA_OFFSET_BEGINNING or RD_KAFKA_OFFSET_END: the first offset, or the one after the
 * last. The first error there was, of the call or of one partition. */
rd_kafka_resp_err_t kafka_ask_offsets(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list, int timeout_ms);

/* The same of one partition, `at` being what the list gives. */
rd_kafka_resp_err_t kafka_ask_offset(rd_kafka_t *handle, const char *topic, int32_t partition, int64_t at,
                                     int timeout_ms, int64_t *ret_offset);

/* The first error of a call and of what it filled in. */
rd_kafka_resp_err_t kafka_first_error(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t *list);
