// SPDX-License-Identifier: Apache-2.0
/* kafka.*: kept as it is for librdkafka, except for what eddy decides about. */
#include "app/command.h"
#include "app/config/options.h"

#include <stdlib.h>

#define SETTINGS_MAX 256

/* Names that eddy decides about; value: what to set instead. */
static const char *kafka_reserved(const char *name)
{
    static const char *const rows[][2] = {
        {"group.id", "set group_id instead"},
        {"auto.offset.reset", "set start instead"},
        {"enable.auto.commit", "eddy commits offsets itself, with its state"},
        {"auto.commit.interval.ms", "set commit_interval_ms instead"},
        {"enable.auto.offset.store", "eddy stores offsets itself"},
        {"transactional.id", "it belongs to delivery: exactly_once"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i][0], name))
            return rows[i][1];
    return NULL;
}

static struct kafka_setting *find_kafka(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->kafka_count; i++)
        if (!strcmp(config->kafka[i].name, name))
            return &config->kafka[i];
    return NULL;
}

static bool is_name(const char *name)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return *name && !name[strspn(name, legal)];
}

static struct status put_kafka(struct config *config, const struct config_assignment *assignment, const char *name,
                               char *value)
{
    struct kafka_setting *setting = find_kafka(config, name);
    if (!setting) {
        if (!config->kafka && !(config->kafka = calloc(SETTINGS_MAX, sizeof *config->kafka)))
            return FAIL(MEMORY, 0, "no memory for the settings of librdkafka");
        if (config->kafka_count == SETTINGS_MAX)
            return FAIL(LIMIT, SETTINGS_MAX, "too many settings for librdkafka");
        setting = &config->kafka[config->kafka_count];
        if (!(setting->name = strdup(name)))
            return FAIL(MEMORY, 0, "no memory for the settings of librdkafka");
        config->kafka_count++;
    }
    free(setting->value);
    setting->value = value;
    setting->secret = secret_name(name);
    setting->origin = assignment->origin;
    return OK;
}

struct status config_assign_kafka(struct config *config, const struct config_assignment *assignment, const char *name,
                                  struct complaint *complaint)
{
    const struct kafka_setting *old = find_kafka(config, name);
    if (old && assignment_repeats(assignment, old->origin))
        return assignment_repeated(assignment, old->origin, complaint);
    if (assignment->value.list || !is_name(name))
        return complain(complaint, FAIL(CONFIG, 0, "bad setting for librdkafka"),
                        "%s: %s: settings of librdkafka are 'name: value', one text each", assignment->where,
                        assignment->key);
    const char *instead = kafka_reserved(name);
    if (instead)
        return complain(complaint, FAIL(CONFIG, 0, "setting that eddy decides about"), "%s: %s cannot be set: %s",
                        assignment->where, assignment->key, instead);
    struct complaint why = {""};
    char *value = NULL;
    struct status status =
        secret_resolve(assignment->value.texts[0], secret_name(name), assignment->origin.source, &value, &why);
    if (!failed(status) && failed(status = put_kafka(config, assignment, name, value)))
        free(value);
    return failed(status) ? assignment_failed(assignment, status, &why, complaint) : OK;
}

void config_release_kafka(struct config *config)
{
    for (size_t i = 0; i < config->kafka_count; i++) {
        free(config->kafka[i].name);
        free(config->kafka[i].value);
    }
    free(config->kafka);
    free(config->kafka_properties);
}

struct status config_derive_kafka(struct config *config)
{
    struct kafka_property *properties = calloc(config->kafka_count + 1, sizeof *properties);
    if (!properties)
        return FAIL(MEMORY, 0, "no memory for the settings of librdkafka");
    for (size_t i = 0; i < config->kafka_count; i++)
        properties[i] = (struct kafka_property){config->kafka[i].name, config->kafka[i].value};
    free(config->kafka_properties);
    config->kafka_properties = properties;
    return OK;
}

const char *config_kafka(const struct config *config, const char *name)
{
    const struct kafka_setting *setting = find_kafka(config, name);
    return setting ? setting->value : NULL;
}

/* Appends the property with a name like it, if there is one. */
static void write_suggestion(const char *name, struct buffer *out)
{
    AUTO(buffer) names = {0};
    kafka_property_names(&names);
    const char *text = buffer_text(&names), *end = text + names.size;
    const char **candidates = calloc(names.size + 1, sizeof *candidates);
    for (size_t i = 0; candidates && text < end; text += strlen(text) + 1)
        candidates[i++] = text;
    const char *near = candidates ? suggest(name, candidates) : NULL;
    if (near)
        buffer_format(out, "; did you mean 'kafka.%s'?", near);
    free(candidates);
}

static struct status check_setting(const struct kafka_property *property, struct complaint *complaint)
{
    struct complaint why = {""};
    AUTO(buffer) suggestion = {0};
    struct status status = kafka_check_property(property, &why);
    if (!failed_as(status, FAULT_NOT_FOUND))
        return failed(status) ? complain(complaint, status, "%s", why.text) : OK;
    write_suggestion(property->name, &suggestion);
    return complain(complaint, FAIL(CONFIG, 0, "unknown Kafka property"), "%s%s", why.text, buffer_text(&suggestion));
}

struct status config_check_kafka(const struct config *config, struct complaint *complaint)
{
    for (size_t i = 0; i < config->kafka_count; i++) {
        const struct kafka_setting *setting = &config->kafka[i];
        struct complaint why = {""};
        struct status status = check_setting(&config->kafka_properties[i], &why);
        if (failed(status) && setting->origin.source == CONFIG_FILE)
            return complain(complaint, status, "%s:%d: %s", config->file, setting->origin.line, why.text);
        if (failed(status))
            return complain(complaint, status, "%s: %s", setting->origin.source == CONFIG_SET ? "--set" : "environment",
                            why.text);
    }
    return OK;
}

struct status config_kafka_options(const struct config *config, struct kafka_options *ret_options,
                                   struct complaint *complaint)
{
    assert(config->kafka_properties);
    TRY(config_check_kafka(config, complaint)); /* first, because bootstrap.servers itself may be mistyped */
    const char *brokers = config_kafka(config, "bootstrap.servers");
    if (!brokers || !*brokers)
        return complain(
            complaint, FAIL(CONFIG, 0, "no broker"),
            "kafka.bootstrap.servers is not set; write --set kafka.bootstrap.servers=host:9092, or the same "
            "below 'kafka:' in the configuration file");
    *ret_options = (struct kafka_options){.bootstrap = brokers,
                                          .client_id = config_kafka(config, "client.id"),
                                          .properties = config->kafka_properties,
                                          .property_count = config->kafka_count};
    return OK;
}
