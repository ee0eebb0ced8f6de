// SPDX-License-Identifier: Apache-2.0
#pragma once
/* hashing: what the embedder of core/hashing.h has learned; built by learning.c. */
#include "core/hashing/ngrams.h"

#define FEATURE_NONE UINT32_MAX

struct hashing {
    uint32_t width, feature_count;
    uint32_t *features; /* (NGRAM_BUCKETS) a bucket's feature, FEATURE_NONE: it does not count */
    float *rarity;      /* (feature_count) */
    float *projection;  /* (feature_count, width) */
};

/* A text's features and their values, of length 1; returns how many. Room for HASHING_GRAMS_MAX of each. */
uint32_t hashing_features(const struct hashing *hashing, struct bytes text, struct ngram *ngrams, uint32_t *features,
                          float *values);

/* Fills in what is learned; width and features are there. MEMORY. */
MUST_CHECK struct status hashing_fill(struct hashing *hashing, uint64_t seed, const struct hashing_title *titles,
                                      size_t count);
