// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/timestamp.h>
#include <eddy/core/endpoints.h>

#include <stdio.h>

#define DURATION_MS_MAX (365LL * 24 * 3600 * 1000) /* more is nonsense, and is cut */

const char *call_outcome_label(enum call_outcome outcome)
{
    static const char *const labels[] = {
#define X(name, label, text) [CALL_##name] = label,
        CALL_OUTCOMES(X)
#undef X
    };
    assert(outcome < CALL_OUTCOME_COUNT);
    return labels[outcome];
}

const char *call_outcome_text(enum call_outcome outcome)
{
    static const char *const texts[] = {
#define X(name, label, text) [CALL_##name] = text,
        CALL_OUTCOMES(X)
#undef X
    };
    assert(outcome < CALL_OUTCOME_COUNT);
    return texts[outcome];
}

enum call_outcome call_outcome_of_code(int code, int64_t hint_ms)
{
    if (code >= 200 && code < 300)
        return CALL_ANSWERED;
    if (code == 429 || (code == 503 && hint_ms >= 0))
        return CALL_BUSY;
    if (code == 408 || code == 425 || code >= 500)
        return CALL_SERVER;
    if (code == 401 || code == 403 || code == 404 || code == 405 || code == 407 || (code >= 300 && code < 400))
        return CALL_DENIED;
    return code >= 400 ? CALL_REFUSED : CALL_BROKEN;
}

bool http_date_parse(struct bytes text, int64_t *ret_time_ms)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char copy[32], month[4], rest[2], iso[32];
    int day, year, hour, minute, second;
    if (text.size >= sizeof copy || text.size < 5 || memchr(text.data, 0, text.size))
        return false;
    snprintf(copy, sizeof copy, BYTES_FORMAT, BYTES_ARGS(text));
    if (sscanf(copy, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GM%1[T]", &day, month, &year, &hour, &minute, &second,
               rest) != 7)
        return false;
    const char *found = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (!found || (found - months) % 3 || day < 0 || year < 0 || hour < 0 || minute < 0 || second < 0)
        return false;
    snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02dZ", year % 10000, (int)(found - months) / 3 + 1, day % 100,
             hour % 100, minute % 100, second % 100);
    return timestamp_parse(bytes_of_text(iso), ret_time_ms);
}

/* A decimal number at the beginning; how many bytes it has, 0: none. */
static size_t number_size(struct bytes text)
{
    size_t size = 0;
    while (size < text.size && ((text.data[size] >= '0' && text.data[size] <= '9') || text.data[size] == '.'))
        size++;
    return size;
}

static struct bytes skip(struct bytes text, size_t size)
{
    return bytes_of(text.data + size, text.size - size);
}

/* The unit at the beginning, in milliseconds; its size is 0 when there is none. */
static size_t unit_size(struct bytes text, double *ret_ms)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60e3}, {"h", 3600e3}, {"d", 24 * 3600e3}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t size = strlen(units[i].name);
        if (text.size >= size && memcmp(text.data, units[i].name, size) == 0) {
            *ret_ms = units[i].ms;
            return size;
        }
    }
    return 0;
}

bool duration_parse(struct bytes text, int64_t *ret_ms)
{
    double total = 0, number, unit = 0;
    if (text.size == 0)
        return false;
    for (bool first = true; text.size > 0; first = false) {
        size_t size = number_size(text);
        if (size == 0 || !bytes_to_double(bytes_of(text.data, size), &number))
            return false;
        text = skip(text, size);
        size = text.size ? unit_size(text, &unit) : 0;
        if (size == 0 && !(first && text.size == 0))
            return false;
        total += number * (size ? unit : 1000);
        text = skip(text, size);
    }
    *ret_ms = total < (double)DURATION_MS_MAX ? (int64_t)total : DURATION_MS_MAX;
    return true;
}

static bool is_used_up(struct bytes remaining)
{
    double left;
    return remaining.size && bytes_to_double(remaining, &left) && left <= 0;
}

/* When what is used up is there again: the later of the two; of both when the server does not say what is. */
static int64_t reset_ms(const struct retry_hints *hints)
{
    bool requests = is_used_up(hints->remaining_requests), tokens = is_used_up(hints->remaining_tokens);
    int64_t ms, latest = -1;
    if ((requests || !tokens) && duration_parse(hints->reset_requests, &ms))
        latest = ms;
    if ((tokens || !requests) && duration_parse(hints->reset_tokens, &ms) && ms > latest)
        latest = ms;
    return latest;
}

int64_t retry_hint_ms(const struct retry_hints *hints, int64_t wall_ms)
{
    int64_t ms, then, now;
    double number;
    if (hints->retry_after_ms.size && bytes_to_double(hints->retry_after_ms, &number) && number >= 0)
        return number < (double)DURATION_MS_MAX ? (int64_t)number : DURATION_MS_MAX;
    if (hints->retry_after.size && number_size(hints->retry_after) == hints->retry_after.size &&
        duration_parse(hints->retry_after, &ms))
        return ms;
    if (http_date_parse(hints->retry_after, &then)) {
        if (!http_date_parse(hints->date, &now))
            now = wall_ms;
        return then > now ? then - now : 0;
    }
    return reset_ms(hints);
}
