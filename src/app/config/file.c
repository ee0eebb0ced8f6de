// SPDX-License-Identifier: Apache-2.0
/* A YAML file as a flat list of assignments: mappings become dots in the key, scalars are texts, sequences of scalars
 * are lists. Nothing else of YAML is taken: no anchors, aliases, merges or second documents. */
#include "app/config/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#define FILE_SIZE_MAX (1 << 20)
#define DEPTH_MAX     8
#define LIST_MAX      1000

struct loader {
    struct config *config;
    const char *name;
    struct complaint *complaint;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    char key[256];
    char where[320];
};

static int event_line(const struct loader *loader)
{
    return (int)loader->event.start_mark.line + 1;
}

static const char *locate(struct loader *loader, int line)
{
    snprintf(loader->where, sizeof loader->where, "%.250s:%d", loader->name, line);
    return loader->where;
}

static struct status next(struct loader *loader)
{
    yaml_event_delete(&loader->event);
    if (yaml_parser_parse(&loader->parser, &loader->event))
        return OK;
    memset(&loader->event, 0, sizeof loader->event);
    const yaml_parser_t *parser = &loader->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        return FAIL(MEMORY, 0, "no memory for YAML");
    size_t line = parser->error == YAML_READER_ERROR ? 0 : parser->problem_mark.line;
    return complain(loader->complaint, FAIL(CONFIG, line, "not YAML"), "%s: not YAML: %s%s%s",
                    locate(loader, (int)line + 1), parser->problem ? parser->problem : "unreadable",
                    parser->context ? ", " : "", parser->context ? parser->context : "");
}

static struct status refuse(struct loader *loader, const char *what)
{
    return complain(loader->complaint, FAIL(CONFIG, event_line(loader), "unwanted YAML"), "%s: %s%s%s",
                    locate(loader, event_line(loader)), loader->key, *loader->key ? ": " : "", what);
}

/* The scalar's text, or NULL when it holds a NUL byte. */
static char *scalar_text(const struct loader *loader)
{
    char *text = (char *)loader->event.data.scalar.value;
    return strlen(text) == loader->event.data.scalar.length ? text : NULL;
}

static struct status assign(struct loader *loader, struct raw_value value, int line)
{
    if (!value.list && !*value.texts[0] && config_is_section(loader->key))
        return OK; /* a section with all its lines commented out */
    struct config_assignment assignment = {loader->key, value, {CONFIG_FILE, line}, locate(loader, line)};
    return config_assign(loader->config, &assignment, loader->complaint);
}

static struct status load_scalar(struct loader *loader)
{
    if (loader->event.data.scalar.anchor)
        return refuse(loader, "anchors are not supported");
    char *text = scalar_text(loader);
    if (!text)
        return refuse(loader, "the value holds a NUL byte");
    return assign(loader, (struct raw_value){&text, 1, false}, event_line(loader));
}

static struct status load_sequence(struct loader *loader)
{
    if (loader->event.data.sequence_start.anchor)
        return refuse(loader, "anchors are not supported");
    int line = event_line(loader);
    AUTO(text_list) list = {0};
    list.texts = calloc(LIST_MAX, sizeof *list.texts);
    if (!list.texts)
        return FAIL(MEMORY, 0, "no memory for a list");
    for (;;) {
        TRY(next(loader));
        if (loader->event.type == YAML_SEQUENCE_END_EVENT)
            return assign(loader, (struct raw_value){list.texts, list.count, true}, line);
        if (loader->event.type != YAML_SCALAR_EVENT || loader->event.data.scalar.anchor || !scalar_text(loader))
            return refuse(loader, "a list may only hold single values");
        if (list.count == LIST_MAX)
            return refuse(loader, "the list is longer than 1000 values");
        char *copy = strdup(scalar_text(loader));
        if (!copy)
            return FAIL(MEMORY, 0, "no memory for a list");
        list.texts[list.count++] = copy;
    }
}

