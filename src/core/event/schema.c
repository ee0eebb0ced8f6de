// SPDX-License-Identifier: Apache-2.0
#include "core/event/schema.h"

#include <jansson.h>

static const char *const kind_texts[SCHEMA_KIND_COUNT] = {
    [SCHEMA_NULL] = "null",   [SCHEMA_BOOLEAN] = "boolean", [SCHEMA_INT] = "int",     [SCHEMA_LONG] = "long",
    [SCHEMA_FLOAT] = "float", [SCHEMA_DOUBLE] = "double",   [SCHEMA_BYTES] = "bytes", [SCHEMA_STRING] = "string",
    [SCHEMA_ARRAY] = "array", [SCHEMA_MAP] = "map",         [SCHEMA_UNION] = "union", [SCHEMA_FIXED] = "fixed",
    [SCHEMA_ENUM] = "enum",   [SCHEMA_RECORD] = "record",
};

const char *schema_kind_text(enum schema_kind kind)
{
    assert(kind < SCHEMA_KIND_COUNT);
    return kind_texts[kind];
}

const char *schema_short_name(const char *full_name)
{
    const char *dot = strrchr(full_name, '.');
    return dot ? dot + 1 : full_name;
}

bool schema_names_match(const struct schema *writer, const struct schema *reader)
{
    const char *name = schema_short_name(writer->name);
    if (strcmp(name, schema_short_name(reader->name)) == 0)
        return true;
    for (size_t i = 0; i < json_array_size(reader->aliases); i++)
        if (strcmp(name, schema_short_name(json_string_value(json_array_get(reader->aliases, i)))) == 0)
            return true;
    return false;
}

static bool same_field(const struct schema_field *writer, const struct schema_field *reader)
{
    return strcmp(writer->name, reader->name) == 0 && schema_is_same(writer->type, reader->type);
}

bool schema_is_same(const struct schema *writer, const struct schema *reader)
{
    if (writer->kind != reader->kind || writer->count != reader->count || writer->size != reader->size)
        return false;
    if (writer->logical && (!reader->logical || strcmp(writer->logical, reader->logical) != 0))
        return false;
    if (writer->name && !schema_names_match(writer, reader))
        return false;
    bool same = true;
    for (uint32_t i = 0; same && i < writer->count; i++) {
        if (writer->kind == SCHEMA_RECORD)
            same = same_field(&writer->fields[i], &reader->fields[i]);
        else if (writer->kind == SCHEMA_ENUM)
            same = strcmp(writer->symbols[i], reader->symbols[i]) == 0;
        else
            same = schema_is_same(writer->parts[i], reader->parts[i]);
    }
    return same;
}

void schema_document_release(struct schema_document *document)
{
    json_decref(document->json);
    arena_release(&document->memory);
    *document = (struct schema_document){0};
}

static bool skip_bytes(struct reader *reader, size_t size, const char *field)
{
    if (reader_left(reader) < size)
        return reader_fail(reader, field, "the record ends within it");
    reader->at += size;
    return true;
}

static bool skip_entries(const struct schema *schema, struct reader *reader, const char *field)
{
    const struct schema *entry = schema->parts[0];
    bool map = schema->kind == SCHEMA_MAP;
    uint64_t count;
    do {
        if (!read_block(reader, field, entry->size_min + map, &count))
            return false;
        for (uint64_t i = 0; i < count; i++) {
            struct bytes key;
            if ((map && !read_text(reader, field, &key)) || !schema_skip(entry, reader, field))
                return false;
        }
    } while (count);
    return true;
}

static bool skip_record(const struct schema *schema, struct reader *reader)
{
    for (uint32_t i = 0; i < schema->sized_count; i++) {
        const struct schema_field *field = &schema->fields[schema->sized[i]];
        if (!schema_skip(field->type, reader, field->path))
            return false;
    }
    return true;
}

bool schema_skip(const struct schema *schema, struct reader *reader, const char *field)
{
    union {
        struct bytes text;
        int64_t whole;
        int32_t small;
        uint32_t index;
        bool truth;
    } value;
    switch (schema->kind) {
    case SCHEMA_NULL:
        return true;
    case SCHEMA_BOOLEAN:
        return read_boolean(reader, field, &value.truth);
    case SCHEMA_INT:
        return read_int(reader, field, &value.small);
    case SCHEMA_LONG:
        return read_long(reader, field, &value.whole);
    case SCHEMA_FLOAT:
        return skip_bytes(reader, 4, field);
    case SCHEMA_DOUBLE:
        return skip_bytes(reader, 8, field);
    case SCHEMA_BYTES:
    case SCHEMA_STRING:
        return read_text(reader, field, &value.text);
    case SCHEMA_FIXED:
        return skip_bytes(reader, schema->size, field);
    case SCHEMA_ENUM:
        return read_index(reader, field, schema->count, &value.index);
    case SCHEMA_UNION:
        return read_index(reader, field, schema->count, &value.index) &&
               schema_skip(schema->parts[value.index], reader, field);
    case SCHEMA_ARRAY:
    case SCHEMA_MAP:
        return skip_entries(schema, reader, field);
    case SCHEMA_RECORD:
        return skip_record(schema, reader);
    case SCHEMA_KIND_COUNT:
        break;
    }
    return true;
}
