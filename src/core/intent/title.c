// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/prompt.h>

/* Code points of well-formed UTF-8. */
static uint32_t point_of(const uint8_t *at, size_t size)
{
    switch (size) {
    case 1:
        return at[0];
    case 2:
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    case 3:
        return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    default:
        return (uint32_t)(at[0] & 0x07) << 18 | (uint32_t)(at[1] & 0x3f) << 12 | (uint32_t)(at[2] & 0x3f) << 6 |
               (at[3] & 0x3f);
    }
}

static size_t point_size(uint8_t first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool is_space(uint32_t point)
{
    return point == ' ' || (point >= '\t' && point <= '\r') || point == 0x85 || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x202f ||
           point == 0x205f || point == 0x3000;
}

/* What people do not see, and what turns the order of what they see around: Unicode's Cc, and of Cf what can carry a
 * hidden text (tags, variation selectors beyond the common ones) or a direction. */
static bool is_hidden(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0xad || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe0fff);
}

void prompt_write_title(struct bytes title, uint32_t bytes_max, struct buffer *out)
{
    size_t begin = out->size;
    bool gap = false;
    if (!bytes_is_utf8(title))
        title = bytes_of(NULL, 0);
    for (size_t at = 0, size = 0; at < title.size; at += size) {
        const uint8_t *bytes = title.data + at;
        size = point_size(*bytes);
        uint32_t point = point_of(bytes, size);
        if (is_space(point)) {
            gap = out->size > begin;
            continue;
        }
        if (is_hidden(point))
            continue;
        if (out->size - begin + gap + size > bytes_max)
            break;
        if (gap)
            buffer_append_byte(out, ' ');
        gap = false;
        if (point == '<' || point == '>')
            buffer_append_byte(out, point == '<' ? '(' : ')');
        else
            buffer_append(out, bytes, size);
    }
}