/* Puts the current scalar behind the key, with a dot between. */
static struct status push_key(struct loader *loader)
{
    if (loader->event.type != YAML_SCALAR_EVENT || !scalar_text(loader) || loader->event.data.scalar.anchor)
        return refuse(loader, "a key must be a plain word");
    size_t used = strlen(loader->key), size = loader->event.data.scalar.length;
    if (size == 0 || used + 1 + size >= sizeof loader->key)
        return refuse(loader, "a key is empty or too long");
    snprintf(loader->key + used, sizeof loader->key - used, "%s%s", used ? "." : "", scalar_text(loader));
    return OK;
}

static struct status load_mapping(struct loader *loader, int depth)
{
    if (loader->event.data.mapping_start.anchor)
        return refuse(loader, "anchors are not supported");
    if (depth == DEPTH_MAX)
        return refuse(loader, "nested too deeply");
    size_t used = strlen(loader->key);
    for (;;) {
        TRY(next(loader));
        if (loader->event.type == YAML_MAPPING_END_EVENT)
            return OK;
        TRY(push_key(loader));
        TRY(next(loader));
        if (loader->event.type == YAML_SCALAR_EVENT)
            TRY(load_scalar(loader));
        else if (loader->event.type == YAML_SEQUENCE_START_EVENT)
            TRY(load_sequence(loader));
        else if (loader->event.type == YAML_MAPPING_START_EVENT)
            TRY(load_mapping(loader, depth + 1));
        else
            return refuse(loader, "aliases are not supported");
        loader->key[used] = '\0';
    }
}

static struct status load_document(struct loader *loader)
{
    TRY(next(loader)); /* stream start */
    TRY(next(loader));
    if (loader->event.type == YAML_STREAM_END_EVENT)
        return OK; /* nothing but comments */
    TRY(next(loader));
    if (loader->event.type == YAML_SCALAR_EVENT && loader->event.data.scalar.length == 0)
        TRY(next(loader)); /* "---" alone */
    else if (loader->event.type != YAML_MAPPING_START_EVENT)
        return refuse(loader, "a configuration is made of lines 'key: value'");
    else {
        TRY(load_mapping(loader, 0));
        TRY(next(loader));
    }
    TRY(next(loader)); /* behind the document's end */
    if (loader->event.type != YAML_STREAM_END_EVENT)
        return refuse(loader, "only one YAML document is read");
    return OK;
}

struct status config_load_text(struct config *config, const char *name, struct bytes text, struct complaint *complaint)
{
    char *copy = strdup(name);
    struct loader loader = {.config = config, .name = name, .complaint = complaint};
    if (!copy || !yaml_parser_initialize(&loader.parser)) {
        free(copy);
        return FAIL(MEMORY, 0, "no memory for YAML");
    }
    free(config->file);
    config->file = copy;
    yaml_parser_set_input_string(&loader.parser, text.data, text.size);
    struct status status = load_document(&loader);
    yaml_event_delete(&loader.event);
    yaml_parser_delete(&loader.parser);
    return status;
}

struct status config_load_file(struct config *config, const char *path, struct complaint *complaint)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain(complaint, FAIL(IO, errno, "cannot open the configuration"),
                        "cannot read the configuration file %s: %s", path, strerror(errno));
    AUTO(buffer) content = {.limit = FILE_SIZE_MAX + 1};
    uint8_t *room = buffer_reserve(&content, FILE_SIZE_MAX + 1);
    content.size = room ? fread(room, 1, FILE_SIZE_MAX + 1, file) : 0;
    int error = ferror(file) ? errno : 0;
    fclose(file);
    TRY(buffer_check(&content));
    if (error)
        return complain(complaint, FAIL(IO, error, "cannot read the configuration"),
                        "cannot read the configuration file %s: %s", path, strerror(error));
    if (content.size > FILE_SIZE_MAX)
        return complain(complaint, FAIL(LIMIT, FILE_SIZE_MAX, "configuration too big"),
                        "the configuration file %s is larger than 1 MiB", path);
    return config_load_text(config, path, buffer_bytes(&content), complaint);
}
