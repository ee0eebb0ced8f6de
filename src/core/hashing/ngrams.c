// SPDX-License-Identifier: Apache-2.0
#include "core/hashing/ngrams.h"

#include "core/text/letters.h"
#include "core/text/utf8.h"
#include "core/text/words.h"

#include <stdlib.h>

#define SHORTEST 3
#define LONGEST  5
#define EDGE     ' ' /* before and behind a word */

/* A word between two edges, and where each of its letters begins. */
struct edged_word {
    uint8_t text[WORD_SIZE_MAX + 2];
    size_t starts[WORD_LENGTH_MAX + 3];
    uint32_t length;
};

static void edge_word(const struct word *word, struct edged_word *edged)
{
    size_t size = word->size + 2;
    edged->text[0] = edged->text[size - 1] = EDGE;
    memcpy(edged->text + 1, word->text, word->size);
    edged->length = 0;
    for (size_t i = 0; i < size; i++)
        if ((edged->text[i] & 0xc0) != 0x80)
            edged->starts[edged->length++] = i;
    edged->starts[edged->length] = size;
}

static uint32_t add_word(const struct edged_word *word, struct ngram *ngrams, uint32_t count)
{
    for (uint32_t n = SHORTEST; n <= LONGEST; n++)
        for (uint32_t i = 0; i + n <= word->length && count < HASHING_GRAMS_MAX; i++) {
            size_t from = word->starts[i], to = word->starts[i + n];
            uint32_t bucket = (uint32_t)bytes_hash(bytes_of(word->text + from, to - from)) & (NGRAM_BUCKETS - 1);
            ngrams[count++] = (struct ngram){bucket, 1};
        }
    return count;
}

static bool is_punctuation(const struct word *word)
{
    struct bytes rest = bytes_of(word->text, word->size);
    return letter_is_punctuation(utf8_take(&rest));
}

static int compare_buckets(const void *left, const void *right)
{
    const struct ngram *a = left, *b = right;
    return (a->bucket > b->bucket) - (a->bucket < b->bucket);
}

static uint32_t merge_equal(struct ngram *ngrams, uint32_t count)
{
    uint32_t kept = 0;
    qsort(ngrams, count, sizeof *ngrams, compare_buckets);
    for (uint32_t i = 0; i < count; i++)
        if (kept > 0 && ngrams[kept - 1].bucket == ngrams[i].bucket)
            ngrams[kept - 1].times++;
        else
            ngrams[kept++] = ngrams[i];
    return kept;
}

uint32_t ngrams_of(struct bytes text, struct ngram *ngrams)
{
    struct words words;
    struct word word;
    struct edged_word edged;
    uint32_t count = 0;
    words_begin(&words, text, (struct word_rules){true, true, true});
    while (count < HASHING_GRAMS_MAX && words_next(&words, &word))
        if (!word.too_long && !is_punctuation(&word)) {
            edge_word(&word, &edged);
            count = add_word(&edged, ngrams, count);
        }
    return merge_equal(ngrams, count);
}
