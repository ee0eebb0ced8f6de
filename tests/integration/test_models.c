// SPDX-License-Identifier: Apache-2.0
/* Publisher and loader of session models on librdkafka's mock cluster, whose transactions are a stub: what is written
 * there is seen as it comes, and nobody is fenced (tests/integration/test_real_models.sh has the rest). */
#include "support/support.h"

#include "app/log.h"
#include "app/models/publisher.h"
#include "app/run/model_loader.h"
#include "app/session_model.h"
#include "support/mock_rig.h"
#include "support/models_log.h"

#include <eddy/core/neural.h>
#include <eddy/io/kafka_publisher.h>
#include <eddy/io/system.h>
#include <pthread.h>
#include <unistd.h>

#define ITEMS   300
#define READERS 3

struct rig {
    struct kafka_mock *mock;
    struct kafka_options kafka;
    struct config config;
    struct knowledge *knowledge;
    struct metrics metrics;
    struct model_publisher *publisher;
    struct model_loader *loader;
};

static void configure(struct rig *rig)
{
    const char *assignments[] = {"models.name=shop", "models.keep=2", "models.payload=float32", "models.wait_ms=0"};
    struct complaint complaint = {""};
    if (failed(config_make(&rig->config, NULL, assignments, sizeof assignments / sizeof *assignments, &complaint)))
        fail_msg("%s", complaint.text);
}

static struct rig *rig_open(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct complaint complaint = {""};
    assert_non_null(rig);
    configure(rig);
    assert_ok(kafka_mock_open(1, &rig->mock));
    assert_ok(kafka_mock_create_topic(rig->mock, "models", 1));
    rig->kafka = mock_rig_options(kafka_mock_bootstrap(rig->mock));
    const struct knowledge_options knowledge = {
        .catalogue = rig->config.catalogue, .learned = rig->config.learned, .learner = rig->config.learner};
    assert_ok(knowledge_open(&knowledge, &rig->knowledge, &complaint));
    if (failed(model_publisher_open(&rig->config, &rig->kafka, NULL, &rig->publisher, &complaint)))
        fail_msg("%s", complaint.text);
    return rig;
}

static void rig_close(struct rig *rig)
{
    model_loader_close(rig->loader);
    model_publisher_close(rig->publisher);
    knowledge_close(rig->knowledge);
    kafka_mock_close(rig->mock);
    config_release(&rig->config);
    free(rig);
}

static void start_loader(struct rig *rig)
{
    struct complaint complaint = {""};
    if (failed(model_loader_open(&rig->config, &rig->kafka, rig->knowledge, &rig->metrics, &rig->loader, &complaint)))
        fail_msg("%s", complaint.text);
    assert_ok(model_loader_start(rig->loader));
}

static struct status try_publish(struct rig *rig, uint32_t width, struct complaint *complaint)
{
    struct model *model = models_log_model(ITEMS, width, width);
    const struct model_publication publication = {
        .model = model, .items = models_log_items(), .created_ms = 1700000000000, .note = "a test"};
    struct status status = model_publisher_publish(rig->publisher, &publication, complaint);
    model_close(model);
    return status;
}

static int64_t publish(struct rig *rig, uint32_t width)
{
    struct complaint complaint = {""};
    if (failed(try_publish(rig, width, &complaint)))
        fail_msg("%s", complaint.text);
    return model_directory_current(model_publisher_directory(rig->publisher))->version;
}

static void point(struct rig *rig, enum model_key_kind pointer, int64_t version)
{
    struct complaint complaint = {""};
    if (failed(model_publisher_point(rig->publisher, pointer, version, &complaint)))
        fail_msg("%s", complaint.text);
}

/* Writes a record as nobody should. */
static void put_raw(const struct rig *rig, const char *key, struct bytes value)
{
    const struct kafka_publisher_options options = {
        .kafka = &rig->kafka, .topic = "models", .transactional_id = "somebody", .queue_bytes_max = 1 << 20};
    struct kafka_publisher *publisher;
    assert_ok(kafka_publisher_open(&options, 10000, &publisher, NULL));
    assert_ok(kafka_publisher_begin(publisher, NULL));
    assert_ok(kafka_publisher_put(publisher, bytes_of_text(key), value, NULL));
    assert_ok(kafka_publisher_commit(publisher, NULL));
    kafka_publisher_close(publisher);
}

static void wait_for(const struct rig *rig, enum metric metric, int64_t wanted)
{
    for (int64_t end = mock_rig_now_ms() + 30000; metric_get(&rig->metrics, metric) != wanted;) {
        assert_true(mock_rig_now_ms() < end);
        system_wait_ms(5);
    }
}

static void wait_caught_up(const struct rig *rig)
{
    for (int64_t end = mock_rig_now_ms() + 30000; !model_loader_caught_up(rig->loader);) {
        assert_true(mock_rig_now_ms() < end);
        assert_ok(model_loader_failure(rig->loader));
        system_wait_ms(5);
    }
}

