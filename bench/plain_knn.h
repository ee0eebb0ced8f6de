// SPDX-License-Identifier: Apache-2.0
#pragma once
/* plain_knn: VMIS-kNN (Kersbergen, Sprangers, Schelter, SIGMOD 2022, algorithm 2) in the plainest form that is not
 * slow on purpose: dense arrays and binary heaps. What the kNN scorer is compared with. */
#include <stddef.h>
#include <stdint.h>

struct plain_knn;

struct plain_scored {
    uint32_t item;
    double score;
};

/* Room for `items` items (numbers 0..items-1) and `sessions` sessions. Exits without memory: this is a benchmark. */
struct plain_knn *plain_knn_open(uint32_t items, size_t sessions, uint32_t sample, uint32_t neighbours,
                                 uint32_t last_clicks);
void plain_knn_close(struct plain_knn *knn);
void plain_knn_learn(struct plain_knn *knn, const uint32_t *items, uint32_t length);
/* The best items for a session, best first, its last item left out; returns how many. */
uint32_t plain_knn_recommend(struct plain_knn *knn, const uint32_t *items, uint32_t length, struct plain_scored *list,
                             uint32_t capacity);
/* Of the last question, unordered. */
const uint32_t *plain_knn_neighbours(const struct plain_knn *knn, uint32_t *ret_count);
