// SPDX-License-Identifier: Apache-2.0
#include "app/config.h"

#include "app/command.h"
#include "app/config/options.h"

#include <stdio.h>
#include <stdlib.h>

#define KAFKA_SETTINGS_MAX 256
#define SCHEMA_FILES_MAX   256

/* ---- unknown keys */

/* For a key whose section was forgotten or mistaken: an option with the same last word. */
static const char *same_last_word(const char *key)
{
    const char *dot = strrchr(key, '.');
    const char *word = dot ? dot + 1 : key;
    for (size_t i = 0; i < option_count; i++) {
        const char *last = strrchr(options[i].key, '.');
        if (!strcmp(last ? last + 1 : options[i].key, word))
            return options[i].key;
    }
    return NULL;
}

struct status config_unknown_key(const char *where, const char *key, struct complaint *complaint)
{
    const char **candidates = calloc(option_count + 1, sizeof *candidates);
    if (!candidates)
        return FAIL(MEMORY, 0, "no memory for a message");
    for (size_t i = 0; i < option_count; i++)
        candidates[i] = options[i].key;
    const char *near = suggest(key, candidates);
    if (!near)
        near = same_last_word(key);
    free(candidates);
    if (config_is_section(key))
        return complain(complaint, FAIL(CONFIG, 0, "section used as a key"),
                        "%s: '%s' is a section; its keys go below it, indented", where, key);
    return complain(complaint, FAIL(CONFIG, 0, "unknown key"), "%s: unknown key '%s'%s%s%s", where, key,
                    near ? "; did you mean '" : "; see 'eddy config docs' for all keys", near ? near : "",
                    near ? "'?" : "");
}

bool config_is_section(const char *name)
{
    size_t size = strlen(name);
    if (!strcmp(name, "kafka"))
        return true;
    for (size_t i = 0; i < option_count; i++)
        if (!strncmp(options[i].key, name, size) && options[i].key[size] == '.')
            return true;
    return false;
}

/* ---- assignments */

static struct status place(const struct assignment *assignment, struct status status, const struct complaint *why,
                           struct complaint *complaint)
{
    return complain(complaint, status, "%s: %s: %s", assignment->where, assignment->key,
                    *why->text ? why->text : status.fault->what);
}

static struct status twice(const struct assignment *assignment, struct config_origin first, struct complaint *complaint)
{
    return complain(complaint, FAIL(CONFIG, first.line, "key given twice"), "%s: %s is already set in line %d",
                    assignment->where, assignment->key, first.line);
}

static bool is_repeated(const struct assignment *assignment, struct config_origin first)
{
    return assignment->origin.source == CONFIG_FILE && first.source == CONFIG_FILE;
}

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

