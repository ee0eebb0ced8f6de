// SPDX-License-Identifier: Apache-2.0
#pragma once
/* fusion: one ranked list from what the scorers say, as a mix of probabilities.
 *
 *   P(i in the session) = repeat(i), shifted in all as was learned
 *   P(i new)            = (1 - sum of repeats) * sum over s of w_s P_s(i)
 * where s is knn, transition, walk, neural, popular, semantic and agent, P_s what the scorer says normalised over the
 * items not in the session, and w_s the learned weights of its case (mixing.h). Scores are these probabilities, so
 * those of a list sum to at most 1; an item's shares say which scorers its score came from. Filters apply while the
 * list is taken from the top; ties go to the item learned first. When the scorers leave the list short it is filled
 * with the most popular items. An item that nothing was learned about, that no namer names and that is not in the
 * session is never listed: a list may be short, or empty, and does not depend on the order in which the catalogue was
 * read. */
#include <eddy/core/scorer.h>

#define LIST_SIZE_MAX 1000

enum seen_policy {
    SEEN_LEARNED, /* items of the session compete like all others, at the learned repeat probability (default) */
    SEEN_EXCLUDE, /* never recommended */
};

struct fusion_filters {
    enum seen_policy seen;
    bool available_only; /* leave out items the catalogue says are unavailable */
    bool catalogue_only; /* leave out items known from clicks alone */
    const struct bytes *categories_excluded;
    uint32_t category_count;
    uint32_t per_category_max; /* of one category path in a list; 0 = no limit */
};

struct fusion_options {
    uint32_t list_size; /* K, 1..LIST_SIZE_MAX */
    struct knn_options knn;
    struct transition_options transition;
    struct walk_options walk;
    struct repeat_options repeat;
    struct fusion_filters filters;
};

struct fusion_options fusion_options_default(void);

/* Recommends for `query`; *ret_items has room for list_size. MEMORY when the scratch cannot grow. */
MUST_CHECK struct status fuse(const struct learned *learned, const struct catalogue *catalogue,
                              const struct query *query, const struct fusion_options *options,
                              struct scoring_scratch *scratch, struct recommended_item *ret_items, uint32_t *ret_count);

/* Teaches learned->mixer that the session of `query` went on with `item`. The filters are not asked. MEMORY leaves it
 * as it was. */
MUST_CHECK struct status fuse_learn(struct learned *learned, const struct query *query, uint32_t item,
                                    const struct fusion_options *options, struct scoring_scratch *scratch);
