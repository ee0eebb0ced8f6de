// SPDX-License-Identifier: Apache-2.0
/* A member of a consumer group on librdkafka's mock cluster: it takes clicks, answers each with its offset and commits,
 * at least once; at its end it reads all answers back. */
#include "support/support.h"

#include "torture/torture.h"

#include <eddy/io/kafka.h>
#include <eddy/io/kafka_mock.h>
#include <eddy/io/system.h>

#include <librdkafka/rdkafka.h>

#define CLICKS      12
#define BATCH       5
#define PATIENCE_MS 30000

struct self {
    struct kafka_mock *mock;
    struct kafka_options kafka;
    uint64_t answers; /* a bit for each click */
};

struct member {
    struct kafka_sink *sink;
    struct kafka_consumer *consumer;
    int64_t next;   /* to be committed; -1: not assigned */
    bool unmetered; /* a commit was there without its metadata */
};

static int64_t now_ms(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self) / 1000;
}

static struct status open_sink(const struct self *self, const char *topic, struct kafka_sink **ret_sink)
{
    const struct kafka_sink_options options = {
        .kafka = &self->kafka, .topics = {topic}, .queue_records_max = 100, .queue_bytes_max = 1 << 20};
    return kafka_sink_open(&options, ret_sink, NULL);
}

static struct status publish(struct kafka_sink *sink, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    const struct output_record record = {
        .output = OUTPUT_RECOMMENDATIONS, .partition = 0, .key = BYTES("k"), .value = bytes_of_text(text)};
    struct record_sink port = kafka_sink_port(sink);
    struct status status;
    while (failed_as(status = port.ops->publish(port.self, &record), FAULT_LIMIT))
        TRY(port.ops->flush(port.self, 1000));
    return status;
}

static void *begin(enum sabotage sabotage)
{
    (void)sabotage;
    /* The mock cluster notices that a member left only when its session times out. */
    static const struct kafka_property properties[] = {{"session.timeout.ms", "3000"},
                                                       {"heartbeat.interval.ms", "300"}};
    struct self *self = calloc(1, sizeof *self);
    struct kafka_sink *sink;
    assert_non_null(self);
    assert_ok(kafka_mock_open(1, &self->mock));
    assert_ok(kafka_mock_create_topic(self->mock, "clicks", 1));
    assert_ok(kafka_mock_create_topic(self->mock, "answers", 1));
    self->kafka = (struct kafka_options){.bootstrap = kafka_mock_bootstrap(self->mock),
                                         .client_id = "torture",
                                         .properties = properties,
                                         .property_count = sizeof properties / sizeof *properties};
    assert_ok(open_sink(self, "clicks", &sink));
    for (int64_t i = 0; i < CLICKS; i++)
        assert_ok(publish(sink, i));
    assert_ok(kafka_sink_port(sink).ops->flush(sink, 20000));
    kafka_sink_close(sink);
    return self;
}

/* ---- the member */

static void metadata_of(int64_t offset, char text[32])
{
    snprintf(text, 32, "up to %lld", (long long)offset);
}

static struct status on_assigned(void *context, struct assignment *partitions, size_t count,
                                 struct complaint *complaint)
{
    (void)complaint;
    struct member *member = context;
    char text[32];
    assert_int_equal(count, 1);
    metadata_of(partitions->committed, text);
    member->unmetered = partitions->committed >= 0 && !bytes_equal_text(partitions->metadata, text);
    member->next = partitions->start;
    struct click_source source = kafka_consumer_source(member->consumer, 0);
    return source.ops->begin(source.self, 0, member->next, partitions->high);
}

static void on_revoked(void *context, const int32_t *partitions, size_t count, bool lost)
{
    (void)partitions;
    (void)count;
    (void)lost;
    ((struct member *)context)->next = -1;
}

static struct status answer(struct member *member)
{
    struct click_source source = kafka_consumer_source(member->consumer, 0);
    struct message messages[BATCH];
    size_t count;
    TRY(source.ops->poll(source.self, 50, messages, BATCH, &count));
    for (size_t i = 0; i < count; i++) {
        if (messages[i].offset != member->next)
            return FAIL(CORRUPT, messages[i].offset, "a click was passed over");
        TRY(publish(member->sink, messages[i].offset));
        member->next = messages[i].offset + 1;
    }
    return OK;
}

