// SPDX-License-Identifier: Apache-2.0
#pragma once
/* text_file: writes a finished text to a file in one go. */
#include <eddy/base/buffer.h>

/* Replaces the file; "-" is standard output. LIMIT when the buffer overflowed, IO, DISK_FULL. */
MUST_CHECK struct status text_file_write(const char *path, const struct buffer *content, struct complaint *complaint);
