// SPDX-License-Identifier: Apache-2.0
#include "core/text/words.h"

#include "core/text/letters.h"
#include "core/text/utf8.h"

#define CAPITAL_I_WITH_DOT 0x130 /* the one letter that becomes two in lower case */
#define DOT_ABOVE          0x307

void words_begin(struct words *words, struct bytes text, struct word_rules rules)
{
    words->rules = rules;
    words->rest = text;
    words->count = words->run = 0;
    words->waiting_count = words->waiting_next = 0;
    words->apart = words->cut = false;
}

/* Marks stand in the order of their classes, those of one class as they came (Unicode, 3.11). */
static void append(struct words *words, uint32_t code, uint8_t order)
{
    if (words->count >= WORD_LENGTH_MAX) {
        words->count = WORD_LENGTH_MAX + 1;
        return;
    }
    uint32_t at = words->count++;
    if (order == 0)
        words->run = words->count;
    else
        for (; at > words->run && words->letters[at - 1].order > order; at--)
            words->letters[at] = words->letters[at - 1];
    words->letters[at] = (struct word_letter){code, order};
}

/* The next code point, as what it decomposes to. */
static void take(struct words *words)
{
    uint32_t code = utf8_take(&words->rest);
    words->waiting_next = words->waiting_count = 0;
    if (letter_is_dropped(code))
        return;
    words->apart = words->rules.ideographs_apart && letter_is_ideograph(code);
    if (words->rules.strip_accents)
        words->waiting_count = letter_decompose(code, words->waiting);
    else
        words->waiting[words->waiting_count++] = code;
    words->cut = words->apart;
}

/* Without accents stripped nothing is ordered either. */
static void append_letter(struct words *words, uint32_t code)
{
    uint8_t order = words->rules.strip_accents ? letter_order(code) : 0;
    if (words->rules.strip_accents && letter_is_accent(code)) {
        if (order == 0) /* it is gone, but marks before it stay before those behind it */
            words->run = words->count;
        return;
    }
    if (words->rules.lower_case && code == CAPITAL_I_WITH_DOT) {
        append(words, 'i', 0);
        append(words, DOT_ABOVE, 0);
        return;
    }
    append(words, words->rules.lower_case ? letter_lower(code) : code, order);
}

static void end_word(struct words *words, struct word *word)
{
    word->size = 0;
    word->too_long = words->count > WORD_LENGTH_MAX;
    for (uint32_t i = 0; i < words->count && !word->too_long; i++)
        word->size += utf8_put(words->letters[i].code, word->text + word->size);
    words->count = words->run = 0;
}

/* Looks at what is waiting; true when a word has ended, before or with it. */
static bool advance(struct words *words)
{
    if (words->cut) {
        words->cut = false;
        if (words->count > 0)
            return true;
    }
    uint32_t code = words->waiting[words->waiting_next];
    bool space = letter_is_space(code), punctuation = letter_is_punctuation(code);
    if ((space || punctuation) && words->count > 0)
        return true;
    words->waiting_next++;
    if (space)
        return false;
    append_letter(words, code);
    if (words->apart && words->waiting_next == words->waiting_count)
        return words->count > 0;
    return punctuation;
}

bool words_next(struct words *words, struct word *ret_word)
{
    for (;;) {
        bool ended;
        if (words->waiting_next < words->waiting_count)
            ended = advance(words);
        else if (words->rest.size > 0) {
            take(words);
            continue;
        } else {
            ended = words->count > 0;
            if (!ended)
                return false;
        }
        if (ended) {
            end_word(words, ret_word);
            return true;
        }
    }
}