/* UNAVAILABLE: it is tried again with the next. */
static struct status commit(const struct member *member, int64_t *committed)
{
    char text[32];
    metadata_of(member->next, text);
    const struct commit_point point = {0, member->next, text};
    struct committer committer = kafka_sink_committer(member->sink, member->consumer);
    struct status status = committer.ops->commit(committer.self, &point, 1);
    if (failed(status))
        return failed_as(status, FAULT_UNAVAILABLE) ? OK : status;
    *committed = member->next;
    return OK;
}

static struct status work(struct member *member)
{
    int64_t committed = -1;
    for (int64_t end_ms = now_ms() + PATIENCE_MS; committed < CLICKS;) {
        if (now_ms() > end_ms)
            return FAIL(CORRUPT, committed, "the run does not come to its end");
        TRY(kafka_consumer_poll(member->consumer, 50, NULL));
        if (member->unmetered)
            return FAIL(CORRUPT, member->next, "a commit has lost its metadata");
        if (member->next < 0)
            continue;
        TRY(answer(member));
        if (member->next != committed)
            TRY(commit(member, &committed));
    }
    return OK;
}

static struct status join(const struct self *self, struct member *member)
{
    const struct kafka_consumer_options options = {.kafka = &self->kafka,
                                                   .group_id = "shop",
                                                   .instance_id = "",
                                                   .topic = "clicks",
                                                   .shard_count = 1,
                                                   .rebalance = {on_assigned, on_revoked, member}};
    TRY(open_sink(self, "answers", &member->sink));
    TRY(kafka_consumer_open(&options, &member->consumer, NULL));
    return work(member);
}

/* ---- what was answered */

static struct status read_answers(struct kafka_reader *reader, uint64_t *answers)
{
    struct message messages[BATCH];
    size_t count;
    for (int64_t end_ms = now_ms() + PATIENCE_MS; !kafka_reader_caught_up(reader);) {
        if (now_ms() > end_ms)
            return FAIL(CORRUPT, 0, "the answers cannot be read to their end");
        TRY(kafka_reader_poll(reader, 50, messages, BATCH, &count));
        for (size_t i = 0; i < count; i++) {
            int64_t number;
            assert_true(bytes_to_int64(messages[i].value, &number) && number >= 0 && number < CLICKS);
            *answers |= UINT64_C(1) << number;
        }
    }
    return OK;
}

static struct status look_back(const struct self *self, uint64_t *answers)
{
    const struct kafka_reader_options options = {.kafka = &self->kafka, .topic = "answers", .partition_count = 1};
    struct kafka_reader *reader;
    TRY(kafka_reader_open(&options, &reader, NULL));
    struct status status = read_answers(reader, answers);
    kafka_reader_close(reader);
    return status;
}

static struct status once(void *context)
{
    struct self *self = context;
    struct member member = {.next = -1};
    struct status status = join(self, &member);
    kafka_consumer_close(member.consumer);
    kafka_sink_close(member.sink);
    TRY(status);
    self->answers = 0;
    return look_back(self, &self->answers);
}

/* With what the group has in the end, asked for without becoming a member of it. */
static uint64_t result(void *context)
{
    const struct self *self = context;
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "group.id", "shop", text, sizeof text), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", self->kafka.bootstrap, text, sizeof text),
                     RD_KAFKA_CONF_OK);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    assert_non_null(handle);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "clicks", 0);
    assert_int_equal(rd_kafka_committed(handle, list, 20000), 0);
    const rd_kafka_topic_partition_t *point = list->elems;
    uint64_t sum = result_with(self->answers, bytes_of(&point->offset, sizeof point->offset));
    sum = result_with(sum, bytes_of(point->metadata, point->metadata_size));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(handle);
    return sum;
}

static void end(void *context)
{
    struct self *self = context;
    kafka_mock_close(self->mock);
    free(self);
}

const struct run run_kafka = {"kafka", 1u << FAULTS_MEMORY | 1u << FAULTS_KAFKA, true, begin, once, result, end};
