// SPDX-License-Identifier: Apache-2.0
#pragma once
/* rehearsal: which samples an update learns from: all of the window's, and some of the older ones again. */
#include <eddy/base/random.h>
#include <eddy/core/trainer.h>

/* Sessions in the order of time: those before `window` are older, those from it on are the window. */
struct rehearsal {
    const struct training_sessions *sessions;
    const int64_t *times_ms; /* (sessions->count) */
    uint32_t window;
    uint32_t passes;      /* so often is all of the window in, each time with other older samples */
    float replay;         /* older samples for each of the window's; at most as many as there are */
    uint32_t samples_max; /* older ones are so few that all together are no more; 0: no limit */
    int64_t half_life_ms; /* 0: all are drawn alike */
};

/* (*ret_count) clicks that are the caller's to free. MEMORY; LIMIT: they are too many to count. */
MUST_CHECK struct status rehearsal_choose(const struct rehearsal *rehearsal, struct random *random,
                                          uint32_t **ret_clicks, uint32_t *ret_count);
