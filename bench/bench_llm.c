// SPDX-License-Identifier: Apache-2.0
/* The client of language models: calls a second and the share of one CPU that carrying them takes, with 64 in flight
 * against llm-stand-in, whose answers take a second in the mean; and how many it carries when they take no time.
 *
 *   bench_llm [SECONDS [IN_FLIGHT]] */
#include <eddy/io/llm.h>
#include <eddy/io/system.h>

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BODY_BYTES 4096 /* a batch of sessions */

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_llm: %s\n", what);
    abort();
}

struct server {
    pid_t pid;
    char url[64];
};

/* Its ports come on its standard output. */
static struct server start(const char *latency)
{
    struct server server;
    int ends[2];
    unsigned port = 0, control;
    char program[] = LLM_STAND_IN, option[] = "--latency", parent[] = "--with-parent";
    char *value = strdup(latency), *argv[] = {program, option, value, parent, NULL};
    posix_spawn_file_actions_t actions;
    must(!pipe(ends) && !posix_spawn_file_actions_init(&actions), "no pipe");
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    must(!posix_spawn(&server.pid, program, &actions, NULL, argv, environ), "llm-stand-in does not start");
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *ports = fdopen(ends[0], "r");
    must(ports && fscanf(ports, "%u %u", &port, &control) == 2, "llm-stand-in has no port");
    fclose(ports);
    free(value);
    snprintf(server.url, sizeof server.url, "http://127.0.0.1:%u/v1", port);
    return server;
}

static struct llm_client *open_for(const struct server *server, uint32_t in_flight)
{
    const struct llm_endpoint endpoint = {
        .url = server->url, .key = BYTES("sk-bench"), .options = {.concurrency = in_flight, .weight = 1}};
    struct llm_options options = llm_defaults();
    struct llm_client *client;
    struct complaint complaint = {""};
    options.endpoints = &endpoint;
    options.endpoint_count = 1;
    must(!failed(llm_client_make(&options, system_time(), &client, &complaint)), complaint.text);
    return client;
}

static struct bytes make_body(struct buffer *body)
{
    buffer_append_text(body,
                       "{\"model\":\"m\",\"max_tokens\":500,\"messages\":[{\"role\":\"user\",\"content\":\"<session "
                       "id=\\\"1\\\">");
    for (int i = 1; body->size < BODY_BYTES; i++)
        buffer_format(body, "\\n%d. red running shoes number %d", i, i * 7);
    buffer_append_text(body, "\\n</session>\"}]}");
    return buffer_bytes(body);
}

static void submit(struct llm_client *client, struct bytes body)
{
    const struct llm_call call = {.path = "/chat/completions", .body = body, .timeout_ms = 60000};
    must(!failed(llm_submit(client, &call)), "a call is not taken");
}

static void run(const char *latency, uint32_t in_flight, int64_t seconds)
{
    struct server server = start(latency);
    struct llm_client *client = open_for(&server, in_flight);
    struct time_source time = system_time();
    AUTO(buffer) body = {0};
    struct bytes sent = make_body(&body);
    uint64_t answered = 0, polls = 0;
    for (uint32_t i = 0; i < in_flight; i++)
        submit(client, sent);
    int64_t begun_us = time.ops->monotonic_us(time.self), cpu_ns = system_thread_cpu_ns(), now_us;
    while ((now_us = time.ops->monotonic_us(time.self)) < begun_us + seconds * 1000000) {
        struct llm_result results[64];
        size_t count = llm_poll(client, 1000, results, 64);
        polls++;
        for (size_t i = 0; i < count; i++) {
            must(results[i].outcome == CALL_ANSWERED, results[i].text);
            answered++;
            submit(client, sent);
        }
    }
    double wall_s = (double)(now_us - begun_us) / 1e6, cpu_s = (double)(system_thread_cpu_ns() - cpu_ns) / 1e9;
    const struct histogram *took = llm_latency(client);
    printf("%-20s %4u in flight: %8.1f calls/s, %5.2f %% of a CPU, %6.1f us CPU a call, %.1f polls a call, median %.1f "
           "ms, p99 %.1f ms\n",
           latency, in_flight, (double)answered / wall_s, 100 * cpu_s / wall_s, cpu_s * 1e6 / (double)answered,
           (double)polls / (double)answered, (double)histogram_quantile(took, 0.5) / 1e3,
           (double)histogram_quantile(took, 0.99) / 1e3);
    llm_client_free(client);
    kill(server.pid, SIGTERM);
    waitpid(server.pid, NULL, 0);
}

int main(int argc, char **argv)
{
    int64_t seconds = argc > 1 ? strtoll(argv[1], NULL, 10) : 10;
    uint32_t in_flight = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 64;
    setenv("no_proxy", "127.0.0.1", 1);
    must(seconds > 0 && in_flight > 0 && in_flight <= 1000, "usage: bench_llm [SECONDS [IN_FLIGHT]]");
    run("exponential:1000", in_flight, seconds);
    run("lognormal:1000:4000", in_flight, seconds);
    run("fixed:0", in_flight, seconds);
    return 0;
}
