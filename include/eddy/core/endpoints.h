// SPDX-License-Identifier: Apache-2.0
#pragma once
/* endpoints: which of several servers of a language model the next request goes to, and what becomes of a call when a
 * request for it ends. Pure: the time (microseconds of a monotonic clock) and the chance are arguments, so all of it
 * is tested on a clock of the test's own; eddy/io/llm.h carries the requests.
 *
 * An endpoint takes a request when
 *   - it has fewer in flight than its window. The window is its `concurrency`, halved when the endpoint says that it is
 *     asked too much and one larger after each window of answers (additive increase, multiplicative decrease);
 *   - it is not held back. An answer 429, or 503 with a time, holds the whole endpoint back for as long as the server
 *     says, and with no word from it for a time that doubles;
 *   - its breaker lets it. `breaker_failures` failures in a row open the breaker for a time that doubles from opening
 * to opening; then it is half open: one request is let through as a probe, which closes or opens it;
 *   - its allowances of requests and tokens a minute have not run out (token buckets of ALLOWANCE_SECONDS).
 *
 * Of those that do, the lowest `priority` counts, and within one the chance, by weight. An endpoint on which a call has
 * failed is asked again for it only when no other takes it.
 *
 *               failures in a row                   time is up
 *      CLOSED ---------------------> OPEN <---------------------> HALF_OPEN (one probe)
 *         ^                                      the probe fails     |
 *         +----------------------- the probe is answered ------------+
 *
 * Backoff with full jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. */
#include <eddy/base/bytes.h>
#include <eddy/base/random.h>

#define ENDPOINTS_MAX     16
#define ALLOWANCE_SECONDS 5 /* how much of a minute's allowance may be used at once */

/* ---- how a request or a call ended. X(IDENTIFIER, "label", "what it means") */

#define CALL_OUTCOMES(X)                                                                                               \
    X(ANSWERED, "answered", "the server answered with success")                                                        \
    X(REFUSED, "refused", "the server refused the request, and would again")                                           \
    X(DENIED, "denied", "the endpoint denied access, or has no such model or path")                                    \
    X(BUSY, "rate_limited", "the server was asked more than it allows")                                                \
    X(SERVER, "server_error", "the server failed")                                                                     \
    X(CONNECT, "connect", "no connection could be made")                                                               \
    X(TLS, "tls", "the server could not be trusted, or not be spoken to securely")                                     \
    X(BROKEN, "broken", "the connection ended, or what came was no HTTP")                                              \
    X(SLOW, "slow", "the answer came too slowly, or not within the time for one request")                              \
    X(LARGE, "large", "the answer was larger than allowed")                                                            \
    X(DEADLINE, "deadline", "the call's time was up")                                                                  \
    X(NO_ENDPOINT, "no_endpoint", "no endpoint would have taken the call before its time was up")                      \
    X(CANCELLED, "cancelled", "the call was cancelled")                                                                \
    X(NO_MEMORY, "no_memory", "there was no memory for the request")

enum call_outcome {
#define X(name, label, text) CALL_##name,
    CALL_OUTCOMES(X)
#undef X
        CALL_OUTCOME_COUNT
};

const char *call_outcome_label(enum call_outcome outcome);
const char *call_outcome_text(enum call_outcome outcome);

/* What an answer with that HTTP code is, when it says to wait for hint_ms (-1: it does not). Redirects are DENIED: they
 * are not followed. */
enum call_outcome call_outcome_of_code(int code, int64_t hint_ms);

/* ---- what a server says about when to come again */

struct retry_hints { /* values of headers; empty: not there */
    struct bytes retry_after, retry_after_ms, date;
    struct bytes remaining_requests, reset_requests; /* x-ratelimit-remaining-requests, ... */
    struct bytes remaining_tokens, reset_tokens;
};

/* Milliseconds to wait; -1: nothing useful was said. Retry-After in seconds or as an HTTP date, which is counted from
 * the server's own Date, or from wall_ms without one; then what is used up of the rate limits ("1s", "6m0s", "20ms").
 */
