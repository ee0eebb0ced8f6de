// SPDX-License-Identifier: Apache-2.0
#pragma once
/* session_log: files of clicks in memory, as whole sessions: all clicks with one session_id are one session, sorted by
 * time (equal times keep the order of the files), nothing split, cut or dropped. For evaluation on recorded data. */
#include "app/log_reading.h"

struct whole_session {
    uint32_t name; /* in session_ids */
    uint32_t length;
    size_t start; /* of its clicks in the arrays */
    size_t last;  /* place of its last click in the time order of all clicks: breaks ties of last_ms */
    int64_t first_ms, last_ms;
};

struct session_log {
    struct interner *session_ids, *item_ids;
    /* Clicks, session by session, in time order within each. */
    uint32_t *items; /* numbers in item_ids */
    int64_t *times_ms;
    uint8_t *types;
    size_t click_count;
    struct whole_session *sessions; /* in the time order of their first clicks */
    size_t session_count;
};

/* LIMIT beyond 2^32 - 2 clicks, sessions or items. {0} may be released. */
MUST_CHECK struct status session_log_read(const char *const *paths, size_t path_count, struct log_reading *reading,
                                          struct session_log *ret_log, struct complaint *complaint);
void session_log_release(struct session_log *log);
