// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as stored sessions: as they are, and with a right checksum, so that the fuzzer gets behind it. What
 * is accepted must be written and read again as the same. Input: records, each after its size in two bytes. */
#include "support/restore.h"

#include <eddy/core/catalogue.h>
#include <eddy/core/session.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(struct status status)
{
    if (failed(status))
        abort();
}

static void must_come_back(struct session_table *table, uint32_t session, const struct session_options *options,
                           struct catalogue *catalogue)
{
    AUTO(buffer) first = {0};
    AUTO(buffer) second = {0};
    struct session_table *other;
    must(session_table_open(options, &other));
    session_encode(table, session, catalogue, &first);
    must(restore_session(other, 1, buffer_bytes(&first), catalogue));
    session_encode(other, 0, catalogue, &second);
    if (!bytes_equal(buffer_bytes(&first), buffer_bytes(&second)))
        abort();
    session_table_close(other);
}

static void seal(struct buffer *buffer, struct bytes body)
{
    buffer_append_bytes(buffer, body);
    uint32_t sum = (uint32_t)bytes_hash(body);
    for (int i = 0; i < 4; i++)
        buffer_append_byte(buffer, (uint8_t)(sum >> 8 * i));
}

static void restore_all(struct bytes input, const struct session_options *options, struct catalogue *catalogue,
                        struct session_table *table)
{
    uint64_t number = 0;
    for (size_t at = 0; at + 2 <= input.size;) {
        size_t size = input.data[at] + 256u * input.data[at + 1];
        at += 2;
        size = size < input.size - at ? size : input.size - at;
        struct bytes record = bytes_of(input.data + at, size);
        at += size;
        AUTO(buffer) sealed = {0};
        seal(&sealed, record);
        struct status as_it_is = restore_session(table, number++, record, catalogue);
        (void)as_it_is; /* almost never OK: the fuzzer cannot guess a checksum */
        if (!failed(restore_session(table, number++, buffer_bytes(&sealed), catalogue)))
            must_come_back(table, session_table_count(table) - 1, options, catalogue);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct session_options options = {.gap_ms = 1000,
                                      .grace_ms = 100,
                                      .max_duration_ms = 100000,
                                      .clicks_max = data[0] % 8 + 2,
                                      .open_max = 8,
                                      .by_user = data[0] & 0x80};
    struct catalogue_options limits = {64, 1 << 20, 16};
    struct catalogue *catalogue;
    struct session_table *table;
    AUTO(arena) arena = {0};
    must(catalogue_open(&limits, &catalogue));
    must(session_table_open(&options, &table));
    restore_all(bytes_of(data + 1, size - 1), &options, catalogue, table);
    struct click click = {.session_id = BYTES("k"), .user_id = BYTES("u"), .time_ms = data[0] * 100};
    struct closed_list closed = {0};
    struct session_outcome outcome;
    must(session_apply(table, &click, 0, INT64_MIN, &arena, &closed, &outcome));
    must(session_expire(table, &(int64_t){INT64_MAX}, 0, &arena, &closed));
    if (session_table_count(table))
        abort();
    session_table_close(table);
    catalogue_close(catalogue);
    return 0;
}
