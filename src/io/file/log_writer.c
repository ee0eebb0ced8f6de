// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/log_writer.h>

#include <eddy/io/file.h>

#include <stdlib.h>

#define BLOCK_SIZE   ((size_t)64 << 10) /* written at once; an Avro container's blocks */
#define RECORD_LIMIT ((size_t)64 << 20)
#define SYNC_SIZE    16

struct log_writer {
    struct file_writer *file;
    enum record_type type;
    enum log_file_format format;
    char separator;
    uint64_t block_records;
    struct buffer block;  /* records not written yet */
    struct buffer record; /* the one being made */
    uint8_t sync[SYNC_SIZE];
};

enum log_file_format log_writer_format(const char *path)
{
    struct bytes name = file_stem(path);
    if (bytes_end_with(name, ".avro"))
        return LOG_FILE_AVRO;
    if (bytes_end_with(name, ".jsonl") || bytes_end_with(name, ".json"))
        return LOG_FILE_JSON;
    return bytes_end_with(name, ".csv") ? LOG_FILE_CSV : LOG_FILE_TSV;
}

/* ---- the heads of files */

static void put_long(struct buffer *out, int64_t value)
{
    uint64_t raw = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    for (; raw >= 0x80; raw >>= 7)
        buffer_append_byte(out, (uint8_t)(raw | 0x80));
    buffer_append_byte(out, (uint8_t)raw);
}

static void put_text(struct buffer *out, const char *text)
{
    put_long(out, (int64_t)strlen(text));
    buffer_append_text(out, text);
}

/* The sync marker is not random but made from the schema, so that same records give the same file. */
static void put_container_head(struct log_writer *writer)
{
    const char *schema = record_schema(writer->type);
    uint64_t hash = bytes_hash(bytes_of_text(schema));
    memcpy(writer->sync, &hash, sizeof hash);
    hash = ~hash;
    memcpy(writer->sync + sizeof hash, &hash, sizeof hash);
    buffer_append(&writer->block, "Obj\1", 4);
    put_long(&writer->block, 2);
    put_text(&writer->block, "avro.codec");
    put_text(&writer->block, "null");
    put_text(&writer->block, "avro.schema");
    put_text(&writer->block, schema);
    put_long(&writer->block, 0);
    buffer_append(&writer->block, writer->sync, SYNC_SIZE);
}

static void put_columns(struct log_writer *writer)
{
    static const char *const clicks[] = {"session_id", "timestamp_ms", "item_id", "user_id", "type", "event_id", NULL};
    static const char *const items[] = {"item_id", "title", "categories", "description", "price", "available", NULL};
    const char *const *names = writer->type == RECORD_CLICK ? clicks : items;
    for (size_t i = 0; names[i]; i++) {
        if (i > 0)
            buffer_append_byte(&writer->block, (uint8_t)writer->separator);
        buffer_append_text(&writer->block, names[i]);
    }
    buffer_append_byte(&writer->block, '\n');
}

static struct status write_head(struct log_writer *writer, struct complaint *complaint)
{
    if (writer->format == LOG_FILE_AVRO)
        put_container_head(writer);
    else if (writer->format != LOG_FILE_JSON)
        put_columns(writer);
    return file_writer_flush(writer->file, &writer->block, complaint);
}

struct status log_writer_open(const char *path, enum record_type type, enum log_file_format format,
                              struct log_writer **ret_writer, struct complaint *complaint)
{
    bool records = format == LOG_FILE_JSON || format == LOG_FILE_AVRO;
    assert(records || type == RECORD_CLICK || type == RECORD_ITEM);
    (void)records;
    struct log_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return FAIL(MEMORY, 0, "no memory for a file");
    writer->type = type;
    writer->format = format;
    writer->separator = format == LOG_FILE_CSV ? ',' : '\t';
    writer->block.limit = writer->record.limit = RECORD_LIMIT;
    struct status status = file_writer_open(path, &writer->file, complaint);
    if (!failed(status))
        status = write_head(writer, complaint);
    if (failed(status)) {
        log_writer_abandon(writer);
        return status;
    }
    *ret_writer = writer;
    return OK;
}

/* ---- records */

static struct status flush_block(struct log_writer *writer, struct complaint *complaint)
{
    if (writer->format == LOG_FILE_AVRO && writer->block_records > 0) {
        AUTO(buffer) head = {0};
        put_long(&head, (int64_t)writer->block_records);
        put_long(&head, (int64_t)writer->block.size);
        TRY(file_writer_flush(writer->file, &head, complaint));
        buffer_append(&writer->block, writer->sync, SYNC_SIZE);
    }
    writer->block_records = 0;
    return file_writer_flush(writer->file, &writer->block, complaint);
}

struct status log_writer_record(struct log_writer *writer, struct bytes record, struct complaint *complaint)
{
    buffer_append_bytes(&writer->block, record);
    if (writer->format != LOG_FILE_AVRO)
        buffer_append_byte(&writer->block, '\n');
    writer->block_records++;
    return writer->block.size >= BLOCK_SIZE ? flush_block(writer, complaint) : OK;
}

