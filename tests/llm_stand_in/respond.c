// SPDX-License-Identifier: Apache-2.0
#include "llm_stand_in/server.h"

#include <eddy/base/sha256.h>

#include <math.h>
#include <stdlib.h>

#define TRICKLE_US  100000
#define CHUNK_MAX   7
#define HEADER_ROOM (1 << 20)

struct response {
    int code;
    const char *version, *type;
    struct buffer body;
    struct buffer headers; /* lines */
    int64_t length;        /* of Content-Length; -1: as the body's, -2: none */
    bool chunked;
};

static const char *reason(int code)
{
    return code == 200 ? "OK" : code == 429 ? "Too Many Requests" : code == 404 ? "Not Found" : "Other";
}

static void write_chunks(struct server *server, struct bytes body, struct buffer *out)
{
    for (size_t at = 0; at < body.size;) {
        size_t size = 1 + random_below(&server->random, CHUNK_MAX);
        size = size < body.size - at ? size : body.size - at;
        buffer_format(out, "%zx%s\r\n", size, size % 2 ? "" : ";odd=\"yes\"");
        buffer_append(out, body.data + at, size);
        buffer_append_text(out, "\r\n");
        at += size;
    }
    buffer_append_text(out, "0\r\nX-Trailer: odd\r\n\r\n");
}

static void write_response(struct server *server, struct response *response, struct buffer *out)
{
    struct bytes body = buffer_bytes(&response->body);
    buffer_format(out, "%s %d %s\r\nContent-Type: %s\r\n", response->version, response->code, reason(response->code),
                  response->type);
    buffer_append_bytes(out, buffer_bytes(&response->headers));
    if (response->chunked)
        buffer_append_text(out, "Transfer-Encoding: chunked\r\n");
    else if (response->length != -2)
        buffer_format(out, "Content-Length: %lld\r\n",
                      (long long)(response->length == -1 ? (int64_t)body.size : response->length));
    buffer_append_text(out, "\r\n");
    if (response->chunked)
        write_chunks(server, body, out);
    else
        buffer_append_bytes(out, body);
}

static void say(struct response *response, int code, const char *type, const char *body)
{
    response->code = code;
    response->type = type;
    buffer_clear(&response->body);
    buffer_append_text(&response->body, body);
}

static void say_error(struct response *response, int code, const char *message)
{
    say(response, code, "application/json", "");
    answer_error(message, &response->body);
}

/* ---- what goes wrong with the answer as such */

static void break_text(struct response *response)
{
    static const char mark[] = "\"content\":\"";
    uint8_t *found = memmem(response->body.data, response->body.size, mark, sizeof mark - 1);
    if (found)
        found[sizeof mark - 1] = 0xff;
}

/* 200, but the body is not what it should be. */
static void spoil_body(struct response *response, enum fault_of fault)
{
    switch (fault) {
    case STAND_IN_PAGE:
        say(response, 200, "text/html", "<!DOCTYPE html><html><body>Please log in</body></html>");
        break;
    case STAND_IN_EMPTY:
        say(response, 200, "application/json", "");
        break;
    case STAND_IN_TRUNCATED:
        response->body.size /= 2;
        break;
    case STAND_IN_WRONG_SHAPE:
        say(response, 200, "application/json", "{\"choices\":{\"message\":1}}");
        break;
    case STAND_IN_NOT_UTF8:
        break_text(response);
        break;
    default:
        break;
    }
}

static void refuse(struct server *server, const struct request *request, struct response *response, enum fault_of fault)
{
    char message[512];
    struct bytes key = request_header(request, "Authorization");
    switch (fault) {
    case STAND_IN_BUSY:
        buffer_format(&response->headers, "Retry-After: %s\r\n", server->faults.retry_after);
        say_error(response, 429, "asked too much");
        break;
    case STAND_IN_BUSY_SILENT:
        say_error(response, 429, "asked too much");
        break;
    case STAND_IN_ERROR:
        say_error(response, 500, "something broke");
        break;
    case STAND_IN_UNAVAILABLE:
        say(response, 503, "text/html", "<html><body>503</body></html>");
        break;
    case STAND_IN_DENIED:
        snprintf(message, sizeof message, "Incorrect API key provided: " BYTES_FORMAT, BYTES_ARGS(key));
        say_error(response, 401, message);
        break;
    case STAND_IN_REFUSED:
        say_error(response, 400, "no such parameter");
        break;
    case STAND_IN_REDIRECT:
        buffer_append_text(&response->headers, "Location: http://127.0.0.2:9/v1/chat/completions\r\n");
        say(response, 307, "text/plain", "elsewhere");
        break;
    default:
        break;
    }
}

