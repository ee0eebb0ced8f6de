// SPDX-License-Identifier: Apache-2.0
#pragma once
/* ngrams: the n-grams of a text as buckets, each once, with how often it occurs. */
#include <eddy/base/bytes.h>
#include <eddy/core/hashing.h>

#define NGRAM_BUCKETS (1u << 18)

struct ngram {
    uint32_t bucket, times;
};

/* Room for HASHING_GRAMS_MAX; returns how many, by ascending bucket. */
uint32_t ngrams_of(struct bytes text, struct ngram *ngrams);
