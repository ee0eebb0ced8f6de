// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/file.h>

#include "io/file/byte_stream.h"

#define CHUNK ((size_t)64 << 10)

struct status file_write(const char *path, const struct buffer *content, struct complaint *complaint)
{
    struct file_writer *writer;
    TRY(buffer_check(content));
    TRY(file_writer_open(path, &writer, complaint));
    struct status status = file_writer_append(writer, buffer_bytes(content), complaint);
    if (failed(status)) {
        file_writer_abandon(writer);
        return status;
    }
    return file_writer_close(writer, complaint);
}

static struct status read_all(struct byte_stream *stream, struct buffer *out, struct complaint *complaint)
{
    const char *name = byte_stream_name(stream);
    struct complaint reason = {{0}};
    size_t size;
    do {
        uint8_t *room = buffer_reserve(out, CHUNK);
        if (!room)
            return complain(complaint, buffer_check(out), "%s: the file is larger than %s", name,
                            out->no_memory ? "there is memory for" : "it may be");
        struct status status = byte_stream_read(stream, room, CHUNK, &size, &reason);
        if (failed(status))
            return complain(complaint, status, "%s: %s", name, reason.text);
        out->size += size;
    } while (size > 0);
    return OK;
}

struct status file_read(const char *path, struct buffer *out, struct complaint *complaint)
{
    struct byte_stream *stream;
    TRY(byte_stream_open(path, &stream, complaint));
    struct status status = read_all(stream, out, complaint);
    byte_stream_close(stream);
    return status;
}
