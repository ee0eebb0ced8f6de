// SPDX-License-Identifier: Apache-2.0
#include "io/llm/client.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void start_curl(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(code == CURLE_OK);
}

struct llm_options llm_defaults(void)
{
    return (struct llm_options){
        .rules = {.attempts_max = 4,
                  .backoff_first_ms = 250,
                  .backoff_max_ms = 8000,
                  .hold_max_ms = 5 * 60 * 1000,
                  .breaker_failures = 5,
                  .breaker_open_ms = 1000,
                  .breaker_open_max_ms = 60000},
        .ca = "",
        .verify = true,
        .connect_timeout_ms = 3000,
        .slow_ms = 10000,
        .slow_bytes = 1,
        .body_bytes_max = 1 << 20,
        .calls_max = 1024,
    };
}

int64_t client_now_us(const struct llm_client *client)
{
    return client->time.ops->monotonic_us(client->time.self);
}

/* ---- lists */

static void unlink_call(struct call_list *list, struct call *call)
{
    *(call->previous ? &call->previous->next : &list->first) = call->next;
    *(call->next ? &call->next->previous : &list->last) = call->previous;
    list->count--;
}

static void append_call(struct call_list *list, struct call *call)
{
    call->next = NULL;
    call->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = call;
    list->last = call;
    list->count++;
}

void call_move(struct llm_client *client, struct call *call, enum call_state state)
{
    unlink_call(&client->calls[call->state], call);
    append_call(&client->calls[state], call);
    call->state = state;
}

static void call_free(struct call *call)
{
    buffer_release(&call->body);
    buffer_release(&call->answer);
    buffer_release(&call->transfers[0].body);
    buffer_release(&call->transfers[1].body);
    free(call);
}

/* ---- making and ending */

static struct status check_options(const struct llm_options *options, struct complaint *complaint)
{
    if (options->endpoint_count < 1 || options->endpoint_count > ENDPOINTS_MAX)
        return complain(complaint, FAIL(CONFIG, options->endpoint_count, "not so many endpoints"),
                        "there must be 1 to %d endpoints of a language model, not %zu", ENDPOINTS_MAX,
                        options->endpoint_count);
    for (size_t i = 0; i < options->endpoint_count; i++) {
        const struct endpoint_options *endpoint = &options->endpoints[i].options;
        if (endpoint->concurrency < 1 || endpoint->weight < 1 || endpoint->weight > 1000000)
            return complain(complaint, FAIL(CONFIG, i, "an endpoint without concurrency or weight"),
                            "endpoint %zu of the language model needs a concurrency of at least 1 and a weight of 1 "
                            "to 1000000",
                            i + 1);
    }
    const struct endpoint_rules *rules = &options->rules;
    if (rules->attempts_max < 1 || rules->breaker_failures < 1 || rules->backoff_first_ms < 1 ||
        rules->backoff_max_ms < 1 || rules->hold_max_ms < 1 || rules->breaker_open_ms < 1 ||
        rules->breaker_open_max_ms < 1 || options->calls_max < 1 || options->body_bytes_max < 1)
        return complain(complaint, FAIL(CONFIG, 0, "a limit of a language model's client is zero"),
                        "attempts, failures, times and limits for the language model must all be at least 1");
    if (*options->ca && access(options->ca, R_OK))
        return complain(complaint, FAIL(CONFIG, errno, "a file of certificates cannot be read"),
                        "cannot read the certificates of the language model's server in %s: %s", options->ca,
                        strerror(errno));
    return OK;
}

static size_t concurrency(const struct llm_client *client)
{
    size_t all = 0;
    for (size_t i = 0; i < client->endpoints.count; i++)
        all += client->endpoints.at[i].options.concurrency;
    return all < client->options.calls_max ? all : client->options.calls_max;
}

static struct status set_up(struct llm_client *client, const struct llm_options *options, struct complaint *complaint)
{
    struct endpoint_options endpoints[ENDPOINTS_MAX];
    client->options = *options;
    client->options.endpoints = NULL; /* borrowed, and their keys with them */
    for (size_t i = 0; i < options->endpoint_count; i++) {
        endpoints[i] = options->endpoints[i].options;
        TRY(target_open(&options->endpoints[i], &client->targets[i], complaint));
    }
    endpoints_init(&client->endpoints, &options->rules, endpoints, options->endpoint_count, client_now_us(client));
    random_seed(&client->random, options->seed);
    client->spare_capacity = concurrency(client);
    client->ca = strdup(options->ca);
    client->spare = calloc(client->spare_capacity + 1, sizeof(CURL *));
    client->multi = curl_multi_init();
    if (!client->ca || !client->spare || !client->multi)
        return FAIL(MEMORY, 0, "no memory for a client of a language model");
    client->options.ca = client->ca;
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)client->spare_capacity + 1);
    return OK;
}

