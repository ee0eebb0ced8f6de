// SPDX-License-Identifier: Apache-2.0
#include "core/event/json.h"

#include <eddy/base/base64.h>
#include <eddy/base/timestamp.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>

struct target { /* where a value goes */
    const char *outer,
        *name; /* of the field around it (NULL: it is the whole record) and of the field; for complaints */
    struct buffer *out;
    struct buffer *unknown; /* NULL: unknown symbols are not noted */
    struct complaint *complaint;
};

/* printf(PLACE ": ...", PLACE_OF(target)): "items.score: ...". A schema's own paths will not do: two fields may have
 * the same type of record. */
#define PLACE "%s%s%s"
#define PLACE_OF(target)                                                                                               \
    (target)->outer ? (target)->outer : "", (target)->outer &&*(target)->outer ? "." : "", (target)->name

static struct status convert(const struct schema *schema, const json_t *value, const struct target *target);

static const char *type_text(const json_t *value)
{
    static const char *const texts[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",      [JSON_FALSE] = "false",     [JSON_NULL] = "null",
    };
    return texts[json_typeof(value)];
}

static struct status refuse(const struct target *target, const json_t *value, const char *wanted)
{
    return complain(target->complaint, FAIL(BAD_INPUT, 0, "a JSON value has the wrong type"), PLACE ": %s, not %s",
                    PLACE_OF(target), type_text(value), wanted);
}

static void append_long(const struct target *target, int64_t value)
{
    uint8_t *at = buffer_reserve(target->out, VARINT_MAX);
    if (at)
        target->out->size += (size_t)(put_long(at, value) - at);
}

static void append_text(const struct target *target, const char *text, size_t size)
{
    append_long(target, (int64_t)size);
    buffer_append(target->out, text, size);
}

static bool names_an_id(const char *name)
{
    size_t size = strlen(name);
    return size >= 3 && strcmp(name + size - 3, "_id") == 0;
}

static struct status read_string(const struct target *target, const json_t *value)
{
    if (json_is_string(value)) {
        append_text(target, json_string_value(value), json_string_length(value));
        return OK;
    }
    if (!names_an_id(target->name))
        return refuse(target, value, "a string");
    if (!json_is_integer(value))
        return refuse(target, value, "a string or a whole number");
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));
    append_text(target, digits, (size_t)size);
    return OK;
}

static struct status read_bytes(const struct target *target, const json_t *value)
{
    AUTO(buffer) bytes = {0};
    if (!json_is_string(value))
        return refuse(target, value, "a string");
    if (!base64_read(bytes_of(json_string_value(value), json_string_length(value)), &bytes))
        return complain(target->complaint, FAIL(BAD_INPUT, 0, "bytes are not base64"),
                        PLACE ": the string is not base64", PLACE_OF(target));
    TRY(buffer_check(&bytes));
    append_text(target, (const char *)bytes.data, bytes.size);
    return OK;
}

static struct status read_whole(const struct schema *schema, const struct target *target, const json_t *value)
{
    int64_t number;
    bool time = schema->logical && strcmp(schema->logical, "timestamp-millis") == 0;
    if (time && json_is_string(value)) {
        struct bytes text = bytes_of(json_string_value(value), json_string_length(value));
        if (!timestamp_parse_any(text, &number))
            return complain(target->complaint, FAIL(BAD_INPUT, 0, "a time is not RFC 3339"),
                            PLACE ": the string is not a time like 2014-04-07T10:51:09.277Z", PLACE_OF(target));
    } else if (json_is_integer(value)) {
        number = json_integer_value(value);
    } else {
        return refuse(target, value,
                      time ? "whole milliseconds or a time like 2014-04-07T10:51:09Z" : "a whole number");
    }
    if (schema->kind == SCHEMA_INT && (number < INT32_MIN || number > INT32_MAX))
        return complain(target->complaint, FAIL(BAD_INPUT, number, "a number does not fit an int"),
                        PLACE ": %lld does not fit an int", PLACE_OF(target), (long long)number);
    append_long(target, number);
    return OK;
}

static struct status read_real(const struct schema *schema, const struct target *target, const json_t *value)
{
    if (!json_is_number(value))
        return refuse(target, value, "a number");
    double number = json_number_value(value);
    if (schema->kind == SCHEMA_FLOAT && !isfinite((float)number))
        return complain(target->complaint, FAIL(BAD_INPUT, 0, "a number does not fit a float"),
                        PLACE ": %g does not fit a float", PLACE_OF(target), number);
    uint8_t *at = buffer_reserve(target->out, sizeof number);
    if (at)
        target->out->size +=
            (size_t)((schema->kind == SCHEMA_FLOAT ? put_float(at, (float)number) : put_double(at, number)) - at);
    return OK;
}

