// SPDX-License-Identifier: Apache-2.0
#pragma once
/* measure_json: how the reports write what several of them have. */
#include "app/json_writer.h"
#include "app/timeline.h"

/* An object: by measure value, low and high. */
void json_intervals(struct json_writer *json, const char *key, const struct interval intervals[MEASURE_COUNT]);
/* An array: the buckets in which something was judged. */
void json_timeline(struct json_writer *json, const struct timeline *timeline);
