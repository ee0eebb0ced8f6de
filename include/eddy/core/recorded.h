// SPDX-License-Identifier: Apache-2.0
#pragma once
/* recorded: an answer of a language model that somebody wrote down, one JSON object a line:
 *
 *   {"session_id": "...", "position": 3, "long": "...", "long_next": ["title", ...], "short": "...",
 *    "short_next": ["title", ...]}
 *
 * position: clicks of the session that the model was told of, from 1. Both views and their parts may be missing; other
 * members are ignored. A line with session_id and position alone names a prefix. */
#include <eddy/core/answer.h>

struct recorded_answer {
    struct bytes session_id;
    uint32_t position;
    struct answered_session answer; /* ANSWER_NO_VIEW: neither view says anything */
};

/* In `arena`; texts are cut as those of answers are. BAD_INPUT with a complaint that names the member; MEMORY. Survives
 * any bytes. */
MUST_CHECK struct status recorded_answer_read(struct bytes line, struct arena *arena,
                                              struct recorded_answer *ret_answer, struct complaint *complaint);
