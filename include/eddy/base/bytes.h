// SPDX-License-Identifier: Apache-2.0
#pragma once
/* bytes: a borrowed view of bytes (ids, keys, encoded values). Never owns; the header that hands one out
 * says how long it lives. Not NUL-terminated; text in it is UTF-8 only where the header says "checked". */
#include <eddy/base/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;
};

#define BYTES(literal) ((struct bytes){(const uint8_t *)("" literal), sizeof(literal) - 1})
#define BYTES_FORMAT   "%.*s" /* printf("... " BYTES_FORMAT, BYTES_ARGS(b)) */
#define BYTES_ARGS(b)  (int)(b).size, (const char *)(b).data

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){data, size};
}

static inline struct bytes bytes_of_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool bytes_equal_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of_text(text));
}

/* Takes a line off the front, with the LF that ends it but for a last one; the line is without it. */
static inline struct bytes bytes_take_line(struct bytes *rest)
{
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    struct bytes line = bytes_of(rest->data, end ? (size_t)(end - rest->data) : rest->size);
    size_t taken = line.size + (end != NULL);
    *rest = bytes_of(rest->data + taken, rest->size - taken);
    return line;
}

static inline bool bytes_end_with(struct bytes text, const char *end)
{
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

/* <0, 0, >0 as memcmp, shorter first when one is a prefix of the other. */
int bytes_compare(struct bytes a, struct bytes b);

/* XXH3 64-bit; stable across machines and versions, so it may be stored. */
uint64_t bytes_hash(struct bytes bytes);
/* The same, piece by piece. MEMORY. */
struct bytes_hasher;
MUST_CHECK struct status bytes_hasher_open(struct bytes_hasher **ret_hasher);
void bytes_hasher_add(struct bytes_hasher *hasher, struct bytes piece);
uint64_t bytes_hasher_value(const struct bytes_hasher *hasher);
void bytes_hasher_close(struct bytes_hasher *hasher);

/* Where bytes go, piece by piece; `self` is borrowed. */
struct byte_sink {
    struct status (*write)(void *self, struct bytes piece);
    void *self;
};
/* Adds up how many there are. */
struct byte_sink counting_sink(uint64_t *count);

/* Whole-string decimal numbers; false when empty, out of range, or followed by anything. */
bool bytes_to_int64(struct bytes text, int64_t *ret_value);
bool bytes_to_double(struct bytes text, double *ret_value);

/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool bytes_is_utf8(struct bytes text);

/* The longest prefix of at most `size_max` bytes that does not cut a UTF-8 code point. */
struct bytes bytes_utf8_prefix(struct bytes text, size_t size_max);
