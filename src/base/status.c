// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/status.h>

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

struct status complain(struct complaint *complaint, struct status status, const char *format, ...)
{
    if (complaint) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(complaint->text, sizeof complaint->text, format, arguments);
        va_end(arguments);
        for (char *at = complaint->text; *at; at++)
            if (((unsigned char)*at < 0x20 && *at != '\n') || *at == 0x7f)
                *at = '?';
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
