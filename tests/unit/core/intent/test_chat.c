// SPDX-License-Identifier: Apache-2.0
/* Bodies of chat completions: what is written, and what becomes of each kind of reply. */
#include "support/support.h"

#include <eddy/core/chat.h>

static const struct chat_limits limits = {.body_bytes = 4096, .content_bytes = 64};

static struct chat_request plain_request(void)
{
    return (struct chat_request){.model = BYTES("tiny"), .user = BYTES("hello"), .temperature = -1, .seed = -1};
}

static void a_request_says_what_was_asked(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    struct chat_request request = plain_request();
    assert_ok(chat_write_request(&request, &out, NULL));
    assert_bytes(buffer_bytes(&out), "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}");
    request.system = BYTES("be \"brief\"\n\xc3\xa9");
    request.max_tokens = 7;
    request.temperature = 0;
    request.seed = 3;
    request.schema_name = BYTES("intents");
    request.schema = BYTES("{\"type\": \"object\"}");
    buffer_clear(&out);
    assert_ok(chat_write_request(&request, &out, NULL));
    assert_bytes(buffer_bytes(&out),
                 "{\"model\":\"tiny\",\"messages\":[{\"role\":\"system\",\"content\":\"be \\\"brief\\\"\\n\xc3\xa9\"},"
                 "{\"role\":\"user\",\"content\":\"hello\"}],\"max_tokens\":7,\"temperature\":0.0,\"seed\":3,"
                 "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"intents\",\"strict\":true,"
                 "\"schema\":{\"type\":\"object\"}}}}");
    request = plain_request();
    request.max_tokens = 9;
    request.names_completion_tokens = true;
    buffer_clear(&out);
    assert_ok(chat_write_request(&request, &out, NULL));
    assert_non_null(strstr(buffer_text(&out), "\"max_completion_tokens\":9"));
}

static void a_request_of_bad_text_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    struct complaint complaint = {""};
    buffer_append_text(&out, "before");
    struct chat_request request = plain_request();
    request.user = BYTES("\xff");
    assert_fails(BAD_INPUT, chat_write_request(&request, &out, &complaint));
    assert_non_null(strstr(complaint.text, "user message"));
    request = plain_request();
    request.system = BYTES("a\0b");
    assert_fails(BAD_INPUT, chat_write_request(&request, &out, &complaint));
    assert_non_null(strstr(complaint.text, "system message"));
    request = plain_request();
    request.schema = BYTES("[1]");
    assert_fails(BAD_INPUT, chat_write_request(&request, &out, &complaint));
    assert_non_null(strstr(complaint.text, "schema"));
    request = plain_request();
    out.limit = 20;
    assert_fails(LIMIT, chat_write_request(&request, &out, &complaint));
    assert_bytes(buffer_bytes(&out), "before");
}

#define REPLY(message, finish)                                                                                         \
    "{\"model\":\"tiny-1\",\"choices\":[{\"index\":0,\"message\":" message ",\"finish_reason\":" finish                \
    "}],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3}}"
#define SAYS(text) "{\"role\":\"assistant\",\"content\":" text "}"

static void a_reply_is_read(void **state)
{
    (void)state;
    AUTO(chat_reply) reply = {0};
    for (int i = 0; i < 2; i++) { /* and read again into the same place */
        assert_int_equal(chat_read_reply(BYTES(REPLY(SAYS("\"hi \\u00e9\""), "\"stop\"")), limits, &reply, NULL),
                         CHAT_GOOD);
        assert_bytes(buffer_bytes(&reply.content), "hi \xc3\xa9");
        assert_string_equal(reply.model, "tiny-1");
        assert_int_equal(reply.usage.prompt_tokens, 12);
        assert_int_equal(reply.usage.completion_tokens, 3);
    }
    assert_int_equal(
        chat_read_reply(BYTES("{\"choices\":[{\"message\":{\"content\":\"x\"}}],\"usage\":{\"prompt_tokens\":-4,"
                              "\"completion_tokens\":\"7\"}}"),
                        limits, &reply, NULL),
        CHAT_GOOD);
    assert_string_equal(reply.model, "");
    assert_int_equal(reply.usage.prompt_tokens, -1);
    assert_int_equal(reply.usage.completion_tokens, -1);
}