int64_t retry_hint_ms(const struct retry_hints *hints, int64_t wall_ms);
/* "Sun, 06 Nov 1994 08:49:37 GMT" */
bool http_date_parse(struct bytes text, int64_t *ret_time_ms);
/* "1h2m3.5s", "250ms", "7" (seconds); false for anything else. */
bool duration_parse(struct bytes text, int64_t *ret_ms);

/* ---- endpoints */

struct endpoint_options {
    uint32_t concurrency;                            /* requests in flight at most, >= 1 */
    uint32_t priority;                               /* the lowest is asked first */
    uint32_t weight;                                 /* among those of one priority, >= 1 */
    uint32_t requests_per_minute, tokens_per_minute; /* 0: no limit of our own */
};

struct endpoint_rules {    /* of all endpoints; times > 0 */
    uint32_t attempts_max; /* failed requests for one call; those that found a server busy do not count */
    int64_t backoff_first_ms, backoff_max_ms;     /* between requests for one call, and after a 429 that says no time */
    int64_t hold_max_ms;                          /* how long a server may hold us back */
    uint32_t breaker_failures;                    /* in a row, >= 1 */
    int64_t breaker_open_ms, breaker_open_max_ms; /* the first opening, and what it doubles to */
};

enum breaker { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct endpoint {
    struct endpoint_options options;
    double window;
    uint32_t in_flight;
    uint32_t failures;     /* in a row */
    uint32_t openings;     /* in a row */
    uint32_t holds;        /* in a row */
    enum breaker breaker;  /* OPEN also when its time is up but nothing was asked since */
    bool probing;          /* a probe is in flight */
    int64_t open_until_us; /* of BREAKER_OPEN */
    int64_t held_until_us;
    int64_t held_at_us; /* when it was held back last; requests from before say nothing new */
    int64_t filled_us;  /* when the allowances were filled up last */
    double requests, tokens;
};

struct endpoints {
    struct endpoint_rules rules;
    struct endpoint at[ENDPOINTS_MAX];
    size_t count;
};

void endpoints_init(struct endpoints *endpoints, const struct endpoint_rules *rules,
                    const struct endpoint_options *options, size_t count, int64_t now_us);

/* A call while it is tried. Masks have a bit for each endpoint. */
struct attempts {
    int64_t deadline_us;
    int64_t not_before_us;
    uint32_t failed;   /* requests that failed */
    uint32_t rounds;   /* times that all endpoints were tried */
    uint32_t tried;    /* where it failed in this round */
    uint32_t excluded; /* where it can never succeed */
};

/* The endpoint that takes the next request for this call, -1: none does now. */
int endpoints_pick(struct endpoints *endpoints, const struct attempts *attempts, int64_t now_us, struct random *random);
/* The same among those that are not in `avoided` either, for a second request beside one that is in flight. */
int endpoints_pick_other(struct endpoints *endpoints, const struct attempts *attempts, uint32_t avoided, int64_t now_us,
                         struct random *random);

/* A request begins on the endpoint that was picked. */
void endpoints_begin(struct endpoints *endpoints, size_t endpoint, uint32_t tokens, int64_t now_us);
/* It ended, having begun at begun_us; hint_ms: retry_hint_ms() of its answer. */
void endpoints_end(struct endpoints *endpoints, size_t endpoint, enum call_outcome outcome, int64_t hint_ms,
                   int64_t begun_us, int64_t now_us);

/* Whether the call is to be tried again after a request for it ended so, and when. False: the outcome is the call's. */
bool attempts_go_on(struct attempts *attempts, const struct endpoints *endpoints, size_t endpoint,
                    enum call_outcome outcome, int64_t now_us, struct random *random);

/* The earliest time at which some endpoint that is not excluded may take a request, as far as time alone decides;
 * INT64_MAX: all are excluded. *ret_reason is why it is not now: BUSY or NO_ENDPOINT. */
int64_t endpoints_ready_us(struct endpoints *endpoints, uint32_t excluded, int64_t now_us,
                           enum call_outcome *ret_reason);

/* The breaker as it would be found now. */
enum breaker endpoint_breaker(const struct endpoint *endpoint, int64_t now_us);
