// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/power.h"
#include "core/hashing/hashing.h"
#include "core/hashing/subspace.h"

#include <stdlib.h>

#define LN_2 0.693147181f

/* The titles' matrix, and room for one title. */
struct matrix {
    uint64_t *starts;
    uint32_t *indices;
    float *values;
    uint64_t count, capacity; /* numbers */
    struct ngram ngrams[HASHING_GRAMS_MAX];
    uint32_t features[HASHING_GRAMS_MAX];
    float numbers[HASHING_GRAMS_MAX];
};

/* ---- which titles */

struct choice {
    uint64_t hash;
    const struct hashing_title *title;
};

static int compare_hashes(const void *left, const void *right)
{
    const struct choice *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return bytes_compare(a->title->item_id, b->title->item_id);
}

/* All, or those with the smallest hashes: the same whatever order they come in, and nearly the same when there are a
 * few more. */
static struct status choose(const struct hashing_title *titles, size_t count, struct choice **ret_choices,
                            uint32_t *ret_count)
{
    struct choice *choices = malloc((count ? count : 1) * sizeof *choices);
    if (!choices)
        return FAIL(MEMORY, (int64_t)count, "no memory for titles");
    for (size_t i = 0; i < count; i++)
        choices[i] = (struct choice){bytes_hash(titles[i].item_id), &titles[i]};
    qsort(choices, count, sizeof *choices, compare_hashes);
    *ret_choices = choices;
    *ret_count = count < HASHING_TITLES_MAX ? (uint32_t)count : HASHING_TITLES_MAX;
    return OK;
}

/* ---- which buckets */

/* The smallest number of titles that leaves at most HASHING_FEATURES_MAX buckets. */
static uint32_t least_spread(const uint32_t *spread, uint32_t title_count)
{
    uint32_t least = 0, kept = HASHING_FEATURES_MAX + 1;
    while (kept > HASHING_FEATURES_MAX && least <= title_count) {
        least++;
        kept = 0;
        for (uint32_t i = 0; i < NGRAM_BUCKETS; i++)
            kept += spread[i] >= least;
    }
    return least;
}

static struct status keep_features(struct hashing *hashing, const uint32_t *spread, uint32_t title_count)
{
    uint32_t least = least_spread(spread, title_count), count = 0;
    hashing->rarity = malloc((HASHING_FEATURES_MAX + 1) * sizeof *hashing->rarity);
    if (!hashing->rarity)
        return FAIL(MEMORY, HASHING_FEATURES_MAX, "no memory for features of titles");
    for (uint32_t i = 0; i < NGRAM_BUCKETS; i++) {
        hashing->features[i] = spread[i] >= least ? count : FEATURE_NONE;
        if (spread[i] >= least)
            hashing->rarity[count++] = 1 + LN_2 * power_log2((1 + (float)title_count) / (1 + (float)spread[i]));
    }
    hashing->feature_count = count;
    return OK;
}

/* So much of a title is learned from. */
static struct bytes learned_part(const struct choice *choice)
{
    return bytes_utf8_prefix(choice->title->title, HASHING_TITLE_MAX);
}

static struct status count_features(struct hashing *hashing, const struct choice *choices, uint32_t count,
                                    struct matrix *matrix)
{
    uint32_t *spread = calloc(NGRAM_BUCKETS, sizeof *spread);
    if (!spread)
        return FAIL(MEMORY, NGRAM_BUCKETS, "no memory for features of titles");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t found = ngrams_of(learned_part(&choices[i]), matrix->ngrams);
        for (uint32_t k = 0; k < found; k++)
            spread[matrix->ngrams[k].bucket]++;
        matrix->capacity += found;
    }
    struct status status = keep_features(hashing, spread, count);
    free(spread);
    return status;
}

/* ---- their matrix */

static struct status build(const struct hashing *hashing, const struct choice *choices, uint32_t count,
                           struct matrix *matrix)
{
    matrix->starts = calloc(count + 1, sizeof *matrix->starts);
    matrix->indices = malloc((matrix->capacity + 1) * sizeof *matrix->indices);
    matrix->values = malloc((matrix->capacity + 1) * sizeof *matrix->values);
    if (!matrix->starts || !matrix->indices || !matrix->values)
        return FAIL(MEMORY, (int64_t)matrix->capacity, "no memory for the titles' matrix");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t found =
            hashing_features(hashing, learned_part(&choices[i]), matrix->ngrams, matrix->features, matrix->numbers);
        assert(found <= matrix->capacity - matrix->count);
        memcpy(matrix->indices + matrix->count, matrix->features, found * sizeof *matrix->indices);
        memcpy(matrix->values + matrix->count, matrix->numbers, found * sizeof *matrix->values);
        matrix->count += found;
        matrix->starts[i + 1] = matrix->count;
    }
    return OK;
}

static struct status project(struct hashing *hashing, uint64_t seed, const struct matrix *matrix, uint32_t rows)
{
    struct sparse sparse = {rows, hashing->feature_count, matrix->starts, matrix->indices, matrix->values};
    hashing->projection = malloc(((size_t)hashing->feature_count + 1) * hashing->width * sizeof(float));
    if (!hashing->projection)
        return FAIL(MEMORY, hashing->feature_count, "no memory for a projection of titles");
    return subspace_find(&sparse, hashing->width, seed, hashing->projection);
}

static struct status learn(struct hashing *hashing, uint64_t seed, const struct choice *choices, uint32_t count)
{
    struct matrix *matrix = calloc(1, sizeof *matrix);
    if (!matrix)
        return FAIL(MEMORY, sizeof *matrix, "no memory for the titles' matrix");
    struct status status = count_features(hashing, choices, count, matrix);
    if (!failed(status))
        status = build(hashing, choices, count, matrix);
    if (!failed(status))
        status = project(hashing, seed, matrix, count);
    free(matrix->starts);
    free(matrix->indices);
    free(matrix->values);
    free(matrix);
    return status;
}

struct status hashing_fill(struct hashing *hashing, uint64_t seed, const struct hashing_title *titles, size_t count)
{
    struct choice *choices;
    uint32_t chosen;
    TRY(choose(titles, count, &choices, &chosen));
    struct status status = learn(hashing, seed, choices, chosen);
    free(choices);
    return status;
}
