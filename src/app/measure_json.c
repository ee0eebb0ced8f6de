// SPDX-License-Identifier: Apache-2.0
#include "app/measure_json.h"

void json_intervals(struct json_writer *json, const char *key, const struct interval intervals[MEASURE_COUNT])
{
    json_begin_object(json, key);
    for (size_t m = 0; m < MEASURE_COUNT; m++) {
        json_begin_object(json, measures[m].name);
        json_number(json, "value", intervals[m].value);
        json_number(json, "low", intervals[m].low);
        json_number(json, "high", intervals[m].high);
        json_end_object(json);
    }
    json_end_object(json);
}

void json_timeline(struct json_writer *json, const struct timeline *timeline)
{
    json_begin_array(json, "timeline");
    for (size_t i = 0; i < TIMELINE_BUCKETS; i++) {
        const struct timeline_bucket *bucket = &timeline->buckets[i];
        if (bucket->judged == 0)
            continue;
        json_begin_object(json, NULL);
        json_whole_number(json, "from_ms", timeline->start_ms + (int64_t)i * timeline->width_ms);
        json_whole_number(json, "judged", (int64_t)bucket->judged);
        for (size_t m = 0; m < MEASURE_COUNT; m++)
            json_number(json, measures[m].name, bucket->sums[m] / (double)bucket->judged);
        json_end_object(json);
    }
    json_end_array(json);
}
