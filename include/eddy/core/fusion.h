// SPDX-License-Identifier: Apache-2.0
#pragma once
/* fusion: mixes the scorers' masses into one ranked list.
 *   score(i) = sum over scorers s of w[s][bucket of the session's length] * mass_s(i)
 * then filters, then the top K. Ties go to the lower catalogue number. */
#include <eddy/core/scorer.h>

#define LENGTH_BUCKETS 4 /* session length 1, 2, 3..5, 6 and more */

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
    uint32_t list_size; /* K, 1..1000 */
    float weights[SCORER_COUNT][LENGTH_BUCKETS];
    struct knn_options knn;
    struct fusion_filters filters;
};

/* Recommends for `query`; *ret_items has room for list_size. */
MUST_CHECK struct status fuse(const struct learned *learned, const struct catalogue *catalogue,
                              const struct query *query, const struct fusion_options *options,
                              struct scoring_scratch *scratch, struct recommended_item *ret_items, uint32_t *ret_count);
