// SPDX-License-Identifier: Apache-2.0
#pragma once
/* intent: what a language model said of a session, as items of the catalogue that the fusion mixes.
 *
 *   answer (answer.h) -> localize_answers -> per view: items near to the text, items that the titles mean
 *                                              |
 *   session's titles -> semantic_ask -> named[SEMANTIC] <- share of the text
 *                                       named[AGENT]    <- the titles, by rank
 *
 * Nothing that a model says gets further than this but as an item of the catalogue. An intent is of a moment: which one
 * a session has is for who keeps it. */
#include <eddy/core/answer.h>
#include <eddy/core/embedder.h>
#include <eddy/core/semantic.h>

struct localized_view {
    const struct scored_item *near; /* to the intent's text, best first; weights sum to 1 */
    uint32_t near_count;
    const struct scored_item *named; /* what the titles mean, best first, each once; 1 for one that has the title, else
                                        how near it is */
    uint32_t named_count;
};

struct localized_intent {
    struct localized_view views[VIEW_COUNT];
};

struct localized_titles { /* how many of those named were */
    uint32_t counts[LOCALIZED_REJECTED + 1];
};

/* The answers in items of the catalogue, in `arena`; an answer with a fault comes to nothing. `embedder` makes vectors
 * as those of the titles are: it is asked once, for all the intents, and titles that no item has. ret_intents:
 * (count). Adds to *titles. MEMORY; what the embedder fails with. */
MUST_CHECK struct status localize_answers(const struct semantic *semantic, const struct embedder *embedder,
                                          const struct answered_session *answers, uint32_t count,
                                          const struct localize_options *options, struct arena *arena,
                                          struct localized_intent *ret_intents, struct localized_titles *titles,
                                          struct complaint *complaint);

struct intent_options {
    float short_share; /* 0..1: what the short view counts against the long one */
    float rank_decay;  /* > 0..1: each title that is named counts so much of the one before */
    float text_share;  /* 0..1: of named[NAMER_SEMANTIC], where the session's titles have something to say, too */
};

/* Sets named[NAMER_AGENT] of the query, and mixes what the texts come to into its named[NAMER_SEMANTIC], which
 * semantic_ask() has set. In `arena`. MEMORY. */
MUST_CHECK struct status intent_say(const struct localized_intent *intent, const struct intent_options *options,
                                    struct arena *arena, struct query *query);
