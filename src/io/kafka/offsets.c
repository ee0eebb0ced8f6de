// SPDX-License-Identifier: Apache-2.0
/* rd_kafka_query_watermark_offsets() has no part in this: it keeps to its time-out only until it has found the leader,
 * and then waits for an answer as long as librdkafka trusts a broker that is silent (socket.timeout.ms, a minute). */
#include "io/kafka/offsets.h"

rd_kafka_resp_err_t kafka_first_error(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt && !error; i++)
        error = list->elems[i].err;
    return error;
}

rd_kafka_resp_err_t kafka_ask_offsets(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
    return kafka_first_error(rd_kafka_offsets_for_times(handle, list, timeout_ms), list);
}

rd_kafka_resp_err_t kafka_ask_offset(rd_kafka_t *handle, const char *topic, int32_t partition, int64_t at,
                                     int timeout_ms, int64_t *ret_offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = at;
    rd_kafka_resp_err_t error = kafka_ask_offsets(handle, list, timeout_ms);
    *ret_offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}