/* What goes wrong on the wire. */
static void spoil_wire(struct server *server, struct connection *connection, struct response *response,
                       enum fault_of fault)
{
    static const char begun[] = "{\"choices\":[{\"message\":{\"content\":\"";
    int64_t size = (int64_t)response->body.size;
    response->chunked = fault == STAND_IN_ODD_CHUNKS;
    response->length = fault == STAND_IN_LONG_LENGTH ? size + 100 : fault == STAND_IN_SHORT_LENGTH ? size / 2 : -1;
    if (fault == STAND_IN_HTTP_1_0) {
        response->version = "HTTP/1.0";
        response->length = -2;
    }
    if (fault == STAND_IN_ENDLESS) {
        say(response, 200, "application/json", "");
        response->length = -2;
        buffer_append_text(&response->headers, "Transfer-Encoding: chunked\r\n");
    }
    write_response(server, response, &connection->out);
    switch (fault) {
    case STAND_IN_HANG:
    case STAND_IN_HANG_UP:
        buffer_clear(&connection->out);
        connection->ending = fault == STAND_IN_HANG ? END_HANG : END_CLOSE;
        break;
    case STAND_IN_RESET:
        connection->out.size -= (size_t)size / 2 + 1;
        connection->ending = END_RESET;
        break;
    case STAND_IN_TRICKLE:
        connection->piece = 1;
        connection->piece_us = TRICKLE_US;
        break;
    case STAND_IN_ENDLESS:
        buffer_format(&connection->out, "%zx\r\n%s\r\n", sizeof begun - 1, begun);
        connection->ending = END_ENDLESS;
        break;
    case STAND_IN_LONG_LENGTH:
    case STAND_IN_SHORT_LENGTH:
    case STAND_IN_HTTP_1_0:
        connection->ending = END_CLOSE;
        break;
    case STAND_IN_HEADERS:
        buffer_clear(&connection->out);
        buffer_append_text(&connection->out, "HTTP/1.1 200 OK\r\n");
        while (connection->out.size < HEADER_ROOM)
            buffer_append_text(&connection->out, "X-Header: and so on and so on and so on and so on and so on\r\n");
        connection->ending = END_HANG;
        break;
    case STAND_IN_GARBAGE:
        buffer_clear(&connection->out);
        buffer_append_text(&connection->out, "SSH-2.0-OpenSSH_9.2p1\r\n");
        connection->ending = END_CLOSE;
        break;
    default:
        break;
    }
}

/* ---- what is served */

static void limit(struct server *server, struct response *response, double tokens)
{
    double wait = allowance_take(&server->requests, 1, now_us());
    double longer = wait > 0 ? 0 : allowance_take(&server->tokens, tokens, now_us());
    wait = wait > longer ? wait : longer;
    if (wait <= 0)
        return;
    say_error(response, 429, "the limit of a minute is reached");
    buffer_format(&response->headers, "Retry-After: %.0f\r\nretry-after-ms: %.0f\r\n", ceil(wait), ceil(wait * 1000));
}

static void serve_chat(struct server *server, const struct request *request, enum fault_of fault,
                       struct response *response)
{
    struct question question;
    if (!question_read(request->body, &question)) {
        say_error(response, 400, "this is no chat completion's request: model and messages are missing");
        return;
    }
    answer_chat(&server->answers, &question, fault, &response->body);
    limit(server, response,
          (double)question.prompt_tokens + (double)(question.max_tokens > 0 ? question.max_tokens : 0));
    question_release(&question);
}

static void serve_model(struct server *server, struct connection *connection, const struct request *request,
                        enum fault_of fault, struct response *response)
{
    if (strcmp(request->path, "/v1/chat/completions") == 0)
        serve_chat(server, request, fault, response);
    else if (strcmp(request->path, "/v1/models") == 0)
        say(response, 200, "application/json",
            "{\"object\":\"list\",\"data\":[{\"id\":\"stand-in\",\"object\":\"model\"}]}");
    else if (strcmp(request->path, "/v1/embeddings") != 0)
        say_error(response, 404, "no such path");
    else if (!answer_embeddings(&server->answers, request->body, &response->body))
        say_error(response, 400, "this is no request of embeddings");
    spoil_body(response, fault);
    refuse(server, request, response, fault);
    server->busy_count += response->code == 429;
    connection->due_us =
        now_us() + (response->code == 200 ? latency_draw_us(&server->options.latency, &server->random) : 0);
    spoil_wire(server, connection, response, fault);
}

