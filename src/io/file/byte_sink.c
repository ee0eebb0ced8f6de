// SPDX-License-Identifier: Apache-2.0
#include "io/file/byte_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define OUTPUT_SIZE ((size_t)64 << 10)
#define GZIP_HEADER (15 + 16) /* zlib writes it without time and name, so same bytes give the same file */
#define GZIP_LEVEL  6
#define GZIP_MEMORY 8
#define FILE_MODE   0666 /* less the umask */

struct byte_sink {
    char *path;
    char *partial; /* what the file is called for now; NULL: it has its name (standard output, a device, a pipe) */
    int descriptor;
    bool gzip;
    z_stream stream;
    uint8_t output[OUTPUT_SIZE];
};

static struct status sink_fail(const struct byte_sink *sink, int error, struct complaint *complaint)
{
    struct status status = error == ENOSPC || error == EDQUOT ? FAIL(DISK_FULL, error, "a file cannot be written")
                                                              : FAIL(IO, error, "a file cannot be written");
    return complain(complaint, status, "%s: %s", sink->path, strerror(error));
}

static void sink_free(struct byte_sink *sink)
{
    if (sink->gzip)
        deflateEnd(&sink->stream);
    if (sink->descriptor > STDERR_FILENO)
        close(sink->descriptor);
    free(sink->path);
    free(sink->partial);
    free(sink);
}

/* A device or pipe keeps its place: only a regular file is replaced by renaming. */
static bool is_special(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static struct status open_file(struct byte_sink *sink, const char *path, struct complaint *complaint)
{
    bool standard = !strcmp(path, "-");
    sink->path = strdup(standard ? "standard output" : path);
    sink->descriptor = STDOUT_FILENO;
    if (!sink->path)
        return FAIL(MEMORY, 0, "no memory for a file");
    if (standard)
        return OK;
    if (is_special(path)) {
        sink->descriptor = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        if (asprintf(&sink->partial, "%s.partial", path) < 0) {
            sink->partial = NULL;
            return FAIL(MEMORY, 0, "no memory for a file");
        }
        sink->descriptor = open(sink->partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    }
    return sink->descriptor < 0 ? sink_fail(sink, errno, complaint) : OK;
}

struct status byte_sink_open(const char *path, bool gzip, struct byte_sink **ret_sink, struct complaint *complaint)
{
    struct byte_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return FAIL(MEMORY, 0, "no memory for a file");
    struct status status = open_file(sink, path, complaint);
    if (failed(status)) {
        sink_free(sink);
        return status;
    }
    sink->gzip = gzip && deflateInit2(&sink->stream, GZIP_LEVEL, Z_DEFLATED, GZIP_HEADER, GZIP_MEMORY,
                                      Z_DEFAULT_STRATEGY) == Z_OK;
    if (gzip && !sink->gzip) {
        byte_sink_abandon(sink);
        return FAIL(MEMORY, 0, "no memory for a compressor");
    }
    *ret_sink = sink;
    return OK;
}

static struct status write_all(struct byte_sink *sink, const uint8_t *data, size_t size, struct complaint *complaint)
{
    while (size > 0) {
        ssize_t written = write(sink->descriptor, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return sink_fail(sink, errno, complaint);
        data += written;
        size -= (size_t)written;
    }
    return OK;
}

/* Compresses what is in the stream's input; Z_FINISH also ends the file. */
static struct status compress_input(struct byte_sink *sink, int flush, struct complaint *complaint)
{
    int result;
    do {
        sink->stream.next_out = sink->output;
        sink->stream.avail_out = OUTPUT_SIZE;
        result = deflate(&sink->stream, flush);
        assert(result != Z_STREAM_ERROR);
        TRY(write_all(sink, sink->output, OUTPUT_SIZE - sink->stream.avail_out, complaint));
    } while (sink->stream.avail_out == 0 || (flush == Z_FINISH && result != Z_STREAM_END));
    return OK;
}

struct status byte_sink_write(struct byte_sink *sink, struct bytes bytes, struct complaint *complaint)
{
    if (!sink->gzip)
        return write_all(sink, bytes.data, bytes.size, complaint);
    while (bytes.size > 0) {
        size_t part = bytes.size < (size_t)1 << 30 ? bytes.size : (size_t)1 << 30;
        sink->stream.next_in = (uint8_t *)(uintptr_t)bytes.data; /* zlib's input is not const, but is not written */
        sink->stream.avail_in = (uInt)part;
        TRY(compress_input(sink, Z_NO_FLUSH, complaint));
        bytes = bytes_of(bytes.data + part, bytes.size - part);
    }
    return OK;
}

void byte_sink_abandon(struct byte_sink *sink)
{
    if (!sink)
        return;
    if (sink->partial)
        unlink(sink->partial);
    sink_free(sink);
}

/* On disk before it has its name, so that a stop of the machine leaves no half of it under that name. */
static struct status finish(struct byte_sink *sink, struct complaint *complaint)
{
    if (sink->gzip) {
        sink->stream.avail_in = 0;
        TRY(compress_input(sink, Z_FINISH, complaint));
    }
    if (sink->partial && (fsync(sink->descriptor) != 0 || rename(sink->partial, sink->path) != 0))
        return sink_fail(sink, errno, complaint);
    return OK;
}

struct status byte_sink_close(struct byte_sink *sink, struct complaint *complaint)
{
    struct status status = finish(sink, complaint);
    if (failed(status)) {
        byte_sink_abandon(sink);
        return status;
    }
    sink_free(sink);
    return OK;
}
