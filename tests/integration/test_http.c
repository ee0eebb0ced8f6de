// SPDX-License-Identifier: Apache-2.0
/* The HTTP server against libcurl and against raw sockets. */
#include "support/support.h"

#include <eddy/base/buffer.h>
#include <eddy/io/http.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static void handle_text(void *context, struct http_reply *reply)
{
    atomic_fetch_add((_Atomic int *)context, 1);
    buffer_append_text(reply->body, "eddy_ready 1\n");
    reply->content_type = "text/plain; version=0.0.4";
}

static void handle_not_ready(void *context, struct http_reply *reply)
{
    (void)context;
    buffer_append_text(reply->body, "rebuilding\n");
    reply->status = 503;
}

static void handle_empty(void *context, struct http_reply *reply)
{
    (void)context;
    (void)reply;
}

static void handle_too_much(void *context, struct http_reply *reply)
{
    (void)context;
    for (int i = 0; i < 20; i++) {
        static char megabyte[1 << 20];
        buffer_append(reply->body, megabyte, sizeof megabyte);
    }
}

static _Atomic int calls;
static const struct http_route routes[] = {
    {"/metrics", handle_text, &calls},
    {"/readyz", handle_not_ready, NULL},
    {"/healthz", handle_empty, NULL},
    {"/big", handle_too_much, NULL},
    {0},
};

static struct http_server *server_open(unsigned connections_max)
{
    struct http_server *server = NULL;
    struct http_options options = {.listen = "127.0.0.1:0", .connections_max = connections_max};
    struct complaint complaint = {""};
    assert_ok(http_open(&options, routes, &server, &complaint));
    assert_true(http_port(server) > 0);
    return server;
}

struct answer {
    long status;
    char type[64];
    struct buffer body;
    char allow[64];
};

static void answer_release(struct answer *answer)
{
    buffer_release(&answer->body);
}

static size_t keep_body(char *data, size_t size, size_t count, void *context)
{
    buffer_append(context, data, size * count);
    return size * count;
}

static size_t keep_allow(char *data, size_t size, size_t count, void *context)
{
    if (size * count > 7 && !strncasecmp(data, "Allow: ", 7))
        snprintf(context, 64, "%.*s", (int)(size * count - 9), data + 7);
    return size * count;
}

static CURLcode request(const struct http_server *server, const char *method, const char *path, long timeout_ms,
                        struct answer *ret_answer)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", http_port(server), path);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &ret_answer->body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep_allow);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, ret_answer->allow);
    if (!strcmp(method, "HEAD"))
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (!strcmp(method, "POST"))
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "a=b");
    CURLcode code = curl_easy_perform(curl);
    const char *type = NULL;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret_answer->status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    snprintf(ret_answer->type, sizeof ret_answer->type, "%s", type ? type : "");
    curl_easy_cleanup(curl);
    return code;
}

static void a_route_answers_get_and_head(void **state)
{
    (void)state;
    struct http_server *server = server_open(0);
    AUTO(answer) get = {0};
    AUTO(answer) head = {0};
    int before = calls;
    assert_int_equal(request(server, "GET", "/metrics?name=x", 20000, &get), CURLE_OK);
    assert_int_equal(get.status, 200);
    assert_string_equal(get.type, "text/plain; version=0.0.4");
    assert_bytes(buffer_bytes(&get.body), "eddy_ready 1\n");
    assert_int_equal(request(server, "HEAD", "/metrics", 20000, &head), CURLE_OK);
    assert_int_equal(head.status, 200);
    assert_int_equal(head.body.size, 0);
    assert_int_equal(calls, before + 2);
    http_close(server);
}

static void status_and_empty_bodies_are_the_handlers(void **state)
{
    (void)state;
    struct http_server *server = server_open(0);
    AUTO(answer) not_ready = {0};
    AUTO(answer) empty = {0};
    AUTO(answer) big = {0};
    assert_int_equal(request(server, "GET", "/readyz", 20000, &not_ready), CURLE_OK);
    assert_int_equal(not_ready.status, 503);
    assert_bytes(buffer_bytes(&not_ready.body), "rebuilding\n");
    assert_int_equal(request(server, "GET", "/healthz", 20000, &empty), CURLE_OK);
    assert_int_equal(empty.status, 200);
    assert_int_equal(empty.body.size, 0);
    assert_int_equal(request(server, "GET", "/big", 20000, &big), CURLE_OK);
    assert_int_equal(big.status, 500);
    http_close(server);
}

