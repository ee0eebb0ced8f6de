// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/prompt.h>

#include "core/text/letters.h"
#include "core/text/utf8.h"

/* What would end a line or a word somewhere: blanks, and the controls and separators that stand for one. */
static bool is_gap(uint32_t code)
{
    return letter_is_space(code) || (code >= '\t' && code <= '\r') || code == 0x85 || code == 0x2028 || code == 0x2029;
}

/* What people do not see: controls, formats that hide or turn what is around them, tags, and the variation selectors
 * that can carry a hidden text. */
static bool is_hidden(uint32_t code)
{
    return letter_is_dropped(code) || (code >= 0xe0000 && code <= 0xe0fff);
}

void prompt_write_title(struct bytes title, uint32_t bytes_max, struct buffer *out)
{
    size_t begin = out->size;
    bool gap = false;
    while (title.size) {
        uint8_t bytes[UTF8_SIZE_MAX];
        uint32_t code = utf8_take(&title);
        if (is_gap(code)) {
            gap = out->size > begin;
            continue;
        }
        if (is_hidden(code))
            continue;
        size_t size = utf8_put(code == '<' ? '(' : code == '>' ? ')' : code, bytes);
        if (out->size - begin + gap + size > bytes_max)
            break;
        if (gap)
            buffer_append_byte(out, ' ');
        gap = false;
        buffer_append(out, bytes, size);
    }
}
