// SPDX-License-Identifier: Apache-2.0
#pragma once
/* topic_writer: clicks and items into their topics, as a shop would send them: keyed by what sessions are kept by and
 * by item_id, in the formats of the configuration, stamped with the time of writing. For one thread. */
#include "app/config.h"

#include <eddy/io/kafka.h>

#define TOPIC_WRITER_PATIENCE_MS 30000

struct topic_writer;

/* `config` must outlive the writer. */
MUST_CHECK struct status topic_writer_open(const struct config *config, const struct kafka_options *kafka,
                                           struct topic_writer **ret_writer, struct complaint *complaint);
/* Drops what was not flushed. */
void topic_writer_close(struct topic_writer *writer);

/* When the producer's queue is full they wait until all of it is acknowledged, and fail with UNAVAILABLE when that
 * takes longer than TOPIC_WRITER_PATIENCE_MS. BAD_INPUT for a click without the key. */
MUST_CHECK struct status topic_writer_click(struct topic_writer *writer, const struct click *click);
MUST_CHECK struct status topic_writer_item(struct topic_writer *writer, const struct item *item);
/* Waits until everything is acknowledged, as long as above. */
MUST_CHECK struct status topic_writer_flush(struct topic_writer *writer);
