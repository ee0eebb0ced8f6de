// SPDX-License-Identifier: Apache-2.0
#include "app/schemas.h"

size_t schema_uses(const struct config *config, struct schema_use uses[RECORD_TYPE_COUNT])
{
    static const struct schema_use all[] = {
        {RECORD_CLICK, false, true},
        {RECORD_ITEM, false, true},
        {RECORD_RECOMMENDATION, true, false},
        {RECORD_CLOSED_SESSION, true, true},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (config->encodings[all[i].type].format == RECORD_CONFLUENT &&
            (all[i].type != RECORD_ITEM || config->items_enabled))
            uses[count++] = all[i];
    return count;
}

struct status schemas_open_registry(const struct config *config, uint32_t retries, struct registry **ret_registry,
                                    struct complaint *complaint)
{
    struct schema_use uses[RECORD_TYPE_COUNT];
    *ret_registry = NULL;
    if (!*config->registry.url || schema_uses(config, uses) == 0)
        return OK;
    const struct registry_options options = {.urls = config->registry.url,
                                             .user = config->registry.user,
                                             .password = config->registry.password,
                                             .ca = config->registry.ca,
                                             .certificate = config->registry.certificate,
                                             .key = config->registry.key,
                                             .key_password = config->registry.key_password,
                                             .verify = config->registry.verify,
                                             .timeout_ms = (int)config->registry.timeout_ms,
                                             .retries = retries,
                                             .unknown_ms = config->registry.unknown_ms};
    return registry_open(&options, ret_registry, complaint);
}

struct schema_source schemas_source(struct registry *registry)
{
    return registry ? registry_source(registry) : (struct schema_source){0};
}

/* ---- what eddy writes */

static const char *full_name(enum record_type type)
{
    static const char *const names[RECORD_TYPE_COUNT] = {
        [RECORD_CLICK] = "eddy.ClickEvent",
        [RECORD_ITEM] = "eddy.Item",
        [RECORD_RECOMMENDATION] = "eddy.Recommendation",
        [RECORD_CLOSED_SESSION] = "eddy.ClosedSession",
        [RECORD_MODEL_CHUNK] = "eddy.ModelChunk",
        [RECORD_MODEL_MANIFEST] = "eddy.ModelManifest",
        [RECORD_INTENT_REQUEST] = "eddy.IntentRequest",
        [RECORD_INTENT] = "eddy.Intent",
    };
    return names[type];
}

void schema_subject(const struct config *config, enum record_type type, struct buffer *out)
{
    const char *topic = config_record_topic(config, type);
    switch (config->registry.subjects) {
    case SUBJECT_TOPIC:
        buffer_format(out, "%s-value", topic);
        break;
    case SUBJECT_RECORD:
        buffer_append_text(out, full_name(type));
        break;
    case SUBJECT_TOPIC_RECORD:
        buffer_format(out, "%s-%s", topic, full_name(type));
        break;
    }
}

static struct status get_version(const struct config *config, struct registry *registry, enum record_type type,
                                 const char *subject, struct registry_version *ret_version, struct complaint *complaint)
{
    struct bytes schema = bytes_of_text(record_schema(type));
    struct complaint why = {""};
    struct status status = config->registry.registers ? registry_register(registry, subject, schema, ret_version, &why)
                                                      : registry_look_up(registry, subject, schema, ret_version, &why);
    if (failed_as(status, FAULT_BAD_INPUT))
        return complain(complaint, FAIL(CONFIG, 0, "the schema registry refuses eddy's schema"),
                        "subject %s does not take eddy's schema: %s. 'eddy schemas check' says more; another topic or "
                        "registry.subjects gives another subject",
                        subject, why.text);
    if (failed_as(status, FAULT_NOT_FOUND))
        return complain(complaint, FAIL(CONFIG, 0, "the schema registry does not have eddy's schema"),
                        "subject %s does not have eddy's schema (%s). Register it with 'eddy schemas register', or set "
                        "registry.register: true",
                        subject, why.text);
    return failed(status) ? complain(complaint, status, "%s", why.text) : OK;
}

/* In the header instead of before the value; the value is bare Avro then. */
static void move_to_header(const struct registry_version *version, struct schema_writing *writing)
{
    uint32_t id = (uint32_t)version->id;
    writing->encoding.format = RECORD_AVRO;
    if (version->has_guid) {
        writing->header[0] = 1;
        memcpy(writing->header + 1, version->guid, sizeof version->guid);
        writing->header_size = 17;
        return;
    }
    const uint8_t header[5] = {0, (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    memcpy(writing->header, header, sizeof header);
    writing->header_size = sizeof header;
}

struct status schema_writing_of(const struct config *config, struct registry *registry, enum record_type type,
                                struct schema_writing *ret_writing, struct complaint *complaint)
{
    struct schema_writing writing = {.encoding = config->encodings[type]};
    struct registry_version version = {.id = writing.encoding.schema_id};
    if (writing.encoding.format == RECORD_CONFLUENT && registry && version.id == 0) {
        AUTO(buffer) subject = {0};
        schema_subject(config, type, &subject);
        TRY(get_version(config, registry, type, buffer_text(&subject), &version, complaint));
        writing.encoding.schema_id = version.id;
    }
    if (writing.encoding.format == RECORD_CONFLUENT && config->registry.id_place == ID_IN_HEADER)
        move_to_header(&version, &writing);
    *ret_writing = writing;
    return OK;
}

/* ---- what eddy reads */

struct status schemas_resolve(struct schema_source source, struct decoder *decoder, struct complaint *complaint)
{
    struct schema_name name = decoder_missing(decoder);
    struct complaint why = {""};
    AUTO(buffer) schema = {0};
    char text[SCHEMA_NAME_TEXT_MAX];
    if (!source.ops)
        return FAIL(NOT_FOUND, name.id, "the schema id is unknown"); /* the decoder's complaint stands */
    schema_name_text(&name, text);
    struct status status = source.ops->fetch(source.self, &name, &schema, &why);
    if (!failed(status))
        status = decoder_learn_schema(decoder, &name, buffer_bytes(&schema), &why);
    if (failed_as(status, FAULT_BAD_INPUT))
        TRY(decoder_refuse_schema(decoder, &name, why.text));
    if (failed(status))
        return complain(complaint, status, "record: its schema %s %s: %s", text,
                        failed_as(status, FAULT_BAD_INPUT)   ? "cannot be used"
                        : failed_as(status, FAULT_NOT_FOUND) ? "is unknown to the registry"
                                                             : "cannot be fetched",
                        why.text);
    return OK;
}
