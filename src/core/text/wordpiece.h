// SPDX-License-Identifier: Apache-2.0
#pragma once
/* wordpiece: a text as the tokens of a vocabulary, by BERT's rules: words (words.h), each cut into the longest pieces
 * that the vocabulary has, from its beginning on (Wu et al. 2016; Song et al. 2021, "MaxMatch"). A word that cannot be
 * cut so, or is longer than WORD_LENGTH_MAX, is [UNK]. [CLS], [SEP], [UNK], [PAD] and [MASK] in the text are those
 * tokens, as they are with Hugging Face's tokenizers.
 *
 * A vocabulary is one token a line, the first being token 0; a piece that continues a word begins with ##. It never
 * changes: any number of threads may ask. */
#include "core/text/words.h"

#define WORDPIECE_COUNT_MAX (1u << 22)
#define WORDPIECE_BYTES_MAX ((size_t)64 << 20)

struct wordpiece;

/* `name` is the file's, for complaints. BAD_INPUT: a token stands twice, or one of [CLS], [SEP], [UNK] not at all;
 * LIMIT, MEMORY. */
MUST_CHECK struct status wordpiece_open(struct bytes vocabulary, const char *name, struct word_rules rules,
                                        struct wordpiece **ret_wordpiece, struct complaint *complaint);
void wordpiece_close(struct wordpiece *wordpiece);

/* Tokens of the vocabulary. */
uint32_t wordpiece_count(const struct wordpiece *wordpiece);

/* [CLS], the text's tokens, [SEP]: at most `capacity` (2 at least) altogether, the text being cut off. Returns how
 * many. */
uint32_t wordpiece_encode(const struct wordpiece *wordpiece, struct bytes text, uint32_t capacity, uint32_t *tokens);
