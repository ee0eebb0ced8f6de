// SPDX-License-Identifier: Apache-2.0
#pragma once
/* click: one interaction event, as decoded from a record of the clicks topic or a line of a log. A click of a type that
 * eddy does not know is a view: to lose it would be worse.
 * All bytes are borrowed from the record (or the decoder's scratch) and live as long as it. Ids are checked
 * UTF-8, 1..CLICK_ID_MAX bytes. Times are milliseconds since the Unix epoch, in event time. */
#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

/* 1990: older than any shop on the web, and later than seconds that were taken for milliseconds. */
#define CLICK_TIME_MIN_MS INT64_C(631152000000)
#define CLICK_TIME_MAX_MS INT64_C(253402300799999) /* 9999-12-31 */
#define CLICK_ID_MAX      255                      /* bytes of a session, user, item or event id */

#define CLICK_TYPES(X)                                                                                                 \
    X(VIEW, "view")                                                                                                    \
    X(CLICK, "click")                                                                                                  \
    X(ADD_TO_CART, "add_to_cart")                                                                                      \
    X(PURCHASE, "purchase")

enum click_type {
#define X(name, text) CLICK_TYPE_##name,
    CLICK_TYPES(X)
#undef X
        CLICK_TYPE_COUNT
};

struct click {
    struct bytes session_id; /* empty when sessions are kept by user_id and the site has none */
    struct bytes user_id;    /* empty: anonymous */
    struct bytes item_id;
    struct bytes event_id; /* empty: none */
    int64_t time_ms;
    enum click_type type;
    struct bytes unknown_type; /* what the record calls a type that is none of these, and stands here as VIEW */
};

const char *click_type_text(enum click_type type);
/* False when no type has that name. */
bool click_type_of(struct bytes text, enum click_type *ret_type);

/* What a click must satisfy before the engine sees it. */
struct click_limits {
    int64_t future_max_ms; /* event time may lead the record's timestamp by this much */
    bool by_user;          /* sessions are kept by user_id: it must be there; otherwise session_id must */
};

/* BAD_INPUT with a complaint naming the field when the click cannot be used: a missing or over-long id, bytes
 * that are not UTF-8, a time before 1990 or after year 9999 or further than future_max_ms ahead of record_time_ms. */
MUST_CHECK struct status click_check(const struct click *click, int64_t record_time_ms,
                                     const struct click_limits *limits, struct complaint *complaint);