static void assert_at_work(const struct rig *rig, int64_t version)
{
    char prefix[24];
    snprintf(prefix, sizeof prefix, "%lld-", (long long)version);
    knowledge_lock_read(rig->knowledge);
    const char *is = knowledge_model_version(rig->knowledge);
    if (strncmp(is, prefix, strlen(prefix)) != 0 || strlen(is) != strlen(prefix) + MODEL_VERSION_DIGITS)
        fail_msg("%s is at work, not %s", is, prefix);
    assert_non_null(knowledge_neural(rig->knowledge));
    knowledge_unlock(rig->knowledge);
}

/* ---- tests */

static void a_topic_without_a_model_is_caught_up_with_at_once(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    start_loader(rig);
    wait_caught_up(rig);
    assert_null(knowledge_neural(rig->knowledge));
    assert_int_equal(metric_get(&rig->metrics, METRIC_MODEL_REFUSALS), 0);
    rig_close(rig);
}

static void the_version_in_use_is_at_work_before_all_is_caught_up_with(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    for (uint32_t width = 8; width <= 24; width += 8)
        publish(rig, width);
    start_loader(rig);
    wait_caught_up(rig);
    assert_at_work(rig, 3);
    assert_int_equal(metric_get(&rig->metrics, METRIC_MODEL_VERSION), 3);
    assert_int_equal(metric_get(&rig->metrics, METRIC_MODEL_LOADS), 1);
    model_loader_measure(rig->loader, 1700000000000 + 90500);
    assert_int_equal(metric_get(&rig->metrics, METRIC_MODEL_AGE), 90);
    assert_true(metric_get(&rig->metrics, METRIC_MODEL_LOAD_MICROSECONDS) > 0);
    rig_close(rig);
}

static void what_is_published_rolled_back_and_pinned_is_followed(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    publish(rig, 8);
    start_loader(rig);
    wait_for(rig, METRIC_MODEL_VERSION, 1);
    publish(rig, 16);
    wait_for(rig, METRIC_MODEL_VERSION, 2);
    point(rig, MODEL_KEY_CURRENT, 1);
    wait_for(rig, METRIC_MODEL_VERSION, 1);
    assert_at_work(rig, 1);
    point(rig, MODEL_KEY_PINNED, 2);
    wait_for(rig, METRIC_MODEL_VERSION, 2);
    assert_int_equal(publish(rig, 24), 3);
    assert_int_equal(publish(rig, 32), 4);
    point(rig, MODEL_KEY_PINNED, 0);
    wait_for(rig, METRIC_MODEL_VERSION, 4);
    assert_at_work(rig, 4);
    assert_int_equal(metric_get(&rig->metrics, METRIC_MODEL_REFUSALS), 0);
    rig_close(rig);
}

static void a_version_that_is_gone_cannot_be_pointed_to(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    struct complaint why = {""};
    for (int i = 0; i < 4; i++)
        publish(rig, 8);
    assert_fails(NOT_FOUND, model_publisher_point(rig->publisher, MODEL_KEY_CURRENT, 1, &why));
    assert_non_null(strstr(why.text, "eddy model list"));
    assert_fails(NOT_FOUND, model_publisher_point(rig->publisher, MODEL_KEY_PINNED, 9, &why));
    point(rig, MODEL_KEY_CURRENT, 3);
    rig_close(rig);
}

static void a_broken_version_is_refused_once_and_the_one_before_stays(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    publish(rig, 8);
    start_loader(rig);
    wait_for(rig, METRIC_MODEL_VERSION, 1);
    put_raw(rig, "shop/1/0", BYTES("not a chunk"));
    wait_for(rig, METRIC_MODEL_RECORDS_BAD, 1);
    publish(rig, 16);
    wait_for(rig, METRIC_MODEL_VERSION, 2);
    put_raw(rig, "shop/0/0", (struct bytes){0}); /* as if compaction had taken what it must not take */
    point(rig, MODEL_KEY_PINNED, 2);
    struct complaint why = {""};
    assert_fails(NOT_FOUND, model_publisher_point(rig->publisher, MODEL_KEY_CURRENT, 1, &why));
    assert_int_equal(metric_get(&rig->metrics, METRIC_MODEL_REFUSALS), 0);
    put_raw(rig, "shop/1/0", (struct bytes){0});
    model_loader_close(rig->loader);
    start_loader(rig); /* which has the version before at work, as it were from a file */
    wait_for(rig, METRIC_MODEL_REFUSALS, 1);
    wait_caught_up(rig);
    assert_at_work(rig, 2);
    point(rig, MODEL_KEY_PINNED, 0);
    publish(rig, 24);
    wait_for(rig, METRIC_MODEL_VERSION, 3);
    assert_int_equal(metric_get(&rig->metrics, METRIC_MODEL_REFUSALS), 1);
    rig_close(rig);
}

