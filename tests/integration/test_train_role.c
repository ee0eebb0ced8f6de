// SPDX-License-Identifier: Apache-2.0
/* The role that trains on librdkafka's mock cluster: what it does about a version that it cannot learn on from, and
 * that a stop ends it whatever it waits for (tests/integration/test_real_train.sh has the rest). */
#include "support/support.h"

#include "app/train/role.h"
#include "support/mock_rig.h"
#include "support/models_log.h"

#include <eddy/io/system.h>

#define PATIENCE_MS 60000
#define SESSIONS    60

struct rig {
    struct kafka_mock *mock;
    struct kafka_options kafka;
    struct config config;
    struct metrics metrics;
    struct model_publisher *publisher;
    struct train_role *role;
};

static void rig_open(struct rig *rig)
{
    static const char *const sets[] = {"models.name=shop",        "models.keep=2",     "formats.sessions=json",
                                       "update.first_clicks=100", "update.clicks=100", "train.epochs=1",
                                       "train.negatives=10",      "model.width=8",     "update.noise=100",
                                       "topics.partitions=1"};
    struct complaint complaint = {""};
    *rig = (struct rig){0};
    if (failed(config_make(&rig->config, NULL, sets, sizeof sets / sizeof *sets, &complaint)))
        fail_msg("%s", complaint.text);
    assert_ok(kafka_mock_open(1, &rig->mock));
    assert_ok(kafka_mock_create_topic(rig->mock, "models", 1));
    assert_ok(kafka_mock_create_topic(rig->mock, "sessions", 1));
    rig->kafka = mock_rig_options(kafka_mock_bootstrap(rig->mock));
    if (failed(model_publisher_open(&rig->config, &rig->kafka, NULL, &rig->publisher, &complaint)))
        fail_msg("%s", complaint.text);
}

static void rig_close(struct rig *rig)
{
    train_role_close(rig->role);
    model_publisher_close(rig->publisher);
    kafka_mock_close(rig->mock);
    config_release(&rig->config);
}

static void start(struct rig *rig)
{
    const struct train_role_options options = {.config = &rig->config, .kafka = &rig->kafka, .metrics = &rig->metrics};
    struct complaint complaint = {""};
    if (failed(train_role_open(&options, &rig->role, &complaint)))
        fail_msg("%s", complaint.text);
}

static void publish_version(struct rig *rig)
{
    struct model *model = models_log_model(20, 8, 1);
    const struct model_publication publication = {
        .model = model, .items = models_log_items(), .created_ms = 1700000000000, .note = "a test"};
    struct complaint complaint = {""};
    if (failed(model_publisher_publish(rig->publisher, &publication, &complaint)))
        fail_msg("%s", complaint.text);
    model_close(model);
}

static struct kafka_sink *open_sink(const struct rig *rig)
{
    const struct kafka_sink_options options = {.kafka = &rig->kafka,
                                               .topics = {[OUTPUT_SESSIONS] = "sessions", [OUTPUT_MODELS] = "models"},
                                               .queue_records_max = 1000,
                                               .queue_bytes_max = 1 << 20};
    struct kafka_sink *sink;
    assert_ok(kafka_sink_open(&options, &sink, NULL));
    return sink;
}

static void put(struct kafka_sink *sink, enum output output, const char *key, const char *value)
{
    const struct output_record record = {.output = output, .key = bytes_of_text(key), .value = bytes_of_text(value)};
    struct record_sink port = kafka_sink_port(sink);
    assert_ok(port.ops->publish(port.self, &record));
    assert_ok(port.ops->flush(port.self, 20000));
}

/* Sessions of four clicks that close one after the other from `first` on. */
static void close_sessions(const struct rig *rig, int first)
{
    struct kafka_sink *sink = open_sink(rig);
    for (int i = first; i < first + SESSIONS; i++) {
        char text[512];
        long long at = 1700000000000 + i * 10000;
        snprintf(text, sizeof text,
                 "{\"session_id\":\"s%d\",\"partition\":0,\"close_timestamp\":%lld,\"close_offset\":%d,"
                 "\"close_sequence\":0,\"total_clicks\":4,\"clicks\":[{\"item_id\":\"i%d\",\"timestamp\":%lld},"
                 "{\"item_id\":\"i%d\",\"timestamp\":%lld},{\"item_id\":\"i%d\",\"timestamp\":%lld},"
                 "{\"item_id\":\"i%d\",\"timestamp\":%lld}]}",
                 i, at, i, i % 20, at - 4000, (i + 1) % 20, at - 3000, (i + 2) % 20, at - 2000, (i + 3) % 20,
                 at - 1000);
        put(sink, OUTPUT_SESSIONS, "s", text);
    }
    kafka_sink_close(sink);
}

static void wait_for(const struct rig *rig, enum metric metric, int64_t least, int64_t most)
{
    for (int64_t end = mock_rig_now_ms() + PATIENCE_MS;;) {
        int64_t is = metric_get(&rig->metrics, metric);
        if (is >= least && is <= most)
            return;
        assert_true(mock_rig_now_ms() < end);
        system_wait_ms(5);
    }
}

static void a_version_that_cannot_be_learned_on_from_is_told_of_and_another_waited_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    publish_version(&rig);
    struct kafka_sink *sink = open_sink(&rig);
    put(sink, OUTPUT_MODELS, "shop/0/0", "no chunk");
    kafka_sink_close(sink);
    start(&rig);
    wait_for(&rig, METRIC_TRAINING_UNUSABLE, 1, 1);
    close_sessions(&rig, 0);
    assert_int_equal(metric_get(&rig.metrics, METRIC_TRAINING_UPDATES), 0);
    publish_version(&rig);
    wait_for(&rig, METRIC_TRAINING_UNUSABLE, 0, 0);
    wait_for(&rig, METRIC_TRAINING_PUBLISHED, 1, INT64_MAX);
    assert_ok(model_publisher_read(rig.publisher, NULL));
    assert_int_equal(model_directory_current(model_publisher_directory(rig.publisher))->version, 3);
    rig_close(&rig);
}

/* What it waits for takes up to minutes; the test is over before. */
static void a_trainer_is_stopped_while_brokers_are_away(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    start(&rig);
    close_sessions(&rig, 0);
    wait_for(&rig, METRIC_TRAINING_PUBLISHED, 1, INT64_MAX);
    int64_t updates = metric_get(&rig.metrics, METRIC_TRAINING_UPDATES);
    kafka_mock_fail_requests(rig.mock, KAFKA_MOCK_END_TRANSACTION, 14 /* COORDINATOR_LOAD_IN_PROGRESS */, 10000);
    close_sessions(&rig, SESSIONS);
    wait_for(&rig, METRIC_TRAINING_UPDATES, updates + 1, INT64_MAX); /* and waits for its version to be committed */
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_that_cannot_be_learned_on_from_is_told_of_and_another_waited_for),
        cmocka_unit_test(a_trainer_is_stopped_while_brokers_are_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
