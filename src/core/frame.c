// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/frame.h>

#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "snapshots are little-endian");

size_t frame_begin(struct buffer *out, const char magic[FRAME_MAGIC_SIZE], uint32_t version)
{
    const uint32_t words[2] = {version, 0};
    size_t start = out->size;
    buffer_append(out, magic, FRAME_MAGIC_SIZE);
    buffer_append(out, words, sizeof words);
    return start;
}

void frame_end(struct buffer *out, size_t start)
{
    if (out->overflow)
        return;
    uint64_t checksum = bytes_hash(bytes_of(out->data + start, out->size - start));
    buffer_append(out, &checksum, sizeof checksum);
}

/* ---- piece by piece */

#define GATHERED_MAX (64u << 10)

struct frame_writer {
    struct byte_sink sink;
    struct bytes_hasher *hasher;
    struct status status;
    size_t gathered;
    uint8_t bytes[GATHERED_MAX];
};

static void frame_writer_pass(struct frame_writer *writer, struct bytes piece)
{
    bytes_hasher_add(writer->hasher, piece);
    if (!failed(writer->status))
        writer->status = writer->sink.write(writer->sink.self, piece);
}

struct status frame_writer_open(struct byte_sink sink, const char magic[FRAME_MAGIC_SIZE], uint32_t version,
                                struct frame_writer **ret_writer)
{
    const uint32_t words[2] = {version, 0};
    struct frame_writer *writer = malloc(sizeof *writer);
    if (!writer)
        return FAIL(MEMORY, sizeof *writer, "no memory to write a snapshot");
    writer->sink = sink;
    writer->status = OK;
    writer->gathered = 0;
    struct status status = bytes_hasher_open(&writer->hasher);
    if (failed(status)) {
        free(writer);
        return status;
    }
    frame_writer_put(writer, magic, FRAME_MAGIC_SIZE);
    frame_writer_put(writer, words, sizeof words);
    *ret_writer = writer;
    return OK;
}

void frame_writer_put(struct frame_writer *writer, const void *data, size_t size)
{
    if (size > GATHERED_MAX - writer->gathered) {
        frame_writer_pass(writer, bytes_of(writer->bytes, writer->gathered));
        writer->gathered = 0;
    }
    if (size > GATHERED_MAX) {
        frame_writer_pass(writer, bytes_of(data, size));
        return;
    }
    if (size)
        memcpy(writer->bytes + writer->gathered, data, size);
    writer->gathered += size;
}

struct status frame_writer_close(struct frame_writer *writer)
{
    frame_writer_pass(writer, bytes_of(writer->bytes, writer->gathered));
    uint64_t checksum = bytes_hasher_value(writer->hasher);
    if (!failed(writer->status))
        writer->status = writer->sink.write(writer->sink.self, bytes_of(&checksum, sizeof checksum));
    struct status status = writer->status;
    bytes_hasher_close(writer->hasher);
    free(writer);
    return status;
}

static struct status write_to_frame(void *self, struct bytes piece)
{
    struct frame_writer *writer = self;
    frame_writer_put(writer, piece.data, piece.size);
    return writer->status;
}

struct byte_sink frame_sink(struct frame_writer *writer)
{
    return (struct byte_sink){write_to_frame, writer};
}

/* ---- reading */

struct status frame_open(struct bytes *frame, const char magic[FRAME_MAGIC_SIZE], uint32_t version)
{
    struct bytes whole = *frame;
    char found[FRAME_MAGIC_SIZE];
    uint32_t words[2];
    uint64_t checksum;
    TRY(frame_take(frame, found, sizeof found));
    TRY(frame_take(frame, words, sizeof words));
    if (memcmp(found, magic, sizeof found) != 0)
        return FAIL(CORRUPT, 0, "this is no snapshot of that kind");
    if (words[0] > version)
        return FAIL(NEWER, words[0], "the snapshot is of a later version");
    if (words[0] != version)
        return FAIL(CORRUPT, words[0], "the snapshot is of an earlier version");
    if (words[1] || frame->size < sizeof checksum)
        return FAIL(CORRUPT, words[0], "the snapshot is truncated");
    frame->size -= sizeof checksum;
    memcpy(&checksum, frame->data + frame->size, sizeof checksum);
    if (checksum != bytes_hash(bytes_of(whole.data, whole.size - sizeof checksum)))
        return FAIL(CORRUPT, 0, "the snapshot is damaged");
    return OK;
}

struct status frame_take(struct bytes *rest, void *to, size_t size)
{
    struct bytes taken;
    TRY(frame_take_bytes(rest, size, &taken));
    if (size)
        memcpy(to, taken.data, size);
    return OK;
}

struct status frame_take_bytes(struct bytes *rest, size_t size, struct bytes *ret_bytes)
{
    if (rest->size < size)
        return FAIL(CORRUPT, size, "the snapshot is truncated");
    *ret_bytes = bytes_of(rest->data, size);
    *rest = bytes_of(size ? rest->data + size : rest->data, rest->size - size);
    return OK;
}
