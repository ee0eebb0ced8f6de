// SPDX-License-Identifier: Apache-2.0
#pragma once
/* file: files of bytes that are read and written whole. */
#include <eddy/base/buffer.h>

/* Replaces the file by one that is whole and on disk before it has the name; "-" is standard output. LIMIT when the
 * buffer had overflowed; IO, DISK_FULL, MEMORY. A regular file is then as it was. */
MUST_CHECK struct status file_write(const char *path, const struct buffer *content, struct complaint *complaint);

/* Appends the file's bytes. NOT_FOUND, IO; LIMIT when it is larger than the buffer's limit. */
MUST_CHECK struct status file_read(const char *path, struct buffer *out, struct complaint *complaint);
