// SPDX-License-Identifier: Apache-2.0
#pragma once
/* judge: prequential evaluation. Each next click of a session judges the list that was recommended before it:
 *
 *   recommendation -> judge_answer: [rank of its click in the session's last list] -> its own list is kept
 *   session closed -> judge_forget
 *
 * The last list of a session that ends is judged by nothing, and so is the first click of a session (position 1). A
 * session is known by the 64-bit hash of its id. Memory: about 16 bytes a session and 4 per place of its list; at
 * `sessions_max` new sessions are not judged, and counted. Not thread-safe. */
#include <eddy/core/recommendation.h>

struct judge_options {
    uint32_t places;       /* first places of a list that are kept, 1..1000 */
    uint32_t sessions_max; /* followed at once */
};

struct judge;

MUST_CHECK struct status judge_open(const struct judge_options *options, struct judge **ret_judge);
void judge_close(struct judge *judge);

/* *ret_judged: there was a list to judge; then *ret_rank is the place of the recommendation's click in it from 1, or
 * 0 when it was not there. MEMORY leaves the judge unchanged. */
MUST_CHECK struct status judge_answer(struct judge *judge, const struct recommendation *recommendation,
                                      bool *ret_judged, uint32_t *ret_rank);
void judge_forget(struct judge *judge, struct bytes session_id);

uint64_t judge_refused(const struct judge *judge); /* answers not followed because of sessions_max */
uint32_t judge_sessions(const struct judge *judge);
