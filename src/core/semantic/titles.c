// SPDX-License-Identifier: Apache-2.0
#include "core/semantic/titles.h"

#include "core/text/letters.h"
#include "core/text/utf8.h"
#include "core/text/words.h"

#include <stdlib.h>

#define WORDS_SIZE_MAX (16u << 10) /* of a title */

static const struct word_rules rules = {.lower_case = true, .strip_accents = true, .ideographs_apart = true};

/* Words are cut around punctuation, each mark of which is a word. */
static bool is_mark(const struct word *word)
{
    struct bytes rest = bytes_of(word->text, word->size);
    return rest.size && letter_is_punctuation(utf8_take(&rest));
}

static struct status write_words(struct bytes title, struct buffer *out)
{
    struct words words;
    struct word word;
    out->limit = WORDS_SIZE_MAX;
    words_begin(&words, title, rules);
    while (words_next(&words, &word)) {
        if (word.too_long || is_mark(&word))
            continue;
        if (out->size)
            buffer_append_byte(out, ' ');
        buffer_append(out, word.text, word.size);
    }
    return out->no_memory ? buffer_check(out) : OK; /* what is beyond the limit does not count */
}

static struct status add(struct titles *titles, const struct semantic_item *item, struct buffer *words)
{
    uint32_t before = interner_count(titles->words), place;
    buffer_clear(words);
    TRY(write_words(item->title, words));
    if (!words->size)
        return OK;
    TRY(interner_add(titles->words, buffer_bytes(words), &place));
    if (place == before || item->item < titles->items[place])
        titles->items[place] = item->item;
    return OK;
}

struct status titles_open(const struct semantic_item *items, uint32_t count, struct titles *ret_titles)
{
    struct titles titles = {.items = malloc(((size_t)count + 1) * sizeof *titles.items)};
    if (!titles.items)
        return FAIL(MEMORY, count, "no memory for titles");
    struct status status = interner_open(count + 1, SIZE_MAX / 2, &titles.words);
    AUTO(buffer) words = {0};
    for (uint32_t i = 0; !failed(status) && i < count; i++)
        status = add(&titles, &items[i], &words);
    if (failed(status)) {
        titles_release(&titles);
        return status;
    }
    *ret_titles = titles;
    return OK;
}

void titles_release(struct titles *titles)
{
    interner_close(titles->words);
    free(titles->items);
    *titles = (struct titles){0};
}

struct status titles_find(const struct titles *titles, struct bytes title, uint32_t *ret_item)
{
    AUTO(buffer) words = {0};
    TRY(write_words(title, &words));
    uint32_t place = words.size ? interner_find(titles->words, buffer_bytes(&words)) : INTERNER_NONE;
    *ret_item = place == INTERNER_NONE ? ITEM_NONE : titles->items[place];
    return OK;
}
