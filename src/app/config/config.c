// SPDX-License-Identifier: Apache-2.0
#include "app/config.h"

#include "app/command.h"
#include "app/config/options.h"

#include <stdio.h>
#include <stdlib.h>

#define SCHEMA_FILES_MAX 256

/* ---- unknown keys */

/* For a key whose section was forgotten or mistaken: an option with the same last word. */
static const char *same_last_word(const char *key)
{
    const char *dot = strrchr(key, '.');
    const char *word = dot ? dot + 1 : key;
    for (size_t i = 0; i < option_count; i++) {
        const char *last = strrchr(option_table[i].key, '.');
        if (!strcmp(last ? last + 1 : option_table[i].key, word))
            return option_table[i].key;
    }
    return NULL;
}

/* For a key without its unit: session.gap for session.gap_ms. */
static const char *same_beginning(const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < option_count; i++)
        if (!strncmp(option_table[i].key, key, size) && option_table[i].key[size] == '_')
            return option_table[i].key;
    return NULL;
}

struct status config_unknown_key(const char *where, const char *key, struct complaint *complaint)
{
    const char **candidates = calloc(option_count + 1, sizeof *candidates);
    if (!candidates)
        return FAIL(MEMORY, 0, "no memory for a message");
    for (size_t i = 0; i < option_count; i++)
        candidates[i] = option_table[i].key;
    const char *near = same_beginning(key);
    if (!near)
        near = suggest(key, candidates);
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
        if (!strncmp(option_table[i].key, name, size) && option_table[i].key[size] == '.')
            return true;
    return false;
}

/* ---- assignments */

struct status assignment_failed(const struct config_assignment *assignment, struct status status,
                                const struct complaint *why, struct complaint *complaint)
{
    return complain(complaint, status, "%s: %s: %s", assignment->where, assignment->key,
                    *why->text ? why->text : status.fault->what);
}

struct status assignment_repeated(const struct config_assignment *assignment, struct config_origin first,
                                  struct complaint *complaint)
{
    return complain(complaint, FAIL(CONFIG, first.line, "key given twice"), "%s: %s is already set in line %d",
                    assignment->where, assignment->key, first.line);
}

bool assignment_repeats(const struct config_assignment *assignment, struct config_origin first)
{
    return assignment->origin.source == CONFIG_FILE && first.source == CONFIG_FILE;
}

static struct status put_schema(struct config *config, const struct config_assignment *assignment, int32_t id,
                                char *path)
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
    } else if (assignment_repeats(assignment, schema->origin)) {
        return FAIL(CONFIG, 0, "this id is already set in the same file");
    }
    free(schema->path);
    *schema = (struct schema_file){id, path, assignment->origin};
    return OK;
}

static struct status assign_schema(struct config *config, const struct config_assignment *assignment,
                                   const char *digits, struct complaint *complaint)
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
    return failed(status) ? assignment_failed(assignment, status, &why, complaint) : OK;
}

static struct status resolve_and_read(struct config *config, const struct config_option *option,
                                      const struct config_assignment *assignment, struct complaint *why)
{
    AUTO(text_list) resolved = {0};
    resolved.texts = calloc(assignment->value.count + 1, sizeof *resolved.texts);
    if (!resolved.texts)
        return FAIL(MEMORY, 0, "no memory for a configured value");
    for (size_t i = 0; i < assignment->value.count; i++) {
        const char *text = assignment->value.texts[i];
        bool secret = secret_name(option->key) && *text; /* "" is none, and what a dump says of that */
        TRY(secret_resolve(text, secret, assignment->origin.source, &resolved.texts[i], why));
        resolved.count++;
    }
    struct raw_value value = {resolved.texts, resolved.count, assignment->value.list};
    return option_read(option, &value, config, why);
}

static struct status assign_option(struct config *config, const struct config_option *option,
                                   const struct config_assignment *assignment, struct complaint *complaint)
{
    struct config_origin *origin = &config->origins[option - option_table];
    if (assignment_repeats(assignment, *origin))
        return assignment_repeated(assignment, *origin, complaint);
    struct complaint why = {""};
    struct status status = resolve_and_read(config, option, assignment, &why);
    if (failed(status))
        return assignment_failed(assignment, status, &why, complaint);
    *origin = assignment->origin;
    return OK;
}

