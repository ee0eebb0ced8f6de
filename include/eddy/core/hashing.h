// SPDX-License-Identifier: Apache-2.0
#pragma once
/* hashing: an embedder that needs no files: it is learned from the catalogue's own titles, in seconds.
 *
 *   title -> words (lower case, accents stripped) -> n-grams of 3 to 5 letters, " toy", "toy " -> buckets by hash
 *         -> (1 + ln times) (1 + ln (1 + titles) / (1 + titles with it)), length 1 -> projection -> length 1
 *
 * The projection is the first `width` right singular vectors of the titles' matrix (latent semantic analysis,
 * Deerwester et al. 1990), by subspace iteration from a random start (Halko et al. 2011, algorithm 4.4). So texts lie
 * close together that are written alike, or share pieces of words that often stand in one title. It knows nothing of
 * what words mean: a sentence encoder (encoder.h) is better wherever there is one.
 *
 * Any text can be embedded, of what it has in common with the titles. Of a text the first HASHING_GRAMS_MAX n-grams
 * count. What is learned depends on ids and titles alone, not on their order, and has the same bits on every machine:
 * processes with the same catalogue have the same embedder, and its name is the same. */
#include <eddy/core/embedder.h>

#define HASHING_WIDTH_MAX    256
#define HASHING_TITLES_MAX   50000 /* what is learned from; of more, those whose ids have the smallest hashes */
#define HASHING_TITLE_MAX    256   /* bytes of a title that are learned from */
#define HASHING_FEATURES_MAX 65536 /* buckets that count, those in the most titles; of 2^18 */
#define HASHING_GRAMS_MAX    4096

struct hashing_options {
    uint32_t width; /* 1 .. HASHING_WIDTH_MAX */
    uint64_t seed;
};

#define HASHING_OPTIONS_STANDARD ((struct hashing_options){.width = 128, .seed = 1})

struct hashing_title {
    struct bytes item_id; /* each once */
    struct bytes title;
};

/* Titles are borrowed meanwhile. It takes some 100 MB while it learns from titles of usual length, 400 MB at most, and
 * HASHING_FEATURES_MAX * (width + 1) floats at most afterwards. Without titles every vector is one of zeros. MEMORY. */
MUST_CHECK struct status hashing_learn(const struct hashing_options *options, const struct hashing_title *titles,
                                       size_t count, struct embedder *ret_embedder);