static void each_bad_reply_has_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum chat_outcome outcome;
        const char *why;
    } cases[] = {
        {"", CHAT_EMPTY, "empty"},
        {" \n", CHAT_EMPTY, "empty"},
        {" <!DOCTYPE html><html>", CHAT_HTML, "HTML page"},
        {"{\"choices\":[{\"mess", CHAT_TRUNCATED, "ends"},
        {"{\"choices\":\"\xff\xfe\"}", CHAT_NOT_UTF8, "UTF-8"},
        {"Internal error", CHAT_NOT_JSON, "not JSON"},
        {"{} {}", CHAT_NOT_JSON, "not JSON"},
        {"[]", CHAT_WRONG_SHAPE, "object"},
        {"{}", CHAT_WRONG_SHAPE, "no choices"},
        {"{\"choices\":{}}", CHAT_WRONG_SHAPE, "no choices"},
        {"{\"choices\":[]}", CHAT_WRONG_SHAPE, "no choices"},
        {"{\"choices\":[7]}", CHAT_WRONG_SHAPE, "no message"},
        {REPLY("[]", "\"stop\""), CHAT_WRONG_SHAPE, "no message"},
        {REPLY(SAYS("[1]"), "\"stop\""), CHAT_WRONG_SHAPE, "not a text"},
        {REPLY(SAYS("\"x\""), "7"), CHAT_WRONG_SHAPE, "finish_reason"},
        {REPLY(SAYS("null"), "\"tool_calls\""), CHAT_NO_CONTENT, "tool_calls"},
        {REPLY(SAYS("\"\""), "null"), CHAT_NO_CONTENT, "nothing"},
        {REPLY(SAYS("\"\""), "\"length\""), CHAT_CUT, "before"},
        {REPLY(SAYS("\"half a\""), "\"length\""), CHAT_CUT, "max_tokens"},
        {REPLY(SAYS("\"x\""), "\"content_filter\""), CHAT_FILTERED, "filter"},
        {"{\"error\":{\"message\":\"no such model\"}}", CHAT_ERROR, "no such model"},
        {"{\"error\":\"overloaded\"}", CHAT_ERROR, "overloaded"},
        {"{\"error\":{\"code\":3}}", CHAT_ERROR, "without a message"},
        {"{\"object\":\"error\",\"message\":\"too long\"}", CHAT_ERROR, "too long"},
        {REPLY(SAYS("\"0123456789012345678901234567890123456789012345678901234567890123456789\""), "\"stop\""),
         CHAT_TOO_LARGE, "70 bytes"},
        {"{\"choices\":1e999}", CHAT_NOT_FINITE, "out of range"},
    };
    AUTO(chat_reply) reply = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct complaint complaint = {""};
        enum chat_outcome outcome = chat_read_reply(bytes_of_text(cases[i].body), limits, &reply, &complaint);
        if (outcome != cases[i].outcome || !strstr(complaint.text, cases[i].why))
            fail_msg("case %zu: %s, \"%s\"", i, chat_outcome_label(outcome), complaint.text);
    }
}

static void a_reply_beyond_its_limit_is_not_even_parsed(void **state)
{
    (void)state;
    AUTO(chat_reply) reply = {0};
    AUTO(buffer) body = {0};
    struct complaint complaint = {""};
    for (size_t i = 0; i <= limits.body_bytes; i++)
        buffer_append_byte(&body, '[');
    assert_int_equal(chat_read_reply(buffer_bytes(&body), limits, &reply, &complaint), CHAT_TOO_LARGE);
    assert_non_null(strstr(complaint.text, "4096"));
}

static void what_was_paid_for_is_told_also_of_failures(void **state)
{
    (void)state;
    AUTO(chat_reply) reply = {0};
    assert_int_equal(chat_read_reply(BYTES(REPLY(SAYS("\"half\""), "\"length\"")), limits, &reply, NULL), CHAT_CUT);
    assert_bytes(buffer_bytes(&reply.content), "half");
    assert_int_equal(reply.usage.completion_tokens, 3);
}

static void an_error_says_its_sentence_without_control_characters(void **state)
{
    (void)state;
    struct complaint said;
    chat_read_error(BYTES("{\"error\":{\"message\":\"bad \\u001b[31m key\"}}"), &said);
    assert_string_equal(said.text, "bad ?[31m key");
    chat_read_error(BYTES("<html>"), &said);
    assert_string_equal(said.text, "");
    chat_read_error((struct bytes){0}, &said);
    assert_string_equal(said.text, "");
}

