// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/file.h>

#include "io/file/byte_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

struct status file_remove(const char *path, struct complaint *complaint)
{
    return unlink(path) == 0 || errno == ENOENT
               ? OK
               : complain(complaint, FAIL(IO, errno, "unlink"), "%s: cannot be removed: %s", path, strerror(errno));
}

struct status file_read(const char *path, struct buffer *out, struct complaint *complaint)
{
    struct byte_stream *stream;
    TRY(byte_stream_open(path, &stream, complaint));
    struct status status = read_all(stream, out, complaint);
    byte_stream_close(stream);
    return status;
}

static struct status map(int descriptor, const char *path, struct bytes *ret_bytes, struct complaint *complaint)
{
    struct stat entry;
    if (fstat(descriptor, &entry) != 0)
        return complain(complaint, FAIL(IO, errno, "fstat"), "cannot look at %s: %s", path, strerror(errno));
    size_t size = (size_t)entry.st_size;
    void *data = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : NULL;
    if (data == MAP_FAILED)
        return complain(complaint, FAIL(IO, errno, "mmap"), "cannot map %s: %s", path, strerror(errno));
    *ret_bytes = bytes_of(data, size);
    return OK;
}

struct status file_map(const char *path, struct bytes *ret_bytes, struct complaint *complaint)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        struct status status = errno == ENOENT ? FAIL(NOT_FOUND, errno, "open") : FAIL(IO, errno, "open");
        return complain(complaint, status, "cannot open %s: %s", path, strerror(errno));
    }
    struct status status = map(descriptor, path, ret_bytes, complaint);
    close(descriptor); /* the mapping stays */
    return status;
}

void file_unmap(struct bytes bytes)
{
    union { /* mapped by file_map(), whose view is const */
        const uint8_t *view;
        void *mapping;
    } data = {.view = bytes.data};
    if (bytes.size)
        munmap(data.mapping, bytes.size);
}
