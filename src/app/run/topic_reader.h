// SPDX-License-Identifier: Apache-2.0
#pragma once
/* topic_reader: the thread that reads the items and sessions topics into the shared knowledge, first to their ends,
 * then on. */
#include "app/config.h"
#include "app/follower.h"
#include "app/topics.h"

struct topic_reader;

struct topic_reader_options {
    const struct config *config; /* outlives the reader, as do the rest */
    const struct kafka_options *kafka;
    const struct topic_counts *counts;
    int64_t wall_ms;
    struct knowledge *knowledge;
    struct metrics *metrics;
    struct schema_source schemas;
    const char *saved; /* file to save the knowledge to, now and then and at the end; "": none */
};

/* Reads the sessions that are younger than config->learn_history_ms at wall_ms, or all. A record whose schema cannot be
 * had now is waited for. */
MUST_CHECK struct status topic_reader_open(const struct topic_reader_options *options, struct topic_reader **ret_reader,
                                           struct complaint *complaint);
void topic_reader_close(struct topic_reader *reader);

/* True once both topics were read to the ends they had. */
bool topic_reader_caught_up(const struct topic_reader *reader);
/* Waits until the sessions published by now have been read, so that a partition's new owner has offered what the old
 * one closed before it offers its own. False when that takes longer than timeout_ms, or until *stop. Another thread. */
bool topic_reader_refresh(struct topic_reader *reader, int timeout_ms, const _Atomic bool *stop);
/* OK, or why it has stopped reading. */
MUST_CHECK struct status topic_reader_failure(const struct topic_reader *reader);