static void a_model_that_is_too_large_is_neither_published_nor_loaded(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    struct complaint why = {""};
    size_t room = rig->config.models.size_max_bytes;
    publish(rig, 8);
    rig->config.models.size_max_bytes = 1000;
    assert_fails(LIMIT, try_publish(rig, 16, &why));
    assert_non_null(strstr(why.text, "models.size_max_bytes"));
    start_loader(rig);
    wait_for(rig, METRIC_MODEL_REFUSALS, 1);
    wait_caught_up(rig);
    assert_null(knowledge_neural(rig->knowledge));
    rig->config.models.size_max_bytes = room;
    rig_close(rig);
}

static void brokers_that_are_away_are_waited_for(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    publish(rig, 8);
    start_loader(rig);
    wait_for(rig, METRIC_MODEL_VERSION, 1);
    assert_ok(kafka_mock_set_down(rig->mock, true));
    system_wait_ms(300);
    assert_ok(model_loader_failure(rig->loader));
    assert_at_work(rig, 1);
    assert_ok(kafka_mock_set_down(rig->mock, false));
    publish(rig, 16);
    wait_for(rig, METRIC_MODEL_VERSION, 2);
    rig_close(rig);
}

static void a_model_that_does_not_come_is_waited_for_as_long_as_is_said(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    assert_true(model_loader_ready(NULL));
    publish(rig, 8);
    rig->config.models.wait_ms = 300;
    start_loader(rig);
    assert_ok(kafka_mock_set_down(rig->mock, true));
    if (!model_loader_caught_up(rig->loader)) /* a quick one may be done already */
        assert_false(model_loader_ready(rig->loader));
    system_wait_ms(400);
    assert_true(model_loader_ready(rig->loader));
    assert_ok(kafka_mock_set_down(rig->mock, false));
    wait_for(rig, METRIC_MODEL_VERSION, 1);
    rig->config.models.wait_ms = 60000;
    model_loader_close(rig->loader);
    start_loader(rig);
    for (int64_t end = mock_rig_now_ms() + 30000; !model_loader_ready(rig->loader) && mock_rig_now_ms() < end;)
        system_wait_ms(5);
    assert_true(model_loader_caught_up(rig->loader));
    rig_close(rig);
}

/* ---- the swap under load */

struct reader {
    struct rig *rig;
    pthread_t thread;
    _Atomic bool stopping;
    uint64_t lists, without;
    char wrong[128];
};

/* As a shard: a batch under the reader lock, with whatever model is there. */
static void score(struct reader *reader, struct arena *arena)
{
    const uint32_t starts[] = {0, 2}, items[] = {1, 2};
    const struct neural_sessions sessions = {1, starts, items};
    struct scored_item list[20];
    uint32_t length = 0;
    knowledge_lock_read(reader->rig->knowledge);
    const struct neural *neural = knowledge_neural(reader->rig->knowledge);
    const char *version = knowledge_model_version(reader->rig->knowledge);
    if (neural && !failed(neural_lists(neural, &sessions, arena, list, 20, &length)) && length == 20)
        reader->lists++;
    else if (neural)
        snprintf(reader->wrong, sizeof reader->wrong, "version %s gives %u items", version, length);
    else
        reader->without++;
    if ((neural != NULL) != (*version != 0))
        snprintf(reader->wrong, sizeof reader->wrong, "version '%s' without a model", version);
    knowledge_unlock(reader->rig->knowledge);
    arena_reset(arena);
}

static void *read_on(void *context)
{
    struct reader *reader = context;
    AUTO(arena) arena = {0};
    while (!atomic_load(&reader->stopping))
        score(reader, &arena);
    return NULL;
}

static void models_are_swapped_under_those_that_score(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    struct reader readers[READERS] = {0};
    start_loader(rig);
    for (int i = 0; i < READERS; i++) {
        readers[i].rig = rig;
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int version = 1; version <= 12; version++) {
        publish(rig, 8 + 8 * ((uint32_t)version % 3));
        wait_for(rig, METRIC_MODEL_VERSION, version);
    }
    for (int i = 0; i < READERS; i++) {
        atomic_store(&readers[i].stopping, true);
        pthread_join(readers[i].thread, NULL);
        assert_string_equal(readers[i].wrong, "");
        assert_true(readers[i].lists > 0);
    }
    assert_int_equal(metric_get(&rig->metrics, METRIC_MODEL_LOADS), 12);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_without_a_model_is_caught_up_with_at_once),
        cmocka_unit_test(the_version_in_use_is_at_work_before_all_is_caught_up_with),
        cmocka_unit_test(what_is_published_rolled_back_and_pinned_is_followed),
        cmocka_unit_test(a_version_that_is_gone_cannot_be_pointed_to),
        cmocka_unit_test(a_broken_version_is_refused_once_and_the_one_before_stays),
        cmocka_unit_test(a_model_that_is_too_large_is_neither_published_nor_loaded),
        cmocka_unit_test(brokers_that_are_away_are_waited_for),
        cmocka_unit_test(a_model_that_does_not_come_is_waited_for_as_long_as_is_said),
        cmocka_unit_test(models_are_swapped_under_those_that_score),
    };
    log_configure(LOG_ERROR, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
