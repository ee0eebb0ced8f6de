// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kafka: eddy's three clients of a Kafka cluster, on librdkafka.
 *
 *   kafka_consumer   the process's membership in the consumer group of the clicks topic; one click_source per shard
 *   kafka_sink       one idempotent producer per shard, as a record_sink
 *   kafka_reader     a whole topic (items, sessions) without a group: read to the end, then followed
 *
 * Nothing here logs: what librdkafka says goes to the listener, in the threads that poll or publish. librdkafka
 * reconnects for ever by itself; a broker that is away shows as a poll without messages or a flush that is UNAVAILABLE,
 * and in the listener (so that it can tell when a broker is back, it is also told what librdkafka calls debugging of
 * brokers, level 7, unless the user sets kafka.debug). Complaints name topics, brokers and property names, never the
 * value of a property. */
#include <eddy/base/buffer.h>
#include <eddy/port.h>

struct kafka_property {
    const char *name, *value;
};

struct kafka_listener {
    /* level as in syslog: 3 error, 4 warning, 6 info. May be NULL. */
    void (*log)(void *context, int level, const char *facility, const char *text);
    void *context;
};

/* What a line of the listener says of one broker: that it is reachable, or why not. */
struct kafka_broker_report {
    struct bytes broker; /* "host:port", in the line */
    struct bytes cause;  /* without what changes from time to time */
    const char *advice;  /* which options to look at, as a sentence that goes on behind the cause; "" when unknown */
    bool reachable;
};
/* False when the line is about something else. */
bool kafka_read_broker_report(const char *facility, const char *text, struct kafka_broker_report *ret_report);

/* Shared by all clients; borrowed for the time of the open call. */
struct kafka_options {
    const char *bootstrap; /* "host:port,host:port" */
    const char *client_id;
    const struct kafka_property *properties; /* passed to librdkafka; one that eddy must own is refused with CONFIG */
    size_t property_count;
    struct kafka_listener listener;
};

/* "2.0.2": of the librdkafka that is linked. */
const char *kafka_library_version(void);

/* NOT_FOUND when librdkafka has no such property, CONFIG when it does not accept the value. */
MUST_CHECK struct status kafka_check_property(const struct kafka_property *property, struct complaint *complaint);
/* Appends the names of librdkafka's properties that a user can set, each with a zero byte after it. */
void kafka_property_names(struct buffer *out);

enum kafka_start_kind { KAFKA_START_EARLIEST, KAFKA_START_LATEST, KAFKA_START_TIME };

struct kafka_start {
    enum kafka_start_kind kind;
    int64_t time_ms; /* the first record at or after it */
};

/* ---- consumer group */

/* Rebalances, as calls from kafka_consumer_poll() and kafka_consumer_close(). While one runs the partition still
 * belongs to this process (unless lost) and shards may commit; when it returns the partition is taken up or given up.
 */
struct kafka_rebalance {
    /* The partitions are ours, to begin where the group stands or, if it never committed, at kafka_start, unless the
     * handler changes that; they are delivered to shard `partition % shard_count` once this returns OK. A failure
     * is what kafka_consumer_poll() then returns, and nothing is delivered. */
    struct status (*assigned)(void *context, struct assignment *assignments, size_t count, struct complaint *complaint);
    /* The partitions go. lost: another process may own them by now, so nothing of them may be committed. */
    void (*revoked)(void *context, const int32_t *partitions, size_t count, bool lost);
    void *context;
};

struct kafka_consumer_options {
    const struct kafka_options *kafka;
    const char *group_id;
    const char *instance_id; /* static membership under this name; "": none */
    const char *topic;
    struct kafka_start start; /* of a partition the group never committed */
    uint32_t shard_count;
    struct kafka_rebalance rebalance;
};

struct kafka_consumer;

/* Joins the group. CONFIG with a complaint when a property is refused. */
MUST_CHECK struct status kafka_consumer_open(const struct kafka_consumer_options *options,
                                             struct kafka_consumer **ret_consumer, struct complaint *complaint);
/* Serves rebalances for up to timeout_ms; call it at least every few seconds from one thread. UNAVAILABLE when
 * positions could not be read after an assignment, FENCED when the group has another member of the same
 * group.instance.id, or what `assigned` failed with: the consumer is then only good for closing. */
MUST_CHECK struct status kafka_consumer_poll(struct kafka_consumer *consumer, int timeout_ms,
                                             struct complaint *complaint);
/* The partitions that the topic has now; UNAVAILABLE when no broker says so in time, IO when there is none. */
MUST_CHECK struct status kafka_consumer_count_partitions(struct kafka_consumer *consumer, int timeout_ms,
                                                         int32_t *ret_count);
/* Gives up all partitions (calls `revoked`) and leaves the group; sources stay usable for that. No source may be used
 * after it. */
void kafka_consumer_leave(struct kafka_consumer *consumer);
void kafka_consumer_close(struct kafka_consumer *consumer);