static void serve_control(struct server *server, struct connection *connection, const struct request *request,
                          struct response *response)
{
    if (strcmp(request->method, "POST") == 0 && strcmp(request->path, "/stand-in/faults") == 0) {
        bool good = faults_tell(&server->faults, request->body, now_us());
        say(response, good ? 200 : 400, "text/plain", good ? "told\n" : "not understood\n");
    } else if (strcmp(request->path, "/stand-in/counts") == 0) {
        say(response, 200, "application/json", "");
        buffer_format(
            &response->body,
            "{\"requests\":%llu,\"connections\":%llu,\"in_flight\":%zu,\"in_flight_max\":%zu,\"busy\":%llu}\n",
            (unsigned long long)server->request_count, (unsigned long long)server->connection_count, server->in_flight,
            server->in_flight_max, (unsigned long long)server->busy_count);
    } else {
        say(response, 404, "text/plain", "POST /stand-in/faults or GET /stand-in/counts\n");
    }
    write_response(server, response, &connection->out);
}

/* ---- the log: what was sent, but for keys */

static json_t *header_value(struct bytes line, size_t name_size)
{
    static const char scheme[] = "Bearer ";
    struct bytes value = bytes_of(line.data + name_size + 1, line.size - name_size - 1);
    while (value.size > 0 && value.data[0] == ' ')
        value = bytes_of(value.data + 1, value.size - 1);
    if (strncasecmp((const char *)line.data, "authorization:", 14) != 0)
        return json_stringn_nocheck((const char *)value.data, value.size);
    char text[SHA256_TEXT_SIZE];
    struct sha256 *hash;
    size_t begun = value.size > sizeof scheme - 1 ? sizeof scheme - 1 : 0;
    if (failed(sha256_open(&hash)))
        abort();
    sha256_add(hash, bytes_of(value.data + begun, value.size - begun));
    sha256_text(hash, text);
    sha256_close(hash);
    return json_sprintf("sha256:%s", text);
}

static json_t *headers_of(const struct request *request)
{
    json_t *headers = json_object();
    struct bytes rest = request->head;
    while (rest.size > 0) {
        const uint8_t *end = memmem(rest.data, rest.size, "\r\n", 2);
        struct bytes line = bytes_of(rest.data, end ? (size_t)(end - rest.data) : rest.size);
        const uint8_t *colon = memchr(line.data, ':', line.size);
        char name[128];
        snprintf(name, sizeof name, "%.*s", colon ? (int)(colon - line.data) : 0, (const char *)line.data);
        if (colon)
            json_object_set_new_nocheck(headers, name, header_value(line, (size_t)(colon - line.data)));
        size_t passed = end ? line.size + 2 : line.size;
        rest = bytes_of(rest.data + passed, rest.size - passed);
    }
    return headers;
}

static void log_request(struct server *server, const struct request *request, enum fault_of fault)
{
    if (!server->log)
        return;
    json_t *line = json_pack("{s:s, s:s, s:o, s:s, s:o}", "method", request->method, "path", request->path, "headers",
                             headers_of(request), "fault", fault_name(fault), "body",
                             json_stringn_nocheck((const char *)request->body.data, request->body.size));
    json_dumpf(line, server->log, JSON_COMPACT);
    fputc('\n', server->log);
    fflush(server->log);
    json_decref(line);
}

void respond(struct server *server, struct connection *connection, const struct request *request)
{
    struct response response = {.code = 200, .version = "HTTP/1.1", .type = "application/json", .length = -1};
    if (connection->control) {
        serve_control(server, connection, request, &response);
    } else {
        enum fault_of fault = faults_take(&server->faults, &server->random, now_us());
        server->request_count++;
        log_request(server, request, fault);
        serve_model(server, connection, request, fault, &response);
    }
    buffer_release(&response.body);
    buffer_release(&response.headers);
}
