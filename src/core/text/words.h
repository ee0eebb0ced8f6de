// SPDX-License-Identifier: Apache-2.0
#pragma once
/* words: a text cut into words as BERT's tokenizer cuts it, before it looks them up:
 *
 *   bytes -> code points -> controls dropped -> ideographs apart -> [NFD, accents dropped] -> [lower case]
 *         -> cut at blanks, and around each punctuation character
 *
 * The memory is that of one word, whatever the text: of a longer one than WORD_LENGTH_MAX only that is kept. */
#include <eddy/base/bytes.h>

#define WORD_LENGTH_MAX 100 /* code points */
#define WORD_SIZE_MAX   (4 * WORD_LENGTH_MAX)

struct word_rules {
    bool lower_case;
    bool strip_accents;
    bool ideographs_apart;
};

/* A code point of a word, and whether it may change places with its neighbours. */
struct word_letter {
    uint32_t code;
    uint8_t order;
};

struct words {
    struct word_rules rules;
    struct bytes rest;
    /* the word being gathered */
    struct word_letter letters[WORD_LENGTH_MAX];
    uint32_t count; /* WORD_LENGTH_MAX + 1: there are more */
    uint32_t run;   /* where the marks begin that are ordered among themselves */
    /* what the last code point became and is still to be looked at; `apart`: it is an ideograph's */
    uint32_t waiting[4];
    uint32_t waiting_count, waiting_next;
    bool apart;
    bool cut; /* the word that is gathered ends before what is waiting */
};

struct word {
    uint8_t text[WORD_SIZE_MAX]; /* UTF-8 */
    size_t size;
    bool too_long; /* it had more than WORD_LENGTH_MAX code points; there is no text */
};

/* `text` is borrowed while there are words. */
void words_begin(struct words *words, struct bytes text, struct word_rules rules);
/* False at the end. */
bool words_next(struct words *words, struct word *ret_word);
