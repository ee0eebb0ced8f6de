// SPDX-License-Identifier: Apache-2.0
#pragma once
/* topic_check: the topics as a process finds them when it starts: all there and as they must be, and one line of the
 * log for each setting that costs something later and is no reason not to run. */
#include "app/topics.h"

/* Brokers hear one after the other of topics that were made right before, so it looks several times, unless *stop.
 * UNAVAILABLE, and as topics_check(). */
MUST_CHECK struct status topic_check(const struct config *config, const struct kafka_options *kafka,
                                     const _Atomic bool *stop, struct topic_counts *ret_counts,
                                     struct complaint *complaint);