/* The clicks of shard `shard`'s partitions; for that shard's thread alone. An offset that is no longer in the log is
 * reported to the listener (level 3) and delivery goes on at the log's first. */
struct click_source kafka_consumer_source(struct kafka_consumer *consumer, uint32_t shard);

/* ---- producer */

struct kafka_sink_options {
    const struct kafka_options *kafka;
    const char *topics[OUTPUT_COUNT];
    int32_t partitions[OUTPUT_COUNT]; /* > 0: a record for a partition of its own goes to that one modulo this */
    uint32_t queue_records_max;
    uint32_t queue_bytes_max;
};

struct kafka_sink;

MUST_CHECK struct status kafka_sink_open(const struct kafka_sink_options *options, struct kafka_sink **ret_sink,
                                         struct complaint *complaint);
/* Drops what was not flushed. */
void kafka_sink_close(struct kafka_sink *sink);
/* For one thread. After a record was refused flush fails with IO for ever: the caller starts again from its last
 * commit. publish fails with IO when the topic or the record is impossible, FENCED or IO on a fatal error. */
struct record_sink kafka_sink_port(struct kafka_sink *sink);
/* Asks how many partitions an output's topic has now, and takes that for options.partitions. UNAVAILABLE without an
 * answer in time, IO when the cluster refuses; then all is as before. Any thread. */
MUST_CHECK struct status kafka_sink_count_partitions(struct kafka_sink *sink, enum output output, int timeout_ms,
                                                     int32_t *ret_count);
/* Records refused. Any thread. */
uint64_t kafka_sink_failures(const struct kafka_sink *sink);
/* At least once: what was published is acknowledged, then the points are committed. A commit without an answer within
 * 10 s is UNAVAILABLE. */
struct committer kafka_sink_committer(struct kafka_sink *sink, struct kafka_consumer *consumer);

/* ---- producer with transactions: exactly once */

struct kafka_transactions;

/* Makes a producer and ends what a former one of the same transactional id has left open. UNAVAILABLE when the brokers
 * do not answer, IO when they refuse. Ids must differ between shards and processes and stay the same across restarts,
 * or a crash leaves a transaction open until its time-out, which readers of committed records wait for. */
MUST_CHECK struct status kafka_transactions_open(const struct kafka_sink_options *options, const char *transactional_id,
                                                 struct kafka_transactions **ret_transactions,
                                                 struct complaint *complaint);
/* Drops what was not committed. */
void kafka_transactions_close(struct kafka_transactions *transactions);
/* Both for one thread. Records are copied once and kept until they are committed, so that an aborted transaction can be
 * made again; `fill` knows of that memory, 64 MiB of which are full. */
struct record_sink kafka_transactions_sink(struct kafka_transactions *transactions);
struct committer kafka_transactions_committer(struct kafka_transactions *transactions, struct kafka_consumer *consumer);
/* As kafka_sink_count_partitions(). */
MUST_CHECK struct status kafka_transactions_count_partitions(struct kafka_transactions *transactions,
                                                             enum output output, int timeout_ms, int32_t *ret_count);
/* Records refused. Any thread. */
uint64_t kafka_transactions_failures(const struct kafka_transactions *transactions);

/* ---- reading a whole topic */

struct kafka_reader_options {
    const struct kafka_options *kafka;
    const char *topic;
    int32_t partition_count;
    struct kafka_start start;
    const int64_t *offsets; /* where the first partitions begin instead; one that is in the log no more: its first */
    int32_t offset_count;
    bool committed; /* only records of committed transactions, whatever the user's isolation.level */
};

struct kafka_reader;

MUST_CHECK struct status kafka_reader_open(const struct kafka_reader_options *options, struct kafka_reader **ret_reader,
                                           struct complaint *complaint);
void kafka_reader_close(struct kafka_reader *reader);
/* As click_source.poll; one thread. */
MUST_CHECK struct status kafka_reader_poll(struct kafka_reader *reader, int timeout_ms, struct message *messages,
                                           size_t capacity, size_t *ret_count);
/* Next to deliver of a partition, which has been delivered up to there; -1: nothing was yet. */
int64_t kafka_reader_position(const struct kafka_reader *reader, int32_t partition);
/* True once every partition has been delivered to the end that it had when that was reached first, or marked last. */
bool kafka_reader_caught_up(const struct kafka_reader *reader);
/* Marks where the partitions end now. UNAVAILABLE when the brokers do not say so in time. */
MUST_CHECK struct status kafka_reader_mark_end(struct kafka_reader *reader, int timeout_ms);
/* The partitions that the topic has now, of which a reader has those that it was opened for; UNAVAILABLE when no broker
 * says so in time, IO when there is none. */
MUST_CHECK struct status kafka_reader_count_partitions(struct kafka_reader *reader, int timeout_ms, int32_t *ret_count);
