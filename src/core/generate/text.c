// SPDX-License-Identifier: Apache-2.0
#include "core/generate/generator.h"

struct bytes number_text(char *text, char letter, uint64_t number)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    text[0] = letter;
    for (size_t i = 0; i < count; i++)
        text[i + 1] = digits[count - 1 - i];
    return bytes_of(text, count + 1);
}

void generate_tsv_click(const struct click *click, struct buffer *out)
{
    char time[24];
    struct bytes time_text = number_text(time, '\t', (uint64_t)click->time_ms);
    buffer_append_bytes(out, click->session_id);
    buffer_append_bytes(out, time_text);
    buffer_append_byte(out, '\t');
    buffer_append_bytes(out, click->item_id);
    buffer_append_byte(out, '\t');
    buffer_append_text(out, click_type_text(click->type));
    buffer_append_byte(out, '\t');
    buffer_append_bytes(out, click->user_id);
    buffer_append_byte(out, '\n');
}

void generate_tsv_item(const struct item *item, struct buffer *out)
{
    buffer_append_bytes(out, item->item_id);
    buffer_append_byte(out, '\t');
    buffer_append_bytes(out, item->title);
    for (uint32_t i = 0; i < item->category_count; i++) {
        buffer_append_byte(out, i == 0 ? '\t' : '|');
        buffer_append_bytes(out, item->categories[i]);
    }
    buffer_format(out, "\t%.2f\n", item->price);
}
