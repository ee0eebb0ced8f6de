// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/text/words.h"

static const struct word_rules uncased = {true, true, true}, cased = {false, false, true};

/* `wanted`: the words, a | between two; a word that is too long is *. */
static void check(struct word_rules rules, const char *text, const char *wanted)
{
    struct words words;
    struct word word;
    char got[1024] = "";
    size_t size = 0;
    words_begin(&words, bytes_of_text(text), rules);
    while (words_next(&words, &word)) {
        size += (size_t)snprintf(got + size, sizeof got - size, "%s%.*s", size ? "|" : "",
                                 word.too_long ? 1 : (int)word.size, word.too_long ? "*" : (const char *)word.text);
        assert_true(size < sizeof got);
    }
    assert_string_equal(got, wanted);
}

static void words_end_at_blanks_and_around_punctuation(void **state)
{
    (void)state;
    check(uncased, "", "");
    check(uncased, " \t\r\n\xc2\xa0\xe3\x80\x80", "");
    check(uncased, "The Thing (1982)", "the|thing|(|1982|)");
    check(uncased, "don't,stop...", "don|'|t|,|stop|.|.|.");
    check(uncased, "a$b`c\xc2\xbfz", "a|$|b|`|c|\xc2\xbf|z");
}

static void ideographs_are_words_unless_told_otherwise(void **state)
{
    (void)state;
    check(uncased, "a\xe5\xb1\xb1\xe6\xb0\xb4z", "a|\xe5\xb1\xb1|\xe6\xb0\xb4|z");
    check((struct word_rules){true, true, false}, "a\xe5\xb1\xb1z", "a\xe5\xb1\xb1z");
    check(uncased, "\xe3\x81\x82\xe3\x81\x84", "\xe3\x81\x82\xe3\x81\x84"); /* kana are not */
}

static void accents_and_cases_go_or_stay_as_told(void **state)
{
    (void)state;
    check(uncased,
          "\xc3\x89"
          "A\xcc\x81\xcc\xa3 \xc4\xb0 \xc3\x9f",
          "ea|i|\xc3\x9f");
    check(cased,
          "\xc3\x89"
          "A\xcc\x81",
          "\xc3\x89"
          "A\xcc\x81");
    check((struct word_rules){true, false, true}, "\xc3\x89 \xc4\xb0", "\xc3\xa9|i\xcc\x87");
    check(uncased, "\xe2\x89\xa0", "="); /* punctuation with a stroke through it */
    check(uncased, "\xe1\xbf\xaf\xcd\xbe", "`|;");
    check(uncased, "\xea\xb0\x81", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8"); /* Hangul is its letters */
}

/* U+302E is of class 224, U+1D165 of 216: it comes first, but not past a letter, be that an accent of class 0. */
static void marks_stand_in_their_canonical_order(void **state)
{
    (void)state;
    check(uncased, "a\xe3\x80\xae\xf0\x9d\x85\xa5", "a\xf0\x9d\x85\xa5\xe3\x80\xae");
    check(uncased, "a\xe3\x80\xae\xcc\x81\xf0\x9d\x85\xa5", "a\xf0\x9d\x85\xa5\xe3\x80\xae");
    check(uncased,
          "a\xe3\x80\xae"
          "b\xf0\x9d\x85\xa5",
          "a\xe3\x80\xae"
          "b\xf0\x9d\x85\xa5");
    check(uncased, "a\xe3\x80\xae\xe0\xa5\x81\xf0\x9d\x85\xa5", "a\xe3\x80\xae\xf0\x9d\x85\xa5"); /* U+0941 is of 0 */
}

static void nobody_sees_controls(void **state)
{
    (void)state;
    struct words words;
    struct word word;
    words_begin(&words,
                BYTES("a\0b\x01\xc2\x85"
                      "c\xe2\x80\x8b\xff\xef\xbf\xbd"),
                uncased);
    assert_true(words_next(&words, &word));
    assert_bytes(bytes_of(word.text, word.size), "abc");
    assert_false(words_next(&words, &word));
}

static void a_word_has_at_most_a_hundred_letters(void **state)
{
    (void)state;
    char text[WORD_LENGTH_MAX + 5];
    memset(text, 'a', sizeof text);
    snprintf(text + WORD_LENGTH_MAX, 3, " b");
    struct words words;
    struct word word;
    words_begin(&words, bytes_of_text(text), uncased);
    assert_true(words_next(&words, &word));
    assert_false(word.too_long);
    assert_int_equal(word.size, WORD_LENGTH_MAX);
    text[WORD_LENGTH_MAX] = 'a';
    snprintf(text + WORD_LENGTH_MAX + 1, 3, " b");
    check(uncased, text, "*|b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_end_at_blanks_and_around_punctuation),
        cmocka_unit_test(ideographs_are_words_unless_told_otherwise),
        cmocka_unit_test(accents_and_cases_go_or_stay_as_told),
        cmocka_unit_test(marks_stand_in_their_canonical_order),
        cmocka_unit_test(nobody_sees_controls),
        cmocka_unit_test(a_word_has_at_most_a_hundred_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