/* Bytes that a field of TSV or CSV cannot hold as they are. */
static bool is_awkward(uint8_t byte, bool tabs)
{
    return byte == '\n' || byte == '\r' || (tabs ? byte == '\t' : byte == ',' || byte == '"');
}

static bool holds_awkward(struct bytes text, bool tabs)
{
    for (size_t i = 0; i < text.size; i++)
        if (is_awkward(text.data[i], tabs))
            return true;
    return false;
}

static void put_quoted(struct buffer *out, struct bytes text)
{
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            buffer_append_byte(out, '"');
        buffer_append_byte(out, text.data[i]);
    }
    buffer_append_byte(out, '"');
}

static void put_separator(struct log_writer *writer)
{
    buffer_append_byte(&writer->record, (uint8_t)writer->separator);
}

/* A field of text that may be changed a little. */
static void put_field(struct log_writer *writer, struct bytes text)
{
    bool tabs = writer->format == LOG_FILE_TSV;
    if (!holds_awkward(text, tabs)) {
        buffer_append_bytes(&writer->record, text);
    } else if (!tabs) {
        put_quoted(&writer->record, text);
    } else {
        for (size_t i = 0; i < text.size; i++) {
            uint8_t byte = text.data[i];
            buffer_append_byte(&writer->record, is_awkward(byte, true) ? ' ' : byte);
        }
    }
}

static struct status put_id(struct log_writer *writer, const char *column, struct bytes id, struct complaint *complaint)
{
    struct bytes shown = bytes_utf8_prefix(id, 60);
    if (writer->format == LOG_FILE_TSV && holds_awkward(id, true))
        return complain(complaint, FAIL(BAD_INPUT, 0, "an id cannot be written as TSV"),
                        "%s '" BYTES_FORMAT "' holds a tab or line break, which TSV cannot write (CSV can)", column,
                        BYTES_ARGS(shown));
    put_field(writer, id);
    return OK;
}

static struct status put_click(struct log_writer *writer, const struct click *click, struct complaint *complaint)
{
    TRY(put_id(writer, "session_id", click->session_id, complaint));
    put_separator(writer);
    buffer_append_number(&writer->record, click->time_ms);
    put_separator(writer);
    TRY(put_id(writer, "item_id", click->item_id, complaint));
    put_separator(writer);
    TRY(put_id(writer, "user_id", click->user_id, complaint));
    put_separator(writer);
    buffer_append_text(&writer->record, click_type_text(click->type));
    put_separator(writer);
    return put_id(writer, "event_id", click->event_id, complaint);
}

static void put_categories(struct log_writer *writer, const struct item *item)
{
    AUTO(buffer) path = {0};
    for (uint32_t i = 0; i < item->category_count; i++) {
        if (i > 0)
            buffer_append_byte(&path, '|');
        buffer_append_bytes(&path, item->categories[i]);
    }
    put_field(writer, buffer_bytes(&path));
}

static struct status put_item(struct log_writer *writer, const struct item *item, struct complaint *complaint)
{
    TRY(put_id(writer, "item_id", item->item_id, complaint));
    put_separator(writer);
    put_field(writer, item->title);
    put_separator(writer);
    put_categories(writer, item);
    put_separator(writer);
    put_field(writer, item->description);
    put_separator(writer);
    if (item->has_price)
        buffer_format(&writer->record, "%.15g", item->price);
    put_separator(writer);
    buffer_append_text(&writer->record, item->available ? "true" : "false");
    return OK;
}

static struct encoding encoding_of(const struct log_writer *writer)
{
    return (struct encoding){.format = writer->format == LOG_FILE_JSON ? RECORD_JSON : RECORD_AVRO};
}

static bool delimited(const struct log_writer *writer)
{
    return writer->format == LOG_FILE_TSV || writer->format == LOG_FILE_CSV;
}

struct status log_writer_click(struct log_writer *writer, const struct click *click, struct complaint *complaint)
{
    assert(writer->type == RECORD_CLICK);
    buffer_clear(&writer->record);
    if (delimited(writer))
        TRY(put_click(writer, click, complaint));
    else
        encode_click(encoding_of(writer), click, &writer->record);
    TRY(buffer_check(&writer->record));
    return log_writer_record(writer, buffer_bytes(&writer->record), complaint);
}

struct status log_writer_item(struct log_writer *writer, const struct item *item, struct complaint *complaint)
{
    assert(writer->type == RECORD_ITEM);
    buffer_clear(&writer->record);
    if (delimited(writer))
        TRY(put_item(writer, item, complaint));
    else
        encode_item(encoding_of(writer), item, &writer->record);
    TRY(buffer_check(&writer->record));
    return log_writer_record(writer, buffer_bytes(&writer->record), complaint);
}

/* ---- the end */

void log_writer_abandon(struct log_writer *writer)
{
    if (!writer)
        return;
    file_writer_abandon(writer->file);
    buffer_release(&writer->block);
    buffer_release(&writer->record);
    free(writer);
}

struct status log_writer_close(struct log_writer *writer, struct complaint *complaint)
{
    struct status status = flush_block(writer, complaint);
    if (!failed(status)) {
        status = file_writer_close(writer->file, complaint);
        writer->file = NULL;
    }
    log_writer_abandon(writer);
    return status;
}