struct status llm_client_make(const struct llm_options *options, struct time_source time,
                              struct llm_client **ret_client, struct complaint *complaint)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    TRY(check_options(options, complaint));
    struct llm_client *client = calloc(1, sizeof *client);
    if (!client)
        return FAIL(MEMORY, 0, "no memory for a client of a language model");
    client->time = time;
    struct status status = set_up(client, options, complaint);
    if (failed(status))
        llm_client_free(client);
    else
        *ret_client = client;
    return status;
}

static void free_calls(struct call_list *list)
{
    for (struct call *call; (call = list->first);) {
        unlink_call(list, call);
        call_free(call);
    }
}

void llm_client_free(struct llm_client *client)
{
    if (!client)
        return;
    carry_cancel_all(client);
    for (size_t i = 0; i < STATE_COUNT; i++)
        free_calls(&client->calls[i]);
    for (size_t i = 0; i < client->spare_count; i++)
        curl_easy_cleanup(client->spare[i]);
    curl_multi_cleanup(client->multi);
    for (size_t i = 0; i < ENDPOINTS_MAX; i++)
        target_release(&client->targets[i]);
    free(client->spare);
    free(client->ca);
    free(client);
}

/* ---- calls and results */

static size_t unhanded(const struct llm_client *client)
{
    return client->calls[STATE_WAITING].count + client->calls[STATE_IN_FLIGHT].count +
           client->calls[STATE_FINISHED].count;
}

struct status llm_submit(struct llm_client *client, const struct llm_call *call)
{
    if (unhanded(client) >= client->options.calls_max)
        return FAIL(LIMIT, client->options.calls_max, "too many calls of the language model wait");
    struct call *made = calloc(1, sizeof *made);
    if (!made)
        return FAIL(MEMORY, 0, "no memory for a call of the language model");
    made->body.limit = call->body.size + 1;
    buffer_append_bytes(&made->body, call->body);
    if (failed(buffer_check(&made->body))) {
        call_free(made);
        return FAIL(MEMORY, call->body.size, "no memory for a call of the language model");
    }
    made->begun_us = client_now_us(client);
    made->path = call->path;
    made->user = call->user;
    made->tokens = call->tokens;
    made->attempts.deadline_us = made->begun_us + call->timeout_ms * 1000;
    made->result.endpoint = -1;
    append_call(&client->calls[STATE_WAITING], made);
    return OK;
}

static size_t hand_out(struct llm_client *client, struct llm_result *results, size_t capacity)
{
    size_t count = 0;
    for (struct call *call; count < capacity && (call = client->calls[STATE_FINISHED].first); count++) {
        results[count] = call->result;
        call_move(client, call, STATE_HANDED);
    }
    return count;
}

/* At least as long as asked, so that what was due is due then; no longer than the caller wants to wait. */
static int wait_ms(const struct llm_client *client, int64_t end_us)
{
    int64_t due_us = carry_due_us(client), now_us = client_now_us(client);
    int64_t left_us = (due_us < end_us ? due_us : end_us) - now_us;
    if (left_us <= 0)
        return 0;
    int64_t left_ms = (left_us + 999) / 1000;
    return left_ms < 60000 ? (int)left_ms : 60000;
}

size_t llm_poll(struct llm_client *client, int timeout_ms, struct llm_result *results, size_t capacity)
{
    int64_t end_us = client_now_us(client) + (int64_t)timeout_ms * 1000;
    free_calls(&client->calls[STATE_HANDED]);
    for (;;) {
        carry(client);
        bool woken = atomic_exchange(&client->woken, false);
        if (client->calls[STATE_FINISHED].first || woken || client_now_us(client) >= end_us)
            return hand_out(client, results, capacity);
        curl_multi_poll(client->multi, NULL, 0, wait_ms(client, end_us), NULL);
    }
}

void llm_wake(struct llm_client *client)
{
    atomic_store(&client->woken, true);
    curl_multi_wakeup(client->multi);
}

void llm_cancel_all(struct llm_client *client)
{
    carry_cancel_all(client);
}

/* ---- reports */

void llm_report(const struct llm_client *client, struct llm_report *ret_report)
{
    int64_t now_us = client_now_us(client);
    *ret_report = client->report;
    ret_report->waiting = client->calls[STATE_WAITING].count;
    ret_report->in_flight = client->calls[STATE_IN_FLIGHT].count;
    ret_report->finished = client->calls[STATE_FINISHED].count;
    for (size_t i = 0; i < client->endpoints.count; i++) {
        const struct endpoint *endpoint = &client->endpoints.at[i];
        struct llm_endpoint_report *report = &ret_report->endpoints[i];
        int64_t held_us = endpoint->held_until_us - now_us;
        report->in_flight = endpoint->in_flight;
        report->window = (uint32_t)endpoint->window;
        report->breaker = endpoint_breaker(endpoint, now_us);
        report->held_ms = held_us > 0 ? (held_us + 999) / 1000 : 0;
    }
}

const struct histogram *llm_latency(const struct llm_client *client)
{
    return &client->latency;
}
