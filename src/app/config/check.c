// SPDX-License-Identifier: Apache-2.0
/* What only several options together can get wrong. */
#include "app/config/options.h"

#include <eddy/io/http.h>
#include <eddy/io/registry.h>

#include <stdio.h>
#include <stdlib.h>

#define COMMIT_AT_LEAST_ONCE_MS 1000
#define COMMIT_EXACTLY_ONCE_MS  100
#define TRANSACTION_MAX_MS      5000

/* "eddy.yaml:12: session.gap_ms", for messages about an option after it was set. */
struct place {
    char text[384];
};

static struct place place_of(const struct config *config, const char *key)
{
    const struct config_option *option = option_find(key);
    assert(option);
    struct config_origin origin = config->origins[option - option_table];
    struct place place;
    if (origin.source == CONFIG_FILE)
        snprintf(place.text, sizeof place.text, "%.250s:%d: %s", config->file, origin.line, key);
    else
        snprintf(place.text, sizeof place.text, "%s%s",
                 origin.source == CONFIG_SET           ? "--set: "
                 : origin.source == CONFIG_ENVIRONMENT ? "environment: "
                                                       : "",
                 key);
    return place;
}

/* The one of two keys that the user set: it is the one to complain about. */
static struct place place_of_either(const struct config *config, const char *key, const char *other)
{
    return place_of(config, config_is_set(config, key) ? key : other);
}

static const char *const topic_keys[TOPIC_COUNT] = {
    [TOPIC_CLICKS] = "topics.clicks",
    [TOPIC_ITEMS] = "topics.items",
    [TOPIC_RECOMMENDATIONS] = "topics.recommendations",
    [TOPIC_SESSIONS] = "topics.sessions",
    [TOPIC_LATE_CLICKS] = "topics.late_clicks",
    [TOPIC_DEAD_LETTERS] = "topics.dead_letters",
    [TOPIC_MODELS] = "topics.models",
};

static struct status topic_twice(const struct config *config, const char *key, const char *other, const char *name,
                                 struct complaint *complaint)
{
    bool swap = !config_is_set(config, key);
    return complain(complaint, FAIL(CONFIG, 0, "topic named twice"), "%s: '%s' is the name of %s too",
                    place_of(config, swap ? other : key).text, name, swap ? key : other);
}

static struct status check_topic(struct config *config, int topic, struct complaint *complaint)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *prefix = config->topics.prefix, *name = config->topics.names[topic];
    char *full = config->topics.full[topic];
    if (!*name)
        return complain(complaint, FAIL(CONFIG, topic, "topic without a name"), "%s must not be empty",
                        place_of(config, topic_keys[topic]).text);
    if (strlen(prefix) + strlen(name) > TOPIC_NAME_MAX || prefix[strspn(prefix, legal)] || name[strspn(name, legal)])
        return complain(complaint, FAIL(CONFIG, topic, "illegal topic name"),
                        "%s: '%.120s%.120s' is no topic name: letters, digits, '.', '_' and '-', at most 249 of them",
                        place_of_either(config, topic_keys[topic], "topics.prefix").text, prefix, name);
    memcpy(full, prefix, strlen(prefix));
    memcpy(full + strlen(prefix), name, strlen(name) + 1);
    if (!strcmp(full, ".") || !strcmp(full, ".."))
        return complain(complaint, FAIL(CONFIG, topic, "illegal topic name"), "%s: '%s' is no topic name",
                        place_of(config, topic_keys[topic]).text, full);
    for (int other = 0; other < topic; other++)
        if (!strcmp(full, config->topics.full[other]))
            return topic_twice(config, topic_keys[topic], topic_keys[other], full, complaint);
    return OK;
}

static struct status check_format(const struct config *config, enum record_type type, const char *format_key,
                                  const char *id_key, struct complaint *complaint)
{
    if (config->encodings[type].format != RECORD_CONFLUENT || *config->registry.url)
        return OK;
    if (id_key && config->encodings[type].schema_id == 0)
        return complain(complaint, FAIL(CONFIG, 0, "format without a schema id"),
                        "%s: confluent needs %s, the schema id to write, or registry.url",
                        place_of(config, format_key).text, id_key);
    if (config->schema_count == 0 && type != RECORD_RECOMMENDATION)
        return complain(complaint, FAIL(CONFIG, 0, "format without schema ids"),
                        "%s: confluent needs registry.url, or the writers' schema ids: schema_ids.<id>: <path of the "
                        ".avsc>",
                        place_of(config, format_key).text);
    return OK;
}

