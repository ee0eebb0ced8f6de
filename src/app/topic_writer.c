// SPDX-License-Identifier: Apache-2.0
#include "app/topic_writer.h"

#include "app/schemas.h"

#include <stdlib.h>

#define QUEUE_RECORDS 100000
#define QUEUE_BYTES   (64 << 20)

struct topic_writer {
    struct schema_writing clicks, items;
    bool by_user;
    struct kafka_sink *sink;
    struct record_sink port;
    struct buffer value;
};

static struct status get_schemas(const struct config *config, struct topic_writer *writer, struct complaint *complaint)
{
    struct registry *registry;
    TRY(schemas_open_registry(config, config->registry.retries, &registry, complaint));
    struct status status = schema_writing_of(config, registry, RECORD_CLICK, &writer->clicks, complaint);
    if (!failed(status) && config->items_enabled)
        status = schema_writing_of(config, registry, RECORD_ITEM, &writer->items, complaint);
    registry_close(registry);
    return status;
}

struct status topic_writer_open(const struct config *config, const struct kafka_options *kafka,
                                struct topic_writer **ret_writer, struct complaint *complaint)
{
    struct kafka_sink_options options = {
        .kafka = kafka,
        .topics =
            {[OUTPUT_CLICKS] = config_topic(config, TOPIC_CLICKS), [OUTPUT_ITEMS] = config_topic(config, TOPIC_ITEMS)},
        .queue_records_max = QUEUE_RECORDS,
        .queue_bytes_max = QUEUE_BYTES,
    };
    struct topic_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return FAIL(MEMORY, 0, "no memory for a writer of topics");
    struct status status = get_schemas(config, writer, complaint);
    if (!failed(status))
        status = kafka_sink_open(&options, &writer->sink, complaint);
    if (failed(status)) {
        free(writer);
        return status;
    }
    writer->port = kafka_sink_port(writer->sink);
    writer->by_user = config->engine.session.by_user;
    *ret_writer = writer;
    return OK;
}

void topic_writer_close(struct topic_writer *writer)
{
    if (!writer)
        return;
    kafka_sink_close(writer->sink);
    buffer_release(&writer->value);
    free(writer);
}

struct status topic_writer_flush(struct topic_writer *writer)
{
    return writer->port.ops->flush(writer->port.self, TOPIC_WRITER_PATIENCE_MS);
}

/* Publishes writer->value. */
static struct status publish(struct topic_writer *writer, enum output output, const struct schema_writing *writing,
                             struct bytes key)
{
    TRY(buffer_check(&writer->value));
    const struct header header = {SCHEMA_HEADER, schema_header(writing)};
    const struct output_record record = {.output = output,
                                         .partition = -1,
                                         .key = key,
                                         .value = buffer_bytes(&writer->value),
                                         .headers = &header,
                                         .header_count = header.value.size > 0};
    struct status status = writer->port.ops->publish(writer->port.self, &record);
    if (!failed_as(status, FAULT_LIMIT))
        return status;
    TRY(topic_writer_flush(writer));
    return writer->port.ops->publish(writer->port.self, &record);
}

struct status topic_writer_click(struct topic_writer *writer, const struct click *click)
{
    struct bytes key = writer->by_user ? click->user_id : click->session_id;
    if (key.size == 0)
        return FAIL(BAD_INPUT, 0, "a click lacks what sessions are kept by");
    buffer_clear(&writer->value);
    encode_click(writer->clicks.encoding, click, &writer->value);
    return publish(writer, OUTPUT_CLICKS, &writer->clicks, key);
}

struct status topic_writer_item(struct topic_writer *writer, const struct item *item)
{
    buffer_clear(&writer->value);
    encode_item(writer->items.encoding, item, &writer->value);
    return publish(writer, OUTPUT_ITEMS, &writer->items, item->item_id);
}
