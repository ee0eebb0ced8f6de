// SPDX-License-Identifier: Apache-2.0
#pragma once
/* sink: a producer's handle with its topics, used as it is (sink.c) and in transactions (transactions.c). */
#include "io/kafka/client.h"

/* Successful deliveries are not reported one by one (that costs as much as the rest of producing); librdkafka counts
 * what is outstanding, and only refusals come back as events. */
struct kafka_sink {
    struct kafka_client client;
    rd_kafka_queue_t *events; /* the handle's main queue */
    char *names[OUTPUT_COUNT];
    rd_kafka_topic_t *topics[OUTPUT_COUNT];
    _Atomic int32_t partitions[OUTPUT_COUNT]; /* 0: unknown, records go where they say */
    double records_max, bytes_max;
    uint64_t records, bytes; /* ever published, for the mean size */
    _Atomic uint64_t failures;
    bool transactional;              /* records that go down with their transaction are made again, not refused */
    struct kafka_consumer *consumer; /* whose offsets the committer commits */
};

/* All but the handle. `more` is added to the fixed properties, *ret_conf is for kafka_sink_start(). */
MUST_CHECK struct status kafka_sink_configure(struct kafka_sink *sink, const struct kafka_sink_options *options,
                                              const struct kafka_property *more, rd_kafka_conf_t **ret_conf,
                                              struct complaint *complaint);
/* Takes `conf`. */
MUST_CHECK struct status kafka_sink_start(struct kafka_sink *sink, rd_kafka_conf_t *conf, struct complaint *complaint);
/* Destroys the handle with all that is outstanding; kafka_sink_start() may follow. */
void kafka_sink_end(struct kafka_sink *sink);
/* Frees what kafka_sink_configure() made. */
void kafka_sink_release(struct kafka_sink *sink);

/* As record_sink.publish. flags: RD_KAFKA_MSG_F_COPY, or 0: the value must live until it is delivered or purged. */
MUST_CHECK struct status kafka_sink_produce(struct kafka_sink *sink, const struct output_record *record, int flags);
/* Takes in what librdkafka has to say, without waiting. */
void kafka_sink_serve(struct kafka_sink *sink);
/* As record_sink.flush and fill. */
MUST_CHECK struct status kafka_sink_flush(struct kafka_sink *sink, int timeout_ms);
double kafka_sink_fill(struct kafka_sink *sink);
