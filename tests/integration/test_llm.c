// SPDX-License-Identifier: Apache-2.0
/* The client of language models against llm-stand-in, a process that answers over a socket, also in ways that no server
 * should. Nothing is asserted about how long things take, but for what must not be waited for. */
#include "support/llm_stand_in.h"

#include <eddy/core/chat.h>
#include <eddy/io/llm.h>
#include <eddy/io/system.h>

#include <pthread.h>

#define CANARY    "sk-canary-0123456789abcdef"
#define LONG_MS   60000 /* never waited for */
#define CALLS_MAX 256

static const char question[] =
    "{\"model\":\"stand-in\",\"max_tokens\":400,\"messages\":[{\"role\":\"system\",\"content\":\"summarise\"},{"
    "\"role\":"
    "\"user\",\"content\":\"<session id=\\\"1\\\">\\n1. red running shoes\\n2. blue running socks\\n</session>\"}]}";

struct rig {
    struct llm_stand_in stand_ins[2];
    size_t count;
    struct llm_endpoint endpoints[2];
    struct llm_options options;
    struct llm_client *client;
};

static struct rig rig_make(size_t count, const char *const *options)
{
    struct rig rig = {.count = count, .options = llm_defaults()};
    for (size_t i = 0; i < count; i++) {
        rig.stand_ins[i] = llm_stand_in_start(options);
        rig.endpoints[i] =
            (struct llm_endpoint){.url = rig.stand_ins[i].url, /* set anew by rig_open(), as the rig moves */
                                  .key = BYTES(CANARY),
                                  .options = {.concurrency = 8, .weight = 1, .priority = (uint32_t)i}};
    }
    rig.options.endpoint_count = count;
    rig.options.rules.backoff_first_ms = 10;
    rig.options.rules.backoff_max_ms = 50;
    return rig;
}

static void rig_open(struct rig *rig)
{
    for (size_t i = 0; i < rig->count; i++)
        rig->endpoints[i].url = rig->stand_ins[i].url;
    rig->options.endpoints = rig->endpoints;
    assert_ok(llm_client_make(&rig->options, system_time(), &rig->client, NULL));
}

static void rig_close(struct rig *rig)
{
    llm_client_free(rig->client);
    for (size_t i = 0; i < rig->count; i++)
        llm_stand_in_stop(&rig->stand_ins[i]);
}

static void submit(struct rig *rig, void *user, int64_t timeout_ms)
{
    const struct llm_call call = {.path = "/chat/completions",
                                  .body = bytes_of_text(question),
                                  .user = user,
                                  .timeout_ms = timeout_ms,
                                  .tokens = 100};
    assert_ok(llm_submit(rig->client, &call));
}

static bool leaks(const struct llm_result *result)
{
    return strstr(result->text, "canary") ||
           (result->body.size && memmem(result->body.data, result->body.size, "canary", 6));
}

static struct llm_result collect(struct rig *rig)
{
    struct llm_result result;
    while (llm_poll(rig->client, LONG_MS, &result, 1) == 0)
        continue;
    assert_false(leaks(&result));
    return result;
}

static struct llm_result ask(struct rig *rig, int64_t timeout_ms)
{
    submit(rig, rig, timeout_ms);
    struct llm_result result = collect(rig);
    assert_ptr_equal(result.user, rig);
    return result;
}

static enum chat_outcome read_reply(const struct llm_result *result, struct chat_reply *reply)
{
    const struct chat_limits limits = {1 << 20, 1 << 16};
    return chat_read_reply(result->body, limits, reply, NULL);
}

