// SPDX-License-Identifier: Apache-2.0
#pragma once
/* load: clicks of a synthetic shop into a trial's clicks topic, at a steady rate. */
#include "bench/trial.h"

#include <eddy/core/generate.h>
#include <stdatomic.h>

/* The generator's next `count` clicks, `rate` of them a second. The event time of the i-th is base_ms + i, and
 * sent_us[i] when it was sent. Returns when all are in the topic. */
void load_send(const struct trial *trial, struct generator *generator, int rate, int64_t base_ms, int64_t count,
               _Atomic int64_t *sent_us);
