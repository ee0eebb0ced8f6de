// SPDX-License-Identifier: Apache-2.0
#pragma once
/* topic_warnings: one line of the log for each setting of a topic that costs something later and is no reason not to
 * run. Reading settings is a permission of its own: without it, or without an answer, there is nothing but a debug
 * line. */
#include "app/topics.h"

void topic_warnings(const struct config *config, struct kafka_admin *admin, int timeout_ms);
