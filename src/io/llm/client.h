// SPDX-License-Identifier: Apache-2.0
#pragma once
/* client: what the files of the LLM client share.
 *
 *   client.c    making and ending one, results, reports
 *   target.c    endpoints as the configuration names them: URLs, keys, headers
 *   transfer.c  one HTTP request on an easy handle of libcurl
 *   carry.c     calls from waiting to finished: what is begun, ended and tried again */
#include <curl/curl.h>
#include <eddy/io/llm.h>
#include <stdatomic.h>

#define HEADER_BYTES_MAX (64 * 1024)
#define HEADER_VALUE_MAX 64 /* of those that are looked at */

struct target {
    char *base; /* without a slash at the end */
    char *key;  /* "" without one */
    size_t key_size;
    struct curl_slist *headers;
};

enum watched_header { /* what a server says about when to come again */
                      HEADER_RETRY_AFTER,
                      HEADER_RETRY_AFTER_MS,
                      HEADER_DATE,
                      HEADER_REMAINING_REQUESTS,
                      HEADER_RESET_REQUESTS,
                      HEADER_REMAINING_TOKENS,
                      HEADER_RESET_TOKENS,
                      HEADER_COUNT
};

struct call;

/* One request. */
struct transfer {
    CURL *easy; /* NULL: this is not in use */
    struct call *call;
    size_t endpoint;
    int64_t begun_us;
    int64_t marked_us; /* the slow watch: since when `marked` bytes are there; 0: the body has not begun */
    size_t marked;
    struct buffer body;
    size_t header_bytes;
    char headers[HEADER_COUNT][HEADER_VALUE_MAX];
    char problem[CURL_ERROR_SIZE];
};

enum call_state { STATE_WAITING, STATE_IN_FLIGHT, STATE_FINISHED, STATE_HANDED, STATE_COUNT };

struct call {
    struct call *next, *previous; /* in its state's list */
    enum call_state state;
    struct buffer body; /* does not change: libcurl reads from it */
    const char *path;
    void *user;
    uint32_t tokens;
    int64_t begun_us;
    struct attempts attempts;
    struct transfer transfers[2]; /* the second one while hedging */
    bool hedged;
    struct buffer answer;
    struct llm_result result;
};

struct call_list {
    struct call *first, *last;
    size_t count;
};

struct llm_client {
    struct llm_options options;
    char *ca;
    struct target targets[ENDPOINTS_MAX];
    struct endpoints endpoints;
    struct time_source time;
    struct random random;
    CURLM *multi;
    CURL **spare; /* easy handles, to be used again */
    size_t spare_count, spare_capacity;
    struct call_list calls[STATE_COUNT];
    _Atomic bool woken;
    struct histogram latency;
    struct llm_report report; /* its counters */
};

int64_t client_now_us(const struct llm_client *client);
void call_move(struct llm_client *client, struct call *call, enum call_state state);

/* ---- target.c */

MUST_CHECK struct status target_open(const struct llm_endpoint *endpoint, struct target *target,
                                     struct complaint *complaint);
void target_release(struct target *target);
/* Overwrites what is the target's key in the bytes. */
void target_blot(const struct target *target, uint8_t *data, size_t size);

/* ---- transfer.c */

/* False without memory. */
bool transfer_begin(struct llm_client *client, struct transfer *transfer, struct call *call, size_t endpoint,
                    int64_t now_us);
/* Takes it off the network; its body stays. */
void transfer_end(struct llm_client *client, struct transfer *transfer);
/* What a transfer that libcurl has done came to. */
enum call_outcome transfer_outcome(const struct llm_client *client, struct transfer *transfer, CURLcode result,
                                   int64_t *ret_hint_ms, int *ret_code);

/* ---- carry.c */

/* All that can be done at that time. */
void carry(struct llm_client *client);
/* When time alone makes something to be done; INT64_MAX: never. */
int64_t carry_due_us(const struct llm_client *client);
void carry_cancel_all(struct llm_client *client);