static void a_call_is_answered_and_what_was_sent_is_what_was_meant(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    rig_open(&rig);
    AUTO(chat_reply) reply = {0};
    AUTO(buffer) log = {0};
    struct llm_result result = ask(&rig, LONG_MS);
    assert_int_equal(result.outcome, CALL_ANSWERED);
    assert_int_equal(result.code, 200);
    assert_int_equal(result.requests, 1);
    assert_string_equal(result.text, "");
    assert_int_equal(read_reply(&result, &reply), CHAT_GOOD);
    assert_bytes(
        buffer_bytes(&reply.content),
        "{\"sessions\":[{\"id\":1,\"long\":{\"intent\":\"running red shoes\",\"items\":[\"red running "
        "shoes\",\"blue running socks\"]},\"short\":{\"intent\":\"running red shoes\",\"items\":[\"red running "
        "shoes\",\"blue running socks\"]}}]}");
    llm_stand_in_read_log(&rig.stand_ins[0], &log);
    const char *text = buffer_text(&log);
    assert_non_null(strstr(text, "\"Content-Type\":\"application/json\""));
    assert_non_null(strstr(text, "\"User-Agent\":\"eddy\""));
    assert_non_null(strstr(text, "\"Authorization\":\"sha256:"));
    assert_null(strstr(text, "canary"));
    assert_null(strstr(text, "Expect"));
    assert_non_null(strstr(text, "red running shoes"));
    rig_close(&rig);
}

static void embeddings_come_back_in_order(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    rig_open(&rig);
    const struct bytes texts[] = {BYTES("red shoes"), BYTES("blue socks"), BYTES("red shoes")};
    const struct embeddings_request request = {BYTES("stand-in"), texts, 3, 16};
    AUTO(buffer) body = {0};
    float vectors[3 * 16];
    struct chat_usage usage;
    assert_ok(embeddings_write_request(&request, &body, NULL));
    const struct llm_call call = {.path = "/embeddings", .body = buffer_bytes(&body), .timeout_ms = LONG_MS};
    assert_ok(llm_submit(rig.client, &call));
    struct llm_result result = collect(&rig);
    assert_int_equal(result.outcome, CALL_ANSWERED);
    assert_int_equal(embeddings_read_reply(result.body, 1 << 20, 3, 16, vectors, &usage, NULL), CHAT_GOOD);
    assert_memory_equal(vectors, vectors + 32, 16 * sizeof *vectors);
    assert_memory_not_equal(vectors, vectors + 16, 16 * sizeof *vectors);
    rig_close(&rig);
}

/* libcurl itself asks again on a new connection when an old one turns out to be dead. */
static void a_connection_that_died_meanwhile_is_no_failure(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    rig_open(&rig);
    assert_int_equal(ask(&rig, LONG_MS).outcome, CALL_ANSWERED);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"next\":[\"hang_up\"]}");
    struct llm_result result = ask(&rig, LONG_MS);
    assert_int_equal(result.outcome, CALL_ANSWERED);
    assert_int_equal(result.requests, 1);
    rig_close(&rig);
}

/* Each fault, alone: how the call ends, and what the reader says of what came. */
static void each_fault_has_its_outcome(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        enum call_outcome outcome;
        enum chat_outcome reading; /* of the body, when ANSWERED */
        uint32_t requests;
    } cases[] = {
        {"hang_up", CALL_BROKEN, 0, 2},
        {"reset", CALL_BROKEN, 0, 2},
        {"long_length", CALL_BROKEN, 0, 2},
        {"garbage", CALL_BROKEN, 0, 2},
        {"error", CALL_SERVER, 0, 2},
        {"unavailable", CALL_SERVER, 0, 2},
        {"denied", CALL_DENIED, 0, 1},
        {"redirect", CALL_DENIED, 0, 1},
        {"refused", CALL_REFUSED, 0, 1},
        {"endless", CALL_LARGE, 0, 1},
        {"huge", CALL_LARGE, 0, 1},
        {"headers", CALL_LARGE, 0, 1},
        {"page", CALL_ANSWERED, CHAT_HTML, 1},
        {"empty", CALL_ANSWERED, CHAT_EMPTY, 1},
        {"truncated", CALL_ANSWERED, CHAT_TRUNCATED, 1},
        {"short_length", CALL_ANSWERED, CHAT_TRUNCATED, 1},
        {"wrong_shape", CALL_ANSWERED, CHAT_WRONG_SHAPE, 1},
        {"not_utf8", CALL_ANSWERED, CHAT_NOT_UTF8, 1},
        {"obey", CALL_ANSWERED, CHAT_NO_CONTENT, 1}, /* no title instructs it */
        {"wrong_answer", CALL_ANSWERED, CHAT_GOOD, 1},
        {"overrun", CALL_ANSWERED, CHAT_GOOD, 1},
        {"http_1_0", CALL_ANSWERED, CHAT_GOOD, 1},
        {"odd_chunks", CALL_ANSWERED, CHAT_GOOD, 1},
    };
    struct rig rig = rig_make(1, NULL);
    rig.options.rules.attempts_max = 2;
    rig.options.rules.breaker_failures = 1000;
    rig_open(&rig);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(chat_reply) reply = {0};
        char faults[64];
        snprintf(faults, sizeof faults, "{\"rates\":{\"%s\":1}}", cases[i].fault);
        llm_stand_in_tell(&rig.stand_ins[0], faults);
        struct llm_result result = ask(&rig, LONG_MS);
        bool answered = result.outcome == CALL_ANSWERED;
        enum chat_outcome reading = answered ? read_reply(&result, &reply) : 0;
        if (result.outcome != cases[i].outcome || reading != cases[i].reading || result.requests != cases[i].requests ||
            answered == (*result.text != 0))
            fail_msg("%s: %s after %u requests, read as %s: %s", cases[i].fault, call_outcome_label(result.outcome),
                     result.requests, chat_outcome_label(reading), result.text);
    }
    rig_close(&rig);
}

