// SPDX-License-Identifier: Apache-2.0
#include "io/registry/reply.h"

#include <jansson.h>
#include <stdio.h>

static json_t *load(struct bytes body)
{
    json_error_t error;
    return json_loadb(body.size ? (const char *)body.data : "", body.size, JSON_REJECT_DUPLICATES, &error);
}

/* Whatever stands at that URL, it is no registry (a proxy's page, say), so nothing is known about what was asked. */
static struct status no_answer(struct complaint *complaint, const char *wanted)
{
    return complain(complaint, FAIL(UNAVAILABLE, 0, "this is no answer of a schema registry"),
                    "the answer has no %s: is registry.url the base of a schema registry's API?", wanted);
}

static struct status useless(struct complaint *complaint, const char *why)
{
    return complain(complaint, FAIL(BAD_INPUT, 0, "a schema of the registry cannot be used"), "%s", why);
}

static struct status read_schema(const json_t *reply, struct buffer *out, struct complaint *complaint)
{
    const json_t *schema = json_object_get(reply, "schema"), *type = json_object_get(reply, "schemaType");
    const json_t *references = json_object_get(reply, "references");
    if (!json_is_string(schema))
        return no_answer(complaint, "schema");
    if (type && !json_is_null(type) && (!json_is_string(type) || strcmp(json_string_value(type), "AVRO") != 0))
        return complain(complaint, FAIL(BAD_INPUT, 0, "a schema of another kind"),
                        "its schema is of the type %.40s; eddy reads AVRO",
                        json_is_string(type) ? json_string_value(type) : "?");
    if (references && !json_is_null(references) && (!json_is_array(references) || json_array_size(references) > 0))
        return useless(complaint,
                       "its schema refers to other subjects; eddy takes schemas in one piece, so register it "
                       "with the types it refers to written out");
    if (json_string_length(schema) > REGISTRY_SCHEMA_BYTES_MAX)
        return useless(complaint, "its schema has more than 64 KiB");
    buffer_append(out, json_string_value(schema), json_string_length(schema));
    return buffer_check(out);
}

struct status reply_read_schema(struct bytes body, struct buffer *out, struct complaint *complaint)
{
    json_t *reply = load(body);
    struct status status = read_schema(reply, out, complaint);
    json_decref(reply);
    return status;
}

/* "89791762-2336-4f8f-a1e1-2f1e0a3b5c5d"; hyphens may stand anywhere. */
static bool read_guid(const char *text, uint8_t ret_guid[16])
{
    static const char digits[] = "0123456789abcdef";
    size_t count = 0;
    for (; text && *text; text++) {
        if (*text == '-')
            continue;
        const char *digit = strchr(digits, *text >= 'A' && *text <= 'F' ? *text + ('a' - 'A') : *text);
        if (!digit || count == 32)
            return false;
        uint8_t value = (uint8_t)(digit - digits);
        ret_guid[count / 2] = (uint8_t)((count % 2 ? ret_guid[count / 2] << 4 : 0) | value);
        count++;
    }
    return count == 32;
}

struct status reply_read_version(struct bytes body, struct registry_version *ret_version, struct complaint *complaint)
{
    json_t *reply = load(body);
    const json_t *id = json_object_get(reply, "id"), *number = json_object_get(reply, "version");
    json_int_t id_value = json_integer_value(id), number_value = json_integer_value(number);
    bool good = json_is_integer(id) && id_value >= 0 && id_value <= INT32_MAX;
    bool told = number_value > 0 && number_value <= INT32_MAX;
    struct registry_version version = {.id = (int32_t)(good ? id_value : 0),
                                       .number = (int32_t)(told ? number_value : 0)};
    version.has_guid = read_guid(json_string_value(json_object_get(reply, "guid")), version.guid);
    json_decref(reply);
    if (!good)
        return no_answer(complaint, "id");
    *ret_version = version;
    return OK;
}

struct status reply_read_fits(struct bytes body, bool *ret_fits, struct complaint *complaint)
{
    json_t *reply = load(body);
    const json_t *fits = json_object_get(reply, "is_compatible");
    bool good = json_is_boolean(fits), value = json_is_true(fits);
    json_decref(reply);
    if (!good)
        return no_answer(complaint, "is_compatible");
    *ret_fits = value;
    return OK;
}

struct status reply_read_count(struct bytes body, size_t *ret_count, struct complaint *complaint)
{
    json_t *reply = load(body);
    bool good = json_is_array(reply);
    size_t count = json_array_size(reply);
    json_decref(reply);
    if (!good)
        return no_answer(complaint, "list of subjects");
    *ret_count = count;
    return OK;
}

struct reply_error reply_read_error(struct bytes body)
{
    struct reply_error error = {0, ""};
    json_t *reply = load(body);
    const json_t *code = json_object_get(reply, "error_code"), *message = json_object_get(reply, "message");
    if (json_is_integer(code))
        error.code = json_integer_value(code);
    if (json_is_string(message))
        snprintf(error.text, sizeof error.text, "%s", json_string_value(message));
    json_decref(reply);
    return error;
}

void reply_write_request(struct bytes schema, struct buffer *out)
{
    const char *data = schema.size ? (const char *)schema.data : "";
    json_t *request = json_pack("{s:s%}", "schema", data, schema.size);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    if (text)
        buffer_append_text(out, text);
    else
        out->overflow = true;
    free(text);
    json_decref(request);
}
