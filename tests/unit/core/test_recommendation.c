// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/recommendation.h>

static struct catalogue *open_catalogue(const char *item_id)
{
    struct catalogue_options options = {10, 1 << 20, 100};
    struct catalogue *catalogue;
    uint32_t number;
    assert_ok(catalogue_open(&options, &catalogue));
    assert_ok(catalogue_intern(catalogue, bytes_of_text(item_id), &number));
    return catalogue;
}

static void reasons_are_short_sentences(void **state)
{
    (void)state;
    static const struct {
        struct reason reason;
        const char *text;
    } cases[] = {
        {{REASON_SIMILAR_SESSIONS, ITEM_NONE, 14}, "in 14 similar sessions"},
        {{REASON_SIMILAR_SESSIONS, ITEM_NONE, 1}, "in 1 similar session"},
        {{REASON_SIMILAR_SESSIONS, ITEM_NONE, 0}, "in 0 similar sessions"},
        {{REASON_SIMILAR_SESSIONS, ITEM_NONE, UINT32_MAX}, "in 4294967295 similar sessions"},
        {{REASON_FOLLOWS, 0, 0}, "often after A13"},
        {{REASON_FOLLOWS, ITEM_NONE, 0}, "often after items of this session"},
        {{REASON_NEAR, 0, 0}, "often with A13"},
        {{REASON_NEAR, ITEM_NONE, 0}, "often with items of this list"},
        {{REASON_POPULAR, ITEM_NONE, 0}, "popular now"},
        {{REASON_REPEAT, 0, 0}, "seen in this session"},
    };
    struct catalogue *catalogue = open_catalogue("A13");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        assert_bytes(reason_text(&cases[i].reason, catalogue, text, sizeof text), cases[i].text);
        assert_string_equal(text, cases[i].text);
    }
    catalogue_close(catalogue);
}

static void a_reason_is_cut_at_a_code_point(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue("\xc3\xa4\xc3\xa4");
    const struct reason reason = {REASON_FOLLOWS, 0, 0};
    static const char full[] = "often after \xc3\xa4\xc3\xa4";
    char text[32];
    for (size_t size = 1; size <= sizeof full; size++) {
        struct bytes made = reason_text(&reason, catalogue, text, size);
        assert_true(made.size < size && bytes_is_utf8(made));
        assert_true(made.size + 2 >= size);
        assert_memory_equal(made.data, full, made.size);
        assert_int_equal(text[made.size], 0);
    }
    catalogue_close(catalogue);
}

static void scorers_have_names(void **state)
{
    (void)state;
    assert_string_equal(scorer_name(SCORER_KNN), "knn");
    assert_string_equal(scorer_name(SCORER_REPEAT), "repeat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_are_short_sentences),
        cmocka_unit_test(a_reason_is_cut_at_a_code_point),
        cmocka_unit_test(scorers_have_names),
    };
    return cmocka_run_group_tests_name("recommendation", tests, NULL, NULL);
}
