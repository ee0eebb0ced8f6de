// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/file.h>

#include <errno.h>
#include <fcntl.h>
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

static struct status read_all(int descriptor, const char *path, struct buffer *out, struct complaint *complaint)
{
    for (;;) {
        uint8_t *room = buffer_reserve(out, CHUNK);
        if (!room)
            return complain(complaint, FAIL(LIMIT, out->size, "a file is too large"),
                            "%s: the file is larger than %zu bytes, or than there is memory for", path, out->size);
        ssize_t got = read(descriptor, room, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return complain(complaint, FAIL(IO, errno, "a file cannot be read"), "%s: %s", path, strerror(errno));
        if (got == 0)
            return OK;
        out->size += (size_t)got;
    }
}

struct status file_read(const char *path, struct buffer *out, struct complaint *complaint)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        struct status status =
            errno == ENOENT ? FAIL(NOT_FOUND, errno, "no such file") : FAIL(IO, errno, "a file cannot be opened");
        return complain(complaint, status, "%s: %s", path, strerror((int)status.detail));
    }
    struct status status = read_all(descriptor, path, out, complaint);
    close(descriptor);
    return status;
}
