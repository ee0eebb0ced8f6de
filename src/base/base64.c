// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/base64.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct bytes bytes, struct buffer *out)
{
    for (size_t at = 0; at < bytes.size; at += 3) {
        size_t left = bytes.size - at;
        uint32_t group = (uint32_t)bytes.data[at] << 16 | (left > 1 ? (uint32_t)bytes.data[at + 1] << 8 : 0) |
                         (left > 2 ? bytes.data[at + 2] : 0);
        for (size_t digit = 0; digit < 4; digit++)
            buffer_append_byte(out, digit <= left ? (uint8_t)digits[group >> (18 - 6 * digit) & 63] : '=');
    }
}

/* Four digits, the last `padding` of them '=', as 24 bits. */
static bool read_group(const uint8_t *text, size_t padding, uint32_t *ret_group)
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *digit = i >= 4 - padding ? digits : text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit)
            return false;
        group = group << 6 | (uint32_t)(digit - digits);
    }
    *ret_group = group;
    return (group & ((1u << 8 * padding) - 1)) == 0; /* otherwise another text stood for the same bytes */
}

bool base64_read(struct bytes text, struct buffer *out)
{
    size_t before = out->size;
    if (text.size % 4)
        return false;
    for (size_t at = 0; at < text.size; at += 4) {
        const uint8_t *four = text.data + at;
        bool last = at + 4 == text.size;
        size_t padding = !last || four[3] != '=' ? 0 : four[2] != '=' ? 1 : 2;
        uint32_t group;
        if (!read_group(four, padding, &group)) {
            out->size = before;
            return false;
        }
        const uint8_t bytes[3] = {(uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group};
        buffer_append(out, bytes, 3 - padding);
    }
    return true;
}
