// SPDX-License-Identifier: Apache-2.0
#pragma once
/* line: one log line as text, a pure function of its arguments. */
#include "app/log.h"

#include <eddy/base/buffer.h>

struct line_head {
    bool json;
    int64_t time_ms;
    enum log_level level;
    const char *event;
    uint32_t suppressed; /* 0: not mentioned */
};

#define LINE_MAX_BYTES  8192
#define VALUE_MAX_BYTES 1024

/* Appends the line with its newline. */
void line_write(const struct line_head *head, const char *format, va_list arguments, struct buffer *out);
