// SPDX-License-Identifier: Apache-2.0
#include "core/event/schema.h"

#include "core/event/json.h"

#include <jansson.h>

#define TEXT_MAX      ((size_t)64 << 10)
#define HEIGHT_MAX    32
#define NAMES_MAX     512
#define NAME_MAX_SIZE 255
#define COUNT_MAX     1024 /* fields, branches, symbols */
#define FIXED_MAX     (1 << 20)
#define MEMORY_MAX    ((size_t)8 << 20)
#define SIZE_MIN_MAX  (SIZE_MAX / 4)

static const size_t primitive_sizes[] = {
    [SCHEMA_NULL] = 0,  [SCHEMA_BOOLEAN] = 1, [SCHEMA_INT] = 1,   [SCHEMA_LONG] = 1,
    [SCHEMA_FLOAT] = 4, [SCHEMA_DOUBLE] = 8,  [SCHEMA_BYTES] = 1, [SCHEMA_STRING] = 1,
};

struct parser {
    struct arena *memory;
    struct complaint *complaint;
    const char *field; /* path of the field in which we are, "" outside */
    const char *name;  /* its name alone */
    const char *space; /* enclosing namespace */
    unsigned depth;    /* of the JSON around */
    unsigned name_count;
    struct schema *names[NAMES_MAX];
};

static struct status refuse(struct parser *parser, const char *what, const char *detail)
{
    const char *where = *parser->field ? parser->field : "schema";
    return complain(parser->complaint, FAIL(BAD_INPUT, 0, "the Avro schema cannot be used"), "%s: %s%s%.100s%s", where,
                    what, detail ? " \"" : "", detail ? detail : "", detail ? "\"" : "");
}

#define NEW(parser, type, count)                                                                                       \
    __extension__({                                                                                                    \
        type *new_ = ARENA_ARRAY((parser)->memory, type, count);                                                       \
        if (!new_)                                                                                                     \
            return FAIL(MEMORY, 0, "no memory for a schema");                                                          \
        memset(new_, 0, sizeof *new_ *(size_t)(count));                                                                \
        new_;                                                                                                          \
    })

static struct status parse_type(struct parser *parser, const json_t *json, const struct schema **ret_schema);

/* A name's part between dots: letters, digits and underscores, no digit first. */
static bool is_plain_name(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return size > 0;
}

static bool is_full_name(const char *name)
{
    if (strlen(name) > NAME_MAX_SIZE)
        return false;
    for (;;) {
        size_t size = strcspn(name, ".");
        if (!is_plain_name(name, size))
            return false;
        if (!name[size])
            return true;
        name += size + 1;
    }
}

/* "space.name", or the name alone without a space. */
static struct status join(struct parser *parser, const char *space, const char *name, const char **ret_joined)
{
    size_t space_size = strlen(space), size = strlen(name);
    if (space_size == 0) {
        *ret_joined = name;
        return OK;
    }
    char *joined = NEW(parser, char, space_size + 1 + size + 1);
    memcpy(joined, space, space_size);
    joined[space_size] = '.';
    memcpy(joined + space_size + 1, name, size);
    *ret_joined = joined;
    return OK;
}

/* The namespace of a full name. */
static struct status space_of(struct parser *parser, const char *full_name, const char **ret_space)
{
    size_t size = (size_t)(schema_short_name(full_name) - full_name);
    char *space = NEW(parser, char, size + 1);
    if (size)
        memcpy(space, full_name, size - 1);
    *ret_space = space;
    return OK;
}

static struct schema *find_name(struct parser *parser, const char *name)
{
    for (unsigned i = 0; i < parser->name_count; i++)
        if (strcmp(parser->names[i]->name, name) == 0)
            return parser->names[i];
    return NULL;
}

