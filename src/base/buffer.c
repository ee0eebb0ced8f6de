// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/buffer.h>

#include <stdio.h>
#include <stdlib.h>

#define LIMIT_DEFAULT ((size_t)64 << 20)

void buffer_release(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.limit = buffer->limit};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->overflow = buffer->no_memory = false;
}

void buffer_starve(struct buffer *buffer)
{
    buffer->overflow = buffer->no_memory = true;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    size_t limit = buffer->limit ? buffer->limit : LIMIT_DEFAULT;
    if (buffer->overflow || size > limit || buffer->size > limit - size) {
        buffer->overflow = true;
        return NULL;
    }
    size_t needed = buffer->size + size;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity * 2 : 256;
        while (capacity < needed)
            capacity *= 2;
        uint8_t *data = realloc(buffer->data, capacity);
        if (!data) {
            buffer_starve(buffer);
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->size;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0)
        return;
    uint8_t *room = buffer_reserve(buffer, size);
    if (!room)
        return;
    memcpy(room, data, size);
    buffer->size += size;
}

void buffer_append_bytes(struct buffer *buffer, struct bytes bytes)
{
    buffer_append(buffer, bytes.data, bytes.size);
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
    buffer_append(buffer, &byte, 1);
}

void buffer_append_number(struct buffer *buffer, int64_t number)
{
    uint8_t digits[20], *at = digits + sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        *--at = (uint8_t)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        *--at = '-';
    buffer_append(buffer, at, (size_t)(digits + sizeof digits - at));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    uint8_t *room = size < 0 ? NULL : buffer_reserve(buffer, (size_t)size + 1);
    if (room) {
        vsnprintf((char *)room, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

struct status buffer_check(const struct buffer *buffer)
{
    if (buffer->no_memory)
        return FAIL(MEMORY, buffer->size, "no memory for a buffer");
    return buffer->overflow ? FAIL(LIMIT, buffer->size, "buffer is full") : OK;
}

const char *buffer_text(struct buffer *buffer)
{
    uint8_t *end = buffer_reserve(buffer, 1);
    if (!end)
        return "";
    *end = 0;
    return (const char *)buffer->data;
}

static struct status write_to_buffer(void *self, struct bytes piece)
{
    buffer_append_bytes(self, piece);
    return buffer_check(self);
}

struct byte_sink buffer_sink(struct buffer *buffer)
{
    return (struct byte_sink){write_to_buffer, buffer};
}
