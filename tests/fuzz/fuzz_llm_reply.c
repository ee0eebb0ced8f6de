// SPDX-License-Identifier: Apache-2.0
/* Any bytes as the body of a language model's reply, and as the text in it. */
#include <eddy/core/chat.h>

#include <math.h>
#include <stdlib.h>

#define CONTENT_MAX 512
#define WIDTH       3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_find(struct bytes text)
{
    struct bytes object = {0};
    enum chat_outcome outcome = chat_find_json(text, 1 << 16, &object);
    assert(outcome < CHAT_OUTCOME_COUNT);
    if (outcome != CHAT_GOOD)
        return;
    struct bytes again = {0};
    assert(object.data >= text.data && object.data + object.size <= text.data + text.size);
    assert(object.data[0] == '{' && object.data[object.size - 1] == '}');
    assert(chat_find_json(object, 1 << 16, &again) == CHAT_GOOD && bytes_equal(again, object));
}

static void try_chat(struct bytes body)
{
    AUTO(chat_reply) reply = {0};
    struct complaint complaint = {""};
    const struct chat_limits limits = {1 << 16, CONTENT_MAX};
    enum chat_outcome outcome = chat_read_reply(body, limits, &reply, &complaint);
    assert((outcome == CHAT_GOOD) == !*complaint.text);
    assert(bytes_is_utf8(bytes_of_text(complaint.text)));
    assert(reply.content.size <= CONTENT_MAX && bytes_is_utf8(buffer_bytes(&reply.content)));
    assert(outcome == CHAT_GOOD || outcome == CHAT_CUT || reply.content.size == 0);
    assert(outcome != CHAT_GOOD || reply.content.size > 0);
    assert(memchr(reply.model, 0, sizeof reply.model) && bytes_is_utf8(bytes_of_text(reply.model)));
    try_find(buffer_bytes(&reply.content));
}

static void try_embeddings(struct bytes body, size_t count)
{
    float *vectors = malloc((count * WIDTH + 1) * sizeof *vectors);
    struct chat_usage usage;
    struct complaint complaint = {""};
    if (!vectors)
        abort();
    enum chat_outcome outcome = embeddings_read_reply(body, 1 << 16, count, WIDTH, vectors, &usage, &complaint);
    assert((outcome == CHAT_GOOD) == !*complaint.text);
    for (size_t i = 0; outcome == CHAT_GOOD && i < count * WIDTH; i++)
        assert(isfinite(vectors[i]));
    assert(usage.prompt_tokens >= -1 && usage.completion_tokens >= -1);
    free(vectors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes body = bytes_of(data, size);
    struct complaint said;
    try_chat(body);
    try_find(body);
    for (size_t count = 0; count < 3; count++)
        try_embeddings(body, count);
    chat_read_error(body, &said);
    assert(bytes_is_utf8(bytes_of_text(said.text)));
    return 0;
}
