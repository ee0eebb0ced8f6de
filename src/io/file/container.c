// SPDX-License-Identifier: Apache-2.0
#include "io/file/container.h"

#include <eddy/base/buffer.h>
#include <eddy/io/log_file.h>

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define MAGIC_SIZE 4
#define SYNC_SIZE  16
#define HEADER_MAX (1 << 20) /* bytes of all metadata */
#define CHUNK      ((size_t)64 << 10)
#define DEFLATE    (-15) /* zlib's window bits for deflate without a header */

enum codec { CODEC_NULL, CODEC_DEFLATE, CODEC_ZSTANDARD };

struct container {
    struct byte_stream *stream;
    bool ended;
    uint64_t passed;       /* bytes of the file that are not in `input` any more */
    uint64_t block_offset; /* of the block last begun */
    int64_t block_count;   /* records it declares; 0: it ends before it does */
    enum codec codec;
    uint8_t sync[SYNC_SIZE];
    struct buffer schema, block, records;
    size_t start, end; /* unread input */
    uint8_t input[CHUNK];
};

/* ---- bytes of the stream */

static struct status truncated(struct complaint *complaint)
{
    return complain(complaint, FAIL(CORRUPT, 0, "an Avro container ends early"),
                    "the Avro container ends early, the file is truncated");
}

/* Makes at least one byte of input there; *ret_more is false at the end of the file. */
static struct status fill(struct container *container, bool *ret_more, struct complaint *complaint)
{
    *ret_more = true;
    if (container->start < container->end)
        return OK;
    container->passed += container->end;
    container->start = container->end = 0;
    TRY(byte_stream_read(container->stream, container->input, CHUNK, &container->end, complaint));
    *ret_more = container->end > 0;
    return OK;
}

static struct status read_byte(struct container *container, uint8_t *ret_byte, struct complaint *complaint)
{
    bool more;
    TRY(fill(container, &more, complaint));
    if (!more)
        return truncated(complaint);
    *ret_byte = container->input[container->start++];
    return OK;
}

/* Appends `size` bytes of the file. */
static struct status read_bytes(struct container *container, size_t size, struct buffer *out,
                                struct complaint *complaint)
{
    while (size > 0) {
        bool more;
        TRY(fill(container, &more, complaint));
        if (!more)
            return truncated(complaint);
        size_t part = container->end - container->start;
        part = part < size ? part : size;
        buffer_append(out, container->input + container->start, part);
        TRY(buffer_check(out));
        container->start += part;
        size -= part;
    }
    return OK;
}

/* Avro's long: zigzag, seven bits a byte, least first. */
static struct status read_long(struct container *container, int64_t *ret_value, struct complaint *complaint)
{
    uint64_t raw = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte;
        TRY(read_byte(container, &byte, complaint));
        raw |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
            return OK;
        }
    }
    return complain(complaint, FAIL(CORRUPT, 0, "a number is longer than 64 bits"),
                    "the Avro container is damaged: a number is longer than 64 bits");
}

static struct status read_size(struct container *container, int64_t size_max, int64_t *ret_size,
                               struct complaint *complaint)
{
    int64_t size;
    TRY(read_long(container, &size, complaint));
    if (size < 0 || size > size_max)
        return complain(complaint, FAIL(CORRUPT, size, "a size in an Avro container is out of range"),
                        "the Avro container is damaged or too big: a size of %lld, at most %lld are allowed",
                        (long long)size, (long long)size_max);
    *ret_size = size;
    return OK;
}

static struct status read_text(struct container *container, struct buffer *out, struct complaint *complaint)
{
    int64_t size;
    TRY(read_size(container, HEADER_MAX, &size, complaint));
    buffer_clear(out);
    return read_bytes(container, (size_t)size, out, complaint);
}

/* ---- the header: magic, metadata as a map of bytes, sync marker */

static struct status set_codec(struct container *container, struct bytes name, struct complaint *complaint)
{
    static const char *const names[] = {"null", "deflate", "zstandard"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (bytes_equal_text(name, names[i])) {
            container->codec = (enum codec)i;
            return OK;
        }
    }
    struct bytes shown = bytes_utf8_prefix(name, 40);
    return complain(complaint, FAIL(BAD_INPUT, 0, "an Avro codec is not supported"),
                    "the Avro container's codec '" BYTES_FORMAT "' is none of null, deflate, zstandard",
                    BYTES_ARGS(shown));
}