/* A server may be silent for as long as the request's time; once it has begun to answer, bytes must come. */
static void what_hangs_or_trickles_is_cut(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    rig.options.rules.attempts_max = 2;
    rig.options.request_timeout_ms = 200;
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"rates\":{\"hang\":1}}");
    struct llm_result result = ask(&rig, LONG_MS);
    assert_int_equal(result.outcome, CALL_SLOW);
    assert_int_equal(result.requests, 2);
    llm_client_free(rig.client);
    rig.options.request_timeout_ms = 0;
    rig.options.slow_ms = 200;
    rig.options.slow_bytes = 100;
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"rates\":{\"trickle\":1}}");
    result = ask(&rig, LONG_MS);
    assert_int_equal(result.outcome, CALL_SLOW);
    assert_int_equal(result.requests, 2);
    rig_close(&rig);
}

static void what_passes_by_itself_is_tried_again(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"next\":[\"error\",\"reset\",\"hang_up\"]}");
    struct llm_result result = ask(&rig, LONG_MS);
    assert_int_equal(result.outcome, CALL_ANSWERED);
    assert_int_equal(result.requests, 4);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"rates\":{\"error\":1}}");
    result = ask(&rig, LONG_MS);
    assert_int_equal(result.outcome, CALL_SERVER);
    assert_int_equal(result.requests, 4);
    assert_int_equal(result.code, 500);
    assert_non_null(strstr(result.text, "something broke"));
    rig_close(&rig);
}

static void nobody_listens_and_the_breaker_opens(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    struct llm_report report;
    rig.options.rules.breaker_failures = 4;
    rig.options.rules.breaker_open_ms = 600000;
    rig.options.rules.breaker_open_max_ms = 600000;
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"refuse\":true}");
    while (ask(&rig, LONG_MS).outcome != CALL_CONNECT) /* until its door is shut */
        continue;
    llm_report(rig.client, &report);
    assert_int_equal(report.endpoints[0].breaker, BREAKER_OPEN);
    int64_t failed_by_then = (int64_t)report.endpoints[0].requests_by[CALL_CONNECT];
    struct llm_result result = ask(&rig, LONG_MS); /* at once: nobody will take it in time */
    assert_int_equal(result.outcome, CALL_NO_ENDPOINT);
    assert_int_equal(result.requests, 0);
    llm_report(rig.client, &report);
    assert_int_equal(report.endpoints[0].requests_by[CALL_CONNECT], failed_by_then);
    rig_close(&rig);
}

static void a_breaker_closes_after_a_probe(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    struct llm_report report;
    rig.options.rules.breaker_failures = 2;
    rig.options.rules.breaker_open_ms = 50;
    rig.options.rules.attempts_max = 2;
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"next\":[\"error\",\"error\"]}");
    assert_int_equal(ask(&rig, LONG_MS).outcome, CALL_SERVER);
    struct llm_result result = ask(&rig, LONG_MS); /* waits for the probe's time */
    assert_int_equal(result.outcome, CALL_ANSWERED);
    llm_report(rig.client, &report);
    assert_int_equal(report.endpoints[0].breaker, BREAKER_CLOSED);
    rig_close(&rig);
}

