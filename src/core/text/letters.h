// SPDX-License-Identifier: Apache-2.0
#pragma once
/* letters: what Unicode says of a code point, by utf8proc; and what BERT makes of that (Devlin et al. 2019, the
 * reference tokenizer). */
#include <stdbool.h>
#include <stdint.h>

#define LETTERS_OF_CODE_MAX 4 /* code points that one decomposes to, canonically */

/* Controls, formats, private use, U+FFFD and NUL: BERT sees none of them. */
bool letter_is_dropped(uint32_t code);
bool letter_is_space(uint32_t code);
/* Unicode's punctuation, and all of ASCII that is neither a letter, a digit nor blank. */
bool letter_is_punctuation(uint32_t code);
/* An ideograph, which is a word of its own. */
bool letter_is_ideograph(uint32_t code);
/* A mark that stands on the letter before it and takes no room: an accent. */
bool letter_is_accent(uint32_t code);
/* The canonical combining class, by which marks that follow each other are ordered; 0: it is not moved. */
uint8_t letter_order(uint32_t code);
/* The canonical decomposition (NFD), not yet ordered; returns how many code points it has. */
uint32_t letter_decompose(uint32_t code, uint32_t letters[LETTERS_OF_CODE_MAX]);
uint32_t letter_lower(uint32_t code);
