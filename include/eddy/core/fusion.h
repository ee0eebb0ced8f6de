// SPDX-License-Identifier: Apache-2.0
#pragma once
/* fusion: one ranked list from what the scorers say, as a mix of probabilities.
 *
 *   P(i in the session) = repeat(i)
 *   P(i new)            = (1 - sum of repeats) * ((1 - t) * knn~(i) + t * transition~(i)) + walk(i),
 *                         plus w/(1 - w) * neural~(i) times the sum of the above over all i,
 *                         plus popular_weight * popularity(i)
 * where ~ is normalised over the items not in the session, and t = transition_weights and w = neural_weights by the
 * number of distinct items; without a session model w = 0.
 * Scores are these divided by their sum over all items, so those of a list sum to at most 1; an item's shares say which
 * scorers its score came from. Filters apply while the list is taken from the top; ties go to the item learned
 * first. When the scorers leave the list short it is filled with the most popular items. An item that nothing was
 * learned about and that is not in the session is never listed: a list may be short, or empty, and does not depend on
 * the order in which the catalogue was read. */
#include <eddy/core/scorer.h>

#define LENGTH_BUCKETS 4 /* distinct items in the session: 1, 2, 3..4, 5 and more */
#define LIST_SIZE_MAX  1000

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
    float transition_weights[LENGTH_BUCKETS];
    float neural_weights[LENGTH_BUCKETS]; /* [0, 1): of what is left for new items */
    float popular_weight;
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
