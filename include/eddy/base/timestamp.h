// SPDX-License-Identifier: Apache-2.0
#pragma once
/* timestamp: milliseconds since the Unix epoch <-> RFC 3339 text. Pure: reads no clock and no time zone. */
#include <eddy/base/bytes.h>

/* "2014-04-07T10:51:09.277Z", "2014-04-07 12:51:09+02:00": a date, T or a blank, a time with any number of decimals
 * (cut to milliseconds), and Z or an offset. False for anything else, a day that does not exist included. */
bool timestamp_parse(struct bytes text, int64_t *ret_time_ms);

/* As timestamp_parse, or a whole decimal number of milliseconds. */
bool timestamp_parse_any(struct bytes text, int64_t *ret_time_ms);

#define TIMESTAMP_TEXT_MAX 32

/* "2014-04-07T10:51:09.277Z"; for years 0..9999, outside of them the milliseconds as a number. Returns `text`. */
const char *timestamp_text(int64_t time_ms, char text[TIMESTAMP_TEXT_MAX]);
