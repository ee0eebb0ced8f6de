// SPDX-License-Identifier: Apache-2.0
#pragma once
/* frame: what every snapshot stands in, little-endian: magic (8 bytes), u32 version, u32 0, content, u64 XXH3 of all
 * before. Readers survive any bytes. */
#include <eddy/base/buffer.h>

#define FRAME_MAGIC_SIZE 8

/* Returns where the frame starts in `out`, for frame_end(). */
size_t frame_begin(struct buffer *out, const char magic[FRAME_MAGIC_SIZE], uint32_t version);
void frame_end(struct buffer *out, size_t start);
/* A frame that is written piece by piece, for what need not be in memory a second time. What is put is gathered; the
 * first failure, of the sink too, is kept and said by frame_writer_close(). MEMORY. */
struct frame_writer;
MUST_CHECK struct status frame_writer_open(struct byte_sink sink, const char magic[FRAME_MAGIC_SIZE], uint32_t version,
                                           struct frame_writer **ret_writer);
void frame_writer_put(struct frame_writer *writer, const void *data, size_t size);
/* Writes the rest and the checksum, and frees the writer in any case. */
MUST_CHECK struct status frame_writer_close(struct frame_writer *writer);

/* For a frame within the frame. */
struct byte_sink frame_sink(struct frame_writer *writer);

/* *frame becomes its content. CORRUPT; NEWER (detail: its version) when it is of a later version. */
MUST_CHECK struct status frame_open(struct bytes *frame, const char magic[FRAME_MAGIC_SIZE], uint32_t version);

/* The version that a frame says it is of, for who reads several; 0: it is no frame. */
uint32_t frame_version(struct bytes frame);

/* Moves `size` bytes from the front of *rest to `to`. CORRUPT when there are not as many. */
MUST_CHECK struct status frame_take(struct bytes *rest, void *to, size_t size);
/* The same for bytes that stay where they are. */
MUST_CHECK struct status frame_take_bytes(struct bytes *rest, size_t size, struct bytes *ret_bytes);
