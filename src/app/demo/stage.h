// SPDX-License-Identifier: Apache-2.0
#pragma once
/* stage: the embedded broker, and `eddy run` on it in a thread: what the demo plays on. Nothing of it outlives the
 * process; any Kafka client of this machine can join in. */
#include "app/arguments.h"
#include "app/config.h"

#include <eddy/base/metrics.h>
#include <eddy/io/kafka.h>

struct stage;

/* Starts the broker with its topics. `settings` ("key=value") go over the stage's own. EXIT_OK, or the exit code with a
 * complaint, unless it has been printed (a bad setting). */
int stage_open(const struct argument_list *settings, struct stage **ret_stage, struct complaint *complaint);
/* Starts eddy; the items topic should be filled by now. */
MUST_CHECK struct status stage_start(struct stage *stage, struct complaint *complaint);
/* Stops eddy and the broker; NULL is fine. */
void stage_close(struct stage *stage);

const struct config *stage_config(const struct stage *stage);
const struct kafka_options *stage_kafka(const struct stage *stage);
/* Of the running eddy. */
const struct metrics *stage_metrics(const struct stage *stage);
/* OK, or why eddy has stopped by itself. */
MUST_CHECK struct status stage_failure(const struct stage *stage, struct complaint *complaint);
