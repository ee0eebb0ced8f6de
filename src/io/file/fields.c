// SPDX-License-Identifier: Apache-2.0
#include "io/file/fields.h"

/* The field that begins with a quote at `start`, unquoted in place; *ret_end is behind its closing quote. */
static struct bytes unquote(struct line *line, size_t start, size_t *ret_end)
{
    uint8_t *data = line->data;
    size_t from = start + 1, to = from;
    for (; from < line->size; from++) {
        if (data[from] == '"') {
            if (from + 1 == line->size || data[from + 1] != '"')
                break;
            from++;
        }
        data[to++] = data[from];
    }
    *ret_end = from + 1;
    return bytes_of(data + start + 1, to - start - 1);
}

static size_t find_separator(const struct line *line, size_t start, const char *separator, size_t size)
{
    const uint8_t *found = memmem(line->data + start, line->size - start, separator, size);
    return found ? (size_t)(found - line->data) : line->size;
}

struct status fields_split(struct line *line, const struct separator *separator, struct bytes *fields, size_t capacity,
                           size_t *ret_count, struct complaint *complaint)
{
    size_t separator_size = strlen(separator->text), start = 0, count = 0, end;
    for (;; start = end + separator_size) {
        if (count == capacity)
            return complain(complaint, FAIL(BAD_INPUT, capacity, "too many fields"), "there are more than %zu fields",
                            capacity);
        if (separator->quoted && start < line->size && line->data[start] == '"') {
            fields[count++] = unquote(line, start, &end);
            if (end < line->size && line->data[end] != (uint8_t)separator->text[0])
                return complain(complaint, FAIL(BAD_INPUT, count, "text behind a closing quote"),
                                "field %zu has text behind its closing quote", count);
        } else {
            end = find_separator(line, start, separator->text, separator_size);
            fields[count++] = bytes_of(line->data + start, end - start);
        }
        if (end >= line->size)
            break;
    }
    *ret_count = count;
    return OK;
}