static struct status check_aliases(struct parser *parser, const json_t *aliases)
{
    if (aliases && !json_is_array(aliases))
        return refuse(parser, "aliases is not an array", NULL);
    for (size_t i = 0; i < json_array_size(aliases); i++) {
        const char *alias = json_string_value(json_array_get(aliases, i));
        if (!alias || !is_full_name(alias))
            return refuse(parser, "an alias is not a name", alias);
    }
    return OK;
}

/* Gives the schema its full name and makes it known. */
static struct status define_name(struct parser *parser, const json_t *json, struct schema *schema)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const json_t *space_json = json_object_get(json, "namespace");
    const char *space = space_json ? json_string_value(space_json) : parser->space;
    if (!name || !is_full_name(name))
        return refuse(parser, "a type has no name or not an Avro name", name);
    if (!space || (*space && !is_full_name(space)))
        return refuse(parser, "a namespace is not an Avro name", space);
    TRY(join(parser, strchr(name, '.') ? "" : space, name, &schema->name));
    if (find_name(parser, schema->name))
        return refuse(parser, "two types have one name,", schema->name);
    if (parser->name_count == NAMES_MAX)
        return refuse(parser, "the schema names more than 512 types", NULL);
    schema->aliases = json_object_get(json, "aliases");
    TRY(check_aliases(parser, schema->aliases));
    parser->names[parser->name_count++] = schema;
    return OK;
}

/* Takes a part's measures into the whole's. */
static void add_part(struct schema *whole, const struct schema *part)
{
    if (part->height >= whole->height)
        whole->height = part->height + 1;
    if (whole->kind == SCHEMA_RECORD)
        whole->size_min =
            whole->size_min + part->size_min < SIZE_MIN_MAX ? whole->size_min + part->size_min : SIZE_MIN_MAX;
}

static struct status parse_field(struct parser *parser, const json_t *json, struct schema *record)
{
    const char *outer = parser->field, *outer_name = parser->name;
    struct schema_field field = {.name = json_string_value(json_object_get(json, "name")),
                                 .fallback = json_object_get(json, "default"),
                                 .aliases = json_object_get(json, "aliases")};
    if (!field.name || !is_full_name(field.name) || strchr(field.name, '.'))
        return refuse(parser, "a field has no name or not an Avro name", field.name);
    for (uint32_t i = 0; i < record->count; i++)
        if (strcmp(record->fields[i].name, field.name) == 0)
            return refuse(parser, "two fields have one name,", field.name);
    TRY(join(parser, outer_name, field.name, &field.path));
    parser->field = field.path;
    parser->name = field.name;
    TRY(check_aliases(parser, field.aliases));
    TRY(parse_type(parser, json_object_get(json, "type"), &field.type));
    parser->field = outer;
    parser->name = outer_name;
    if (field.type->size_min)
        record->sized[record->sized_count++] = record->count;
    record->fields[record->count++] = field;
    add_part(record, field.type);
    return OK;
}

static struct status parse_record(struct parser *parser, const json_t *json, struct schema *schema)
{
    const json_t *fields = json_object_get(json, "fields");
    const char *outer = parser->space;
    size_t count = json_array_size(fields);
    TRY(define_name(parser, json, schema));
    if (!json_is_array(fields))
        return refuse(parser, "a record has no array of fields:", schema->name);
    if (count > COUNT_MAX)
        return refuse(parser, "a record has more than 1024 fields:", schema->name);
    TRY(space_of(parser, schema->name, &parser->space));
    schema->fields = NEW(parser, struct schema_field, count);
    schema->sized = NEW(parser, uint32_t, count);
    schema->open = true;
    for (size_t i = 0; i < count; i++)
        TRY(parse_field(parser, json_array_get(fields, i), schema));
    schema->open = false;
    parser->space = outer;
    return OK;
}

