// SPDX-License-Identifier: Apache-2.0
#include "core/text/utf8.h"

/* What may follow a first byte: how many bytes, and the range of the first of them, which keeps out overlong forms,
 * surrogates and what is above U+10FFFF. */
struct form {
    uint8_t first, last; /* of the first byte */
    uint8_t more;
    uint8_t low, high;
};

static const struct form forms[] = {
    {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f},
    {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static const struct form *form_of(uint8_t byte)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (byte >= forms[i].first && byte <= forms[i].last)
            return &forms[i];
    return NULL;
}

static struct bytes behind(struct bytes bytes, size_t size)
{
    return (struct bytes){bytes.data + size, bytes.size - size};
}

static uint32_t take_long(struct bytes *rest)
{
    const struct form *form = form_of(rest->data[0]);
    size_t size = 1;
    if (!form) {
        *rest = behind(*rest, 1);
        return UTF8_REPLACEMENT;
    }
    uint32_t code = rest->data[0] & (0x3fu >> form->more);
    for (; size <= form->more && size < rest->size; size++) {
        uint8_t byte = rest->data[size], low = size == 1 ? form->low : 0x80, high = size == 1 ? form->high : 0xbf;
        if (byte < low || byte > high)
            break;
        code = code << 6 | (byte & 0x3fu);
    }
    *rest = behind(*rest, size);
    return size > form->more ? code : UTF8_REPLACEMENT;
}

uint32_t utf8_take(struct bytes *rest)
{
    assert(rest->size > 0);
    uint8_t byte = rest->data[0];
    if (byte >= 0x80)
        return take_long(rest);
    *rest = behind(*rest, 1);
    return byte;
}

size_t utf8_put(uint32_t code, uint8_t *out)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (uint8_t)(heads[more] | code >> 6 * more);
    for (size_t i = 1; i <= more; i++)
        out[i] = (uint8_t)(0x80 | (code >> 6 * (more - i) & 0x3f));
    return more + 1;
}