static struct status check_formats(const struct config *config, struct complaint *complaint)
{
    TRY(check_format(config, RECORD_CLICK, "formats.clicks", NULL, complaint));
    if (config->items_enabled)
        TRY(check_format(config, RECORD_ITEM, "formats.items", NULL, complaint));
    TRY(check_format(config, RECORD_RECOMMENDATION, "formats.recommendations", "schema_ids.write.recommendations",
                     complaint));
    return check_format(config, RECORD_CLOSED_SESSION, "formats.sessions", "schema_ids.write.sessions", complaint);
}

static struct status check_order(const struct config *config, const char *low_key, int64_t low, const char *high_key,
                                 int64_t high, struct complaint *complaint)
{
    if (low <= high)
        return OK;
    const struct config_option *a = option_find(low_key), *b = option_find(high_key);
    AUTO(buffer) low_text = {0};
    AUTO(buffer) high_text = {0};
    option_write(a, config, &low_text);
    option_write(b, config, &high_text);
    return complain(complaint, FAIL(CONFIG, low, "options against each other"),
                    "%s: %s (%s) must not be larger than %s (%s)", place_of_either(config, low_key, high_key).text,
                    low_key, buffer_text(&low_text), high_key, buffer_text(&high_text));
}

static struct status check_bounds(const struct config *config, struct complaint *complaint)
{
    const struct session_options *session = &config->engine.session;
    const struct knn_options *knn = &config->engine.fusion.knn;
    TRY(check_order(config, "session.gap_ms", session->gap_ms, "session.max_duration_ms", session->max_duration_ms,
                    complaint));
    TRY(check_order(config, "knn.neighbours_max", knn->neighbours_max, "knn.sample_max", knn->sample_max, complaint));
    return check_order(config, "learn.postings_max", config->learned.postings_max, "learn.sessions_max",
                       config->learned.sessions_max, complaint);
}

/* Weights become parts of 1. */
static struct status check_mixing(struct config *config, struct complaint *complaint)
{
    uint32_t cell;
    if (!mixing_normalise(&config->learned.mixing, &cell))
        return complain(complaint, FAIL(CONFIG, cell, "no weights"),
                        "%s: of the weights at place %u one must be larger than 0",
                        place_of(config, "fusion.knn_weights").text, cell + 1);
    return OK;
}

static struct status check_roles(struct config *config, struct complaint *complaint)
{
    const struct text_list *names = &config->roles.names;
    config->roles.recommend = config->roles.train = false;
    for (size_t i = 0; i < names->count; i++) {
        if (!strcmp(names->texts[i], "recommend"))
            config->roles.recommend = true;
        else if (!strcmp(names->texts[i], "train"))
            config->roles.train = true;
        else
            return complain(complaint, FAIL(CONFIG, (int64_t)i, "no role"), "%s: '%s' is no role; there are %s",
                            place_of(config, "roles").text, names->texts[i], "recommend and train");
    }
    if (names->count == 0)
        return complain(complaint, FAIL(CONFIG, 0, "no role"), "%s: a process needs one of recommend and train",
                        place_of(config, "roles").text);
    config->roles.train = config->roles.train && config->models.enabled;
    if (!config->roles.recommend && !config->roles.train)
        return complain(complaint, FAIL(CONFIG, 0, "nothing to do"),
                        "%s: a process that only trains needs models.enabled, as there is nowhere to publish",
                        place_of(config, "roles").text);
    return OK;
}

static struct status check_listen(const struct config *config, struct complaint *complaint)
{
    struct http_address address;
    struct complaint why = {""};
    if (!*config->http_listen)
        return OK;
    struct status status = http_address_parse(config->http_listen, &address, &why);
    return failed(status) ? complain(complaint, status, "%s: %s", place_of(config, "http.listen").text, why.text) : OK;
}