static struct status read_entry(struct container *container, struct complaint *complaint)
{
    AUTO(buffer) key = {.limit = HEADER_MAX}, value = {.limit = HEADER_MAX};
    TRY(read_text(container, &key, complaint));
    TRY(read_text(container, &value, complaint));
    if (bytes_equal_text(buffer_bytes(&key), "avro.codec"))
        return set_codec(container, buffer_bytes(&value), complaint);
    if (bytes_equal_text(buffer_bytes(&key), "avro.schema")) {
        buffer_release(&container->schema);
        container->schema = value;
        value = (struct buffer){0};
    }
    return OK;
}

static struct status read_metadata(struct container *container, struct complaint *complaint)
{
    int64_t entries = 0;
    for (;;) {
        int64_t count, size;
        TRY(read_long(container, &count, complaint));
        if (count == 0)
            return OK;
        if (count < 0) { /* its size in bytes follows, for readers that skip */
            TRY(read_size(container, HEADER_MAX, &size, complaint));
            count = count == INT64_MIN ? INT64_MAX : -count;
        }
        if (count > 1000 - entries)
            return complain(complaint, FAIL(CORRUPT, count, "too much metadata"),
                            "the Avro container has more than 1000 entries of metadata");
        entries += count;
        for (; count > 0; count--)
            TRY(read_entry(container, complaint));
    }
}

static struct status read_header(struct container *container, struct complaint *complaint)
{
    AUTO(buffer) fixed = {0};
    TRY(read_bytes(container, MAGIC_SIZE, &fixed, complaint));
    TRY(read_metadata(container, complaint));
    if (container->schema.size == 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "an Avro container without schema"),
                        "the Avro container names no schema");
    buffer_clear(&fixed);
    TRY(read_bytes(container, SYNC_SIZE, &fixed, complaint));
    memcpy(container->sync, fixed.data, SYNC_SIZE);
    return OK;
}

struct status container_open(struct byte_stream *stream, struct container **ret_container, struct complaint *complaint)
{
    struct container *container = calloc(1, sizeof *container);
    if (!container) {
        byte_stream_close(stream);
        return FAIL(MEMORY, 0, "no memory for a container");
    }
    container->stream = stream;
    container->block.limit = container->records.limit = LOG_FILE_BLOCK_MAX + CHUNK;
    struct status status = read_header(container, complaint);
    if (failed(status)) {
        container_close(container);
        return status;
    }
    *ret_container = container;
    return OK;
}

void container_close(struct container *container)
{
    if (!container)
        return;
    byte_stream_close(container->stream);
    buffer_release(&container->schema);
    buffer_release(&container->block);
    buffer_release(&container->records);
    free(container);
}

struct bytes container_schema(const struct container *container)
{
    return buffer_bytes(&container->schema);
}

/* ---- blocks: count, size, bytes, sync marker */

static struct status inflate_block(struct container *container)
{
    z_stream deflate = {.next_in = container->block.data, .avail_in = (uInt)container->block.size};
    struct buffer *records = &container->records;
    int result = inflateInit2(&deflate, DEFLATE);
    if (result != Z_OK)
        return FAIL(MEMORY, 0, "no memory for a decompressor");
    while (result == Z_OK) {
        deflate.next_out = buffer_reserve(records, CHUNK);
        deflate.avail_out = deflate.next_out ? (uInt)CHUNK : 0;
        result = deflate.next_out ? inflate(&deflate, Z_NO_FLUSH) : Z_BUF_ERROR;
        records->size += deflate.next_out ? CHUNK - deflate.avail_out : 0;
    }
    inflateEnd(&deflate);
    if (records->no_memory)
        return buffer_check(records);
    return result == Z_STREAM_END ? OK : FAIL(BAD_INPUT, result, "a deflate block is damaged");
}

