// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/endpoints.h>

static uint32_t bit(size_t endpoint)
{
    return (uint32_t)1 << endpoint;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* first_ms * 2^times, at most max_ms. */
static int64_t doubled(int64_t first_ms, uint32_t times, int64_t max_ms)
{
    int64_t ms = first_ms;
    for (uint32_t i = 0; i < times && ms < max_ms; i++)
        ms *= 2;
    return ms < max_ms ? ms : max_ms;
}

/* ---- allowances */

static double allowance(uint32_t per_minute)
{
    double most = (double)per_minute * ALLOWANCE_SECONDS / 60;
    return most > 1 ? most : 1;
}

static double filled(double level, uint32_t per_minute, int64_t passed_us)
{
    double most = allowance(per_minute), now = level + (double)per_minute / 60e6 * (double)passed_us;
    return now < most ? now : most;
}

static void fill(struct endpoint *endpoint, int64_t now_us)
{
    int64_t passed_us = now_us - endpoint->filled_us;
    if (passed_us <= 0)
        return;
    endpoint->requests = filled(endpoint->requests, endpoint->options.requests_per_minute, passed_us);
    endpoint->tokens = filled(endpoint->tokens, endpoint->options.tokens_per_minute, passed_us);
    endpoint->filled_us = now_us;
}

/* How long until the level is there. */
static int64_t fills_in_us(double level, double wanted, uint32_t per_minute)
{
    if (per_minute == 0 || level >= wanted)
        return 0;
    return (int64_t)((wanted - level) * 60e6 / per_minute) + 1;
}

/* A call may be larger than the allowance, so what is left of it need only be more than nothing; it then owes. */
static int64_t allowed_us(const struct endpoint *endpoint, int64_t now_us)
{
    int64_t requests = fills_in_us(endpoint->requests, 1, endpoint->options.requests_per_minute);
    int64_t tokens = fills_in_us(endpoint->tokens, 1, endpoint->options.tokens_per_minute);
    return now_us + later(requests, tokens);
}

/* ---- who takes a request */

void endpoints_init(struct endpoints *endpoints, const struct endpoint_rules *rules,
                    const struct endpoint_options *options, size_t count, int64_t now_us)
{
    assert(count >= 1 && count <= ENDPOINTS_MAX && rules->breaker_failures >= 1 && rules->attempts_max >= 1);
    *endpoints = (struct endpoints){.rules = *rules, .count = count};
    for (size_t i = 0; i < count; i++) {
        assert(options[i].concurrency >= 1 && options[i].weight >= 1);
        endpoints->at[i] = (struct endpoint){.options = options[i],
                                             .window = options[i].concurrency,
                                             .held_at_us = INT64_MIN,
                                             .filled_us = now_us,
                                             .requests = allowance(options[i].requests_per_minute),
                                             .tokens = allowance(options[i].tokens_per_minute)};
    }
}

/* When time alone lets it take a request. */
static int64_t open_us(const struct endpoint *endpoint, int64_t now_us)
{
    int64_t open = endpoint->breaker == BREAKER_OPEN ? endpoint->open_until_us : now_us;
    return later(later(now_us, open), later(endpoint->held_until_us, allowed_us(endpoint, now_us)));
}

static bool takes(struct endpoint *endpoint, int64_t now_us)
{
    fill(endpoint, now_us);
    bool probed = endpoint->breaker != BREAKER_CLOSED && endpoint->probing;
    return (double)endpoint->in_flight + 1 <= endpoint->window && !probed && open_us(endpoint, now_us) <= now_us;
}

int endpoints_pick_other(struct endpoints *endpoints, const struct attempts *attempts, uint32_t avoided, int64_t now_us,
                         struct random *random)
{
    uint32_t mask = 0, priority = UINT32_MAX, total = 0;
    for (size_t i = 0; i < endpoints->count; i++) {
        struct endpoint *endpoint = &endpoints->at[i];
        if (((avoided | attempts->excluded) & bit(i)) || endpoint->options.priority > priority ||
            !takes(endpoint, now_us))
            continue;
        bool better = endpoint->options.priority < priority;
        mask = (better ? 0 : mask) | bit(i);
        total = (better ? 0 : total) + endpoint->options.weight;
        priority = endpoint->options.priority;
    }
    if (mask == 0)
        return -1;
    uint32_t chosen = random_below(random, total);
    for (size_t i = 0;; i++) {
        uint32_t weight = mask & bit(i) ? endpoints->at[i].options.weight : 0;
        if (chosen < weight)
            return (int)i;
        chosen -= weight;
    }
}

int endpoints_pick(struct endpoints *endpoints, const struct attempts *attempts, int64_t now_us, struct random *random)
{
    int fresh = endpoints_pick_other(endpoints, attempts, attempts->tried, now_us, random);
    if (fresh >= 0 || attempts->tried == 0)
        return fresh;
    return endpoints_pick_other(endpoints, attempts, 0, now_us, random);
}

int64_t endpoints_ready_us(struct endpoints *endpoints, uint32_t excluded, int64_t now_us,
                           enum call_outcome *ret_reason)
{
    int64_t earliest_us = INT64_MAX;
    *ret_reason = CALL_NO_ENDPOINT;
    for (size_t i = 0; i < endpoints->count; i++) {
        struct endpoint *endpoint = &endpoints->at[i];
        if (excluded & bit(i))
            continue;
        fill(endpoint, now_us);
        int64_t ready_us = open_us(endpoint, now_us);
        bool open = endpoint->breaker == BREAKER_OPEN && endpoint->open_until_us >= ready_us;
        if (ready_us < earliest_us) {
            earliest_us = ready_us;
            *ret_reason = open ? CALL_NO_ENDPOINT : CALL_BUSY;
        }
    }
    return earliest_us;
}

enum breaker endpoint_breaker(const struct endpoint *endpoint, int64_t now_us)
{
    if (endpoint->breaker == BREAKER_OPEN && now_us >= endpoint->open_until_us)
        return BREAKER_HALF_OPEN;
    return endpoint->breaker;
}

/* ---- requests begin and end */

void endpoints_begin(struct endpoints *endpoints, size_t endpoint, uint32_t tokens, int64_t now_us)
{
    assert(endpoint < endpoints->count);
    struct endpoint *it = &endpoints->at[endpoint];
    it->in_flight++;
    fill(it, now_us);
    it->requests -= it->options.requests_per_minute ? 1 : 0;
    it->tokens -= it->options.tokens_per_minute ? tokens : 0;
    if (it->breaker == BREAKER_CLOSED)
        return;
    it->breaker = BREAKER_HALF_OPEN;
    it->probing = true;
    it->open_until_us = now_us; /* who began before is not the probe */
}

static void open_breaker(const struct endpoint_rules *rules, struct endpoint *endpoint, int64_t now_us)
{
    int64_t open_ms = doubled(rules->breaker_open_ms, endpoint->openings, rules->breaker_open_max_ms);
    endpoint->breaker = BREAKER_OPEN;
    endpoint->open_until_us = now_us + open_ms * 1000;
    endpoint->openings++;
}

static void hold(const struct endpoint_rules *rules, struct endpoint *endpoint, int64_t hint_ms, int64_t begun_us,
                 int64_t now_us)
{
    bool news = begun_us >= endpoint->held_at_us;
    int64_t hold_ms = hint_ms;
    if (hint_ms < rules->backoff_first_ms)
        hold_ms = hint_ms >= 0 ? rules->backoff_first_ms
                               : doubled(rules->backoff_first_ms, endpoint->holds, rules->backoff_max_ms);
    hold_ms = hold_ms < rules->hold_max_ms ? hold_ms : rules->hold_max_ms;
    if (news || hint_ms >= 0)
        endpoint->held_until_us = later(endpoint->held_until_us, now_us + hold_ms * 1000);
    if (!news)
        return;
    endpoint->holds++;
    endpoint->held_at_us = now_us;
    endpoint->window = endpoint->window / 2 > 1 ? endpoint->window / 2 : 1;
}

static void succeed(struct endpoint *endpoint)
{
    double wider = endpoint->window + 1 / endpoint->window, most = endpoint->options.concurrency;
    endpoint->window = wider < most ? wider : most;
    endpoint->failures = endpoint->holds = 0;
}

static bool is_failure(enum call_outcome outcome)
{
    return outcome == CALL_DENIED || outcome == CALL_SERVER || outcome == CALL_CONNECT || outcome == CALL_TLS ||
           outcome == CALL_BROKEN || outcome == CALL_SLOW || outcome == CALL_LARGE;
}

/* DEADLINE, CANCELLED and NO_MEMORY say nothing about the endpoint; the next request is the probe then. */
static bool is_judgement(enum call_outcome outcome)
{
    return is_failure(outcome) || outcome == CALL_ANSWERED || outcome == CALL_REFUSED || outcome == CALL_BUSY;
}

void endpoints_end(struct endpoints *endpoints, size_t endpoint, enum call_outcome outcome, int64_t hint_ms,
                   int64_t begun_us, int64_t now_us)
{
    struct endpoint *it = &endpoints->at[endpoint];
    const struct endpoint_rules *rules = &endpoints->rules;
    assert(endpoint < endpoints->count && it->in_flight > 0);
    it->in_flight--;
    if (outcome == CALL_BUSY)
        hold(rules, it, hint_ms, begun_us, now_us);
    bool probe = it->probing && begun_us >= it->open_until_us;
    if (probe)
        it->probing = false;
    if (!is_judgement(outcome) || (it->breaker != BREAKER_CLOSED && !probe))
        return; /* what began before the breaker opened is no news */
    if (is_failure(outcome)) {
        it->failures++;
        if (probe || it->failures >= rules->breaker_failures)
            open_breaker(rules, it, now_us);
        return;
    }
    it->breaker = BREAKER_CLOSED;
    it->openings = 0;
    if (outcome == CALL_BUSY)
        it->failures = 0;
    else
        succeed(it);
}

/* ---- a call's requests */

static bool others_left(const struct attempts *attempts, const struct endpoints *endpoints)
{
    uint32_t all = (uint32_t)(((uint64_t)1 << endpoints->count) - 1);
    return (all & ~(attempts->tried | attempts->excluded)) != 0;
}

/* Another endpoint at once, or all of them anew after a pause. */
static void plan(struct attempts *attempts, const struct endpoints *endpoints, int64_t now_us, struct random *random)
{
    const struct endpoint_rules *rules = &endpoints->rules;
    attempts->not_before_us = now_us;
    if (others_left(attempts, endpoints))
        return;
    int64_t most_ms = doubled(rules->backoff_first_ms, attempts->rounds, rules->backoff_max_ms);
    attempts->tried = 0;
    attempts->rounds++;
    attempts->not_before_us = now_us + (int64_t)(random_unit(random) * (double)most_ms * 1000);
}

bool attempts_go_on(struct attempts *attempts, const struct endpoints *endpoints, size_t endpoint,
                    enum call_outcome outcome, int64_t now_us, struct random *random)
{
    switch (outcome) {
    case CALL_BUSY: /* the endpoint is held back, not the call */
        attempts->not_before_us = now_us;
        return now_us < attempts->deadline_us;
    case CALL_DENIED:
    case CALL_TLS: /* here never, but there may be others */
        attempts->excluded |= bit(endpoint);
        attempts->tried &= ~bit(endpoint);
        break;
    case CALL_SERVER:
    case CALL_CONNECT:
    case CALL_BROKEN:
    case CALL_SLOW:
        attempts->tried |= bit(endpoint);
        break;
    default:
        return false;
    }
    uint32_t all = (uint32_t)(((uint64_t)1 << endpoints->count) - 1);
    if (++attempts->failed >= endpoints->rules.attempts_max || (all & ~attempts->excluded) == 0)
        return false;
    plan(attempts, endpoints, now_us, random);
    return attempts->not_before_us < attempts->deadline_us;
}
