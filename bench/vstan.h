// SPDX-License-Identifier: Apache-2.0
#pragma once
/* vstan: a peer to compare eddy with. VSTAN (Ludewig, Mauro, Latifi, Jannach: "Empirical Analysis of Session-Based
 * Recommendation Algorithms", UMUAI 2020), as the authors' public implementation computes it.
 *
 * The current session is x_1 .. x_L. Its distinct items have the weight of their last position,
 *   w(x) = exp((position - L) / position_decay).
 * Candidates are the training sessions that share an item with it, of these the sample_max with the newest last click:
 *   similarity(s) = sum of w over the shared items / (sqrt(sum of w^2) * sqrt(distinct items of s))
 *                   * exp(-(now - last click of s) / recency_decay)
 * The neighbours_max most similar vote. With p(i) the last position of i in s, and p* the largest p of a shared item:
 *   score(i) += similarity(s) * exp(-|p(i) - p*| / distance_decay) * (1 + idf_weight * ln(sessions / clicks of i))
 *               * exp((last position of a shared item in the current session - L) / match_decay)
 * Items of the current session stay in. Ties among sessions, which are open there, go to the newer one.
 *
 * Trained once, then asked; one thread. Nothing is allocated by a question. Memory: about 16 bytes a click of training
 * and 40 bytes an item and a session. */
#include <eddy/base/status.h>
#include <eddy/core/scorer.h>

struct vstan_options {
    uint32_t neighbours_max; /* k */
    uint32_t sample_max;     /* sample_size */
    double position_decay;   /* lambda_spw */
    double recency_days;     /* lambda_snh */
    double distance_decay;   /* lambda_inh */
    double match_decay;      /* lambda_ipw */
    double idf_weight;       /* lambda_idf */
};

struct vstan_session {
    const uint32_t *items; /* below item_count */
    uint32_t length;       /* >= 1 */
    int64_t last_ms;
};

struct vstan_training {
    const struct vstan_session *sessions; /* in the order of their last clicks */
    uint32_t session_count;
    uint32_t item_count;
};

struct vstan;

/* Copies what it needs. MEMORY. */
MUST_CHECK struct status vstan_open(const struct vstan_options *options, const struct vstan_training *training,
                                    struct vstan **ret_vstan);
void vstan_close(struct vstan *vstan);
size_t vstan_memory(const struct vstan *vstan);

/* The best `list_size` items with their scores, ties in the order of item numbers; fewer when fewer were scored. Of a
 * recommended_item only item and score are set. */
void vstan_recommend(struct vstan *vstan, const struct query *query, uint32_t list_size,
                     struct recommended_item *ret_items, uint32_t *ret_count);

/* Of the last question: the rank of `item` among all scored items when ties are decided for it, and against it; 0 when
 * it was not scored. */
struct vstan_rank {
    uint32_t best, worst;
};
struct vstan_rank vstan_rank(const struct vstan *vstan, uint32_t item);
