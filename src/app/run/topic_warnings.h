// SPDX-License-Identifier: Apache-2.0
#pragma once
/* topic_warnings: one line of the log for each setting of a topic that costs something later and is no reason not to
 * run. Reading settings is a permission of its own: without it, or without an answer, there is nothing but a debug
 * line. */
#include "app/topics.h"

void topic_warnings(const struct config *config, struct kafka_admin *admin, int timeout_ms);

/* The partitions that the clicks topic has; `least` when that cannot be asked, or were fewer. */
int32_t topic_count_clicks(const struct config *config, const struct kafka_options *kafka, int32_t least,
                           int timeout_ms);
/* That the clicks topic has grown to more partitions, at least `clicks`, than counts says of the late clicks. */
void topic_warn_growth(const struct config *config, const struct kafka_options *kafka,
                       const struct topic_counts *counts, int32_t clicks, int timeout_ms);
