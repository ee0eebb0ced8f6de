// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/text/wordpiece.h"

static const struct word_rules uncased = {true, true, true};
static const char vocabulary[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\n##a\naffable\n\xc3\xa6\n##\xc3\xa6\n,\nunaffab\n";
enum { UNKNOWN = 1, CLASS, SEPARATOR, UN, AFF, ABLE, A, AFFABLE, AE, MORE_AE, COMMA, UNAFFAB };

static void check(const char *text, uint32_t capacity, const uint32_t *wanted, uint32_t count)
{
    struct wordpiece *wordpiece;
    uint32_t tokens[64];
    assert_ok(wordpiece_open(bytes_of_text(vocabulary), "vocab.txt", uncased, &wordpiece, NULL));
    assert_int_equal(wordpiece_encode(wordpiece, bytes_of_text(text), capacity, tokens), count);
    assert_memory_equal(tokens, wanted, count * sizeof *tokens);
    wordpiece_close(wordpiece);
}

#define CHECK(text, capacity, ...)                                                                                     \
    check(text, capacity, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void the_longest_piece_is_taken_first(void **state)
{
    (void)state;
    CHECK("Affable", 64, CLASS, AFFABLE, SEPARATOR);
    CHECK("unaffa", 64, CLASS, UN, AFF, A, SEPARATOR);
    CHECK("un\xc3\x86\xc3\xa6, \xc3\xa6", 64, CLASS, UN, MORE_AE, MORE_AE, COMMA, AE, SEPARATOR);
}

/* It is greedy: "unaffab" leaves "le", though "un ##aff ##able" would do. */
static void a_word_that_cannot_be_cut_is_unknown(void **state)
{
    (void)state;
    CHECK("unaffable", 64, CLASS, UNKNOWN, SEPARATOR);
    CHECK("x,un", 64, CLASS, UNKNOWN, COMMA, UN, SEPARATOR);
}

static void a_text_is_cut_off_before_its_end(void **state)
{
    (void)state;
    CHECK("un un un un", 4, CLASS, UN, UN, SEPARATOR);
    CHECK("unaffa", 4, CLASS, UN, AFF, SEPARATOR);
    CHECK("un", 2, CLASS, SEPARATOR);
    CHECK("", 2, CLASS, SEPARATOR);
}

static void special_tokens_are_what_they_say(void **state)
{
    (void)state;
    CHECK("un[SEP]un[UNK][PAD", 64, CLASS, UN, SEPARATOR, UN, UNKNOWN, UNKNOWN, UNKNOWN, SEPARATOR);
    CHECK("[sep]", 64, CLASS, UNKNOWN, UNKNOWN, UNKNOWN, SEPARATOR);
    CHECK("[MASK]", 64, CLASS, UNKNOWN, UNKNOWN, UNKNOWN, SEPARATOR); /* not in this vocabulary */
}

static void lines_may_end_as_they_do_on_other_systems(void **state)
{
    (void)state;
    struct wordpiece *wordpiece;
    uint32_t tokens[8];
    assert_ok(wordpiece_open(BYTES("[UNK]\r\n\r\n[CLS]\r\n[SEP]\r\na"), "v", uncased, &wordpiece, NULL));
    assert_int_equal(wordpiece_count(wordpiece), 5); /* an empty line counts */
    assert_int_equal(wordpiece_encode(wordpiece, BYTES("a"), 8, tokens), 3);
    assert_int_equal(tokens[1], 4);
    wordpiece_close(wordpiece);
}

static void refuse(const char *text, const char *why)
{
    struct wordpiece *wordpiece;
    struct complaint complaint = {{0}};
    assert_fails(BAD_INPUT, wordpiece_open(bytes_of_text(text), "vocab.txt", uncased, &wordpiece, &complaint));
    if (!strstr(complaint.text, why))
        fail_msg("does not say '%s' but: %s", why, complaint.text);
}

static void other_files_are_no_vocabularies(void **state)
{
    (void)state;
    refuse("", "vocab.txt: there is no token [UNK]");
    refuse("[UNK]\n[CLS]\n", "there is no token [SEP]");
    refuse("[UNK]\n[CLS]\n[SEP]\na\n##a\na\n", "vocab.txt: line 6: the token 'a'");
    refuse("[UNK]\n[CLS]\n[SEP]\n##a\n##a\n", "line 5: the token '##a'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_piece_is_taken_first),
        cmocka_unit_test(a_word_that_cannot_be_cut_is_unknown),
        cmocka_unit_test(a_text_is_cut_off_before_its_end),
        cmocka_unit_test(special_tokens_are_what_they_say),
        cmocka_unit_test(lines_may_end_as_they_do_on_other_systems),
        cmocka_unit_test(other_files_are_no_vocabularies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
