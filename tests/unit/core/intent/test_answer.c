// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/answer.h>

#include <jansson.h>

#define SESSIONS 3

struct rig {
    struct arena arena;
    struct answered_session sessions[SESSIONS];
};

static void read_text(struct rig *rig, const char *json, const uint32_t *shortlists)
{
    arena_reset(&rig->arena);
    assert_ok(answer_read(bytes_of_text(json), SESSIONS, shortlists, &rig->arena, rig->sessions));
}

static void assert_faults(const struct rig *rig, enum answer_fault a, enum answer_fault b, enum answer_fault c)
{
    assert_string_equal(answer_fault_text(rig->sessions[0].fault), answer_fault_text(a));
    assert_string_equal(answer_fault_text(rig->sessions[1].fault), answer_fault_text(b));
    assert_string_equal(answer_fault_text(rig->sessions[2].fault), answer_fault_text(c));
}

static void each_session_has_its_views(void **state)
{
    (void)state;
    struct rig rig = {0};
    read_text(&rig,
              "{\"sessions\":[{\"id\":3,\"long\":{\"intent\":\"a desk\\nlamp\",\"items\":[\"Lamp\",7,\"\",\"Desk\"]},"
              "\"short\":{\"intent\":\"light\",\"items\":[]}},"
              "{\"id\":\"1\",\"short\":{\"items\":[\"Chair\"]},\"mood\":1}]}",
              NULL);
    assert_faults(&rig, ANSWER_NONE, ANSWER_MISSING, ANSWER_NONE);
    const struct answered_view *view = &rig.sessions[2].views[VIEW_LONG];
    assert_bytes(view->intent, "a desk lamp");
    assert_int_equal(view->title_count, 2);
    assert_bytes(view->titles[0], "Lamp");
    assert_bytes(view->titles[1], "Desk");
    assert_bytes(rig.sessions[2].views[VIEW_SHORT].intent, "light");
    assert_int_equal(rig.sessions[2].views[VIEW_SHORT].title_count, 0);
    assert_int_equal(rig.sessions[0].views[VIEW_LONG].intent.size, 0);
    assert_bytes(rig.sessions[0].views[VIEW_SHORT].titles[0], "Chair");
    arena_release(&rig.arena);
}

static void one_bad_session_does_not_harm_the_others(void **state)
{
    (void)state;
    struct rig rig = {0};
    read_text(&rig,
              "{\"sessions\":[{\"id\":1,\"long\":{\"intent\":\"x\"}},{\"id\":1,\"long\":{\"intent\":\"y\"}},"
              "{\"id\":2,\"long\":\"x\",\"short\":{\"intent\":\"\",\"items\":[\"\\u200b\"]}},"
              "{\"id\":9,\"long\":{\"intent\":\"z\"}},[],7,{\"id\":3,\"long\":{\"intent\":\"ok\"}}]}",
              NULL);
    assert_faults(&rig, ANSWER_TWICE, ANSWER_NO_VIEW, ANSWER_NONE);
    arena_release(&rig.arena);
}

static void what_is_no_answer_is_none_for_all(void **state)
{
    (void)state;
    struct rig rig = {0};
    static const char *const no_json[] = {
        "", "sorry", "{\"sessions\":[{\"id\":1", "<html></html>", "{} {}", "{\"sessions\":[],\"sessions\":\"\xff\"}"};
    for (size_t i = 0; i < sizeof no_json / sizeof *no_json; i++) {
        read_text(&rig, no_json[i], NULL);
        assert_faults(&rig, ANSWER_NOT_JSON, ANSWER_NOT_JSON, ANSWER_NOT_JSON);
    }
    static const char *const others[] = {"{}", "[]", "{\"sessions\":{}}", "{\"Sessions\":[]}"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        read_text(&rig, others[i], NULL);
        assert_faults(&rig, ANSWER_NO_SESSIONS, ANSWER_NO_SESSIONS, ANSWER_NO_SESSIONS);
    }
    arena_release(&rig.arena);
}

static void an_order_is_of_the_shortlist_alone(void **state)
{
    (void)state;
    struct rig rig = {0};
    read_text(&rig,
              "{\"sessions\":[{\"id\":1,\"order\":[3,1,3,4,0,-1,\"2\",2.0,2]},{\"id\":2,\"order\":[9]},"
              "{\"id\":3,\"order\":[1]}]}",
              (uint32_t[]){3, 3, 0});
    assert_faults(&rig, ANSWER_NONE, ANSWER_NO_VIEW, ANSWER_NO_VIEW);
    assert_int_equal(rig.sessions[0].order_count, 3);
    assert_memory_equal(rig.sessions[0].order, ((uint32_t[]){2, 0, 1}), 3 * sizeof(uint32_t));
    arena_release(&rig.arena);
}

static void what_is_too_much_is_cut(void **state)
{
    (void)state;
    struct rig rig = {0};
    AUTO(buffer) text = {0};
    buffer_append_text(&text, "{\"sessions\":[{\"id\":2,\"long\":{\"intent\":\"");
    for (int i = 0; i < 1000; i++)
        buffer_append_text(&text, "\xc3\xa9");
    buffer_append_text(&text, "\",\"items\":[\"t\"");
    for (int i = 0; i < 1000; i++)
        buffer_append_text(&text, ",\"t\"");
    buffer_append_text(&text, "]}}]}");
    read_text(&rig, buffer_text(&text), NULL);
    assert_int_equal(rig.sessions[1].views[VIEW_LONG].intent.size, ANSWER_TEXT_MAX);
    assert_int_equal(rig.sessions[1].views[VIEW_LONG].title_count, ANSWER_ITEMS_MAX);
    arena_release(&rig.arena);
}

static void the_schemas_are_json(void **state)
{
    (void)state;
    for (enum prompt_kind kind = PROMPT_INTENT; kind <= PROMPT_AGENT; kind++) {
        json_t *schema = json_loads(answer_schema(kind), 0, NULL);
        assert_non_null(schema);
        assert_string_equal(json_string_value(json_object_get(schema, "type")), "object");
        json_decref(schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_session_has_its_views),        cmocka_unit_test(one_bad_session_does_not_harm_the_others),
        cmocka_unit_test(what_is_no_answer_is_none_for_all), cmocka_unit_test(an_order_is_of_the_shortlist_alone),
        cmocka_unit_test(what_is_too_much_is_cut),           cmocka_unit_test(the_schemas_are_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
