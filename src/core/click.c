// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/click.h>

static const char *const type_texts[CLICK_TYPE_COUNT] = {
#define X(name, text) [CLICK_TYPE_##name] = text,
    CLICK_TYPES(X)
#undef X
};

const char *click_type_text(enum click_type type)
{
    assert(type < CLICK_TYPE_COUNT);
    return type_texts[type];
}

bool click_type_of(struct bytes text, enum click_type *ret_type)
{
    for (int i = 0; i < CLICK_TYPE_COUNT; i++) {
        if (bytes_equal_text(text, type_texts[i])) {
            *ret_type = (enum click_type)i;
            return true;
        }
    }
    return false;
}

static struct status check_id(struct bytes id, const char *field, bool required, struct complaint *complaint)
{
    if (id.size == 0 && required)
        return complain(complaint, FAIL(BAD_INPUT, 0, "an id is missing"), "%s is missing or empty", field);
    if (id.size > CLICK_ID_MAX)
        return complain(complaint, FAIL(BAD_INPUT, id.size, "an id is too long"),
                        "%s has %zu bytes, at most %d are allowed", field, id.size, CLICK_ID_MAX);
    if (!bytes_is_utf8(id))
        return complain(complaint, FAIL(BAD_INPUT, 0, "an id is not UTF-8"), "%s is not valid UTF-8", field);
    return OK;
}

static struct status check_time(const struct click *click, int64_t record_time_ms, int64_t future_max_ms,
                                struct complaint *complaint)
{
    if (click->time_ms < CLICK_TIME_MIN_MS || click->time_ms > CLICK_TIME_MAX_MS)
        return complain(complaint, FAIL(BAD_INPUT, click->time_ms, "the time is absurd"),
                        "timestamp %lld is not a time in milliseconds between the years 1990 and 9999",
                        (long long)click->time_ms);
    if (click->time_ms - future_max_ms > record_time_ms)
        return complain(complaint, FAIL(BAD_INPUT, click->time_ms, "the time is in the future"),
                        "timestamp %lld is %lld ms ahead of its record's timestamp, at most %lld are allowed "
                        "(session.future_max_ms)",
                        (long long)click->time_ms, (long long)(click->time_ms - record_time_ms),
                        (long long)future_max_ms);
    return OK;
}

struct status click_check(const struct click *click, int64_t record_time_ms, const struct click_limits *limits,
                          struct complaint *complaint)
{
    TRY(check_id(click->session_id, "session_id", !limits->by_user, complaint));
    TRY(check_id(click->user_id, "user_id", limits->by_user, complaint));
    TRY(check_id(click->item_id, "item_id", true, complaint));
    TRY(check_id(click->event_id, "event_id", false, complaint));
    return check_time(click, record_time_ms, limits->future_max_ms, complaint);
}
