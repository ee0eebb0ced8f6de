// SPDX-License-Identifier: Apache-2.0
#pragma once
/* record: a session's stored record as it is read; record.c has the layout. */
#include "core/session/table.h"

/* Reads on from `rest`; after a failure `bad` is set and everything read is 0 or empty. */
struct reader {
    struct bytes rest;
    bool bad;
};

struct record {
    bool by_user, with_ids;
    struct bytes key, user_id;
    int64_t opened_ms, first, last; /* first and last click ever, less opened_ms */
    uint64_t total, length;
    int64_t kept_from; /* first click kept, less opened_ms */
    struct bytes clicks;
};

struct record_click {
    int64_t time; /* less opened_ms */
    uint8_t type;
    struct bytes item_id;
    uint64_t id_hash;
};

/* CORRUPT, NEWER: see session_batch_add(). All of the record has been checked then. Bytes are borrowed. */
MUST_CHECK struct status record_open(struct bytes bytes, struct record *ret_record);
/* The next of record->clicks; `time` is that of the click before, kept_from for the first. */
struct record_click record_click(struct reader *reader, int64_t time, bool with_ids);
