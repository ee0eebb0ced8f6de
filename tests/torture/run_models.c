// SPDX-License-Identifier: Apache-2.0
/* A version of a session model is published on librdkafka's mock cluster and put to work in place of the one before, by
 * publisher and loader as `eddy run` has them, but on one thread. At no moment is anything at work but one of the two,
 * whole. */
#include "support/support.h"

#include "app/models/publisher.h"
#include "app/run/model_loader.h"
#include "app/session_model.h"
#include "support/models_log.h"
#include "torture/torture.h"

#include <eddy/core/neural.h>
#include <eddy/io/kafka_mock.h>
#include <eddy/io/system.h>

#define ITEMS       40
#define WIDTH       4
#define LIST        5
#define PATIENCE_MS 40000

struct self {
    struct kafka_mock *mock;
    struct kafka_options kafka;
    struct config config;
    struct knowledge *knowledge;
    struct metrics metrics;
    enum sabotage sabotage;
    char before[MODEL_VERSION_DIGITS + 1], wanted[MODEL_VERSION_DIGITS + 1]; /* of their SHA-256 */
};

static int64_t now_ms(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self) / 1000;
}

/* ---- publishing */

static struct status count(void *context, struct bytes piece)
{
    sha256_add(context, piece);
    return OK;
}

/* The digits that the version of this model will have. */
static void digits_of(const struct self *self, const struct model *model, char digits[MODEL_VERSION_DIGITS + 1])
{
    struct sha256 *hash;
    char text[SHA256_TEXT_SIZE];
    assert_ok(sha256_open(&hash));
    assert_ok(
        model_file_encode(model, models_log_items(), self->config.models.payload, (struct byte_sink){count, hash}));
    sha256_text(hash, text);
    sha256_close(hash);
    memcpy(digits, text, MODEL_VERSION_DIGITS);
}

static bool is_current(const struct model_publisher *publisher, const char *digits)
{
    const struct model_manifest *current = model_directory_current(model_publisher_directory(publisher));
    return current && !memcmp(current->sha256.data, digits, MODEL_VERSION_DIGITS);
}

static struct status publish_with(struct model_publisher *publisher, const struct model *model, const char *digits)
{
    static const struct sessions_read sessions[] = {{0, 17}, {3, 9}};
    const struct model_publication publication = {.model = model,
                                                  .items = models_log_items(),
                                                  .created_ms = 1700000000000,
                                                  .sessions = sessions,
                                                  .session_count = 2,
                                                  .note = "a test"};
    struct complaint why = {""};
    TRY(model_publisher_read(publisher, &why));
    if (is_current(publisher, digits))
        return OK; /* a former try has come so far */
    TRY(model_publisher_publish(publisher, &publication, &why));
    return is_current(publisher, digits) ? OK : FAIL(CORRUPT, 0, "what was published is not in use");
}

static struct status publish(struct self *self, const struct model *model, const char *digits)
{
    struct model_publisher *publisher;
    struct complaint why = {""};
    TRY(model_publisher_open(&self->config, &self->kafka, NULL, &publisher, &why));
    struct status status = publish_with(publisher, model, digits);
    model_publisher_close(publisher);
    return status;
}

/* ---- loading */

static bool is_at_work(const struct self *self, const char *digits)
{
    const char *version = knowledge_model_version(self->knowledge), *dash = strchr(version, '-');
    return dash && !strcmp(dash + 1, digits);
}

/* Whatever happened: what is at work is one of the two, and answers. */
static struct status check_at_work(const struct self *self)
{
    static const uint32_t items[2] = {1, 2}, starts[2] = {0, 2};
    const struct neural_sessions sessions = {1, starts, items};
    const struct neural *neural = knowledge_neural(self->knowledge);
    struct arena arena = {0};
    struct scored_item list[LIST];
    uint32_t length = 0;
    if (!neural || is_at_work(self, self->wanted) == is_at_work(self, self->before))
        return FAIL(CORRUPT, 0, "a model is half taken into use");
    struct status status = neural_lists(neural, &sessions, &arena, list, LIST, &length);
    arena_release(&arena);
    TRY(status);
    return length == LIST ? OK : FAIL(CORRUPT, length, "a model answers with too little");
}

