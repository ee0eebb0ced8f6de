// SPDX-License-Identifier: Apache-2.0
#pragma once
/* llm: a client of servers that speak OpenAI's API, on libcurl's multi interface. It carries bodies (core/chat.h writes
 * and reads them) and decides nothing by itself: which endpoint is asked, what is tried again and when is
 * core/endpoints.h.
 *
 *   llm_submit() -> waiting -> in flight (one request; two while hedging) -> finished -> llm_poll()
 *                      ^            |
 *                      +-- again ---+
 *
 * Every call that was submitted ends in exactly one result, with what it ended in (CALL_OUTCOMES): by its deadline at
 * the latest, whatever servers do, as long as llm_poll() is called. A call fails before its deadline when no endpoint
 * will take it before that (all held back, or their breakers open).
 *
 * One thread uses a client; llm_wake() alone may be called by any other. Nothing waits longer than llm_poll() is told
 * to: names are resolved on threads of libcurl's, which are left behind when one hangs.
 *
 * All endpoints get the same body, so they must know its model by the same name. Redirects are not followed, cookies
 * and .netrc not used; a proxy is taken from the environment by curl's rules (https_proxy, no_proxy, ...). Connections
 * are kept and used again; HTTP/2 carries many requests on one.
 *
 * Keys go into the Authorization header and nowhere else. They are overwritten when the client ends (libcurl's own
 * copies of sent headers are freed, not overwritten), and wherever an answer repeats one, it is blotted out with *
 * before anyone sees it. Answers are outside input, untouched otherwise.
 *
 * Limits: calls_max submitted and not yet handed out, body_bytes_max for each answer (the transfer ends at once beyond
 * it) and 64 KiB for its headers. */
#include <eddy/base/histogram.h>
#include <eddy/core/endpoints.h>
#include <eddy/port.h>

struct llm_endpoint {
    const char *url;  /* base of the API: "https://api.openai.com/v1"; no user name, no query */
    struct bytes key; /* printable ASCII; empty: none is sent */
    struct endpoint_options options;
};

enum llm_http {
    LLM_HTTP_NEGOTIATED, /* HTTP/2 where TLS finds it spoken (ALPN), otherwise HTTP/1.1 */
    LLM_HTTP_1,          /* HTTP/1.1 */
    LLM_HTTP_2_PLAIN, /* HTTP/2 without TLS and without asking (h2c, prior knowledge); a connection is used again only
                         by libcurl 8.0 and later, as earlier ones fail then */
};

struct llm_options { /* all is copied; texts are never NULL */
    const struct llm_endpoint *endpoints;
    size_t endpoint_count; /* 1 .. ENDPOINTS_MAX */
    struct endpoint_rules rules;
    const char *ca; /* path of a PEM file; "": the system's */
    bool verify;    /* the server's certificate and name */
    enum llm_http http;
    int connect_timeout_ms; /* name, connection and TLS */
    int request_timeout_ms; /* of one request; 0: the call's deadline alone */
    int slow_ms; /* once an answer's body has begun, at least slow_bytes must come in each such time; 0: any */
    size_t slow_bytes;
    size_t body_bytes_max;
    size_t calls_max;
    int hedge_after_ms; /* then a second endpoint is asked too, and the first answer counts; 0: never */
    uint64_t seed;      /* of backoff and choice */
};

/* Sensible ones, without endpoints. */
struct llm_options llm_defaults(void);

struct llm_client;

/* No request is made. CONFIG with a complaint (without keys) when an option is of no use. `time` must advance. */
MUST_CHECK struct status llm_client_make(const struct llm_options *options, struct time_source time,
                                         struct llm_client **ret_client, struct complaint *complaint);
/* Ends all requests at once; calls that were not handed out have no result any more. NULL is fine. */
void llm_client_free(struct llm_client *client);

struct llm_call {
    const char *path; /* static: "/chat/completions", "/embeddings" */
    struct bytes body;
    void *user; /* comes back with the result */
    int64_t timeout_ms;
    uint32_t tokens; /* that it will use, estimated; counts towards tokens_per_minute */
};

/* Copies the body. LIMIT: calls_max are there already, nothing was taken. MEMORY. */
MUST_CHECK struct status llm_submit(struct llm_client *client, const struct llm_call *call);

struct llm_result {
    void *user;
    enum call_outcome outcome;
    int code;          /* of HTTP, of the last request that ended by itself; 0: it was not answered */
    uint32_t requests; /* that were sent for it */
    int endpoint;      /* that was asked last; -1: none was */
    int64_t took_us;   /* from llm_submit() on */
    struct bytes body; /* of that request, ANSWERED or not; may be empty or cut. Valid until the next llm_poll() */
    char text[256];    /* for people: what went wrong, "" for ANSWERED; no key, no control characters */
};

/* Carries requests on until there is a result, llm_wake() is called or timeout_ms are over; with 0 it does what can be
 * done now. How many results were set, at most `capacity`; more are handed out by the next call, at once. */
size_t llm_poll(struct llm_client *client, int timeout_ms, struct llm_result *results, size_t capacity);

/* Ends a llm_poll() that waits, or the next one. Any thread. */
void llm_wake(struct llm_client *client);

/* All calls end as CANCELLED; their results are handed out by llm_poll(). */
void llm_cancel_all(struct llm_client *client);

/* ---- what a client has seen */

struct llm_endpoint_report {
    uint32_t in_flight, window;
    enum breaker breaker;
    int64_t held_ms;                          /* how much longer it is held back; 0: not */
    uint64_t requests_by[CALL_OUTCOME_COUNT]; /* requests that ended */
};

struct llm_report {
    size_t waiting, in_flight, finished; /* calls: to be sent, sent, to be handed out */
    uint64_t calls_by[CALL_OUTCOME_COUNT];
    uint64_t retries, hedges;
    uint64_t connections; /* that were made */
    struct llm_endpoint_report endpoints[ENDPOINTS_MAX];
};

void llm_report(const struct llm_client *client, struct llm_report *ret_report);
/* Microseconds from llm_submit() to ANSWERED. Valid as long as the client. */
const struct histogram *llm_latency(const struct llm_client *client);