static void json_is_found_in_what_a_model_says(void **state)
{
    (void)state;
    static const struct {
        const char *text, *object; /* NULL: the outcome */
        enum chat_outcome outcome;
    } cases[] = {
        {"{\"a\":1}", "{\"a\":1}", CHAT_GOOD},
        {"  {\"a\":1}\n", "{\"a\":1}", CHAT_GOOD},
        {"Sure! Here it is:\n```json\n{\"a\":{\"b\":2}}\n```\nAnything else?", "{\"a\":{\"b\":2}}", CHAT_GOOD},
        {"```\n{\"a\":1}", "{\"a\":1}", CHAT_GOOD},
        {"a set {1,2} and {\"a\":\"}{\"} done", "{\"a\":\"}{\"}", CHAT_GOOD},
        {"{\"a\":1} or better {\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}", CHAT_GOOD},
        {"{\"a\":1}{\"b\":2}", "{\"a\":1}", CHAT_GOOD},
        {"{ not { {\"a\":\"\\\"\"}", "{\"a\":\"\\\"\"}", CHAT_GOOD},
        {"<think>maybe {\"draft\":[1,2,3,4,5]}?</think>{\"a\":1}", "{\"a\":1}", CHAT_GOOD},
        {"<think>maybe {\"draft\":1}", NULL, CHAT_NOT_JSON},
        {"{\"t\":\"<think>{}</think>\"}", "{\"t\":\"<think>{}</think>\"}", CHAT_GOOD},
        {"no braces here", NULL, CHAT_NOT_JSON},
        {"", NULL, CHAT_NOT_JSON},
        {"[1,2]", NULL, CHAT_NOT_JSON},
        {"{a:1}", NULL, CHAT_NOT_JSON},
        {"```json\n{\"a\":[1,2", NULL, CHAT_TRUNCATED},
        {"{\"a\":\"never closed}", NULL, CHAT_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes object = {0};
        assert_int_equal(chat_find_json(bytes_of_text(cases[i].text), 200, &object), cases[i].outcome);
        if (cases[i].object)
            assert_bytes(object, cases[i].object);
    }
    struct bytes object;
    assert_int_equal(chat_find_json(BYTES("{\"a\":1}"), 3, &object), CHAT_TOO_LARGE);
}

static void the_search_for_json_is_bounded(void **state)
{
    (void)state;
    AUTO(buffer) text = {0};
    struct bytes object;
    for (int i = 0; i < CHAT_TRIES_MAX - 1; i++)
        buffer_append_text(&text, "{ ");
    buffer_append_text(&text, "{\"a\":1}");
    assert_int_equal(chat_find_json(buffer_bytes(&text), 1000, &object), CHAT_GOOD);
    buffer_clear(&text);
    for (int i = 0; i < CHAT_TRIES_MAX; i++)
        buffer_append_text(&text, "{ ");
    buffer_append_text(&text, "{\"a\":1}");
    assert_int_equal(chat_find_json(buffer_bytes(&text), 1000, &object), CHAT_TRUNCATED);
}

static void outcomes_have_labels_and_texts(void **state)
{
    (void)state;
    for (enum chat_outcome outcome = 0; outcome < CHAT_OUTCOME_COUNT; outcome++) {
        for (const char *c = chat_outcome_label(outcome); *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_');
        assert_true(strlen(chat_outcome_text(outcome)) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_says_what_was_asked),
        cmocka_unit_test(a_request_of_bad_text_is_refused_and_leaves_nothing),
        cmocka_unit_test(a_reply_is_read),
        cmocka_unit_test(each_bad_reply_has_its_reason),
        cmocka_unit_test(a_reply_beyond_its_limit_is_not_even_parsed),
        cmocka_unit_test(what_was_paid_for_is_told_also_of_failures),
        cmocka_unit_test(an_error_says_its_sentence_without_control_characters),
        cmocka_unit_test(json_is_found_in_what_a_model_says),
        cmocka_unit_test(the_search_for_json_is_bounded),
        cmocka_unit_test(outcomes_have_labels_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