static void a_429_holds_all_calls_back(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    struct llm_report report;
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"next\":[\"busy\"],\"retry_after\":\"1\"}");
    submit(&rig, NULL, LONG_MS);
    struct llm_result result;
    do {
        llm_poll(rig.client, 10, &result, 1);
        llm_report(rig.client, &report);
    } while (report.endpoints[0].held_ms == 0);
    int64_t before = llm_stand_in_count(&rig.stand_ins[0], "requests");
    for (int i = 0; i < 5; i++)
        submit(&rig, NULL, LONG_MS);
    assert_int_equal(llm_poll(rig.client, 50, &result, 1), 0);
    llm_report(rig.client, &report);
    if (report.endpoints[0].held_ms > 0) /* a slow machine may be past it */
        assert_int_equal(llm_stand_in_count(&rig.stand_ins[0], "requests"), before);
    for (int i = 0; i < 6; i++)
        assert_int_equal(collect(&rig).outcome, CALL_ANSWERED);
    rig_close(&rig);
}

static void a_hold_beyond_the_deadline_ends_a_call_at_once(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    rig.options.rules.hold_max_ms = 3600000;
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"next\":[\"busy\"],\"retry_after\":\"3000\"}");
    struct llm_result result = ask(&rig, LONG_MS);
    assert_int_equal(result.outcome, CALL_BUSY);
    assert_int_equal(result.code, 429);
    assert_non_null(strstr(result.text, "asked too much"));
    rig_close(&rig);
}

static void limits_of_a_minute_are_waited_for(void **state)
{
    (void)state;
    const char *const options[] = {"--requests-per-minute", "60", NULL}; /* 60 at once, then one a second */
    struct rig rig = rig_make(1, options);
    struct llm_report report;
    rig_open(&rig);
    for (int i = 0; i < 62; i++)
        submit(&rig, NULL, LONG_MS);
    for (int i = 0; i < 62; i++)
        assert_int_equal(collect(&rig).outcome, CALL_ANSWERED);
    llm_report(rig.client, &report);
    assert_true(report.endpoints[0].requests_by[CALL_BUSY] >= 1);
    assert_int_equal(report.endpoints[0].requests_by[CALL_BUSY], llm_stand_in_count(&rig.stand_ins[0], "busy"));
    rig_close(&rig);
}

static void the_next_endpoint_takes_over(void **state)
{
    (void)state;
    static const char *const faults[] = {"error", "reset", "denied", "unavailable"};
    struct rig rig = rig_make(2, NULL);
    rig_open(&rig);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char told[64];
        snprintf(told, sizeof told, "{\"next\":[\"%s\"]}", faults[i]);
        llm_stand_in_tell(&rig.stand_ins[0], told);
        struct llm_result result = ask(&rig, LONG_MS);
        assert_int_equal(result.outcome, CALL_ANSWERED);
        assert_int_equal(result.endpoint, 1);
        assert_int_equal(result.requests, 2);
        result = ask(&rig, LONG_MS);
        assert_int_equal(result.endpoint, 0);
    }
    rig_close(&rig);
}

static void a_second_endpoint_is_asked_when_the_first_is_slow(void **state)
{
    (void)state;
    struct rig rig = rig_make(2, NULL);
    struct llm_report report;
    rig.options.hedge_after_ms = 50;
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"rates\":{\"hang\":1}}");
    struct llm_result result = ask(&rig, LONG_MS);
    assert_int_equal(result.outcome, CALL_ANSWERED);
    assert_int_equal(result.endpoint, 1);
    llm_report(rig.client, &report);
    assert_int_equal(report.hedges, 1);
    assert_int_equal(report.endpoints[0].requests_by[CALL_CANCELLED], 1);
    assert_int_equal(report.endpoints[0].in_flight, 0);
    rig_close(&rig);
}

static void a_deadline_ends_a_call_and_is_held_against_the_endpoint(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    struct llm_report report;
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"rates\":{\"hang\":1}}");
    struct llm_result result = ask(&rig, 100);
    assert_int_equal(result.outcome, CALL_DEADLINE);
    assert_true(result.took_us >= 100000);
    llm_report(rig.client, &report);
    assert_int_equal(report.endpoints[0].requests_by[CALL_SLOW], 1);
    assert_int_equal(report.calls_by[CALL_DEADLINE], 1);
    rig_close(&rig);
}

