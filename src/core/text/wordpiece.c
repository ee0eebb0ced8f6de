// SPDX-License-Identifier: Apache-2.0
#include "core/text/wordpiece.h"

#include <eddy/base/interner.h>
#include <stdlib.h>

enum special { SPECIAL_UNKNOWN, SPECIAL_CLASS, SPECIAL_SEPARATOR, SPECIAL_PADDING, SPECIAL_MASK, SPECIAL_COUNT };
#define SPECIAL_NEEDED SPECIAL_PADDING /* those before it must be there */

static const char *const specials[SPECIAL_COUNT] = {"[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"};

/* Pieces of one kind, and which tokens they are. */
struct pieces {
    struct interner *texts;
    uint32_t *tokens;
    size_t longest; /* bytes */
};

struct wordpiece {
    struct word_rules rules;
    struct pieces first, more; /* at a word's beginning; behind it, without the ## */
    uint32_t count;
    uint32_t specials[SPECIAL_COUNT]; /* INTERNER_NONE: not in the vocabulary */
};

/* ---- the vocabulary */

static struct status pieces_open(struct pieces *pieces, size_t lines)
{
    TRY(interner_open(WORDPIECE_COUNT_MAX, WORDPIECE_BYTES_MAX, &pieces->texts));
    pieces->tokens = malloc(lines * sizeof *pieces->tokens);
    return pieces->tokens ? OK : FAIL(MEMORY, lines, "no memory for a vocabulary");
}

static void pieces_release(struct pieces *pieces)
{
    interner_close(pieces->texts);
    free(pieces->tokens);
}

static uint32_t pieces_find(const struct pieces *pieces, struct bytes text)
{
    uint32_t number = interner_find(pieces->texts, text);
    return number == INTERNER_NONE ? INTERNER_NONE : pieces->tokens[number];
}

static struct status add_piece(struct pieces *pieces, struct bytes text, uint32_t token, bool *ret_new)
{
    uint32_t number, before = interner_count(pieces->texts);
    TRY(interner_add(pieces->texts, text, &number));
    *ret_new = number == before;
    if (*ret_new)
        pieces->tokens[number] = token;
    if (text.size > pieces->longest)
        pieces->longest = text.size;
    return OK;
}

static struct status add_token(struct wordpiece *wordpiece, struct bytes text, const char *name,
                               struct complaint *complaint)
{
    bool is_new = true, continues = text.size > 2 && memcmp(text.data, "##", 2) == 0;
    uint32_t token = wordpiece->count;
    if (continues)
        TRY(add_piece(&wordpiece->more, bytes_of(text.data + 2, text.size - 2), token, &is_new));
    else if (text.size > 0) /* an empty line has a number, and is never found */
        TRY(add_piece(&wordpiece->first, text, token, &is_new));
    if (!is_new)
        return complain(complaint, FAIL(BAD_INPUT, token, "a token stands twice in a vocabulary"),
                        "%s: line %u: the token '" BYTES_FORMAT "' has stood on an earlier line", name, token + 1,
                        (int)(text.size < 64 ? text.size : 64), (const char *)text.data);
    wordpiece->count++;
    return OK;
}

static struct bytes take_line(struct bytes *rest)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    struct bytes line = bytes_of(rest->data, end ? (size_t)(end - rest->data) : rest->size);
    size_t taken = line.size + (end != NULL);
    *rest = bytes_of(rest->data + taken, rest->size - taken);
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

static size_t count_lines(struct bytes text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '\n';
    return count;
}

static struct status find_specials(struct wordpiece *wordpiece, const char *name, struct complaint *complaint)
{
    for (uint32_t i = 0; i < SPECIAL_COUNT; i++) {
        wordpiece->specials[i] = pieces_find(&wordpiece->first, bytes_of_text(specials[i]));
        if (i < SPECIAL_NEEDED && wordpiece->specials[i] == INTERNER_NONE)
            return complain(complaint, FAIL(BAD_INPUT, i, "a vocabulary lacks a special token"),
                            "%s: there is no token %s; is it the vocabulary of a BERT model, one token a line?", name,
                            specials[i]);
    }
    return OK;
}

static struct status fill(struct wordpiece *wordpiece, struct bytes vocabulary, const char *name,
                          struct complaint *complaint)
{
    size_t lines = count_lines(vocabulary);
    if (vocabulary.size > WORDPIECE_BYTES_MAX || lines > WORDPIECE_COUNT_MAX)
        return complain(complaint, FAIL(LIMIT, lines, "a vocabulary is too large"),
                        "%s: more than %u tokens or %zu MiB; is it a vocabulary, one token a line?", name,
                        WORDPIECE_COUNT_MAX, WORDPIECE_BYTES_MAX >> 20);
    TRY(pieces_open(&wordpiece->first, lines));
    TRY(pieces_open(&wordpiece->more, lines));
    while (vocabulary.size > 0)
        TRY(add_token(wordpiece, take_line(&vocabulary), name, complaint));
    return find_specials(wordpiece, name, complaint);
}