static struct status follow(struct self *self, struct model_loader *loader, const char *digits)
{
    for (int64_t end_ms = now_ms() + PATIENCE_MS; !is_at_work(self, digits);) {
        if (now_ms() > end_ms)
            return FAIL(CORRUPT, 0, "a version is not taken into use");
        TRY(model_loader_step(loader));
    }
    return OK;
}

static struct status load(struct self *self, const char *digits)
{
    struct model_loader *loader;
    TRY(model_loader_open(&self->config, &self->kafka, self->knowledge, &self->metrics, &loader, NULL));
    struct status status = follow(self, loader, digits);
    model_loader_close(loader);
    return status;
}

/* ---- a life */

static struct model *make_model(const char *which)
{
    return models_log_model(ITEMS, WIDTH, (uint64_t)which[0]);
}

static void *begin(enum sabotage sabotage)
{
    static const char *const sets[] = {"models.name=shop", "models.keep=2", "kafka.bootstrap.servers=none:1"};
    struct self *self = calloc(1, sizeof *self);
    struct complaint complaint = {""};
    assert_non_null(self);
    self->sabotage = sabotage;
    assert_ok(config_make(&self->config, NULL, sets, sizeof sets / sizeof *sets, &complaint));
    assert_ok(kafka_mock_open(1, &self->mock));
    assert_ok(kafka_mock_create_topic(self->mock, "models", 1));
    self->kafka = (struct kafka_options){.bootstrap = kafka_mock_bootstrap(self->mock), .client_id = "torture"};
    const struct knowledge_options knowledge = {
        .catalogue = self->config.catalogue, .learned = self->config.learned, .learner = self->config.learner};
    assert_ok(knowledge_open(&knowledge, &self->knowledge, &complaint));
    struct model *before = make_model("before"), *wanted = make_model("wanted");
    digits_of(self, before, self->before);
    digits_of(self, wanted, self->wanted);
    assert_ok(publish(self, before, self->before));
    assert_ok(load(self, self->before));
    model_close(before);
    model_close(wanted);
    return self;
}

/* The sabotage: after a failure a version has the word, and no model stands behind it. */
static void take_half(struct self *self)
{
    struct session_model half = {0};
    snprintf(half.version, sizeof half.version, "2-%s", self->wanted);
    knowledge_swap_model(self->knowledge, &half);
    session_model_release(&half);
}

static struct status once(void *context)
{
    struct self *self = context;
    faults_pause();
    struct model *model = make_model("wanted");
    faults_resume();
    struct status status = publish(self, model, self->wanted);
    if (!failed(status))
        status = load(self, self->wanted);
    model_close(model);
    faults_pause();
    if (failed(status) && self->sabotage == SABOTAGE_HALF_A_MODEL)
        take_half(self);
    struct status whole = check_at_work(self);
    faults_resume();
    return failed(whole) ? whole : status;
}

/* The number of the version depends on how far a failed try has come: of the mock cluster's transactions all is seen.
 */
static uint64_t result(void *context)
{
    const struct self *self = context;
    return result_with((uint64_t)metric_get(&self->metrics, METRIC_MODEL_REFUSALS), bytes_of_text(self->wanted)) +
           is_at_work(self, self->wanted);
}

static void end(void *context)
{
    struct self *self = context;
    knowledge_close(self->knowledge);
    kafka_mock_close(self->mock);
    config_release(&self->config);
    free(self);
}

const struct run run_models = {"models", 1u << FAULTS_MEMORY | 1u << FAULTS_KAFKA, true, begin, once, result, end};
