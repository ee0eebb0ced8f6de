// SPDX-License-Identifier: Apache-2.0
/* Exactly once: outputs and offsets in one transaction (KIP-98), fenced by the group's metadata (KIP-447).
 *
 *   NONE --init--> IDLE --begin, produce--> OPEN --offsets--> COMMITTING --commit--> IDLE
 *
 * A transaction that has to be aborted is made again from the same records, which are kept until it is committed; so an
 * abort never reaches the engine. Another producer makes it, of another epoch: a broker that stood still may write the
 * records of the aborted one late, and would then take those of the same producer for repeats, confirm them and drop
 * them (docs/adr/0006). When it is not known whether one was committed (its commit was not answered, or the producer
 * broke down meanwhile) the producer is destroyed and made anew as well: its first call ends the old transaction one
 * way or the other, and then the group's offsets say which. Going on with the same producer could let a delayed request
 * end a later transaction (Jepsen's report on Bufstream 0.1.0, 2024: a fault of the protocol before KIP-890). */
#include "io/kafka/group.h"
#include "io/kafka/kept.h"
#include "io/kafka/sink.h"

#include <eddy/io/system.h>
#include <stdlib.h>
#include <syslog.h>

#define SLICE_MS        500      /* of waiting for a transaction call, which then goes on with the next commit ... */
#define OFFSETS_MS      10000    /* ... but for this one, which cannot be gone on with */
#define PATIENCE_US     10000000 /* for an answer to one commit */
#define ABORT_MS        5000
#define ABORT_SLICE_MS  50
#define COMMITTED_MS    2000
#define DROP_US         2000000
#define RETRY_PAUSE_MS  50
#define FENCED_PAUSE_MS 500                  /* before all is produced again, probably for nothing */
#define KEPT_BYTES_MAX  ((double)(64 << 20)) /* when a commit is due; what one step adds may go beyond */

enum stage { STAGE_NONE, STAGE_IDLE, STAGE_OPEN, STAGE_COMMITTING };

struct kafka_transactions {
    struct kafka_sink sink;
    rd_kafka_conf_t *conf; /* to make a producer from, again and again */
    pthread_mutex_t lock;  /* while it is made, destroyed, or used by another thread */
    enum stage stage;
    struct kept kept; /* whose values librdkafka reads without copying */
    size_t produced;  /* of the kept ones, in this transaction */
    bool in_doubt;    /* the kept ones may have been committed, with `points` */
    rd_kafka_topic_partition_list_t *points;
    int64_t asked_us; /* when the present call was tried first; 0: it was not */
};

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

static void forget(struct kafka_transactions *transactions)
{
    kept_clear(&transactions->kept);
    transactions->produced = 0;
    transactions->in_doubt = false;
    if (transactions->points)
        rd_kafka_topic_partition_list_destroy(transactions->points);
    transactions->points = NULL;
}

/* ---- failures */

/* The producer is done for; the next call makes another one. */
static void break_up(struct kafka_transactions *transactions)
{
    transactions->in_doubt = transactions->in_doubt || transactions->stage == STAGE_COMMITTING;
    pthread_mutex_lock(&transactions->lock);
    kafka_sink_end(&transactions->sink);
    pthread_mutex_unlock(&transactions->lock);
    transactions->stage = STAGE_NONE;
    transactions->produced = 0;
    transactions->asked_us = 0;
}

/* librdkafka waits until the refusals of what it purges have been taken in, so that is done in between. */
static rd_kafka_error_t *abort_within(struct kafka_transactions *transactions, int timeout_ms)
{
    rd_kafka_error_t *error;
    int64_t end_us = now_us() + (int64_t)timeout_ms * 1000;
    for (;;) {
        error = rd_kafka_abort_transaction(transactions->sink.client.handle, ABORT_SLICE_MS);
        if (!error || !rd_kafka_error_is_retriable(error) || now_us() >= end_us)
            return error;
        rd_kafka_error_destroy(error);
        kafka_sink_serve(&transactions->sink);
    }
}

/* Ends a transaction whose commit was not asked for; should that fail, the next producer's first call does it. */
static void roll_back(struct kafka_transactions *transactions)
{
    assert(transactions->stage != STAGE_COMMITTING);
    rd_kafka_error_destroy(abort_within(transactions, ABORT_MS));
    break_up(transactions);
}

