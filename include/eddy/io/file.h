// SPDX-License-Identifier: Apache-2.0
#pragma once
/* file: files of bytes, read whole, and written so that a file of the wanted name is always whole.
 *
 * A file that is being written is called "<path>.partial"; it is on disk before it gets its name. A name that ends in
 * .gz or .zst compresses (gzip or zstd: same bytes, same file); what is read is decompressed when its first bytes say
 * so, whatever its name. "-" is standard output; a device or pipe is written to as it is. Complaints name the path, and
 * what to do. Failures: IO, DISK_FULL, MEMORY; a regular file that was there before is then as it was. */
#include <eddy/base/buffer.h>

struct file_writer;

MUST_CHECK struct status file_writer_open(const char *path, struct file_writer **ret_writer,
                                          struct complaint *complaint);
/* Says at once what file_writer_open() would say after hours of work, and leaves nothing behind. NULL is fine. */
MUST_CHECK struct status file_try(const char *path, struct complaint *complaint);
/* Makes the folder unless something of that name is there already; the one it stands in must be. */
MUST_CHECK struct status file_make_folder(const char *path, struct complaint *complaint);
/* Not gathered into larger writes (but for what a compressor holds back): hand over many bytes at a time. */
MUST_CHECK struct status file_writer_append(struct file_writer *writer, struct bytes bytes,
                                            struct complaint *complaint);
/* Frees the writer in any case. */
MUST_CHECK struct status file_writer_close(struct file_writer *writer, struct complaint *complaint);
/* Removes the unfinished file; NULL is fine. */
void file_writer_abandon(struct file_writer *writer);

/* A whole file, by a function that writes to a sink. What that fails with, and what writing does. */
MUST_CHECK struct status file_write_by(const char *path, struct status (*write)(void *context, struct byte_sink sink),
                                       void *context, struct complaint *complaint);

/* Writes what the buffer holds and clears it. LIMIT or MEMORY when it had overflowed. */
MUST_CHECK struct status file_writer_flush(struct file_writer *writer, struct buffer *buffer,
                                           struct complaint *complaint);

/* A whole file. LIMIT or MEMORY when the buffer had overflowed. */
MUST_CHECK struct status file_write(const char *path, const struct buffer *content, struct complaint *complaint);

/* Appends the file's bytes. NOT_FOUND, IO; CORRUPT when its compression is damaged; LIMIT when it is larger than the
 * buffer's limit, MEMORY than there is memory for. */
MUST_CHECK struct status file_read(const char *path, struct buffer *out, struct complaint *complaint);

/* A whole file as it is, not decompressed, mapped into memory: it takes none of the process's own. For files that are
 * replaced whole and never changed in place. NOT_FOUND, IO. */
MUST_CHECK struct status file_map(const char *path, struct bytes *ret_bytes, struct complaint *complaint);
void file_unmap(struct bytes bytes);

/* One that is not there is no failure. IO. */
MUST_CHECK struct status file_remove(const char *path, struct complaint *complaint);

/* A file that is there while its owner is: nobody else gets it meanwhile. LOCKED: somebody has it. IO. */
struct file_lock {
    int descriptor;
    char *path;
};
MUST_CHECK struct status file_lock_take(const char *path, struct file_lock *ret_lock, struct complaint *complaint);
/* Removes it. */
void file_lock_give(struct file_lock *lock);

/* The path without the ending that compresses. */
struct bytes file_stem(const char *path);
