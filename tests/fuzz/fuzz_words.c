// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as a text, by all rules: words are UTF-8, no longer than they may be, and cut anew each is one
 * word again, of the same letters (marks may change places once an accent between them is gone); n-grams come by
 * ascending bucket. */
#include "core/hashing/ngrams.h"
#include "core/text/words.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void check_word(const struct word *word, struct word_rules rules)
{
    struct words again;
    struct word same;
    must(word->size > 0 && word->size <= WORD_SIZE_MAX && bytes_is_utf8(bytes_of(word->text, word->size)));
    words_begin(&again, bytes_of(word->text, word->size), rules);
    must(words_next(&again, &same));
    must(!same.too_long && same.size == word->size);
    must(!words_next(&again, &same));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct words words;
    static struct word word;
    static struct ngram ngrams[HASHING_GRAMS_MAX];
    for (unsigned rule = 0; rule < 8; rule++) {
        struct word_rules rules = {rule & 1, rule & 2, rule & 4};
        words_begin(&words, bytes_of(data, size), rules);
        while (words_next(&words, &word))
            if (!word.too_long)
                check_word(&word, rules);
    }
    uint32_t count = ngrams_of(bytes_of(data, size), ngrams);
    for (uint32_t i = 1; i < count; i++)
        must(ngrams[i - 1].bucket < ngrams[i].bucket);
    return 0;
}