static void other_methods_and_paths_are_refused(void **state)
{
    (void)state;
    struct http_server *server = server_open(0);
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        AUTO(answer) answer = {0};
        assert_int_equal(request(server, methods[i], "/metrics", 20000, &answer), CURLE_OK);
        assert_int_equal(answer.status, 405);
        assert_string_equal(answer.allow, "GET, HEAD");
    }
    static const char *const paths[] = {"/", "/metric", "/metrics/", "/../etc/passwd", "/%6detricsx"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        AUTO(answer) answer = {0};
        assert_int_equal(request(server, "GET", paths[i], 20000, &answer), CURLE_OK);
        assert_int_equal(answer.status, 404);
        assert_non_null(strstr(buffer_text(&answer.body), "/metrics"));
    }
    http_close(server);
}

static int raw_connect(const struct http_server *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(http_port(server)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

static void garbage_and_oversize_requests_are_survived(void **state)
{
    (void)state;
    struct http_server *server = server_open(0);
    static char big[200000];
    memset(big, 'x', sizeof big);
    memcpy(big, "GET /metrics HTTP/1.1\r\nX: ", 26);
    static const struct bytes inputs[] = {
        {(const uint8_t *)"\0\xff\r\n\r\n", 6},
        {(const uint8_t *)"GET\r\n\r\n", 7},
        {(const uint8_t *)"GET /metrics HTTP/9.9\r\n\r\n", 25},
        {(const uint8_t *)"GET /%zz%00 HTTP/1.1\r\nHost: a\r\n\r\n", 33},
        {(const uint8_t *)big, sizeof big},
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        int descriptor = raw_connect(server);
        ssize_t sent = send(descriptor, inputs[i].data, inputs[i].size, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)sent;
        close(descriptor);
        AUTO(answer) answer = {0};
        assert_int_equal(request(server, "GET", "/metrics", 20000, &answer), CURLE_OK);
        assert_int_equal(answer.status, 200);
    }
    http_close(server);
}

static void connections_past_the_bound_wait(void **state)
{
    (void)state;
    struct http_server *server = server_open(2);
    int idle[2];
    for (int i = 0; i < 2; i++) {
        idle[i] = raw_connect(server);
        const char text[] = "GET /healthz HTTP/1.1\r\n"; /* never finished; accepted before those that follow */
        assert_int_equal(send(idle[i], text, sizeof text - 1, MSG_NOSIGNAL), sizeof text - 1);
    }
    AUTO(answer) refused = {0};
    assert_int_equal(request(server, "GET", "/metrics", 300, &refused), CURLE_OPERATION_TIMEDOUT);
    close(idle[0]);
    close(idle[1]);
    AUTO(answer) answered = {0};
    assert_int_equal(request(server, "GET", "/metrics", 20000, &answered), CURLE_OK);
    assert_int_equal(answered.status, 200);
    http_close(server);
}

static void a_taken_port_and_bad_addresses_are_named(void **state)
{
    (void)state;
    struct http_server *server = server_open(0), *second = NULL;
    struct complaint complaint = {""};
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%u", http_port(server));
    assert_fails(UNAVAILABLE, http_open(&(struct http_options){.listen = taken}, routes, &second, &complaint));
    assert_non_null(strstr(complaint.text, taken));
    assert_non_null(strstr(complaint.text, "in use"));
    assert_null(second);
    static const char *const bad[] = {"",     "9464",     "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                                      ":80",  "a b:80",   "[::1:80",    "::1:80",      "[]:80",
                                      "a:-1", "a:000080", "127.0.0.1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(CONFIG, http_open(&(struct http_options){.listen = bad[i]}, routes, &second, &complaint));
    struct http_address address;
    assert_ok(http_address_parse("[::1]:80", &address, NULL));
    assert_string_equal(address.host, "::1");
    assert_ok(http_address_parse("*:9464", &address, NULL));
    assert_string_equal(address.host, "");
    assert_string_equal(address.port, "9464");
    http_close(server);
    http_close(NULL);
}

static void *ask_often(void *server)
{
    for (int i = 0; i < 25; i++) {
        AUTO(answer) answer = {0};
        if (request(server, "GET", "/metrics", 20000, &answer) != CURLE_OK || answer.status != 200)
            return server;
    }
    return NULL;
}

static void clients_at_once_all_get_whole_answers(void **state)
{
    (void)state;
    struct http_server *server = server_open(0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, server), 0);
    for (int i = 0; i < 4; i++) {
        void *failure;
        pthread_join(threads[i], &failure);
        assert_null(failure);
    }
    http_close(server);
}

int main(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_answers_get_and_head),
        cmocka_unit_test(status_and_empty_bodies_are_the_handlers),
        cmocka_unit_test(other_methods_and_paths_are_refused),
        cmocka_unit_test(garbage_and_oversize_requests_are_survived),
        cmocka_unit_test(connections_past_the_bound_wait),
        cmocka_unit_test(a_taken_port_and_bad_addresses_are_named),
        cmocka_unit_test(clients_at_once_all_get_whole_answers),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
