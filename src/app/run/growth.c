// SPDX-License-Identifier: Apache-2.0
#include "app/run/growth.h"

#include "app/log.h"

#define TIMEOUT_MS        5000
#define CLICKS_TIMEOUT_MS 1000 /* partitions that were just taken up wait for it */

/* The partitions that the clicks topic has; `least` when that is not told, or were fewer. */
static int32_t count_clicks(const struct growth *growth, int32_t least)
{
    int32_t count;
    struct status status = kafka_consumer_count_partitions(growth->consumer, CLICKS_TIMEOUT_MS, &count);
    return failed(status) || count < least ? least : count;
}

static void warn(const struct growth *growth, int32_t clicks)
{
    struct topic_counts now = *growth->counts;
    struct complaint why = {0};
    now.partitions[TOPIC_CLICKS] = count_clicks(growth, clicks);
    if (failed(topics_check(growth->config, &now, &why)))
        log_always(LOG_WARN, "clicks_have_grown", "reason=%s note=%s", why.text,
                   "until that is done and eddy started again, late clicks of new partitions go to those there are");
}

void growth_mind_late_clicks(const struct growth *growth, const struct assignment *assignments, size_t count)
{
    int32_t *known = &growth->counts->partitions[TOPIC_LATE_CLICKS];
    int32_t clicks = 0;
    for (size_t i = 0; i < count; i++)
        if (assignments[i].partition >= clicks)
            clicks = assignments[i].partition + 1;
    if (clicks <= *known)
        return;
    int32_t count_now; /* as before when it cannot be asked */
    if (!failed(lanes_count_partitions(growth->lanes, OUTPUT_LATE_CLICKS, TIMEOUT_MS, &count_now)))
        *known = count_now;
    if (clicks > *known)
        warn(growth, clicks);
}

void growth_mind_sessions(const struct growth *growth)
{
    int32_t before = growth->counts->partitions[TOPIC_CLICKS], now = count_clicks(growth, before);
    if (now == before)
        return;
    int64_t moved = lanes_sessions_moved(growth->lanes, before, now);
    growth->counts->partitions[TOPIC_CLICKS] = now;
    metric_add(growth->metrics, METRIC_SESSIONS_MOVED, moved);
    log_always(LOG_WARN, "partitions_added", "partitions_before=%d partitions=%d sessions_moved=%lld note=%s", before,
               now, (long long)moved,
               "keys hash anew: the visitors of those sessions begin new ones in other partitions");
}