static struct status put_kafka(struct config *config, const struct assignment *assignment, const char *name,
                               char *value)
{
    struct kafka_setting *setting = find_kafka(config, name);
    if (!setting) {
        if (!config->kafka && !(config->kafka = calloc(KAFKA_SETTINGS_MAX, sizeof *config->kafka)))
            return FAIL(MEMORY, 0, "no memory for the settings of librdkafka");
        if (config->kafka_count == KAFKA_SETTINGS_MAX)
            return FAIL(LIMIT, KAFKA_SETTINGS_MAX, "too many settings for librdkafka");
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

static struct status assign_kafka(struct config *config, const struct assignment *assignment, const char *name,
                                  struct complaint *complaint)
{
    const struct kafka_setting *old = find_kafka(config, name);
    if (old && is_repeated(assignment, old->origin))
        return twice(assignment, old->origin, complaint);
    if (assignment->value.list || !*name)
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
    return failed(status) ? place(assignment, status, &why, complaint) : OK;
}

static struct status put_schema(struct config *config, const struct assignment *assignment, int32_t id, char *path)
{
    struct schema_file *schema = NULL;
    for (size_t i = 0; i < config->schema_count; i++)
        if (config->schemas[i].id == id)
            schema = &config->schemas[i];
    if (!schema) {
        if (!config->schemas && !(config->schemas = calloc(SCHEMA_FILES_MAX, sizeof *config->schemas)))
            return FAIL(MEMORY, 0, "no memory for the schema ids");
        if (config->schema_count == SCHEMA_FILES_MAX)
            return FAIL(LIMIT, SCHEMA_FILES_MAX, "too many schema ids");
        schema = &config->schemas[config->schema_count++];
    } else if (is_repeated(assignment, schema->origin)) {
        return FAIL(CONFIG, 0, "this id is already set in the same file");
    }
    free(schema->path);
    *schema = (struct schema_file){id, path, assignment->origin};
    return OK;
}

static struct status assign_schema(struct config *config, const struct assignment *assignment, const char *digits,
                                   struct complaint *complaint)
{
    int64_t id;
    if (!bytes_to_int64(bytes_of_text(digits), &id) || id > INT32_MAX)
        return complain(complaint, FAIL(CONFIG, 0, "bad schema id"), "%s: %s: a schema id is at most 2147483647",
                        assignment->where, assignment->key);
    if (assignment->value.list || !*assignment->value.texts[0])
        return complain(complaint, FAIL(CONFIG, 0, "bad schema path"), "%s: %s: must be the path of one .avsc file",
                        assignment->where, assignment->key);
    struct complaint why = {""};
    char *path = NULL;
    struct status status = secret_resolve(assignment->value.texts[0], false, assignment->origin.source, &path, &why);
    if (!failed(status) && failed(status = put_schema(config, assignment, (int32_t)id, path)))
        free(path);
    return failed(status) ? place(assignment, status, &why, complaint) : OK;
}

static struct status resolve_and_read(struct config *config, const struct config_option *option,
                                      const struct assignment *assignment, struct complaint *why)
{
    AUTO(text_list) resolved = {0};
    resolved.texts = calloc(assignment->value.count + 1, sizeof *resolved.texts);
    if (!resolved.texts)
        return FAIL(MEMORY, 0, "no memory for a configured value");
    for (size_t i = 0; i < assignment->value.count; i++) {
        TRY(secret_resolve(assignment->value.texts[i], false, assignment->origin.source, &resolved.texts[i], why));
        resolved.count++;
    }
    struct raw_value value = {resolved.texts, resolved.count, assignment->value.list};
    return option_read(option, &value, config, why);
}

static struct status assign_option(struct config *config, const struct config_option *option,
                                   const struct assignment *assignment, struct complaint *complaint)
{
    struct config_origin *origin = &config->origins[option - options];
    if (is_repeated(assignment, *origin))
        return twice(assignment, *origin, complaint);
    struct complaint why = {""};
    struct status status = resolve_and_read(config, option, assignment, &why);
    if (failed(status))
        return place(assignment, status, &why, complaint);
    *origin = assignment->origin;
    return OK;
}

struct status config_assign(struct config *config, const struct assignment *assignment, struct complaint *complaint)
{
    const char *key = assignment->key;
    if (!strncmp(key, "kafka.", 6))
        return assign_kafka(config, assignment, key + 6, complaint);
    if (!strncmp(key, "schema_ids.", 11) && key[11] && !key[11 + strspn(key + 11, "0123456789")])
        return assign_schema(config, assignment, key + 11, complaint);
    const struct config_option *option = option_find(key);
    if (!option)
        return config_unknown_key(assignment->where, key, complaint);
    return assign_option(config, option, assignment, complaint);
}

struct status config_set(struct config *config, const char *text, struct complaint *complaint)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return complain(complaint, FAIL(CONFIG, 0, "not an assignment"), "--set: write --set key=value");
    char *key = strndup(text, (size_t)(equals - text));
    char *value = strdup(equals + 1);
    struct assignment assignment = {key, {&value, 1, false}, {CONFIG_SET, 0}, "--set"};
    struct status status =
        key && value ? config_assign(config, &assignment, complaint) : FAIL(MEMORY, 0, "no memory for --set");
    free(key);
    free(value);
    return status;
}

/* ---- the whole */

struct status config_defaults(struct config *config, struct complaint *complaint)
{
    *config = (struct config){0};
    config->origins = calloc(option_count, sizeof *config->origins);
    if (!config->origins)
        return FAIL(MEMORY, 0, "no memory for the configuration");
    for (size_t i = 0; i < option_count; i++) {
        char *text = strdup(options[i].standard);
        struct raw_value value = {&text, 1, false};
        struct status status =
            text ? option_read(&options[i], &value, config, complaint) : FAIL(MEMORY, 0, "no memory for a default");
        free(text);
        TRY(status);
    }
    return OK;
}

void config_release(struct config *config)
{
    for (size_t i = 0; i < option_count; i++)
        option_release(&options[i], config);
    for (size_t i = 0; i < config->kafka_count; i++) {
        free(config->kafka[i].name);
        free(config->kafka[i].value);
    }
    for (size_t i = 0; i < config->schema_count; i++)
        free(config->schemas[i].path);
    free(config->kafka);
    free(config->schemas);
    free(config->file);
    free(config->origins);
    free(config->category_bytes);
    *config = (struct config){0};
}

static struct status fill(struct config *config, const char *file, const char *const *assignments,
                          size_t assignment_count, struct complaint *complaint)
{
    TRY(config_defaults(config, complaint));
    if (file)
        TRY(config_load_file(config, file, complaint));
    TRY(config_load_environment(config, complaint));
    for (size_t i = 0; i < assignment_count; i++)
        TRY(config_set(config, assignments[i], complaint));
    return config_check(config, complaint);
}

struct status config_make(struct config *config, const char *file, const char *const *assignments,
                          size_t assignment_count, struct complaint *complaint)
{
    struct status status = fill(config, file, assignments, assignment_count, complaint);
    if (failed(status))
        config_release(config);
    return status;
}

const char *config_topic(const struct config *config, enum topic topic)
{
    assert(*config->topics.full[topic]);
    return config->topics.full[topic];
}

const char *config_kafka(const struct config *config, const char *name)
{
    const struct kafka_setting *setting = find_kafka(config, name);
    return setting ? setting->value : NULL;
}
