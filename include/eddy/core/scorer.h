// SPDX-License-Identifier: Apache-2.0
#pragma once
/* scorer: turns an open session into candidates. A scorer reads the learned state (const, shared) and writes into the
 * shard's scratch, which holds dense arrays over the catalogue so that no click allocates.
 *
 * Each scorer gives a sub-probability over items: candidates' masses are >= 0 and sum to at most 1; what is missing
 * to 1 is what the scorer does not know. Fusion mixes these masses. */
#include <eddy/core/learned.h>
#include <eddy/core/recommendation.h>

/* The session asked about: what is known of it up to and with the click to answer. Arrays oldest first. */
struct query {
    const uint32_t *items;
    const int64_t *times_ms;
    const uint8_t *types;
    uint32_t length; /* >= 1 */
    int64_t now_ms;  /* event time of the click */
};

struct candidates { /* one scorer's answer; arrays live in the scratch until its next use */
    uint32_t *items;
    float *masses;
    uint32_t *evidence; /* scorer's own: knn = sessions that had it; transition = the item it follows */
    uint32_t count;
};

struct scoring_scratch;

/* Grows by itself with the learned state; `*ret_scratch` belongs to one thread. */
MUST_CHECK struct status scoring_scratch_open(struct scoring_scratch **ret_scratch);
void scoring_scratch_close(struct scoring_scratch *scratch);

struct knn_options {
    uint32_t sample_max;      /* m: newest sessions that share an item with the query */
    uint32_t neighbours_max;  /* k: of those, the most similar */
    uint32_t query_items_max; /* last distinct items of the session that are looked up */
};

/* A row per scorer; adding one is a file, a row here and one in SCORERS. */
struct scorer {
    const char *name;
    struct status (*score)(const struct learned *learned, const struct query *query, const void *options,
                           struct scoring_scratch *scratch, struct candidates *ret_candidates);
};