static bool says_fenced(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

/* No other transaction will do better. */
static bool says_forbidden(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT || code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
}

/* Takes `error`, and brings the producer into a state to go on from. */
static struct status mind_error(struct kafka_transactions *transactions, const char *call, rd_kafka_error_t *error)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    bool again = rd_kafka_error_is_retriable(error), aborts = rd_kafka_error_txn_requires_abort(error);
    bool patient = transactions->asked_us && now_us() - transactions->asked_us < PATIENCE_US;
    if (!again || !patient)
        kafka_client_report(&transactions->sink.client, LOG_WARNING, "TRANSACTION", "%s: %s: %s", call,
                            rd_kafka_err2name(code), rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    if (aborts && transactions->stage != STAGE_COMMITTING)
        roll_back(transactions);
    else if (aborts || !again || !patient) /* a commit that must be aborted may have been done all the same */
        break_up(transactions);
    if (says_forbidden(code))
        return FAIL(IO, code, "the brokers refuse the transaction");
    system_wait_ms(says_fenced(code) ? FENCED_PAUSE_MS : RETRY_PAUSE_MS);
    return says_fenced(code) ? FAIL(FENCED, code, "the partitions have another owner")
                             : FAIL(UNAVAILABLE, code, "the transaction is not committed yet");
}

/* Notes when a call is tried for the first time. */
static void ask(struct kafka_transactions *transactions)
{
    if (!transactions->asked_us)
        transactions->asked_us = now_us();
}

static void answered(struct kafka_transactions *transactions, enum stage stage)
{
    transactions->asked_us = 0;
    transactions->stage = stage;
}

/* ---- the producer */

static struct status make(struct kafka_transactions *transactions, struct complaint *complaint)
{
    if (transactions->sink.client.handle)
        return OK;
    pthread_mutex_lock(&transactions->lock);
    struct status status = kafka_sink_start(&transactions->sink, rd_kafka_conf_dup(transactions->conf), complaint);
    pthread_mutex_unlock(&transactions->lock);
    return status;
}

static struct status start(struct kafka_transactions *transactions, struct complaint *complaint)
{
    TRY(make(transactions, complaint));
    ask(transactions);
    rd_kafka_error_t *error = rd_kafka_init_transactions(transactions->sink.client.handle, SLICE_MS);
    kafka_sink_serve(&transactions->sink); /* what it says of brokers that are away */
    if (error)
        return mind_error(transactions, "init_transactions", error);
    answered(transactions, STAGE_IDLE);
    return OK;
}

static bool same_point(const rd_kafka_topic_partition_t *one, const rd_kafka_topic_partition_t *other)
{
    struct bytes mine = bytes_of(one->metadata, one->metadata_size);
    struct bytes theirs = bytes_of(other->metadata, other->metadata_size);
    return one->offset == other->offset && bytes_equal(mine, theirs);
}

/* Whether the group stands at the points of the transaction in doubt: then that was committed, for nothing else makes
 * it stand there. */
static struct status look_up(struct kafka_transactions *transactions, bool *ret_committed)
{
    rd_kafka_t *group = transactions->sink.consumer->client.handle;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(transactions->points->cnt);
    for (int i = 0; i < transactions->points->cnt; i++)
        rd_kafka_topic_partition_list_add(list, transactions->points->elems[i].topic,
                                          transactions->points->elems[i].partition);
    rd_kafka_resp_err_t error = rd_kafka_committed(group, list, COMMITTED_MS);
    bool committed = true;
    for (int i = 0; i < list->cnt && !error; i++) {
        error = list->elems[i].err;
        committed = committed && same_point(&list->elems[i], &transactions->points->elems[i]);
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (error)
        return FAIL(UNAVAILABLE, error, "it is not known yet whether the transaction was committed");
    *ret_committed = committed;
    return OK;
}

static struct status settle(struct kafka_transactions *transactions, bool *ret_committed)
{
    *ret_committed = false;
    if (!transactions->in_doubt)
        return OK;
    TRY(look_up(transactions, ret_committed));
    kafka_client_report(&transactions->sink.client, LOG_WARNING, "TRANSACTION",
                        "a transaction whose commit was not answered was %s",
                        *ret_committed ? "committed" : "not committed; it is made again");
    transactions->in_doubt = false;
    return OK;
}

/* ---- records */

static struct status begin(struct kafka_transactions *transactions)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(transactions->sink.client.handle);
    if (error)
        return mind_error(transactions, "begin_transaction", error);
    transactions->stage = STAGE_OPEN;
    return OK;
}

/* A transaction that was aborted, or a producer that broke down, under us: the commit finds out which. */
static bool is_broken(struct status status)
{
    return failed_as(status, FAULT_FENCED) ||
           (failed_as(status, FAULT_IO) &&
            (status.detail == RD_KAFKA_RESP_ERR__STATE || status.detail == RD_KAFKA_RESP_ERR__FATAL));
}

/* Produces the kept records that are not in the transaction yet. */
static struct status produce(struct kafka_transactions *transactions)
{
    for (; transactions->produced < transactions->kept.count; transactions->produced++)
        TRY(kafka_sink_produce(&transactions->sink, &transactions->kept.records[transactions->produced], 0));
    return OK;
}

/* ---- the sink's port */

static bool may_produce(const struct kafka_transactions *transactions)
{
    return !transactions->in_doubt && transactions->produced + 1 == transactions->kept.count &&
           (transactions->stage == STAGE_IDLE || transactions->stage == STAGE_OPEN);
}

static struct status publish(void *self, const struct output_record *record)
{
    struct kafka_transactions *transactions = self;
    TRY(kept_add(&transactions->kept, record));
    if (!may_produce(transactions)) /* the commit will */
        return OK;
    if (transactions->stage == STAGE_IDLE && failed(begin(transactions)))
        return OK;
    struct status status = produce(transactions);
    if (failed_as(status, FAULT_LIMIT))
        kept_undo(&transactions->kept);
    return is_broken(status) ? OK : status;
}

static struct status flush(void *self, int timeout_ms)
{
    struct kafka_transactions *transactions = self;
    return transactions->sink.client.handle ? kafka_sink_flush(&transactions->sink, timeout_ms) : OK;
}

static double fill(void *self)
{
    struct kafka_transactions *transactions = self;
    double kept = (double)transactions->kept.bytes / KEPT_BYTES_MAX;
    double queued = transactions->sink.client.handle ? kafka_sink_fill(&transactions->sink) : 0;
    return kept > queued ? kept : queued;
}

struct record_sink kafka_transactions_sink(struct kafka_transactions *transactions)
{
    static const struct record_sink_ops ops = {publish, flush, fill};
    return (struct record_sink){&ops, transactions};
}

/* ---- the committer's port */

/* A member that the group has dropped (it slept for too long) has no name any more, and brokers take offsets from
 * nobody without asking whose they are. It gets another one only after it has given its partitions up, which waits for
 * us. */
static bool is_member(const struct kafka_consumer *consumer)
{
    char *name = rd_kafka_memberid(consumer->client.handle);
    bool member = name && *name;
    if (name)
        rd_kafka_mem_free(consumer->client.handle, name);
    return member;
}

static struct status send_offsets(struct kafka_transactions *transactions)
{
    struct kafka_sink *sink = &transactions->sink;
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(sink->consumer->client.handle);
    if (!group)
        return FAIL(FENCED, 0, "the process is in no group");
    if (!is_member(sink->consumer)) { /* now: under the name that it had before, the brokers refuse it */
        rd_kafka_consumer_group_metadata_destroy(group);
        return FAIL(FENCED, 0, "the group has dropped this member");
    }
    ask(transactions);
    rd_kafka_error_t *error =
        rd_kafka_send_offsets_to_transaction(sink->client.handle, transactions->points, group, OFFSETS_MS);
    rd_kafka_consumer_group_metadata_destroy(group);
    if (error)
        return mind_error(transactions, "send_offsets_to_transaction", error);
    answered(transactions, STAGE_COMMITTING);
    return OK;
}

static struct status finish(struct kafka_transactions *transactions)
{
    ask(transactions);
    rd_kafka_error_t *error = rd_kafka_commit_transaction(transactions->sink.client.handle, SLICE_MS);
    if (!error) {
        answered(transactions, STAGE_IDLE);
        forget(transactions);
        return OK;
    }
    kafka_sink_serve(&transactions->sink); /* takes in refusals, for which librdkafka waits */
    return mind_error(transactions, "commit_transaction", error);
}

/* Everything into the transaction that is not yet. */
static struct status fill_up(struct kafka_transactions *transactions)
{
    struct kafka_sink *sink = &transactions->sink;
    if (transactions->stage == STAGE_IDLE)
        TRY(begin(transactions));
    struct status status = produce(transactions);
    if (failed_as(status, FAULT_LIMIT)) {
        TRY(kafka_sink_flush(sink, SLICE_MS)); /* UNAVAILABLE while the brokers are away */
        return FAIL(UNAVAILABLE, 0, "the transaction is being made again");
    }
    if (!is_broken(status))
        return status;
    /* Only calls that begin or end transactions tell what it broke of, and this one does nothing else. */
    return mind_error(transactions, "produce", rd_kafka_begin_transaction(sink->client.handle));
}

static struct status commit(void *self, const struct commit_point *points, size_t count)
{
    struct kafka_transactions *transactions = self;
    struct kafka_sink *sink = &transactions->sink;
    if (sink->failures)
        return FAIL(IO, sink->failures, "records were refused");
    if (transactions->stage == STAGE_NONE)
        TRY(start(transactions, NULL));
    bool committed;
    TRY(settle(transactions, &committed));
    if (committed) {
        forget(transactions);
        return OK;
    }
    if (transactions->stage != STAGE_COMMITTING) {
        TRY(fill_up(transactions));
        if (transactions->points)
            rd_kafka_topic_partition_list_destroy(transactions->points);
        transactions->points = NULL;
        TRY(kafka_group_points(sink->consumer, points, count, &transactions->points));
        TRY(send_offsets(transactions));
    }
    return finish(transactions);
}

/* A transaction that may be committing is ended by its successor, at once: whoever takes the partitions over waits for
 * its offsets to be settled. */
static void drop(void *self)
{
    struct kafka_transactions *transactions = self;
    if (transactions->stage == STAGE_OPEN)
        roll_back(transactions);
    else if (transactions->stage == STAGE_COMMITTING)
        break_up(transactions);
    forget(transactions);
    struct status status = OK;
    for (int64_t end_us = now_us() + DROP_US; transactions->stage == STAGE_NONE && now_us() < end_us;) {
        status = start(transactions, NULL);
        if (failed(status) && !failed_as(status, FAULT_UNAVAILABLE))
            break; /* the next commit says so again */
    }
}

struct committer kafka_transactions_committer(struct kafka_transactions *transactions, struct kafka_consumer *consumer)
{
    static const struct committer_ops ops = {commit, drop};
    transactions->sink.consumer = consumer;
    return (struct committer){&ops, transactions, true};
}

/* ---- life */

struct status kafka_transactions_open(const struct kafka_sink_options *options, const char *transactional_id,
                                      struct kafka_transactions **ret_transactions, struct complaint *complaint)
{
    const struct kafka_property fixed[] = {{"transactional.id", transactional_id}, {NULL, NULL}};
    struct kafka_transactions *transactions = calloc(1, sizeof *transactions);
    if (!transactions)
        return FAIL(MEMORY, 0, "no memory for a producer");
    transactions->sink.transactional = true;
    pthread_mutex_init(&transactions->lock, NULL);
    struct status status = kafka_sink_configure(&transactions->sink, options, fixed, &transactions->conf, complaint);
    while (!failed(status) && transactions->stage == STAGE_NONE) {
        status = start(transactions, complaint);
        if (failed_as(status, FAULT_UNAVAILABLE) && transactions->asked_us)
            status = OK; /* still waiting for the same answer */
    }
    if (failed(status)) {
        char why[512];
        kafka_client_last_error(&transactions->sink.client, why, sizeof why);
        if (complaint && !complaint->text[0])
            status = complain(complaint, status, "transactions of %s cannot be begun: %s", transactional_id,
                              why[0] ? why : status.fault->what);
        kafka_transactions_close(transactions);
        return status;
    }
    *ret_transactions = transactions;
    return OK;
}

void kafka_transactions_close(struct kafka_transactions *transactions)
{
    if (!transactions)
        return;
    kafka_sink_end(&transactions->sink);
    forget(transactions);
    if (transactions->conf)
        rd_kafka_conf_destroy(transactions->conf);
    kafka_sink_release(&transactions->sink);
    kept_release(&transactions->kept);
    pthread_mutex_destroy(&transactions->lock);
    free(transactions);
}

uint64_t kafka_transactions_failures(const struct kafka_transactions *transactions)
{
    return transactions->sink.failures;
}

struct status kafka_transactions_count_partitions(struct kafka_transactions *transactions, enum output output,
                                                  int timeout_ms, int32_t *ret_count)
{
    pthread_mutex_lock(&transactions->lock);
    struct status status = transactions->sink.client.handle
                               ? kafka_sink_count_partitions(&transactions->sink, output, timeout_ms, ret_count)
                               : FAIL(UNAVAILABLE, 0, "the producer is being made anew");
    pthread_mutex_unlock(&transactions->lock);
    return status;
}
