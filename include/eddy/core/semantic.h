// SPDX-License-Identifier: Apache-2.0
#pragma once
/* semantic: the catalogue by what its texts say: each item's title as a vector of an embedder (embedder.h), and what is
 * near to what by cosine.
 *
 *   a session -> sum over its last distinct items j of vector(title_j) / (1 + rank_j) -> the nearest items
 *   a text    -> its vector -> localization: the nearest items, each weighted by its own similarity
 *   a title   -> the items with that very title; or the nearest one
 *
 * Localization is what keeps a language model's words from being recommended as such: whatever it says, only items of
 * the catalogue come out, and none that is not near enough (LLM4SBR, Qiao et al. 2024, section 4.1; there the
 * similarities are used as they are, which for embedders that put all texts into a narrow cone are all but equal).
 *
 * Equal vectors give equal lists on every machine: items are scored like a session model's (neural.h). Immutable once
 * it is open, so any number of threads may ask; each brings an arena. */
#include <eddy/base/arena.h>
#include <eddy/core/scorer.h>

struct semantic;

struct semantic_item {
    uint32_t item; /* its number in the catalogue, each once */
    struct bytes title;
};

/* vectors: (count, width) of the titles, of length 1; one of zeros is near to nothing. Numbers are below number_count.
 * Everything is copied. MEMORY; LIMIT when width is above MODEL_WIDTH_MAX. */
MUST_CHECK struct status semantic_open(const struct semantic_item *items, const float *vectors, uint32_t count,
                                       uint32_t width, uint32_t number_count, struct semantic **ret_semantic);
void semantic_close(struct semantic *semantic);
uint32_t semantic_width(const struct semantic *semantic);
size_t semantic_memory(const struct semantic *semantic);

struct semantic_options {
    uint32_t candidates_max; /* items named for a session; > 0 */
    uint32_t items_max;      /* last distinct items of it whose titles count, 1..QUERY_ITEMS_MAX */
    float temperature;       /* > 0: a softmax over cosine / temperature makes their probabilities */
};

/* Sets named[NAMER_SEMANTIC] of each query: the items nearest to the titles of its session, best first and without its
 * own, which are nearest of all and would have all of the probability; nothing for a session without titles. They are
 * in `arena`. MEMORY. */
MUST_CHECK struct status semantic_ask(const struct semantic *semantic, struct query *queries, uint32_t count,
                                      const struct semantic_options *options, struct arena *arena);

struct localize_options {
    uint32_t nearest;     /* r: items that a text comes to, at most; > 0 */
    float temperature;    /* > 0: weights are a softmax over cosine / temperature among these */
    float similarity_min; /* an item less near than that is none of them */
    float named_min;      /* nor, for a title that a model named and no item has, one less near than that */
};

/* What a text's vector (width) comes to: ret_items has room for options->nearest, best first, weights sum to 1;
 * *ret_count is 0 when nothing is near enough. MEMORY. */
MUST_CHECK struct status localize_text(const struct semantic *semantic, const float *vector,
                                       const struct localize_options *options, struct arena *arena,
                                       struct scored_item *ret_items, uint32_t *ret_count);

enum localized { LOCALIZED_FOUND, LOCALIZED_NEAR, LOCALIZED_REJECTED };

/* The item that a named title means: one with that title, compared without case, accents and punctuation, of several
 * the one with the smallest number, and scored 1; else the nearest by `vector` (width), which may be NULL when it is
 * not known, scored by its similarity; else none. MEMORY. */
MUST_CHECK struct status localize_title(const struct semantic *semantic, struct bytes title, const float *vector,
                                        const struct localize_options *options, struct arena *arena,
                                        struct scored_item *ret_item, enum localized *ret_how);