static struct status check_registry(const struct config *config, struct complaint *complaint)
{
    struct complaint why = {""};
    if (!*config->registry.url)
        return OK;
    struct status status = registry_check_urls(config->registry.url, &why);
    if (failed(status))
        return complain(complaint, status, "%s: %s", place_of(config, "registry.url").text, why.text);
    if (*config->registry.key && !*config->registry.certificate)
        return complain(complaint, FAIL(CONFIG, 0, "a key without a certificate"),
                        "%s needs registry.certificate, the certificate that belongs to it",
                        place_of(config, "registry.key").text);
    if (*config->registry.password && !*config->registry.user)
        return complain(complaint, FAIL(CONFIG, 0, "a password without a user"), "%s needs registry.user",
                        place_of(config, "registry.password").text);
    return OK;
}

static struct status check_models(const struct config *config, struct complaint *complaint)
{
    const char *name = config->models.name;
    size_t size = strlen(name);
    if (size >= 1 && size <= MODEL_NAME_MAX && !name[strspn(name, MODEL_NAME_LEGAL)])
        return OK;
    return complain(complaint, FAIL(CONFIG, size, "illegal model name"),
                    "%s: '%.120s' is no name of a model: letters, digits, '.', '_' and '-', 1 to 64 of them",
                    place_of(config, "models.name").text, name);
}

static struct status derive(struct config *config)
{
    const struct text_list *excluded = &config->categories_excluded;
    struct bytes *categories = calloc(excluded->count + 1, sizeof *categories);
    if (!categories)
        return FAIL(MEMORY, 0, "no memory for the excluded categories");
    for (size_t i = 0; i < excluded->count; i++)
        categories[i] = bytes_of_text(excluded->texts[i]);
    free(config->category_bytes);
    config->category_bytes = categories;
    config->engine.fusion.filters.categories_excluded = categories;
    config->engine.fusion.filters.category_count = (uint32_t)excluded->count;
    config->learner.fusion = config->engine.fusion;
    config->learner.neural = config->engine.neural;
    config->clicks.by_user = config->engine.session.by_user;
    return config_derive_kafka(config);
}

/* A transaction that lasts longer than the brokers allow is aborted by them, and the readers of committed records wait
 * for each. */
static struct status check_delivery(struct config *config, struct complaint *complaint)
{
    bool exactly_once = config->delivery == DELIVERY_EXACTLY_ONCE;
    if (config->commit_interval_ms == 0)
        config->commit_interval_ms = exactly_once ? COMMIT_EXACTLY_ONCE_MS : COMMIT_AT_LEAST_ONCE_MS;
    if (exactly_once && config->commit_interval_ms > TRANSACTION_MAX_MS)
        return complain(complaint, FAIL(CONFIG, config->commit_interval_ms, "transactions that last too long"),
                        "%s: with delivery: exactly_once at most %d s",
                        place_of_either(config, "commit_interval_ms", "delivery").text, TRANSACTION_MAX_MS / 1000);
    const char *isolation = config_kafka(config, "isolation.level");
    if (exactly_once && isolation && strcmp(isolation, "read_committed"))
        return complain(complaint, FAIL(CONFIG, 0, "offsets that may be taken back"),
                        "kafka.isolation.level: delivery: exactly_once needs read_committed, the default");
    return OK;
}

static struct status check_embedder(struct config *config, struct complaint *complaint)
{
    if (config->embedder.provider == EMBEDDER_ENCODER && !*config->embedder.folder)
        return complain(complaint, FAIL(CONFIG, 0, "an encoder without files"),
                        "%s: embedder.folder must say where the encoder's files are",
                        place_of(config, "embedder.provider").text);
    config->embedder.hashing.seed = HASHING_OPTIONS_STANDARD.seed;
    return OK;
}

struct status config_check(struct config *config, struct complaint *complaint)
{
    TRY(check_delivery(config, complaint));
    if (!*config->group_id)
        return complain(complaint, FAIL(CONFIG, 0, "no group"), "%s must not be empty",
                        place_of(config, "group_id").text);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        TRY(check_topic(config, topic, complaint));
    TRY(check_formats(config, complaint));
    TRY(check_bounds(config, complaint));
    TRY(check_mixing(config, complaint));
    TRY(check_roles(config, complaint));
    TRY(check_listen(config, complaint));
    TRY(check_registry(config, complaint));
    TRY(check_models(config, complaint));
    TRY(check_embedder(config, complaint));
    config->model.options.backbone = backbone_named(option_find("model.backbone")->words[config->model.backbone]);
    assert(config->model.options.backbone);
    config->update.options.model = config->model.options;
    config->update.options.training = config->train.options;
    config->update.options.items_max = config->catalogue.items_max;
    return derive(config);
}
