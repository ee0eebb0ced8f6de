// SPDX-License-Identifier: Apache-2.0
#pragma once
/* answer: what a language model said about some sessions, as far as it can be used.
 *
 *   {"sessions": [{"id": 1, "long":  {"intent": "...", "items": ["title", ...]},
 *                           "short": {"intent": "...", "items": ["title", ...]},
 *                           "order": [3, 1, 2]}, ...]}
 *
 * Nothing of it is believed: sessions are found by their id, one that is not there, is there twice or has no view of
 * the right form has no answer, whatever the others have; texts are cut and lose their controls, superfluous items and
 * members are dropped. `order` is of an agent's answer: numbers of the shortlist, best first, each at most once; what
 * it names beyond the shortlist is dropped. */
#include <eddy/base/arena.h>
#include <eddy/core/prompt.h>

#define ANSWER_TEXT_MAX  240 /* bytes of an intent */
#define ANSWER_ITEMS_MAX 16  /* titles of a view */
#define ANSWER_TITLE_MAX 240 /* bytes */

enum answer_view { VIEW_LONG, VIEW_SHORT, VIEW_COUNT };

const char *answer_view_text(enum answer_view view); /* "long", "short" */

#define ANSWER_FAULTS(X)                                                                                               \
    X(NONE, "none")                                                                                                    \
    X(NOT_JSON, "not_json")       /* no JSON text, or none that ends */                                                \
    X(NO_SESSIONS, "no_sessions") /* no list of sessions in it */                                                      \
    X(MISSING, "missing")         /* not about this session */                                                         \
    X(TWICE, "twice")             /* two answers about it */                                                           \
    X(NO_VIEW, "no_view") /* neither an intent nor an item in either view, and no order where one was asked for */

enum answer_fault {
#define X(name, text) ANSWER_##name,
    ANSWER_FAULTS(X)
#undef X
        ANSWER_FAULT_COUNT
};

const char *answer_fault_text(enum answer_fault fault);

struct answered_view {
    struct bytes intent; /* empty: none */
    const struct bytes *titles;
    uint32_t title_count;
};

struct answered_session {
    enum answer_fault fault; /* ANSWER_NONE: there is an answer */
    struct answered_view views[VIEW_COUNT];
    const uint32_t *order; /* places of the shortlist, from 0 */
    uint32_t order_count;
};

/* Reads a JSON text about sessions with the ids 1 .. count. shortlists: (count) their lengths; NULL: nothing was to be
 * ranked. ret_sessions: (count), in `arena`. Survives any bytes; the only failure is MEMORY. */
MUST_CHECK struct status answer_read(struct bytes json, uint32_t count, const uint32_t *shortlists, struct arena *arena,
                                     struct answered_session *ret_sessions);

/* The form of it as a JSON schema, for servers that hold a model to one; strict as OpenAI's structured outputs are. */
const char *answer_schema(enum prompt_kind kind);
