// SPDX-License-Identifier: Apache-2.0
#pragma once
/* buffer: growable bytes with a hard limit. Writes past the limit set `overflow`, those without memory `no_memory` too;
 * then nothing more is written and what is there is kept. An encoder writes freely and checks once with buffer_check().
 *
 * {0} is a valid empty buffer with the default limit (64 MiB); buffer_release() may be called on any buffer.
 * A buffer keeps its memory across buffer_clear(), so that a hot path allocates only while warming up. */
#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit; /* bytes; 0 = the default */
    bool overflow;
    bool no_memory; /* and that is why */
};

void buffer_release(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);
/* As a write without memory, for who fills a buffer by way of other memory. */
void buffer_starve(struct buffer *buffer);

/* Room for `size` more bytes at buffer->data + buffer->size; the caller writes and adds to `size` itself.
 * NULL when that is past the limit or there is no memory. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);

void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_bytes(struct buffer *buffer, struct bytes bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_byte(struct buffer *buffer, uint8_t byte);
/* In decimal; for lines that are written by the million, where buffer_format() costs more than all else. */
void buffer_append_number(struct buffer *buffer, int64_t number);
void buffer_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->data, buffer->size};
}

/* OK, LIMIT when an append did not fit, or MEMORY when there was none for it. */
MUST_CHECK struct status buffer_check(const struct buffer *buffer);

struct byte_sink buffer_sink(struct buffer *buffer);

/* The content as a C string (a NUL is put behind it, not counted in size); "" when empty or out of room. */
const char *buffer_text(struct buffer *buffer);