static struct status parse_enum(struct parser *parser, const json_t *json, struct schema *schema)
{
    const json_t *symbols = json_object_get(json, "symbols"), *fallback = json_object_get(json, "default");
    size_t count = json_array_size(symbols);
    TRY(define_name(parser, json, schema));
    if (count == 0 || count > COUNT_MAX)
        return refuse(parser, "an enum has no symbols or more than 1024:", schema->name);
    schema->size_min = 1;
    schema->symbol_default = -1;
    schema->symbols = NEW(parser, const char *, count);
    for (size_t i = 0; i < count; i++) {
        const char *symbol = json_string_value(json_array_get(symbols, i));
        if (!symbol || !is_plain_name(symbol, strlen(symbol)))
            return refuse(parser, "an enum's symbol is not an Avro name", symbol);
        for (uint32_t j = 0; j < schema->count; j++)
            if (strcmp(schema->symbols[j], symbol) == 0)
                return refuse(parser, "an enum has a symbol twice,", symbol);
        if (fallback && json_is_string(fallback) && strcmp(json_string_value(fallback), symbol) == 0)
            schema->symbol_default = (int64_t)i;
        schema->symbols[schema->count++] = symbol;
    }
    if (fallback && schema->symbol_default < 0)
        return refuse(parser, "an enum's default is none of its symbols:", schema->name);
    return OK;
}

static struct status parse_fixed(struct parser *parser, const json_t *json, struct schema *schema)
{
    const json_t *size = json_object_get(json, "size");
    TRY(define_name(parser, json, schema));
    if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > FIXED_MAX)
        return refuse(parser, "a fixed has no size or one above 1 MiB:", schema->name);
    schema->size = schema->size_min = (size_t)json_integer_value(size);
    return OK;
}

static struct status parse_entries(struct parser *parser, const json_t *json, struct schema *schema)
{
    bool map = schema->kind == SCHEMA_MAP;
    schema->parts = NEW(parser, const struct schema *, 1);
    schema->count = 1;
    TRY(parse_type(parser, json_object_get(json, map ? "values" : "items"), &schema->parts[0]));
    schema->size_min = 1; /* the 0 at its end */
    add_part(schema, schema->parts[0]);
    if (schema->parts[0]->size_min == 0)
        return refuse(parser, "an array or map has entries without any bytes", NULL);
    return OK;
}

/* Two branches of one unnamed type, or a union in a union, would leave open which one is meant. */
static struct status check_branch(struct parser *parser, const struct schema *schema, const struct schema *branch)
{
    if (branch->kind == SCHEMA_UNION)
        return refuse(parser, "a union is a branch of a union", NULL);
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct schema *other = schema->parts[i];
        if (other->kind == branch->kind && (!branch->name || strcmp(branch->name, other->name) == 0))
            return refuse(parser, "a union has two branches of one type,", schema_kind_text(branch->kind));
    }
    return OK;
}

static struct status parse_union(struct parser *parser, const json_t *json, struct schema *schema)
{
    size_t count = json_array_size(json);
    if (count == 0 || count > COUNT_MAX)
        return refuse(parser, "a union has no branches or more than 1024", NULL);
    schema->parts = NEW(parser, const struct schema *, count);
    for (size_t i = 0; i < count; i++) {
        const struct schema *branch;
        TRY(parse_type(parser, json_array_get(json, i), &branch));
        TRY(check_branch(parser, schema, branch));
        schema->parts[schema->count++] = branch;
        add_part(schema, branch);
    }
    schema->size_min = 1;
    return OK;
}

/* A primitive type or one defined before. */
static struct status parse_name(struct parser *parser, const char *name, const struct schema **ret_schema)
{
    for (int kind = SCHEMA_NULL; kind <= SCHEMA_STRING; kind++) {
        if (strcmp(name, schema_kind_text((enum schema_kind)kind)) == 0) {
            struct schema *schema = NEW(parser, struct schema, 1);
            *schema = (struct schema){.kind = (enum schema_kind)kind, .size_min = primitive_sizes[kind], .height = 1};
            *ret_schema = schema;
            return OK;
        }
    }
    const char *full_name;
    TRY(join(parser, strchr(name, '.') ? "" : parser->space, name, &full_name));
    const struct schema *schema = find_name(parser, full_name);
    if (!schema)
        schema = find_name(parser, name);
    if (!schema)
        return refuse(parser, "there is no type", name);
    if (schema->open)
        return refuse(parser, "a type contains itself, which is not read:", name);
    *ret_schema = schema;
    return OK;
}

