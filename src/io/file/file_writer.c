// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/file.h>

#include "io/file/compressor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE   0666 /* less the umask, as is the folders' */
#define FOLDER_MODE 0777

struct file_writer {
    char *path;
    char *partial; /* what the file is called for now; NULL: it has its name (standard output, a device, a pipe) */
    int descriptor;
    struct compressor *compressor; /* NULL: none */
};

static const char *advice(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "; is there such a folder?";
    case EISDIR:
        return "; give the name of a file";
    case EACCES:
    case EPERM:
    case EROFS:
        return "; choose a place that may be written to";
    case ENOSPC:
    case EDQUOT:
        return "; make room, or choose another place";
    default:
        return "";
    }
}

static struct status fail(const char *path, int error, struct complaint *complaint)
{
    struct status status = error == ENOSPC || error == EDQUOT ? FAIL(DISK_FULL, error, "a file cannot be written")
                                                              : FAIL(IO, error, "a file cannot be written");
    return complain(complaint, status, "%s: cannot be written: %s%s", path, strerror(error), advice(error));
}

struct status file_make_folder(const char *path, struct complaint *complaint)
{
    return mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST ? OK : fail(path, errno, complaint);
}

static void writer_free(struct file_writer *writer)
{
    compressor_close(writer->compressor);
    if (writer->descriptor > STDERR_FILENO)
        close(writer->descriptor);
    free(writer->path);
    free(writer->partial);
    free(writer);
}

/* A device or pipe keeps its place: only a regular file is replaced by renaming. */
static bool is_special(const char *path, bool *ret_folder)
{
    struct stat info;
    bool there = stat(path, &info) == 0;
    *ret_folder = there && S_ISDIR(info.st_mode);
    return there && !S_ISREG(info.st_mode);
}

static struct status open_file(struct file_writer *writer, const char *path, struct complaint *complaint)
{
    bool standard = !strcmp(path, "-");
    writer->path = strdup(standard ? "standard output" : path);
    writer->descriptor = STDOUT_FILENO;
    if (!writer->path)
        return FAIL(MEMORY, 0, "no memory for a file");
    if (standard)
        return OK;
    bool folder;
    if (is_special(path, &folder)) {
        writer->descriptor = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        if (asprintf(&writer->partial, "%s.partial", path) < 0) {
            writer->partial = NULL;
            return FAIL(MEMORY, 0, "no memory for a file");
        }
        writer->descriptor = open(writer->partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    }
    return writer->descriptor < 0 ? fail(writer->path, errno, complaint) : OK;
}

struct status file_writer_open(const char *path, struct file_writer **ret_writer, struct complaint *complaint)
{
    struct file_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return FAIL(MEMORY, 0, "no memory for a file");
    struct status status = compressor_open(path, &writer->compressor);
    if (!failed(status))
        status = open_file(writer, path, complaint);
    if (failed(status)) {
        writer_free(writer);
        return status;
    }
    *ret_writer = writer;
    return OK;
}

struct status file_try(const char *path, struct complaint *complaint)
{
    struct file_writer *writer;
    bool folder;
    if (!path || !strcmp(path, "-"))
        return OK;
    if (is_special(path, &folder)) { /* not opened: that may wait for a pipe's reader, and then end it */
        if (folder || access(path, W_OK) != 0)
            return fail(path, folder ? EISDIR : errno, complaint);
        return OK;
    }
    TRY(file_writer_open(path, &writer, complaint));
    file_writer_abandon(writer);
    return OK;
}

static struct status write_all(struct file_writer *writer, const uint8_t *data, size_t size,
                               struct complaint *complaint)
{
    while (size > 0) {
        ssize_t written = write(writer->descriptor, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail(writer->path, errno, complaint);
        data += written;
        size -= (size_t)written;
    }
    return OK;
}

static struct status compress(struct file_writer *writer, struct bytes bytes, bool last, struct complaint *complaint)
{
    bool more = true;
    while (more) {
        struct bytes output;
        TRY(compressor_step(writer->compressor, &bytes, last, &output, &more));
        TRY(write_all(writer, output.data, output.size, complaint));
    }
    return OK;
}

struct status file_writer_append(struct file_writer *writer, struct bytes bytes, struct complaint *complaint)
{
    return writer->compressor ? compress(writer, bytes, false, complaint)
                              : write_all(writer, bytes.data, bytes.size, complaint);
}

void file_writer_abandon(struct file_writer *writer)
{
    if (!writer)
        return;
    if (writer->partial)
        unlink(writer->partial);
    writer_free(writer);
}

/* On disk before it has its name, so that a stop of the machine leaves no half of it under that name. */
static struct status finish(struct file_writer *writer, struct complaint *complaint)
{
    if (writer->compressor)
        TRY(compress(writer, (struct bytes){0}, true, complaint));
    if (writer->partial && (fsync(writer->descriptor) != 0 || rename(writer->partial, writer->path) != 0))
        return fail(writer->path, errno, complaint);
    return OK;
}

struct status file_writer_close(struct file_writer *writer, struct complaint *complaint)
{
    struct status status = finish(writer, complaint);
    if (failed(status)) {
        file_writer_abandon(writer);
        return status;
    }
    writer_free(writer);
    return OK;
}

struct status file_writer_flush(struct file_writer *writer, struct buffer *buffer, struct complaint *complaint)
{
    TRY(buffer_check(buffer));
    TRY(file_writer_append(writer, buffer_bytes(buffer), complaint));
    buffer_clear(buffer);
    return OK;
}

/* A file as a sink. */
struct file_sink {
    struct file_writer *writer;
    struct complaint *complaint;
};

static struct status write_to_file(void *self, struct bytes piece)
{
    struct file_sink *file = self;
    return file_writer_append(file->writer, piece, file->complaint);
}

struct status file_write_by(const char *path, struct status (*write)(void *context, struct byte_sink sink),
                            void *context, struct complaint *complaint)
{
    struct file_sink file = {.complaint = complaint};
    TRY(file_writer_open(path, &file.writer, complaint));
    struct status status = write(context, (struct byte_sink){write_to_file, &file});
    if (!failed(status))
        return file_writer_close(file.writer, complaint);
    file_writer_abandon(file.writer);
    return status;
}
