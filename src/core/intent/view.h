// SPDX-License-Identifier: Apache-2.0
#pragma once
/* view: one view of an answer, out of JSON values. */
#include <eddy/core/answer.h>

#include <jansson.h>

/* Adds what is of the right form to *view, which is {0}: lines without controls, as long as answers may be, in `arena`.
 * NULL is nothing. MEMORY. */
MUST_CHECK struct status view_read(const json_t *intent, const json_t *titles, struct arena *arena,
                                   struct answered_view *view);

bool views_say_something(const struct answered_session *session);