static struct status unpack_zstandard(struct container *container)
{
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    ZSTD_inBuffer input = {container->block.data, container->block.size, 0};
    struct buffer *records = &container->records;
    if (!zstd)
        return FAIL(MEMORY, 0, "no memory for a decompressor");
    size_t result = 1, taken;
    do {
        ZSTD_outBuffer output = {buffer_reserve(records, CHUNK), records->overflow ? 0 : CHUNK, 0};
        taken = input.pos;
        result = ZSTD_decompressStream(zstd, &output, &input);
        records->size += output.pos;
        taken = input.pos - taken + output.pos;
    } while (!ZSTD_isError(result) && taken > 0 && (result > 0 || input.pos < input.size));
    ZSTD_freeDCtx(zstd);
    if (records->no_memory)
        return buffer_check(records);
    return result == 0 && !records->overflow ? OK : FAIL(BAD_INPUT, 0, "a zstandard block is damaged");
}

static struct status unpack(struct container *container, struct bytes *ret_records, struct complaint *complaint)
{
    *ret_records = buffer_bytes(&container->block);
    if (container->codec == CODEC_NULL)
        return OK;
    buffer_clear(&container->records);
    struct status status = container->codec == CODEC_DEFLATE ? inflate_block(container) : unpack_zstandard(container);
    *ret_records = buffer_bytes(&container->records);
    if (failed_as(status, FAULT_BAD_INPUT))
        return complain(complaint, status, "a block's compressed data is damaged, or more than %d MiB",
                        LOG_FILE_BLOCK_MAX >> 20);
    return status;
}

/* Reads a block as it stands in the file. A record has a byte at least, so there are no more records than bytes. */
static struct status read_block(struct container *container, struct complaint *complaint)
{
    int64_t size;
    uint8_t byte;
    TRY(read_size(container, LOG_FILE_BLOCK_MAX, &container->block_count, complaint));
    TRY(read_size(container, LOG_FILE_BLOCK_MAX, &size, complaint));
    buffer_clear(&container->block);
    TRY(read_bytes(container, (size_t)size, &container->block, complaint));
    for (size_t i = 0; i < SYNC_SIZE; i++) {
        TRY(read_byte(container, &byte, complaint));
        if (byte != container->sync[i])
            return complain(complaint, FAIL(CORRUPT, 0, "a sync marker is wrong"),
                            "the Avro container is damaged: a block's end marker is wrong");
    }
    return OK;
}

/* The next block that declares records; block_count is 0 at the end. */
static struct status next(struct container *container, struct complaint *complaint)
{
    bool more;
    do {
        container->block_count = 0;
        TRY(fill(container, &more, complaint));
        container->block_offset = container->passed + container->start;
        if (more)
            TRY(read_block(container, complaint));
    } while (more && container->block_count == 0);
    return OK;
}

static struct status take(struct container *container, struct bytes *ret_records, struct complaint *complaint)
{
    struct bytes records;
    TRY(unpack(container, &records, complaint));
    if ((uint64_t)container->block_count > records.size)
        return complain(complaint, FAIL(BAD_INPUT, container->block_count, "a block is too small for its records"),
                        "a block of %zu bytes cannot hold its records", records.size);
    *ret_records = records;
    return OK;
}

/* Puts what is lost with a block behind the reason. */
static struct status lose(const struct container *container, struct status status, struct complaint *complaint)
{
    if (!complaint)
        return status;
    struct complaint reason = *complaint;
    return complain(complaint, status, "%s; lost is the block at byte %llu%s, of %lld record%s",
                    reason.text[0] ? reason.text : status.fault->what, (unsigned long long)container->block_offset,
                    byte_stream_compressed(container->stream) ? " of the decompressed file" : "",
                    (long long)container->block_count, container->block_count == 1 ? "" : "s");
}

uint64_t container_lost(const struct container *container)
{
    return (uint64_t)container->block_count;
}

struct status container_next(struct container *container, uint64_t *ret_count, struct bytes *ret_records,
                             struct complaint *complaint)
{
    struct bytes records = {0};
    struct status status = OK;
    if (container->ended)
        container->block_count = 0;
    else
        status = next(container, complaint);
    container->ended = failed(status) || container->block_count == 0;
    if (!failed(status) && container->block_count > 0)
        status = take(container, &records, complaint);
    if (failed(status))
        return container->block_count > 0 ? lose(container, status, complaint) : status;
    *ret_count = (uint64_t)container->block_count;
    *ret_records = records;
    return OK;
}
