// SPDX-License-Identifier: Apache-2.0
#pragma once
/* naive: the formulas of scorer.h and fusion.h, worked out from all sessions for every question, in double and without
 * any cleverness. What the learned state and the scorers are compared with. Items are small catalogue numbers. */
#include <eddy/core/fusion.h>

#define NAIVE_ITEMS    64
#define NAIVE_SESSIONS 4096
#define NAIVE_CLICKS   24

struct naive_session {
    uint32_t items[NAIVE_CLICKS];
    uint8_t types[NAIVE_CLICKS];
    uint32_t length;
    int64_t time_ms; /* of all its clicks */
};

struct naive {
    struct learned_options options;
    struct naive_session sessions[NAIVE_SESSIONS];
    uint32_t count;
};

/* Gives the session to both; asserts that the learned state takes it. */
void naive_learn(struct naive *naive, struct learned *learned, const struct naive_session *session);

/* The kNN neighbours of a query (places among the indexed sessions still held, oldest first), ascending. */
uint32_t naive_neighbours(const struct naive *naive, const struct query *query, const struct knn_options *options,
                          uint32_t *ret_places);
/* The kNN scorer's final masses, before they are normalised. */
void naive_knn(const struct naive *naive, const struct query *query, const struct knn_options *options,
               double ret_masses[NAIVE_ITEMS]);
/* The probability of every item, without filters. */
void naive_fuse(const struct naive *naive, const struct query *query, const struct fusion_options *options,
                double ret_scores[NAIVE_ITEMS]);
double naive_popularity(const struct naive *naive, uint32_t item);
