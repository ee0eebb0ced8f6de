// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/bytes.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

uint64_t bytes_hash(struct bytes bytes)
{
    return XXH3_64bits(bytes.data, bytes.size);
}

/* xxhash's own type would be its user's to name. */
struct bytes_hasher {
    XXH3_state_t *state;
};

struct status bytes_hasher_open(struct bytes_hasher **ret_hasher)
{
    struct bytes_hasher *hasher = calloc(1, sizeof *hasher);
    if (hasher)
        hasher->state = XXH3_createState();
    if (!hasher || !hasher->state || XXH3_64bits_reset(hasher->state) != XXH_OK) {
        bytes_hasher_close(hasher);
        return FAIL(MEMORY, 0, "no memory for a checksum");
    }
    *ret_hasher = hasher;
    return OK;
}

void bytes_hasher_add(struct bytes_hasher *hasher, struct bytes piece)
{
    XXH_errorcode code = piece.size ? XXH3_64bits_update(hasher->state, piece.data, piece.size) : XXH_OK;
    assert(code == XXH_OK);
    (void)code;
}

uint64_t bytes_hasher_value(const struct bytes_hasher *hasher)
{
    return XXH3_64bits_digest(hasher->state);
}

void bytes_hasher_close(struct bytes_hasher *hasher)
{
    if (hasher)
        XXH3_freeState(hasher->state);
    free(hasher);
}

bool bytes_to_int64(struct bytes text, int64_t *ret_value)
{
    size_t i = 0;
    bool negative = text.size && text.data[0] == '-';
    if (negative)
        i++;
    if (i == text.size)
        return false;
    int64_t value = 0; /* kept negative: the range is larger there */
    for (; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, text.data[i] - '0', &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, value, &value))
        return false;
    *ret_value = value;
    return true;
}

bool bytes_to_double(struct bytes text, double *ret_value)
{
    char copy[64];
    if (text.size == 0 || text.size >= sizeof copy || text.data[0] == ' ')
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    char *end;
    double value = strtod(copy, &end);
    if (end != copy + text.size || !isfinite(value))
        return false;
    *ret_value = value;
    return true;
}

/* The size in bytes of the well-formed code point at `at`, 0 when it is malformed or cut. */
static size_t utf8_size(struct bytes text, size_t at)
{
    const uint8_t *p = text.data + at;
    size_t left = text.size - at;
    if (p[0] < 0x80)
        return 1;
    size_t size = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool beyond = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || beyond ? 0 : size;
}

bool bytes_is_utf8(struct bytes text)
{
    for (size_t at = 0; at < text.size;) {
        size_t size = utf8_size(text, at);
        if (!size)
            return false;
        at += size;
    }
    return true;
}

struct bytes bytes_utf8_prefix(struct bytes text, size_t size_max)
{
    if (text.size <= size_max)
        return text;
    size_t size = size_max;
    while (size > 0 && (text.data[size] & 0xc0) == 0x80)
        size--;
    return bytes_of(text.data, size);
}

static struct status count_bytes(void *self, struct bytes piece)
{
    *(uint64_t *)self += piece.size;
    return OK;
}

struct byte_sink counting_sink(uint64_t *count)
{
    return (struct byte_sink){count_bytes, count};
}