struct status wordpiece_open(struct bytes vocabulary, const char *name, struct word_rules rules,
                             struct wordpiece **ret_wordpiece, struct complaint *complaint)
{
    struct wordpiece *wordpiece = calloc(1, sizeof *wordpiece);
    if (!wordpiece)
        return FAIL(MEMORY, sizeof *wordpiece, "no memory for a vocabulary");
    wordpiece->rules = rules;
    struct status status = fill(wordpiece, vocabulary, name, complaint);
    if (failed(status)) {
        wordpiece_close(wordpiece);
        return status;
    }
    *ret_wordpiece = wordpiece;
    return OK;
}

void wordpiece_close(struct wordpiece *wordpiece)
{
    if (!wordpiece)
        return;
    pieces_release(&wordpiece->first);
    pieces_release(&wordpiece->more);
    free(wordpiece);
}

uint32_t wordpiece_count(const struct wordpiece *wordpiece)
{
    return wordpiece->count;
}

/* ---- a text */

struct output {
    uint32_t *tokens;
    uint32_t count, capacity;
};

static void put(struct output *output, uint32_t token)
{
    if (output->count < output->capacity)
        output->tokens[output->count++] = token;
}

/* The longest piece that `rest` begins with; 0 bytes: there is none. */
static size_t longest_piece(const struct pieces *pieces, struct bytes rest, uint32_t *ret_token)
{
    size_t size = rest.size < pieces->longest ? rest.size : pieces->longest;
    for (; size > 0; size--) {
        if (size < rest.size && (rest.data[size] & 0xc0) == 0x80)
            continue; /* within a code point */
        *ret_token = pieces_find(pieces, bytes_of(rest.data, size));
        if (*ret_token != INTERNER_NONE)
            return size;
    }
    return 0;
}

static void encode_word(const struct wordpiece *wordpiece, const struct word *word, struct output *output)
{
    uint32_t tokens[WORD_SIZE_MAX], count = 0;
    const struct pieces *pieces = &wordpiece->first;
    struct bytes rest = bytes_of(word->text, word->size);
    bool known = !word->too_long;
    while (known && rest.size > 0) {
        size_t size = longest_piece(pieces, rest, &tokens[count]);
        known = size > 0;
        count++;
        rest = bytes_of(rest.data + size, rest.size - size);
        pieces = &wordpiece->more;
    }
    if (!known)
        put(output, wordpiece->specials[SPECIAL_UNKNOWN]);
    for (uint32_t i = 0; known && i < count; i++)
        put(output, tokens[i]);
}

static void encode_words(const struct wordpiece *wordpiece, struct bytes text, struct output *output)
{
    struct words words;
    struct word word;
    words_begin(&words, text, wordpiece->rules);
    while (output->count < output->capacity && words_next(&words, &word))
        encode_word(wordpiece, &word, output);
}

/* The special token that `text` begins with, SPECIAL_COUNT: none. */
static uint32_t special_at(const struct wordpiece *wordpiece, struct bytes text)
{
    uint32_t i = 0;
    for (; i < SPECIAL_COUNT; i++) {
        size_t size = strlen(specials[i]);
        if (wordpiece->specials[i] != INTERNER_NONE && text.size >= size && memcmp(text.data, specials[i], size) == 0)
            break;
    }
    return i;
}

/* Where the first special token of the text is; at its end when there is none. */
static size_t find_special(const struct wordpiece *wordpiece, struct bytes text, uint32_t *ret_special)
{
    size_t at = 0;
    while (at < text.size) {
        const uint8_t *bracket = memchr(text.data + at, '[', text.size - at);
        if (!bracket)
            break;
        at = (size_t)(bracket - text.data);
        *ret_special = special_at(wordpiece, bytes_of(bracket, text.size - at));
        if (*ret_special < SPECIAL_COUNT)
            return at;
        at++;
    }
    *ret_special = SPECIAL_COUNT;
    return text.size;
}

uint32_t wordpiece_encode(const struct wordpiece *wordpiece, struct bytes text, uint32_t capacity, uint32_t *tokens)
{
    assert(capacity >= 2);
    struct output output = {tokens, 0, capacity - 1};
    put(&output, wordpiece->specials[SPECIAL_CLASS]);
    while (text.size > 0 && output.count < output.capacity) {
        uint32_t special;
        size_t size = find_special(wordpiece, text, &special);
        encode_words(wordpiece, bytes_of(text.data, size), &output);
        if (special < SPECIAL_COUNT) {
            put(&output, wordpiece->specials[special]);
            size += strlen(specials[special]);
        }
        text = bytes_of(text.data + size, text.size - size);
    }
    output.capacity = capacity;
    put(&output, wordpiece->specials[SPECIAL_SEPARATOR]);
    return output.count;
}
