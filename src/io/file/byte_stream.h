// SPDX-License-Identifier: Apache-2.0
#pragma once
/* byte_stream: the bytes of a file, of standard input or of memory, decompressed when the first bytes say gzip (with
 * any number of members) or zstd (frames), refused when they say bzip2, xz, lz4 or zip. A stream ends with *ret_size 0;
 * a failure is final and comes after all that could be read before it. */
#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

struct byte_stream;

/* The complaint names the path. What fails before its first byte fails here, so that a stream that is handed out empty
 * is empty. */
MUST_CHECK struct status byte_stream_open(const char *path, struct byte_stream **ret_stream,
                                          struct complaint *complaint);
MUST_CHECK struct status byte_stream_open_bytes(struct bytes content, const char *name, struct byte_stream **ret_stream,
                                                struct complaint *complaint);
void byte_stream_close(struct byte_stream *stream);

#define BYTE_STREAM_HEAD ((size_t)64 << 10)

/* The first bytes, up to BYTE_STREAM_HEAD of them, before anything was read; they are still to be read. Never fails:
 * a failure comes when it is read up to. Lives until the first read. */
struct bytes byte_stream_peek(struct byte_stream *stream);

/* 1..capacity bytes, or 0 at the end. CORRUPT: damaged or truncated compression; IO. The complaint is the bare
 * reason. */
MUST_CHECK struct status byte_stream_read(struct byte_stream *stream, uint8_t *out, size_t capacity, size_t *ret_size,
                                          struct complaint *complaint);

/* Whether what is read is another thing than what stands in the file. */
bool byte_stream_compressed(const struct byte_stream *stream);

/* The path, "standard input", or the name given. */
const char *byte_stream_name(const struct byte_stream *stream);