static struct status parse_complex(struct parser *parser, const json_t *json, enum schema_kind kind,
                                   const struct schema **ret_schema)
{
    struct schema *schema = NEW(parser, struct schema, 1);
    *schema = (struct schema){.kind = kind, .height = 1};
    if (kind == SCHEMA_RECORD)
        TRY(parse_record(parser, json, schema));
    else if (kind == SCHEMA_ENUM)
        TRY(parse_enum(parser, json, schema));
    else if (kind == SCHEMA_FIXED)
        TRY(parse_fixed(parser, json, schema));
    else if (kind == SCHEMA_UNION)
        TRY(parse_union(parser, json, schema));
    else
        TRY(parse_entries(parser, json, schema));
    *ret_schema = schema;
    return OK;
}

static struct status parse_object(struct parser *parser, const json_t *json, const struct schema **ret_schema)
{
    const json_t *type = json_object_get(json, "type");
    const char *name = json_string_value(type);
    for (int kind = SCHEMA_ARRAY; name && kind < SCHEMA_KIND_COUNT; kind++)
        if (kind != SCHEMA_UNION && strcmp(name, schema_kind_text((enum schema_kind)kind)) == 0)
            return parse_complex(parser, json, (enum schema_kind)kind, ret_schema);
    const struct schema *inner;
    TRY(parse_type(parser, type, &inner));
    const char *logical = json_string_value(json_object_get(json, "logicalType"));
    if (!logical) {
        *ret_schema = inner;
        return OK;
    }
    struct schema *schema = NEW(parser, struct schema, 1); /* a copy: the inner one may be shared */
    *schema = *inner;
    schema->logical = logical;
    *ret_schema = schema;
    return OK;
}

static struct status parse_type(struct parser *parser, const json_t *json, const struct schema **ret_schema)
{
    if (++parser->depth > HEIGHT_MAX)
        return refuse(parser, "types are nested deeper than 32", NULL);
    const struct schema *schema = NULL;
    if (json_is_string(json))
        TRY(parse_name(parser, json_string_value(json), &schema));
    else if (json_is_array(json))
        TRY(parse_complex(parser, json, SCHEMA_UNION, &schema));
    else if (json_is_object(json))
        TRY(parse_object(parser, json, &schema));
    else
        return refuse(parser, "there is no type", NULL);
    if (schema->height > HEIGHT_MAX)
        return refuse(parser, "types are nested deeper than 32", NULL);
    parser->depth--;
    *ret_schema = schema;
    return OK;
}

struct status schema_parse(struct bytes text, struct schema_document *ret_document, struct complaint *complaint)
{
    if (text.size > TEXT_MAX)
        return complain(complaint, FAIL(BAD_INPUT, text.size, "the Avro schema is too long"),
                        "schema: the text has %zu bytes, at most %zu are read", text.size, TEXT_MAX);
    AUTO(schema_document) document = {.memory.limit = MEMORY_MAX};
    json_error_t error;
    json_memory_begin();
    document.json = json_loadb(text.size ? (const char *)text.data : "", text.size,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!document.json && json_memory_lacked())
        return FAIL(MEMORY, text.size, "no memory for a schema");
    if (!document.json)
        return complain(complaint, FAIL(BAD_INPUT, error.position, "the Avro schema is not JSON"),
                        "schema: %s (line %d, column %d)", error.text, error.line, error.column);
    struct parser parser = {.memory = &document.memory, .complaint = complaint, .field = "", .name = "", .space = ""};
    TRY(parse_type(&parser, document.json, &document.root));
    *ret_document = document;
    document = (struct schema_document){0};
    return OK;
}
