// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/status.h>

#include <eddy/base/bytes.h>

#include <stdio.h>

const char *fault_kind_text(enum fault_kind kind)
{
    static const char *const texts[] = {
#define X(name, text) [FAULT_##name] = text,
        FAULT_KINDS(X)
#undef X
    };
    return texts[kind];
}

/* Bytes of the character at the front of the text; 0: it is none, of UTF-8. */
static size_t character_size(struct bytes text)
{
    for (size_t size = 1; size <= 4 && size <= text.size; size++)
        if (bytes_is_utf8(bytes_of(text.data, size)))
            return size;
    return 0;
}

/* Line breaks are no control characters here: some complaints have several lines. */
static bool is_control(const uint8_t *character, size_t size)
{
    if (size == 1)
        return (*character < 0x20 && *character != '\n') || *character == 0x7f;
    return size == 2 && character[0] == 0xc2 && character[1] < 0xa0;
}

static void clean(char *text)
{
    uint8_t *data = (uint8_t *)text;
    size_t end = strlen(text);
    for (size_t at = 0; at < end;) {
        size_t size = character_size(bytes_of(data + at, end - at));
        bool bad = size == 0 || is_control(data + at, size);
        size += size == 0;
        if (bad)
            memset(data + at, '?', size);
        at += size;
    }
}

struct status complain(struct complaint *complaint, struct status status, const char *format, ...)
{
    if (complaint) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(complaint->text, sizeof complaint->text, format, arguments);
        va_end(arguments);
        clean(complaint->text);
    }
    return status;
}

const char *status_text(struct status status, char *text, int size)
{
    if (!failed(status))
        snprintf(text, (size_t)size, "ok");
    else
        snprintf(text, (size_t)size, "%s (%s), detail %lld, at %s:%d", status.fault->what,
                 fault_kind_text(status.fault->kind), (long long)status.detail, status.fault->file, status.fault->line);
    return text;
}