static void concurrency_is_bounded_and_connections_are_used_again(void **state)
{
    (void)state;
    const char *const options[] = {"--latency", "exponential:3", NULL};
    struct rig rig = rig_make(1, options);
    rig.options.calls_max = 100;
    rig_open(&rig);
    for (int i = 0; i < 100; i++)
        submit(&rig, NULL, LONG_MS);
    const struct llm_call more = {.path = "/embeddings", .body = BYTES("{}"), .timeout_ms = 1};
    assert_fails(LIMIT, llm_submit(rig.client, &more));
    for (int i = 0; i < 100; i++)
        assert_int_equal(collect(&rig).outcome, CALL_ANSWERED);
    assert_in_range(llm_stand_in_count(&rig.stand_ins[0], "in_flight_max"), 1, 8);
    assert_in_range(llm_stand_in_count(&rig.stand_ins[0], "connections"), 1, 8);
    assert_int_equal(llm_latency(rig.client)->total, 100);
    rig_close(&rig);
}

static void cancelling_ends_all_calls_at_once(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    struct llm_result results[20];
    rig_open(&rig);
    llm_stand_in_tell(&rig.stand_ins[0], "{\"rates\":{\"hang\":1}}");
    for (int i = 0; i < 20; i++)
        submit(&rig, NULL, LONG_MS);
    assert_int_equal(llm_poll(rig.client, 20, results, 20), 0);
    llm_cancel_all(rig.client);
    assert_int_equal(llm_poll(rig.client, LONG_MS, results, 12), 12);
    assert_int_equal(results[11].outcome, CALL_CANCELLED);
    assert_int_equal(llm_poll(rig.client, LONG_MS, results, 20), 8);
    assert_int_equal(llm_poll(rig.client, 0, results, 20), 0);
    llm_stand_in_tell(&rig.stand_ins[0], "{}");
    assert_int_equal(ask(&rig, LONG_MS).outcome, CALL_ANSWERED);
    for (int i = 0; i < 20; i++) /* and what is left when a client ends goes with it */
        submit(&rig, NULL, LONG_MS);
    rig_close(&rig);
}

static void *wake(void *context)
{
    system_wait_ms(50);
    llm_wake(context);
    return NULL;
}

static void another_thread_wakes_it(void **state)
{
    (void)state;
    struct rig rig = rig_make(1, NULL);
    struct llm_result result;
    pthread_t thread;
    rig_open(&rig);
    llm_wake(rig.client);
    assert_int_equal(llm_poll(rig.client, LONG_MS, &result, 1), 0); /* also when nobody waits yet */
    assert_int_equal(pthread_create(&thread, NULL, wake, rig.client), 0);
    assert_int_equal(llm_poll(rig.client, LONG_MS, &result, 1), 0);
    pthread_join(thread, NULL);
    rig_close(&rig);
}

/* Whatever goes wrong, each call that was submitted has one result. */
static void every_call_has_one_result(void **state)
{
    (void)state;
    static const char faults[] =
        "{\"rates\":{\"reset\":0.1,\"busy_silent\":0.1,\"error\":0.1,\"hang\":0.03,\"trickle\":0.02,\"hang_up\":0.1,"
        "\"refused\":0.05,\"denied\":0.02,\"huge\":0.02,\"odd_chunks\":0.1,\"page\":0.05,\"garbage\":0.03}}";
    const char *const options[] = {"--latency", "lognormal:5:20", "--seed", "3", NULL};
    struct rig rig = rig_make(2, options);
    int seen[CALLS_MAX] = {0};
    size_t count = 0;
    struct llm_report report;
    rig.options.request_timeout_ms = 100;
    rig.options.hedge_after_ms = 30;
    rig.options.rules.breaker_open_ms = 20;
    rig.options.rules.breaker_open_max_ms = 50;
    rig_open(&rig);
    for (size_t i = 0; i < 2; i++)
        llm_stand_in_tell(&rig.stand_ins[i], faults);
    for (size_t i = 0; i < CALLS_MAX; i++)
        submit(&rig, &seen[i], 3000);
    while (count < CALLS_MAX) {
        struct llm_result results[7];
        size_t got = llm_poll(rig.client, LONG_MS, results, 7);
        for (size_t i = 0; i < got; i++) {
            ++*(int *)results[i].user;
            assert_false(leaks(&results[i]));
        }
        count += got;
    }
    for (size_t i = 0; i < CALLS_MAX; i++)
        assert_int_equal(seen[i], 1);
    llm_report(rig.client, &report);
    assert_int_equal(report.waiting + report.in_flight + report.finished, 0);
    assert_int_equal(report.endpoints[0].in_flight + report.endpoints[1].in_flight, 0);
    rig_close(&rig);
}

