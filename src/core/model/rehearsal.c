// SPDX-License-Identifier: Apache-2.0
#include "core/model/rehearsal.h"

#include <math.h>
#include <stdlib.h>

/* Samples of the sessions from `from` on, before `to`. */
static uint32_t count_samples(const struct training_sessions *sessions, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t i = from; i < to; i++)
        count += sessions->starts[i + 1] - sessions->starts[i] - 1;
    return count;
}

static uint32_t take_window(const struct rehearsal *rehearsal, uint32_t *clicks)
{
    const struct training_sessions *sessions = rehearsal->sessions;
    uint32_t count = 0;
    for (uint32_t i = rehearsal->window; i < sessions->count; i++)
        for (uint32_t click = sessions->starts[i] + 1; click < sessions->starts[i + 1]; click++)
            clicks[count++] = click;
    return count;
}

/* How much a sample of an older session counts. Ages are from the newest of them, so that the newest counts 1. */
static double weight_of(const struct rehearsal *rehearsal, uint32_t session)
{
    int64_t newest_ms = rehearsal->times_ms[rehearsal->window - 1];
    double age_ms = (double)(newest_ms - rehearsal->times_ms[session]);
    return rehearsal->half_life_ms > 0 ? exp2(-fmax(age_ms, 0) / (double)rehearsal->half_life_ms) : 1;
}

/* Draws with equal steps through all weights (systematic sampling): in proportion to them, with the least variance.
 * Returns how many, at most `wanted`. */
static uint32_t draw_older(const struct rehearsal *rehearsal, uint32_t wanted, struct random *random, uint32_t *clicks)
{
    const uint32_t *starts = rehearsal->sessions->starts;
    uint32_t count = 0;
    double total = 0, passed = 0;
    for (uint32_t i = 0; i < rehearsal->window; i++)
        total += (starts[i + 1] - starts[i] - 1) * weight_of(rehearsal, i);
    double step = total / wanted, next = random_unit(random) * step;
    for (uint32_t i = 0; i < rehearsal->window && count < wanted; i++) {
        uint32_t samples = starts[i + 1] - starts[i] - 1;
        double weight = weight_of(rehearsal, i);
        for (; next < passed + samples * weight && count < wanted; next += step) {
            uint32_t sample = (uint32_t)((next - passed) / weight);
            clicks[count++] = starts[i] + 1 + (sample < samples ? sample : samples - 1);
        }
        passed += samples * weight;
    }
    return count;
}

struct status rehearsal_choose(const struct rehearsal *rehearsal, struct random *random, uint32_t **ret_clicks,
                               uint32_t *ret_count)
{
    uint32_t fresh = count_samples(rehearsal->sessions, rehearsal->window, rehearsal->sessions->count);
    uint32_t older = count_samples(rehearsal->sessions, 0, rehearsal->window), count = 0;
    double wanted = (double)rehearsal->replay * fresh, pass_max = (double)rehearsal->samples_max / rehearsal->passes;
    if (rehearsal->samples_max > 0 && wanted > pass_max - fresh)
        wanted = pass_max > fresh ? pass_max - fresh : 0;
    uint32_t again = wanted < older ? (uint32_t)wanted : older;
    uint64_t most = (uint64_t)rehearsal->passes * ((uint64_t)fresh + again);
    if (most >= UINT32_MAX)
        return FAIL(LIMIT, rehearsal->passes, "an update has too many samples");
    uint32_t *clicks = malloc((most + 1) * sizeof *clicks);
    if (!clicks)
        return FAIL(MEMORY, (int64_t)most, "no memory for an update's samples");
    for (uint32_t pass = 0; pass < rehearsal->passes; pass++) {
        count += take_window(rehearsal, clicks + count);
        if (again > 0)
            count += draw_older(rehearsal, again, random, clicks + count);
    }
    *ret_clicks = clicks;
    *ret_count = count;
    return OK;
}
