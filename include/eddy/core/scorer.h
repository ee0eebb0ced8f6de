// SPDX-License-Identifier: Apache-2.0
#pragma once
/* scorer: turns an open session into candidates. A scorer reads the learned state (const, shared) and writes into the
 * shard's scratch, which holds dense arrays over the learned items so that no click allocates once they have grown.
 *
 *   knn         past sessions like this one vote for their items
 *   transition  what follows (and precedes) the last items
 *   walk        a second step: what follows the best candidates found so far
 *   popular     what is clicked most now
 *   repeat      whether the current or an earlier item of the session comes again, learned from the stream
 *   neural      what a session model expects (neural.h)
 *   semantic    what is like the session's titles, or like what it is after, by its text
 *   agent       what a language model expects
 *
 * Each scorer gives masses >= 0 to items; fusion (fusion.h) calibrates and mixes them. All arithmetic is float or
 * double in a fixed order, without the C library's transcendental functions: equal on every machine. */
#include <eddy/core/learned.h>
#include <eddy/core/recommendation.h>

struct scored_item {
    uint32_t item; /* catalogue number */
    float score;
};

/* Who names items beside the scorers on the learned state, which need not have met them. */
enum namer {
    NAMER_NEURAL,   /* a session model (neural.h): probabilities among all its items */
    NAMER_SEMANTIC, /* texts: of the session's titles and of its intent (semantic.h) */
    NAMER_AGENT,    /* a language model: items that it expects next */
    NAMER_COUNT
};

/* Probabilities, that sum to 1 or to what the namer has not left for items it does not name; each item once. */
struct named {
    const struct scored_item *items;
    uint32_t count; /* 0: it says nothing */
};

/* What a session model (neural.h) makes of a session, to score candidates with. */
struct neural;
struct session_vector {
    const struct neural *model; /* NULL: nothing */
    const float *values;
};

/* The session asked about: what is known of it up to and with the click to answer. Arrays oldest first. */
struct query {
    const uint32_t *items;   /* catalogue numbers */
    const int64_t *times_ms; /* NULL: as if all at now_ms */
    const uint8_t *types;    /* NULL: CLICK_TYPE_CLICK */
    uint32_t length;         /* >= 1 */
    int64_t now_ms;          /* event time of the click */
    struct named named[NAMER_COUNT];
    /* In place of what a session model names, where all items are too many: what the others propose, and the session's
     * items, are scored instead, and have their probabilities among each other. */
    struct session_vector vector;
};

enum knn_formula {
    KNN_EDDY, /* the formula below */
    KNN_VMIS, /* VMIS-kNN as Serenade has it: linear position and match weights, items by idf; for comparison */
};

/* The sample_max newest sessions that share one of the query's last query_items_max distinct items are compared, the
 * neighbours_max most similar vote:
 *   similarity(n)  = sum over shared items j of exp(-rank_j / query_decay) * idf_j^query_idf_power * type weight of j
 *                    * exp(-age / recency_sessions) * exp(-age_ms / recency_ms) * exp(-rank_first / match_decay)
 *   mass(i)        = (sum over n of similarity(n)^similarity_power * offset(position of i - position of the match)
 *                    * type weight of the click on i, * frequency_i^-frequency_power) ^ sharpness, then normalised
 *   offset(d)      = exp(-(d - 1) / forward_decay), d > 0; backward_weight * exp((d + 1) / backward_decay), d < 0;
 *                    self_weight, d = 0; votes of less than 1/10,000 of the strongest offset are not cast
 * rank counts distinct items back from the current one (0); rank_first and the match are of the latest item shared;
 * ages are in sessions learned since and in event time; frequency_i counts the sessions held that have i. */
struct knn_options {
    enum knn_formula formula;
    uint32_t sample_max;      /* m */
    uint32_t neighbours_max;  /* k */
    uint32_t query_items_max; /* KNN_VMIS: clicks */
    float query_decay;
    float query_idf_power;
    float match_decay;
    float recency_sessions; /* 0: none */
    int64_t recency_ms;     /* 0: none */
    float similarity_power;
    float forward_decay, backward_decay, backward_weight, self_weight;
    float frequency_power;
    float sharpness;
};

/* mass(i) = sum over the last query_items_max distinct items j of exp(-rank_j / query_decay) * rule(j -> i), rules of
 * an item normalised to 1, backward ones weighed by backward_weight. */
struct transition_options {
    uint32_t query_items_max;
    float query_decay;
    float backward_weight;
};

/* The starts_max best new candidates c spread score(c) * rule(c -> i) over their strongest rules,
 * scores being what kNN and transition say together. */
#define WALK_STARTS_MAX 64

struct walk_options {
    uint32_t starts_max; /* up to WALK_STARTS_MAX */
    uint32_t rules_max;
    float backward_weight;
};

/* P(next = item j of the session) = scale * learned^(1 - evidence_power) * (knn's share of j)^evidence_power. */
struct repeat_options {
    float evidence_power;
    float scale;
    float current_prior, earlier_prior; /* clicks' worth of trust in the average item, against the item's own record */
};

#define QUERY_ITEMS_MAX 32 /* distinct last items of a session that scorers look at */

struct scoring_scratch;

/* Grows by itself with the learned state; `*ret_scratch` belongs to one thread. */
MUST_CHECK struct status scoring_scratch_open(struct scoring_scratch **ret_scratch);
void scoring_scratch_close(struct scoring_scratch *scratch);
size_t scoring_scratch_memory(const struct scoring_scratch *scratch);

/* The kNN scorer alone: its `capacity` best items, the current one left out, raw scores. For benchmarks and tests. */
MUST_CHECK struct status knn_alone(const struct learned *learned, const struct query *query,
                                   const struct knn_options *options, struct scoring_scratch *scratch,
                                   struct scored_item *ret_items, uint32_t capacity, uint32_t *ret_count);
/* The neighbours of the last question, unordered: places among the sessions held in the index, 0 = the oldest. They
 * live until the scratch is used again. */
const uint32_t *knn_neighbours(const struct scoring_scratch *scratch, uint32_t *ret_count);