static void options_that_are_of_no_use_are_refused_without_the_key(void **state)
{
    (void)state;
    static const struct {
        const char *url, *key, *ca, *why;
        uint32_t concurrency;
    } cases[] = {
        {"ftp://a", CANARY, "", "is not a URL", 1},           {"http://", CANARY, "", "is not a URL", 1},
        {"http://a?x=1", CANARY, "", "is not a URL", 1},      {"http://eddy:" CANARY "@a", "", "", "user name", 1},
        {"http://a", CANARY "\n", "", "line break", 1},       {"http://a", CANARY "\r\nX: y", "", "line break", 1},
        {"http://a", CANARY, "/nowhere/ca.pem", "ca.pem", 1}, {"http://a", CANARY, "", "concurrency", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct llm_endpoint endpoint = {.url = cases[i].url,
                                              .key = bytes_of_text(cases[i].key),
                                              .options = {.concurrency = cases[i].concurrency, .weight = 1}};
        struct llm_options options = llm_defaults();
        struct llm_client *client;
        struct complaint complaint = {""};
        options.endpoints = &endpoint;
        options.endpoint_count = 1;
        options.ca = cases[i].ca;
        assert_fails(CONFIG, llm_client_make(&options, system_time(), &client, &complaint));
        assert_null(strstr(complaint.text, "canary"));
        if (!strstr(complaint.text, cases[i].why))
            fail_msg("case %zu: %s", i, complaint.text);
    }
    const struct llm_endpoint good = {.url = "http://a", .options = {.concurrency = 1, .weight = 1}};
    struct llm_options options = llm_defaults();
    struct llm_client *client;
    assert_fails(CONFIG, llm_client_make(&options, system_time(), &client, NULL)); /* no endpoint */
    options.endpoints = &good;
    options.endpoint_count = 1;
    options.rules.attempts_max = 0;
    assert_fails(CONFIG, llm_client_make(&options, system_time(), &client, NULL));
    llm_client_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_answered_and_what_was_sent_is_what_was_meant),
        cmocka_unit_test(embeddings_come_back_in_order),
        cmocka_unit_test(each_fault_has_its_outcome),
        cmocka_unit_test(what_hangs_or_trickles_is_cut),
        cmocka_unit_test(a_connection_that_died_meanwhile_is_no_failure),
        cmocka_unit_test(what_passes_by_itself_is_tried_again),
        cmocka_unit_test(nobody_listens_and_the_breaker_opens),
        cmocka_unit_test(a_breaker_closes_after_a_probe),
        cmocka_unit_test(a_429_holds_all_calls_back),
        cmocka_unit_test(a_hold_beyond_the_deadline_ends_a_call_at_once),
        cmocka_unit_test(limits_of_a_minute_are_waited_for),
        cmocka_unit_test(the_next_endpoint_takes_over),
        cmocka_unit_test(a_second_endpoint_is_asked_when_the_first_is_slow),
        cmocka_unit_test(a_deadline_ends_a_call_and_is_held_against_the_endpoint),
        cmocka_unit_test(concurrency_is_bounded_and_connections_are_used_again),
        cmocka_unit_test(cancelling_ends_all_calls_at_once),
        cmocka_unit_test(another_thread_wakes_it),
        cmocka_unit_test(every_call_has_one_result),
        cmocka_unit_test(options_that_are_of_no_use_are_refused_without_the_key),
    };
    setenv("no_proxy", "127.0.0.1", 1); /* curl takes a proxy from the environment */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