static struct status read_enum(const struct schema *schema, const struct target *target, const json_t *value)
{
    if (!json_is_string(value))
        return refuse(target, value, "a string");
    const char *word = json_string_value(value);
    uint32_t symbol = 0;
    while (symbol < schema->count && strcmp(schema->symbols[symbol], word) != 0)
        symbol++;
    bool known = symbol < schema->count;
    if (!known && schema->symbol_default < 0)
        return complain(target->complaint, FAIL(BAD_INPUT, 0, "an enum has no such symbol"),
                        PLACE ": \"%.100s\" is none of its values", PLACE_OF(target), word);
    if (!known && target->unknown && target->unknown->size == 0)
        buffer_append_bytes(target->unknown, bytes_utf8_prefix(bytes_of_text(word), UNKNOWN_SYMBOL_MAX));
    append_long(target, known ? symbol : schema->symbol_default);
    return OK;
}

static struct status read_array(const struct schema *schema, const struct target *target, const json_t *value)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value))
        return refuse(target, value, "an array");
    if (count)
        append_long(target, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        TRY(convert(schema->parts[0], json_array_get(value, i), target));
    append_long(target, 0);
    return OK;
}

/* A null takes the branch null, anything else the first other one. */
static struct status read_union(const struct schema *schema, const struct target *target, const json_t *value)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        if ((schema->parts[i]->kind == SCHEMA_NULL) != json_is_null(value))
            continue;
        append_long(target, i);
        return convert(schema->parts[i], value, target);
    }
    return refuse(target, value, "a value of its union");
}

static struct status read_record(const struct schema *schema, const struct target *target, const json_t *value)
{
    if (!json_is_object(value))
        return refuse(target, value, "an object");
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        const json_t *member = json_object_get(value, field->name);
        if (field->fallback && (!member || json_is_null(member)))
            member = field->fallback;
        struct target part = *target;
        part.outer = target->outer ? target->name : "";
        part.name = field->name;
        if (!member)
            return complain(target->complaint, FAIL(BAD_INPUT, 0, "a JSON record lacks a field"), PLACE " is missing",
                            PLACE_OF(&part));
        TRY(convert(field->type, member, &part));
    }
    return OK;
}

static struct status convert(const struct schema *schema, const json_t *value, const struct target *target)
{
    switch (schema->kind) {
    case SCHEMA_NULL:
        return json_is_null(value) ? OK : refuse(target, value, "null");
    case SCHEMA_BOOLEAN:
        if (!json_is_boolean(value))
            return refuse(target, value, "true or false");
        buffer_append_byte(target->out, json_is_true(value));
        return OK;
    case SCHEMA_INT:
    case SCHEMA_LONG:
        return read_whole(schema, target, value);
    case SCHEMA_FLOAT:
    case SCHEMA_DOUBLE:
        return read_real(schema, target, value);
    case SCHEMA_STRING:
        return read_string(target, value);
    case SCHEMA_BYTES:
        return read_bytes(target, value);
    case SCHEMA_ENUM:
        return read_enum(schema, target, value);
    case SCHEMA_ARRAY:
        return read_array(schema, target, value);
    case SCHEMA_UNION:
        return read_union(schema, target, value);
    case SCHEMA_RECORD:
        return read_record(schema, target, value);
    case SCHEMA_FIXED:
    case SCHEMA_MAP:
    case SCHEMA_KIND_COUNT:
        break;
    }
    assert(0 && "the embedded schemas have no such type");
    return FAIL(BAD_INPUT, 0, "a type that JSON is not read into");
}

struct status json_to_avro(const struct schema *schema, const struct json_t *value, const char *path,
                           struct buffer *out, struct complaint *complaint)
{
    return convert(schema, value, &(struct target){"", path, out, NULL, complaint});
}

/* What stands in the text is left out: complaints are logged, records are private. */
static struct status not_json(const json_error_t *error, struct complaint *complaint)
{
    const char *quote = strstr(error->text, " near ");
    int size = (int)(quote ? (size_t)(quote - error->text) : strlen(error->text));
    return complain(complaint, FAIL(BAD_INPUT, error->position, "the record is not JSON"),
                    "record: not JSON: %.*s (line %d, column %d)", size, error->text, error->line, error->column);
}

struct status json_read_record(const struct schema *schema, struct bytes text, struct buffer *out,
                               struct buffer *unknown, struct complaint *complaint)
{
    json_error_t error;
    json_memory_begin();
    json_t *record = json_loadb(text.size ? (const char *)text.data : "", text.size, JSON_REJECT_DUPLICATES, &error);
    if (!record && json_memory_lacked())
        return FAIL(MEMORY, text.size, "no memory for a JSON record");
    if (!record)
        return not_json(&error, complaint);
    struct status status = convert(schema, record, &(struct target){NULL, "record", out, unknown, complaint});
    json_decref(record);
    return status;
}