struct status config_assign(struct config *config, const struct config_assignment *assignment,
                            struct complaint *complaint)
{
    const char *key = assignment->key;
    if (!strncmp(key, "kafka.", 6))
        return config_assign_kafka(config, assignment, key + 6, complaint);
    if (!strncmp(key, "schema_ids.", 11) && key[11] && !key[11 + strspn(key + 11, "0123456789")])
        return assign_schema(config, assignment, key + 11, complaint);
    const struct config_option *option = option_find(key);
    if (!option)
        return config_unknown_key(assignment->where, key, complaint);
    return assign_option(config, option, assignment, complaint);
}

struct status config_set_key(struct config *config, const char *where, const char *key, const char *value,
                             struct complaint *complaint)
{
    char *text = strdup(value);
    struct config_assignment assignment = {key, {&text, 1, false}, {CONFIG_SET, 0}, where};
    struct status status =
        text ? config_assign(config, &assignment, complaint) : FAIL(MEMORY, 0, "no memory for an option");
    free(text);
    return status;
}

struct status config_set(struct config *config, const char *text, struct complaint *complaint)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return complain(complaint, FAIL(CONFIG, 0, "not an assignment"), "--set: write --set key=value");
    char *key = strndup(text, (size_t)(equals - text));
    struct status status =
        key ? config_set_key(config, "--set", key, equals + 1, complaint) : FAIL(MEMORY, 0, "no memory for --set");
    free(key);
    return status;
}

struct status config_range_of(const char *where, const char *key, struct config_range *ret_range,
                              struct complaint *complaint)
{
    const struct config_option *option = option_find(key);
    if (!option)
        return config_unknown_key(where, key, complaint);
    *ret_range = (struct config_range){.low = option->min, .high = option->max};
    if (option->words || option->kind == OPTION_BOOL)
        ret_range->kind = CONFIG_CHOICE;
    else if (option->kind == OPTION_FLOAT)
        ret_range->kind = CONFIG_REAL;
    else
        ret_range->kind = option->kind < OPTION_FLOAT ? CONFIG_WHOLE : CONFIG_TEXT;
    return OK;
}

/* ---- the whole */

struct status config_defaults(struct config *config, struct complaint *complaint)
{
    *config = (struct config){0};
    config->origins = calloc(option_count, sizeof *config->origins);
    if (!config->origins)
        return FAIL(MEMORY, 0, "no memory for the configuration");
    for (size_t i = 0; i < option_count; i++) {
        char *text = strdup(option_table[i].standard);
        struct raw_value value = {&text, 1, false};
        struct status status = text ? option_read(&option_table[i], &value, config, complaint)
                                    : FAIL(MEMORY, 0, "no memory for a default");
        free(text);
        TRY(status);
    }
    return OK;
}

void config_release(struct config *config)
{
    for (size_t i = 0; i < option_count; i++)
        option_release(&option_table[i], config);
    config_release_kafka(config);
    for (size_t i = 0; i < config->schema_count; i++)
        free(config->schemas[i].path);
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

bool config_is_set(const struct config *config, const char *key)
{
    const struct config_option *option = option_find(key);
    assert(option);
    return config->origins[option - option_table].source != CONFIG_DEFAULT;
}

const char *config_topic(const struct config *config, enum topic topic)
{
    assert(*config->topics.full[topic]);
    return config->topics.full[topic];
}

const char *config_record_topic(const struct config *config, enum record_type type)
{
    static const enum topic topics[RECORD_TYPE_COUNT] = {
        [RECORD_CLICK] = TOPIC_CLICKS,
        [RECORD_ITEM] = TOPIC_ITEMS,
        [RECORD_RECOMMENDATION] = TOPIC_RECOMMENDATIONS,
        [RECORD_CLOSED_SESSION] = TOPIC_SESSIONS,
        [RECORD_MODEL_CHUNK] = TOPIC_MODELS,
        [RECORD_MODEL_MANIFEST] = TOPIC_MODELS,
    };
    return config_topic(config, topics[type]);
}
