// SPDX-License-Identifier: Apache-2.0
#pragma once
/* chat: what goes over the wire to and from a server that speaks OpenAI's API: the bodies of /v1/chat/completions and
 * /v1/embeddings, written and read. Pure: who carries them is eddy/io/llm.h.
 *
 * A reply is outside input, and so is the model's text in it: every function here survives any bytes, takes no more
 * than its limits, and says what was wrong as one of CHAT_OUTCOMES, which may be a metric's label, and as a sentence.
 * Fields that are not known are passed over, as servers differ in them. Reading allocates (JSON), and gives all back.
 */
#include <eddy/base/buffer.h>

/* X(IDENTIFIER, "label", "what it means") */
#define CHAT_OUTCOMES(X)                                                                                               \
    X(GOOD, "ok", "the reply can be used")                                                                             \
    X(EMPTY, "empty", "the reply has no bytes")                                                                        \
    X(TOO_LARGE, "too_large", "the reply, or the text in it, has more bytes than allowed")                             \
    X(HTML, "html", "the reply is a page for a browser, as proxies send it")                                           \
    X(NOT_UTF8, "not_utf8", "the reply is not UTF-8")                                                                  \
    X(TRUNCATED, "truncated", "the JSON ends too early")                                                               \
    X(NOT_JSON, "not_json", "the reply is no JSON, or there is no JSON object in the text")                            \
    X(ERROR, "error", "the server reports an error")                                                                   \
    X(WRONG_SHAPE, "wrong_shape", "the JSON is not of the shape that the API promises")                                \
    X(NO_CONTENT, "no_content", "the model said nothing: a refusal, or a call of a tool")                              \
    X(CUT, "cut", "the model's text was cut at max_tokens")                                                            \
    X(FILTERED, "filtered", "the server's content filter held the text back")                                          \
    X(WRONG_COUNT, "wrong_count", "not as many vectors as texts")                                                      \
    X(WRONG_WIDTH, "wrong_width", "a vector is not as wide as wanted")                                                 \
    X(NOT_FINITE, "not_finite", "a number of a vector is out of range")                                                \
    X(NO_MEMORY, "no_memory", "there is no memory to read the reply")

enum chat_outcome {
#define X(name, label, text) CHAT_##name,
    CHAT_OUTCOMES(X)
#undef X
        CHAT_OUTCOME_COUNT
};

const char *chat_outcome_label(enum chat_outcome outcome);
const char *chat_outcome_text(enum chat_outcome outcome);

/* ---- chat completions */

struct chat_request {
    struct bytes model;
    struct bytes system; /* empty: no such message */
    struct bytes user;
    uint32_t max_tokens;          /* 0: the server's choice */
    bool names_completion_tokens; /* the limit is called max_completion_tokens, as newer models of OpenAI want it */
    double temperature;           /* < 0: the server's choice */
    int64_t seed;                 /* < 0: none */
    struct bytes schema_name;     /* of the structured output: letters, digits, _ and - */
    struct bytes schema;          /* its JSON Schema; empty: none is asked for */
};

/* Appends the body. BAD_INPUT when a text is not UTF-8 or has a NUL, or the schema is not a JSON object; LIMIT and
 * MEMORY by the buffer. On failure the buffer's size is as before. */
MUST_CHECK struct status chat_write_request(const struct chat_request *request, struct buffer *out,
                                            struct complaint *complaint);

#define CHAT_NAME_MAX 128

struct chat_usage {
    int64_t prompt_tokens, completion_tokens; /* -1: not told, or nonsense */
};

struct chat_reply {
    struct buffer content;     /* UTF-8, checked */
    char model[CHAT_NAME_MAX]; /* "" when not told; cut at a code point */
    struct chat_usage usage;   /* also of failures, when told: they were paid for */
};

void chat_reply_release(struct chat_reply *reply);

struct chat_limits {
    size_t body_bytes;    /* of the whole reply */
    size_t content_bytes; /* of the model's text */
};

/* Reads the body of a reply. GOOD and CUT set the content. `reply` may be used again; its buffer's memory is kept. */
enum chat_outcome chat_read_reply(struct bytes body, struct chat_limits limits, struct chat_reply *reply,
                                  struct complaint *complaint);

/* The sentence in the body of a reply that is no success, "" when there is none. It is the server's: log it with care.
 */
void chat_read_error(struct bytes body, struct complaint *ret_said);

/* The JSON object in a model's text, for models without structured output: the text itself, or what stands in a fence
 * (```) or between other words. Thoughts in <think> before the answer are passed over. Of several objects the longest
 * counts, of equal ones the first. Looks at no more than CHAT_TRIES_MAX places where one may begin. TRUNCATED when
 * there is none, but one has begun; NOT_JSON; TOO_LARGE beyond bytes_max. *ret_object points into the text. */
#define CHAT_TRIES_MAX 64
enum chat_outcome chat_find_json(struct bytes text, size_t bytes_max, struct bytes *ret_object);

/* ---- embeddings */

struct embeddings_request {
    struct bytes model;
    const struct bytes *texts;
    size_t count;
    uint32_t width; /* asked for as "dimensions"; 0: the model's own */
};

/* As chat_write_request(). */
MUST_CHECK struct status embeddings_write_request(const struct embeddings_request *request, struct buffer *out,
                                                  struct complaint *complaint);

/* Reads `count` vectors into ret_vectors, which is (count, width), in the order of the texts, whatever order they come
 * in. Every index must be there once, every vector be `width` wide and its numbers be finite as floats. On failure
 * ret_vectors holds anything. */
enum chat_outcome embeddings_read_reply(struct bytes body, size_t body_bytes_max, size_t count, size_t width,
                                        float *ret_vectors, struct chat_usage *ret_usage, struct complaint *complaint);
