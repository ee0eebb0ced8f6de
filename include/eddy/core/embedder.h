// SPDX-License-Identifier: Apache-2.0
#pragma once
/* embedder: turns texts into vectors, so that what means the same lies close together: the product of two vectors is
 * the cosine of their texts.
 *
 *   encoder   a sentence encoder of the BERT family, from a folder of files (encoder.h)
 *   hash      learned from the catalogue's own titles, without files (hashing.h)
 *
 * A port: {ops, self}, and two facts. `width` numbers make a vector. `name` says who made it: vectors of equal names
 * may be compared and kept for each other (a key of caches), and it changes when the files or what was learned do.
 *
 * Vectors have length 1, but for those of zeros: a text in which the embedder finds nothing (an empty one, one of
 * blanks, for `hash` also one that shares nothing with any title) is like no other. Text is UTF-8; what is not is
 * taken for U+FFFD. Equal texts of one call and of any other have the same vector, to rounding: what stands beside a
 * text does not matter.
 *
 * For background threads: a call computes, or waits for a server, as long as its texts take. Any number of threads may
 * call at once. */
#include <eddy/base/bytes.h>

#define EMBEDDER_NAME_SIZE 96 /* with NUL: "KIND:..." of printable ASCII without blanks */
#define EMBEDDER_WIDTH_MAX 4096

struct embedder_ops {
    /* vectors: (count, width); untouched on failure, or partly written. MEMORY; UNAVAILABLE: it may be tried again
     * later; LIMIT, BAD_INPUT: these texts will never do. A complaint says which server or file it is about. */
    struct status (*embed)(void *self, const struct bytes *texts, size_t count, float *vectors,
                           struct complaint *complaint);
    void (*close)(void *self);
};

struct embedder {
    const struct embedder_ops *ops; /* NULL: closed */
    void *self;
    uint32_t width; /* 1 .. EMBEDDER_WIDTH_MAX */
    char name[EMBEDDER_NAME_SIZE];
};

MUST_CHECK static inline struct status embedder_embed(const struct embedder *embedder, const struct bytes *texts,
                                                      size_t count, float *vectors, struct complaint *complaint)
{
    return embedder->ops->embed(embedder->self, texts, count, vectors, complaint);
}

/* {0} and one that is closed already are fine. */
static inline void embedder_close(struct embedder *embedder)
{
    if (embedder->ops)
        embedder->ops->close(embedder->self);
    embedder->ops = NULL;
}
