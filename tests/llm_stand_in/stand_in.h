// SPDX-License-Identifier: Apache-2.0
#pragma once
/* stand_in: llm-stand-in, a process that stands in for a server of a language model, in tests and measurements. It
 * speaks HTTP/1.1 over a real socket of the loopback, and gives answers that are made up, or recorded, or wrong in ways
 * that servers are: what goes over the wire is under control to the byte. It is no language model.
 *
 *   main.c        options, the loop
 *   connection.c  HTTP: requests in, bytes out when they are due
 *   answer.c      the bodies of answers
 *   summary.c     what it "understands" of sessions: titles and frequent words
 *   fault.c       what is to go wrong next, and the control path
 *   latency.c     how long answers take, and rate limits */
#include <eddy/base/buffer.h>
#include <eddy/base/random.h>
#include <jansson.h>
#include <stdio.h>

/* X(IDENTIFIER, "name", "what happens") */
#define FAULTS(X)                                                                                                      \
    X(OK, "ok", "nothing")                                                                                             \
    X(HANG, "hang", "no answer, ever")                                                                                 \
    X(RESET, "reset", "the connection is reset in the middle of the body")                                             \
    X(HANG_UP, "hang_up", "the connection ends without an answer")                                                     \
    X(TRICKLE, "trickle", "a byte of the answer every 100 ms")                                                         \
    X(BUSY, "busy", "429 with Retry-After")                                                                            \
    X(BUSY_SILENT, "busy_silent", "429 without a word of when to come again")                                          \
    X(ERROR, "error", "500 with an error object")                                                                      \
    X(UNAVAILABLE, "unavailable", "503 with an HTML page")                                                             \
    X(DENIED, "denied", "401 that repeats the key")                                                                    \
    X(REFUSED, "refused", "400 with an error object")                                                                  \
    X(REDIRECT, "redirect", "307 to another host")                                                                     \
    X(PAGE, "page", "200 with an HTML page")                                                                           \
    X(EMPTY, "empty", "200 without a body")                                                                            \
    X(TRUNCATED, "truncated", "200 with half of the JSON")                                                             \
    X(WRONG_SHAPE, "wrong_shape", "200 with JSON that is no chat completion")                                          \
    X(WRONG_ANSWER, "wrong_answer", "the model's text is JSON of another schema")                                      \
    X(NOT_UTF8, "not_utf8", "the model's text is not UTF-8")                                                           \
    X(OBEY, "obey", "the model's text is what a title after INSTRUCTION: tells it to say")                             \
    X(OVERRUN, "overrun", "the model's text goes on past max_tokens")                                                  \
    X(ENDLESS, "endless", "the model's text never ends")                                                               \
    X(HUGE, "huge", "an answer of 10 MB")                                                                              \
    X(LONG_LENGTH, "long_length", "Content-Length is more than comes")                                                 \
    X(SHORT_LENGTH, "short_length", "Content-Length is less than comes")                                               \
    X(HTTP_1_0, "http_1_0", "HTTP/1.0, whose end is that of the connection")                                           \
    X(ODD_CHUNKS, "odd_chunks", "chunked, in pieces of 1 to 7 bytes, cut anywhere")                                    \
    X(HEADERS, "headers", "header lines without an end")                                                               \
    X(GARBAGE, "garbage", "what is no HTTP")

enum fault_of { /* of the stand-in; struct fault is eddy's */
#define X(name, text, what) STAND_IN_##name,
                FAULTS(X)
#undef X
                    STAND_IN_FAULT_COUNT
};

const char *fault_name(enum fault_of fault);

#define NEXT_MAX 256

struct faults {
    enum fault_of next[NEXT_MAX]; /* for the next requests, one each */
    size_t next_count, next_at;
    double rates[STAND_IN_FAULT_COUNT]; /* then by chance; their sum is at most 1 */
    int64_t until_us;                   /* then the rates and `refuse` end; INT64_MAX: never */
    bool refuse;                        /* no connections are accepted, and those that are there are reset */
    char retry_after[64];               /* of BUSY */
};

/* {"next": ["busy", "ok"], "rates": {"error": 0.1}, "refuse": true, "for_ms": 500, "retry_after": "1"}, all of them
 * optional: replaces what was told before. False, with nothing changed, when it is not that. */
bool faults_tell(struct faults *faults, struct bytes body, int64_t now_us);
enum fault_of faults_take(struct faults *faults, struct random *random, int64_t now_us);
bool faults_refuse(struct faults *faults, int64_t now_us);

/* ---- latency.c */

enum latency_kind { LATENCY_FIXED, LATENCY_EXPONENTIAL, LATENCY_LOGNORMAL };
struct latency {
    enum latency_kind kind;
    double mean_ms, p99_ms;
};
/* "fixed:20", "exponential:1000", "lognormal:1000:4000" (mean and 99th percentile) */
bool latency_parse(const char *text, struct latency *ret_latency);
int64_t latency_draw_us(const struct latency *latency, struct random *random);

struct allowance {     /* a token bucket of a minute's size */
    double per_minute; /* 0: no limit */
    double level;
    int64_t filled_us;
};
/* 0 and takes them, or seconds until they are there. */
double allowance_take(struct allowance *allowance, double amount, int64_t now_us);

/* ---- answer.c */

struct recorded { /* a line of --answers */
    char *match, *key, *content;
};

struct question {
    char *model, *system, *user;
    char key[65];       /* SHA-256 of "system\n" SYSTEM "\nuser\n" USER "\n", or without the first two lines */
    int64_t max_tokens; /* -1: not said */
    int64_t prompt_tokens;
};

struct answers {
    struct recorded *recorded;
    size_t count;
    size_t width; /* of embeddings */
};

/* A file of JSON Lines {"match": TEXT or "key": SHA-256, "content": TEXT}: the first that fits is the answer to a user
 * message that contains TEXT, or to messages with that key. False, with a message, when it cannot be read. */
bool answers_read(struct answers *answers, const char *path);
void answers_release(struct answers *answers);

bool question_read(struct bytes body, struct question *ret_question);
void question_release(struct question *question);

/* Appends the body of a chat completion. */
void answer_chat(const struct answers *answers, const struct question *question, enum fault_of fault,
                 struct buffer *out);
/* Appends that of embeddings: hashed words, the same for the same text. False when the request is none. */
bool answer_embeddings(const struct answers *answers, struct bytes body, struct buffer *out);
/* {"error": {"message": ...}} */
void answer_error(const char *message, struct buffer *out);

/* ---- summary.c */

/* {"sessions": [{"id": 1, "long": {"intent": "...", "items": [...]}, "short": {...}}]} for a user message with blocks
 * <session id="1">, lines "k. title", </session>; {"sessions": []} for any other. The caller's. */
char *summary_of(const char *user);
/* What follows INSTRUCTION: in a title, "" without one. The caller's. */
char *smuggled_in(const char *user);
