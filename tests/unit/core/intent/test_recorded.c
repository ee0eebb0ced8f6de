// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/recorded.h>

static void a_line_has_both_views(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct recorded_answer answer;
    struct complaint complaint = {""};
    assert_ok(recorded_answer_read(
        BYTES("{\"session_id\":\"s1\",\"position\":3,\"split\":\"train\",\"long\":\"desk\\nlamps\","
              "\"long_next\":[\"Lamp\",7,\"Desk\"],\"short_next\":[\"Chair\"]}"),
        &arena, &answer, &complaint));
    assert_bytes(answer.session_id, "s1");
    assert_int_equal(answer.position, 3);
    assert_int_equal(answer.answer.fault, ANSWER_NONE);
    assert_bytes(answer.answer.views[VIEW_LONG].intent, "desk lamps");
    assert_int_equal(answer.answer.views[VIEW_LONG].title_count, 2);
    assert_bytes(answer.answer.views[VIEW_LONG].titles[1], "Desk");
    assert_int_equal(answer.answer.views[VIEW_SHORT].intent.size, 0);
    assert_bytes(answer.answer.views[VIEW_SHORT].titles[0], "Chair");
    arena_release(&arena);
}

static void a_prefix_alone_has_no_view(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct recorded_answer answer;
    struct complaint complaint = {""};
    assert_ok(
        recorded_answer_read(BYTES("{\"session_id\":\"s1\",\"position\":1,\"long\":[]}"), &arena, &answer, &complaint));
    assert_int_equal(answer.answer.fault, ANSWER_NO_VIEW);
    arena_release(&arena);
}

static void what_is_no_answer_is_named(void **state)
{
    (void)state;
    static const char *const lines[][2] = {
        {"", "column"},
        {"[]", "no JSON object"},
        {"{\"session_id\":\"s\",\"position\":2", "column"},
        {"{\"position\":2}", "session_id"},
        {"{\"session_id\":\"\",\"position\":2}", "session_id"},
        {"{\"session_id\":7,\"position\":2}", "session_id"},
        {"{\"session_id\":\"s\"}", "position"},
        {"{\"session_id\":\"s\",\"position\":0}", "position"},
        {"{\"session_id\":\"s\",\"position\":1.5}", "position"},
        {"{\"session_id\":\"s\",\"position\":4294967296}", "position"},
        {"{\"session_id\":\"s\",\"position\":1,\"position\":2}", "column"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct recorded_answer answer;
        struct complaint complaint = {""};
        assert_fails(BAD_INPUT, recorded_answer_read(bytes_of_text(lines[i][0]), &arena, &answer, &complaint));
        if (!strstr(complaint.text, lines[i][1]))
            fail_msg("%s: '%s' does not name %s", lines[i][0], complaint.text, lines[i][1]);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_both_views),
        cmocka_unit_test(a_prefix_alone_has_no_view),
        cmocka_unit_test(what_is_no_answer_is_named),
    };
    return cmocka_run_group_tests_name("recorded", tests, NULL, NULL);
}
