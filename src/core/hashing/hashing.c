// SPDX-License-Identifier: Apache-2.0
#include "core/hashing/hashing.h"

#include "core/candidates/power.h"
#include "core/model/arithmetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LN_2  0.693147181f
#define SMALL 1e-6f /* of a text's length: what the projection leaves of one that is all rounding */

static void hashing_close(void *self)
{
    struct hashing *hashing = self;
    free(hashing->features);
    free(hashing->rarity);
    free(hashing->projection);
    free(hashing);
}

uint32_t hashing_features(const struct hashing *hashing, struct bytes text, struct ngram *ngrams, uint32_t *features,
                          float *values)
{
    uint32_t found = ngrams_of(text, ngrams), count = 0;
    for (uint32_t i = 0; i < found; i++) {
        uint32_t feature = hashing->features[ngrams[i].bucket];
        if (feature == FEATURE_NONE)
            continue;
        features[count] = feature;
        values[count++] = (1 + LN_2 * power_log2((float)ngrams[i].times)) * hashing->rarity[feature];
    }
    if (count > 0)
        vector_scale(1 / sqrtf(vector_dot(values, values, count)), values, count);
    return count;
}

/* Room for one text. */
struct room {
    struct ngram ngrams[HASHING_GRAMS_MAX];
    uint32_t features[HASHING_GRAMS_MAX];
    float values[HASHING_GRAMS_MAX];
};

static void embed_text(const struct hashing *hashing, struct bytes text, struct room *room, float *vector)
{
    uint32_t width = hashing->width;
    uint32_t count = hashing_features(hashing, text, room->ngrams, room->features, room->values);
    memset(vector, 0, width * sizeof *vector);
    for (uint32_t i = 0; i < count; i++)
        vector_add_scaled(room->values[i], hashing->projection + (size_t)room->features[i] * width, vector, width);
    float length = sqrtf(vector_dot(vector, vector, width));
    if (length > SMALL)
        vector_scale(1 / length, vector, width);
    else
        memset(vector, 0, width * sizeof *vector);
}

static struct status embed(void *self, const struct bytes *texts, size_t count, float *vectors,
                           struct complaint *complaint)
{
    const struct hashing *hashing = self;
    struct room *room = malloc(sizeof *room);
    (void)complaint;
    if (!room)
        return FAIL(MEMORY, sizeof *room, "no memory to embed texts in");
    for (size_t i = 0; i < count; i++)
        embed_text(hashing, texts[i], room, vectors + i * hashing->width);
    free(room);
    return OK;
}

/* What vectors depend on; that a bucket is another feature shows in the projection. */
static struct status name(const struct hashing *hashing, char text[EMBEDDER_NAME_SIZE])
{
    struct bytes_hasher *hasher;
    size_t count = hashing->feature_count;
    TRY(bytes_hasher_open(&hasher));
    bytes_hasher_add(hasher, bytes_of(hashing->features, NGRAM_BUCKETS * sizeof *hashing->features));
    bytes_hasher_add(hasher, bytes_of(hashing->rarity, count * sizeof *hashing->rarity));
    bytes_hasher_add(hasher, bytes_of(hashing->projection, count * hashing->width * sizeof *hashing->projection));
    snprintf(text, EMBEDDER_NAME_SIZE, "hash:%u:%016llx", hashing->width,
             (unsigned long long)bytes_hasher_value(hasher));
    bytes_hasher_close(hasher);
    return OK;
}

static struct status fill(struct hashing *hashing, const struct hashing_options *options,
                          const struct hashing_title *titles, size_t count, struct embedder *embedder)
{
    hashing->width = options->width;
    hashing->features = malloc(NGRAM_BUCKETS * sizeof *hashing->features);
    if (!hashing->features)
        return FAIL(MEMORY, NGRAM_BUCKETS, "no memory for an embedder");
    TRY(hashing_fill(hashing, options->seed, titles, count));
    return name(hashing, embedder->name);
}

struct status hashing_learn(const struct hashing_options *options, const struct hashing_title *titles, size_t count,
                            struct embedder *ret_embedder)
{
    static const struct embedder_ops ops = {embed, hashing_close};
    assert(options->width >= 1 && options->width <= HASHING_WIDTH_MAX);
    struct hashing *hashing = calloc(1, sizeof *hashing);
    if (!hashing)
        return FAIL(MEMORY, sizeof *hashing, "no memory for an embedder");
    struct embedder embedder = {.ops = &ops, .self = hashing, .width = options->width};
    struct status status = fill(hashing, options, titles, count, &embedder);
    if (failed(status)) {
        hashing_close(hashing);
        return status;
    }
    *ret_embedder = embedder;
    return OK;
}
