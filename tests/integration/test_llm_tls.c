// SPDX-License-Identifier: Apache-2.0
/* The client of language models over TLS, with a certificate that only the test vouches for; and over HTTP/2, spoken by
 * nghttpx before llm-stand-in where it is installed. */
#include "support/llm_stand_in.h"

#include "support/registry_stand_in.h"

#include <eddy/io/llm.h>
#include <eddy/io/system.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define CANARY  "sk-canary-0123456789abcdef"
#define NGHTTPX "/usr/sbin/nghttpx" /* where Debian's nghttp2-proxy has it */
#define LONG_MS 60000
#define CALLS   24

static const char question[] =
    "{\"model\":\"stand-in\",\"messages\":[{\"role\":\"user\",\"content\":\"what are they after?\"}]}";

static struct llm_client *open_for(const char *url, const char *ca, bool verify, enum llm_http http)
{
    const struct llm_endpoint endpoint = {
        .url = url, .key = BYTES(CANARY), .options = {.concurrency = CALLS, .weight = 1}};
    struct llm_options options = llm_defaults();
    struct llm_client *client;
    options.endpoints = &endpoint;
    options.endpoint_count = 1;
    options.ca = ca;
    options.verify = verify;
    options.http = http;
    options.connect_timeout_ms = LONG_MS;
    assert_ok(llm_client_make(&options, system_time(), &client, NULL));
    return client;
}

static void submit(struct llm_client *client)
{
    const struct llm_call call = {.path = "/chat/completions", .body = bytes_of_text(question), .timeout_ms = LONG_MS};
    assert_ok(llm_submit(client, &call));
}

static enum call_outcome collect(struct llm_client *client)
{
    struct llm_result result;
    while (llm_poll(client, LONG_MS, &result, 1) == 0)
        continue;
    assert_null(strstr(result.text, "canary"));
    return result.outcome;
}

static const char *write_pem(const struct temporary_folder *folder, const char *name, const char *pem, char path[300])
{
    snprintf(path, 300, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(pem, file);
    fclose(file);
    return path;
}

static void a_server_that_nobody_vouches_for_gets_no_key(void **state)
{
    (void)state;
    const struct stand_in_answer answer = {.code = 200, .body = "{}"};
    struct temporary_folder folder = temporary_folder_make();
    struct stand_in *server = stand_in_open_tls(&answer, 1);
    char path[300];
    write_pem(&folder, "ca.pem", stand_in_certificate, path);
    const struct {
        const char *ca;
        bool verify;
        enum call_outcome outcome;
        size_t requests;
    } cases[] = {{"", true, CALL_TLS, 0}, {path, true, CALL_ANSWERED, 1}, {"", false, CALL_ANSWERED, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct llm_client *client = open_for(stand_in_url(server), cases[i].ca, cases[i].verify, LLM_HTTP_NEGOTIATED);
        submit(client);
        assert_int_equal(collect(client), cases[i].outcome);
        assert_int_equal(stand_in_request_count(server), cases[i].requests);
        llm_client_free(client);
    }
    assert_string_equal(stand_in_request(server).authorization, "Bearer " CANARY);
    stand_in_close(server);
    temporary_folder_remove(&folder);
}

static void wait_for(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int tries = 0; tries < 3000; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int error = connect(fd, (struct sockaddr *)&address, sizeof address);
        close(fd);
        if (!error)
            return;
        system_wait_ms(10);
    }
    fail_msg("nghttpx does not listen after 30 s");
}

static pid_t start_proxy(const struct llm_stand_in *behind, uint16_t port, const char *how,
                         const struct temporary_folder *folder)
{
    char frontend[64], backend[64], key[300], certificate[300];
    snprintf(frontend, sizeof frontend, "--frontend=127.0.0.1,%u%s", port, how);
    snprintf(backend, sizeof backend, "--backend=127.0.0.1,%u", behind->port);
    write_pem(folder, "key.pem", stand_in_key, key);
    write_pem(folder, "ca.pem", stand_in_certificate, certificate);
    const char *const argv[] = {NGHTTPX,       "--conf=/dev/null", "--errorlog-file=/dev/null",
                                "--workers=1", frontend,           backend,
                                key,           certificate,        NULL};
    pid_t pid = child_start(argv);
    wait_for(port);
    return pid;
}

/* Many requests at once; on how many connections. What was started ends before anything is asserted. */
static uint64_t connections_of_many(const char *scheme, const char *how, enum llm_http http)
{
    const char *const options[] = {"--latency", "fixed:100", NULL};
    struct temporary_folder folder = temporary_folder_make();
    struct llm_stand_in behind = llm_stand_in_start(options);
    uint16_t port = free_port();
    pid_t proxy = start_proxy(&behind, port, how, &folder);
    char url[64], ca[300];
    int answered = 0;
    struct llm_report report;
    snprintf(url, sizeof url, "%s://127.0.0.1:%u/v1", scheme, port);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder.path);
    struct llm_client *client = open_for(url, ca, true, http);
    for (int i = 0; i < CALLS; i++)
        submit(client);
    for (int i = 0; i < CALLS; i++)
        answered += collect(client) == CALL_ANSWERED;
    llm_report(client, &report);
    int64_t at_once = llm_stand_in_count(&behind, "in_flight_max");
    llm_client_free(client);
    child_stop(proxy);
    llm_stand_in_stop(&behind);
    temporary_folder_remove(&folder);
    assert_int_equal(answered, CALLS);
    assert_int_equal(report.retries, 0);
    assert_in_range(at_once, 2, CALLS);
    return report.connections;
}

static void http_2_is_found_by_tls_and_carries_many_requests_on_a_connection(void **state)
{
    (void)state;
    if (access(NGHTTPX, X_OK))
        skip();
    assert_int_equal(connections_of_many("https", "", LLM_HTTP_NEGOTIATED), 1);
    assert_in_range(connections_of_many("https", "", LLM_HTTP_1), 2, CALLS); /* so the 1 says something */
}

static void http_2_is_spoken_without_tls_when_told(void **state)
{
    (void)state;
    if (access(NGHTTPX, X_OK))
        skip();
    assert_in_range(connections_of_many("http", ";no-tls", LLM_HTTP_2_PLAIN), 1, CALLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_nobody_vouches_for_gets_no_key),
        cmocka_unit_test(http_2_is_found_by_tls_and_carries_many_requests_on_a_connection),
        cmocka_unit_test(http_2_is_spoken_without_tls_when_told),
    };
    setenv("no_proxy", "127.0.0.1", 1); /* curl takes a proxy from the environment */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
