// SPDX-License-Identifier: Apache-2.0
#include "app/log/line.h"

#include <eddy/base/timestamp.h>

#include <limits.h>
#include <stdio.h>

struct arguments_left { /* a va_list that can be handed on by pointer */
    va_list list;
};

/* ---- values */

struct value {
    struct buffer text;
    bool number;
};

static void value_release(struct value *value)
{
    buffer_release(&value->text);
}

static void write_integer(const char *flags, const char *length, char conversion, struct arguments_left *arguments,
                          struct buffer *out)
{
    char spec[32];
    snprintf(spec, sizeof spec, "%%%sll%c", flags, conversion);
    bool is_signed = conversion == 'd' || conversion == 'i';
    long long value;
    if (!strcmp(length, "ll") || !strcmp(length, "j"))
        value = va_arg(arguments->list, long long);
    else if (!strcmp(length, "l") || !strcmp(length, "z"))
        value = va_arg(arguments->list, long);
    else
        value = is_signed ? va_arg(arguments->list, int) : (long long)va_arg(arguments->list, unsigned);
    buffer_format(out, spec, value);
}

static void write_string(const char *flags, struct arguments_left *arguments, struct buffer *out)
{
    int given = strcmp(flags, ".*") == 0 ? va_arg(arguments->list, int) : INT_MAX;
    const char *text = va_arg(arguments->list, const char *);
    size_t size = !text || given < 0 ? 0 : strnlen(text, (size_t)given);
    /* More than is shown, so that the cut is noticed there; less than the buffer, whatever the size. */
    buffer_append_bytes(out, bytes_utf8_prefix(bytes_of(text, size), 2 * VALUE_MAX_BYTES));
}

/* Writes the conversion at format[0] == '%' and returns what follows it. */
static const char *write_conversion(const char *format, struct arguments_left *arguments, struct value *value)
{
    char flags[16], length[4], spec[32];
    const char *at = format + 1;
    size_t size = strspn(at, "-+#0123456789.*");
    snprintf(flags, sizeof flags, "%.*s", (int)size, at);
    at += size;
    size = strspn(at, "hljz");
    snprintf(length, sizeof length, "%.*s", (int)size, at);
    at += size;
    switch (*at) {
    case 's':
        write_string(flags, arguments, &value->text);
        value->number = false;
        break;
    case 'c':
        buffer_append_byte(&value->text, (uint8_t)va_arg(arguments->list, int));
        value->number = false;
        break;
    case 'f':
    case 'g':
        snprintf(spec, sizeof spec, "%%%s%c", flags, *at);
        buffer_format(&value->text, spec, va_arg(arguments->list, double));
        break;
    case 'x':
        value->number = false;
        write_integer(flags, length, 'x', arguments, &value->text);
        break;
    case '%':
        buffer_append_byte(&value->text, '%');
        value->number = false;
        break;
    default:
        assert(*at == 'd' || *at == 'i' || *at == 'u');
        write_integer(flags, length, *at, arguments, &value->text);
    }
    return at + 1;
}

/* Fills the value of the template at `format` and returns its end: a blank or the format's end. */
static const char *write_template(const char *format, struct arguments_left *arguments, struct value *value)
{
    int conversions = 0;
    value->number = true;
    while (*format && *format != ' ') {
        if (*format == '%') {
            format = write_conversion(format, arguments, value);
            conversions++;
        } else {
            buffer_append_byte(&value->text, (uint8_t)*format++);
            value->number = false;
        }
    }
    struct bytes text = buffer_bytes(&value->text);
    bool finite = !bytes_equal_text(text, "nan") && !bytes_equal_text(text, "-nan") && !bytes_equal_text(text, "inf") &&
                  !bytes_equal_text(text, "-inf");
    value->number = value->number && conversions == 1 && finite;
    return format;
}

/* ---- lines */

static void write_escaped(bool json, uint8_t byte, bool utf8, struct buffer *out)
{
    if (byte == '"' || byte == '\\')
        buffer_format(out, "\\%c", byte);
    else if (byte == '\n')
        buffer_append_text(out, "\\n");
    else if (byte == '\t')
        buffer_append_text(out, "\\t");
    else if (byte < 0x20 || byte == 0x7f)
        buffer_format(out, json ? "\\u%04x" : "\\x%02x", byte);
    else if (byte >= 0x80 && !utf8)
        buffer_format(out, json ? "\\ufffd" : "\\x%02x", byte);
    else
        buffer_append_byte(out, byte);
}

static bool needs_quotes(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f || strchr("\"\\=", text.data[i]))
            return true;
    return text.size == 0;
}

static void write_text(bool json, struct bytes text, struct buffer *out)
{
    if (!json && !needs_quotes(text)) {
        buffer_append_bytes(out, text);
        return;
    }
    struct bytes kept = text;
    bool utf8 = bytes_is_utf8(text);
    if (text.size > VALUE_MAX_BYTES)
        kept = utf8 ? bytes_utf8_prefix(text, VALUE_MAX_BYTES) : bytes_of(text.data, VALUE_MAX_BYTES);
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < kept.size; i++)
        write_escaped(json, kept.data[i], utf8, out);
    buffer_append_text(out, kept.size < text.size ? "...\"" : "\"");
}

static void write_pair(bool json, struct bytes key, struct bytes value, bool number, struct buffer *out)
{
    if (out->size > 0)
        buffer_append_text(out, json ? "," : " ");
    buffer_format(out, json ? "\"" BYTES_FORMAT "\":" : BYTES_FORMAT "=", BYTES_ARGS(key));
    if (number)
        buffer_append_bytes(out, value);
    else
        write_text(json, value, out);
}

static void write_head(const struct line_head *head, struct buffer *out)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    char time[TIMESTAMP_TEXT_MAX];
    write_pair(head->json, BYTES("time"), bytes_of_text(timestamp_text(head->time_ms, time)), false, out);
    write_pair(head->json, BYTES("level"), bytes_of_text(levels[head->level]), false, out);
    write_pair(head->json, BYTES("event"), bytes_of_text(head->event), false, out);
    if (head->suppressed > 0) {
        char count[16];
        snprintf(count, sizeof count, "%u", head->suppressed);
        write_pair(head->json, BYTES("suppressed"), bytes_of_text(count), true, out);
    }
}

void line_write(const struct line_head *head, const char *format, va_list arguments, struct buffer *out)
{
    struct arguments_left left;
    va_copy(left.list, arguments);
    AUTO(buffer) pairs = {.limit = LINE_MAX_BYTES};
    AUTO(value) value = {.text = {.limit = 64 * VALUE_MAX_BYTES}};
    write_head(head, &pairs);
    while (*(format += strspn(format, " "))) {
        struct bytes key = {(const uint8_t *)format, strcspn(format, "= ")};
        format += key.size;
        assert(*format == '=' && key.size > 0);
        buffer_clear(&value.text);
        format = write_template(format + 1, &left, &value);
        size_t before = pairs.size;
        write_pair(head->json, key, buffer_bytes(&value.text), value.number, &pairs);
        if (failed(buffer_check(&pairs))) { /* this pair does not fit: the line ends before it */
            pairs.size = before;
            break;
        }
    }
    va_end(left.list);
    buffer_append_text(out, head->json ? "{" : "");
    buffer_append_bytes(out, buffer_bytes(&pairs));
    buffer_append_text(out, head->json ? "}\n" : "\n");
}
