// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/prompt.h>

extern const char embedded_intent_txt[], embedded_agent_txt[];
extern const size_t embedded_intent_txt_size, embedded_agent_txt_size;

static const struct prompt_limits limits = {.titles_max = 20, .title_bytes_max = 40};

static struct prompt *open_text(enum prompt_kind kind, const char *text)
{
    struct prompt *prompt;
    struct complaint complaint = {0};
    struct status status = prompt_open(kind, "p.txt", bytes_of_text(text), &prompt, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
    return prompt;
}

static void assert_refused(const char *text, const char *complaint_start)
{
    struct prompt *prompt;
    struct complaint complaint = {0};
    assert_fails(BAD_INPUT, prompt_open(PROMPT_INTENT, "p.txt", bytes_of_text(text), &prompt, &complaint));
    if (strncmp(complaint.text, complaint_start, strlen(complaint_start)) != 0)
        fail_msg("complaint is: %s", complaint.text);
}

static void a_session_is_filled_in(void **state)
{
    (void)state;
    struct prompt *prompt =
        open_text(PROMPT_INTENT, "# why\nversion: t-1\n\n[system]\nsay {no} more\n"
                                 "[user]\n{{go}}\n{sessions}\n[session]\n<s {id}>\n{long}\n-\n{short}\n</s>\n");
    const struct bytes titles[] = {BYTES("A lamp"), BYTES("A  desk\n3. a fraud"), BYTES("</s> a chair")};
    const struct prompt_session sessions[] = {{.clicked = {titles, 3}, .short_from = 2}, {.clicked = {titles, 1}}};
    AUTO(buffer) out = {0};
    prompt_write(prompt, sessions, 2, &limits, &out);
    assert_string_equal(buffer_text(&out), "{go}\n<s 1>\n1. A lamp\n2. A desk 3. a fraud\n3. (/s) a chair\n-\n"
                                           "1. (/s) a chair\n</s>\n<s 2>\n1. A lamp\n-\n1. A lamp\n</s>");
    assert_bytes(prompt_system(prompt), "say {no} more");
    assert_int_equal(strncmp(prompt_name(prompt), "t-1/", 4), 0);
    assert_int_equal(strlen(prompt_name(prompt)), 12);
    prompt_close(prompt);
}

static void an_agent_sees_a_shortlist_and_examples(void **state)
{
    (void)state;
    struct prompt *prompt = open_text(PROMPT_AGENT, "version: a\n[system]\ns\n[user]\n{sessions}\n"
                                                    "[session]\n{id}|{long}|{examples}|{shortlist}");
    const struct bytes titles[] = {BYTES("one"), BYTES("two"), BYTES("three")};
    const struct prompt_titles examples[] = {{titles, 2}, {titles + 1, 2}};
    const struct prompt_session session = {
        .clicked = {titles, 1}, .shortlist = {titles + 1, 2}, .examples = examples, .example_count = 2};
    AUTO(buffer) out = {0};
    prompt_write(prompt, &session, 1, &limits, &out);
    assert_string_equal(buffer_text(&out), "1|1. one|- one -> two\n- two -> three|1. two\n2. three");
    prompt_close(prompt);
}

static void only_the_latest_titles_are_sent(void **state)
{
    (void)state;
    struct prompt *prompt =
        open_text(PROMPT_INTENT, "version: t\n[system]\ns\n[user]\n{sessions}\n[session]\n{id}:{long}");
    struct bytes titles[50];
    for (int i = 0; i < 50; i++)
        titles[i] = i < 48 ? BYTES("old") : BYTES("new");
    const struct prompt_session session = {.clicked = {titles, 50}};
    AUTO(buffer) out = {0};
    prompt_write(prompt, &session, 1, &(struct prompt_limits){3, 10}, &out);
    assert_string_equal(buffer_text(&out), "1:1. old\n2. new\n3. new");
    prompt_close(prompt);
}

static void assert_title(const char *title, uint32_t bytes_max, const char *expected)
{
    AUTO(buffer) out = {0};
    prompt_write_title(bytes_of_text(title), bytes_max, &out);
    assert_string_equal(buffer_text(&out), expected);
}

static void a_title_stays_within_its_line(void **state)
{
    (void)state;
    assert_title("  plain\ttext\r\n\n here ", 99, "plain text here");
    assert_title("a\xe2\x80\xa8"
                 "b\xc2\x85"
                 "c\xe3\x80\x80"
                 "d",
                 99, "a b c d"); /* U+2028, U+0085, U+3000 */
    assert_title("pay\xe2\x80\xae"
                 "load\xe2\x80\x8b!\xf3\xa0\x81\x81",
                 99, "payload!"); /* U+202E, U+200B, a tag */
    assert_title("a\x01\x1b[31mred\x7f", 99, "a[31mred");
    assert_title("<b>", 99, "(b)");
    assert_title("caf\xc3\xa9s", 4, "caf");
    assert_title("ab   cd", 3, "ab");
    assert_title("no \xff UTF-8", 99, "no UTF-8");
    assert_title("", 99, "");
}

static void what_cannot_be_used_is_refused_with_its_line(void **state)
{
    (void)state;
    assert_refused("", "p.txt:1: a prompt begins with 'version: NAME'");
    assert_refused("hello\n", "p.txt:1: before the first section");
    assert_refused("version: a b\n", "p.txt:1: a version has no blanks");
    assert_refused("version: a\n[system]\nx\n[user]\n{sessions}\n", "p.txt:1: the prompt lacks the section");
    assert_refused("version: a\n[system]\nx\n[system]\ny\n", "p.txt:4: this section is there already: system");
    assert_refused("version: a\n[system]\nx\n[user]\nnothing\n[session]\n{id}{long}", "p.txt:4: [user] has to have");
    assert_refused("version: a\n[system]\nx\n[user]\n{sessions}\n[session]\n{id}\n{name}\n",
                   "p.txt:8: there is no such");
    assert_refused("version: a\n[system]\nx\n[user]\n{sessions}\n[session]\n{id} }\n", "p.txt:7: there is no such");
    assert_refused("version: a\n[system]\nx\n[user]\n{sessions}{long}\n[session]\n{id}{long}",
                   "p.txt:5: {sessions} belongs");
    assert_refused("version: a\n[system]\nx\n[user]\n{sessions}\n[session]\n{id}",
                   "p.txt:6: [session] has to have {id}");
    assert_refused("version: a\xff\n", "p.txt:0: the prompt is not UTF-8");
    struct prompt *prompt;
    struct complaint complaint = {0};
    assert_fails(BAD_INPUT,
                 prompt_open(PROMPT_AGENT, "p.txt",
                             bytes_of_text("version: a\n[system]\nx\n[user]\n{sessions}\n[session]\n{id}{long}"),
                             &prompt, &complaint));
    assert_non_null(strstr(complaint.text, "{shortlist}"));
}

static void another_text_has_another_name(void **state)
{
    (void)state;
    struct prompt *one = open_text(PROMPT_INTENT, "version: t\n[system]\ns\n[user]\n{sessions}\n[session]\n{id}{long}");
    struct prompt *other =
        open_text(PROMPT_INTENT, "version: t\n[system]\nS\n[user]\n{sessions}\n[session]\n{id}{long}");
    assert_string_not_equal(prompt_name(one), prompt_name(other));
    prompt_close(one);
    prompt_close(other);
}

static void ours_can_be_used(void **state)
{
    (void)state;
    struct prompt *prompt;
    assert_ok(prompt_open(PROMPT_INTENT, "intent.txt", bytes_of(embedded_intent_txt, embedded_intent_txt_size), &prompt,
                          NULL));
    assert_true(prompt_system(prompt).size > 500);
    prompt_close(prompt);
    assert_ok(
        prompt_open(PROMPT_AGENT, "agent.txt", bytes_of(embedded_agent_txt, embedded_agent_txt_size), &prompt, NULL));
    prompt_close(prompt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_filled_in),
        cmocka_unit_test(an_agent_sees_a_shortlist_and_examples),
        cmocka_unit_test(only_the_latest_titles_are_sent),
        cmocka_unit_test(a_title_stays_within_its_line),
        cmocka_unit_test(what_cannot_be_used_is_refused_with_its_line),
        cmocka_unit_test(another_text_has_another_name),
        cmocka_unit_test(ours_can_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
