// SPDX-License-Identifier: Apache-2.0
/* Bodies of embeddings: the texts go out in order, the vectors come back in any, and are checked. */
#include "support/support.h"

#include <eddy/core/chat.h>

static void a_request_has_its_texts_in_order(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    struct complaint complaint = {""};
    struct bytes texts[] = {BYTES("red shoes"), BYTES("")};
    struct embeddings_request request = {BYTES("m"), texts, 2, 0};
    assert_ok(embeddings_write_request(&request, &out, NULL));
    assert_bytes(buffer_bytes(&out), "{\"model\":\"m\",\"input\":[\"red shoes\",\"\"],\"encoding_format\":\"float\"}");
    request.width = 3;
    buffer_clear(&out);
    assert_ok(embeddings_write_request(&request, &out, NULL));
    assert_non_null(strstr(buffer_text(&out), "\"dimensions\":3"));
    texts[1] = BYTES("\xc0\x80");
    assert_fails(BAD_INPUT, embeddings_write_request(&request, &out, &complaint));
    assert_non_null(strstr(complaint.text, "UTF-8"));
}

#define VECTOR(index, values) "{\"object\":\"embedding\",\"index\":" index ",\"embedding\":[" values "]}"
#define DATA(vectors)         "{\"data\":[" vectors "],\"usage\":{\"prompt_tokens\":5}}"

static void vectors_are_put_where_their_index_says(void **state)
{
    (void)state;
    float vectors[4];
    struct chat_usage usage;
    struct bytes body = BYTES(DATA(VECTOR("1", "0.5,-2") "," VECTOR("0", "1,2e1")));
    assert_int_equal(embeddings_read_reply(body, 1000, 2, 2, vectors, &usage, NULL), CHAT_GOOD);
    const float wanted[] = {1, 20, 0.5F, -2};
    assert_memory_equal(vectors, wanted, sizeof wanted);
    assert_int_equal(usage.prompt_tokens, 5);
    body = BYTES("{\"data\":[{\"embedding\":[1,2]},{\"embedding\":[3,4]}]}");
    assert_int_equal(embeddings_read_reply(body, 1000, 2, 2, vectors, &usage, NULL), CHAT_GOOD);
    const float in_order[] = {1, 2, 3, 4};
    assert_memory_equal(vectors, in_order, sizeof in_order);
    assert_int_equal(embeddings_read_reply(BYTES("{\"data\":[]}"), 1000, 0, 2, vectors, &usage, NULL), CHAT_GOOD);
}

static void each_bad_reply_has_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum chat_outcome outcome;
    } cases[] = {
        {"", CHAT_EMPTY},
        {"<html>", CHAT_HTML},
        {"{\"data\":[", CHAT_TRUNCATED},
        {"{\"error\":{\"message\":\"no\"}}", CHAT_ERROR},
        {"{\"choices\":[]}", CHAT_WRONG_SHAPE},
        {DATA("7,8"), CHAT_WRONG_SHAPE},
        {DATA(VECTOR("\"0\"", "1,2") "," VECTOR("1", "1,2")), CHAT_WRONG_SHAPE},
        {DATA("{\"index\":0,\"embedding\":\"AACAPw==\"}," VECTOR("1", "1,2")), CHAT_WRONG_SHAPE},
        {DATA(VECTOR("0", "1,null") "," VECTOR("1", "1,2")), CHAT_WRONG_SHAPE},
        {DATA(VECTOR("0", "1,2")), CHAT_WRONG_COUNT},
        {DATA(VECTOR("0", "1,2") "," VECTOR("1", "1,2") "," VECTOR("2", "1,2")), CHAT_WRONG_COUNT},
        {DATA(VECTOR("0", "1,2") "," VECTOR("0", "1,2")), CHAT_WRONG_COUNT},
        {DATA(VECTOR("0", "1,2") "," VECTOR("2", "1,2")), CHAT_WRONG_COUNT},
        {DATA(VECTOR("0", "1,2") "," VECTOR("-1", "1,2")), CHAT_WRONG_COUNT},
        {DATA(VECTOR("0", "1,2,3") "," VECTOR("1", "1,2")), CHAT_WRONG_WIDTH},
        {DATA(VECTOR("0", "1,2") "," VECTOR("1", "")), CHAT_WRONG_WIDTH},
        {DATA(VECTOR("0", "1,1e39") "," VECTOR("1", "1,2")), CHAT_NOT_FINITE},
        {DATA(VECTOR("0", "1,1e999") "," VECTOR("1", "1,2")), CHAT_NOT_FINITE},
        {DATA(VECTOR("0", "1,NaN") "," VECTOR("1", "1,2")), CHAT_NOT_JSON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float vectors[4];
        struct chat_usage usage;
        struct complaint complaint = {""};
        enum chat_outcome outcome =
            embeddings_read_reply(bytes_of_text(cases[i].body), 1000, 2, 2, vectors, &usage, &complaint);
        if (outcome != cases[i].outcome || !*complaint.text)
            fail_msg("case %zu: %s, \"%s\"", i, chat_outcome_label(outcome), complaint.text);
    }
    float vector;
    struct chat_usage usage;
    assert_int_equal(embeddings_read_reply(BYTES("{\"data\":[]}"), 5, 0, 1, &vector, &usage, NULL), CHAT_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_its_texts_in_order),
        cmocka_unit_test(vectors_are_put_where_their_index_says),
        cmocka_unit_test(each_bad_reply_has_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
