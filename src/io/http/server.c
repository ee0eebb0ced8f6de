// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/http.h>

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECTION_MEMORY (16 * 1024)
#define BODY_MAX          (16 << 20)

struct http_server {
    struct MHD_Daemon *daemon;
    const struct http_route *routes;
    struct buffer body; /* of the reply being made; the server's thread only */
    uint16_t port;
};

/* ---- replies, on the server's thread */

static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct http_reply *reply)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body->size, reply->body->data, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    if (result == MHD_YES)
        result = MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (result == MHD_YES && reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        result = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (result == MHD_YES)
        result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static void fill_reply(const struct http_server *server, const char *path, const char *method, struct http_reply *reply)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        reply->status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buffer_append_text(reply->body, "only GET and HEAD\n");
        return;
    }
    const struct http_route *route = server->routes;
    while (route->path && strcmp(route->path, path) != 0)
        route++;
    if (route->path) {
        route->handle(route->context, reply);
        return;
    }
    reply->status = MHD_HTTP_NOT_FOUND;
    buffer_append_text(reply->body, "not found; there is:\n");
    for (route = server->routes; route->path; route++)
        buffer_format(reply->body, "%s\n", route->path);
}

/* Answers as soon as the headers are there; a body is never read. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request)
{
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)request;
    struct http_server *server = context;
    struct http_reply reply = {&server->body, "text/plain; charset=utf-8", MHD_HTTP_OK};
    buffer_clear(&server->body);
    fill_reply(server, path, method, &reply);
    if (failed(buffer_check(&server->body))) {
        buffer_clear(&server->body);
        reply.status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    return send_reply(connection, &reply);
}

/* ---- opening */

static struct status cannot_listen(const char *listen_on, int error, struct complaint *complaint)
{
    return complain(complaint, FAIL(UNAVAILABLE, error, "cannot listen"), "cannot listen on %s: %s", listen_on,
                    strerror(error));
}

static int listen_on_address(const struct addrinfo *info)
{
    int on = 1;
    int descriptor = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, info->ai_protocol);
    if (descriptor < 0)
        return -1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(descriptor, info->ai_addr, info->ai_addrlen) == 0 && listen(descriptor, 64) == 0)
        return descriptor;
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static struct status open_socket(const char *listen_text, int *ret_descriptor, struct complaint *complaint)
{
    struct http_address address;
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    TRY(http_address_parse(listen_text, &address, complaint));
    int error = getaddrinfo(*address.host ? address.host : NULL, address.port, &hints, &found);
    if (error)
        return complain(complaint, FAIL(UNAVAILABLE, error, "cannot look up the listen address"),
                        "cannot listen on %s: %s", listen_text, gai_strerror(error));
    int descriptor = -1;
    for (const struct addrinfo *info = found; info && descriptor < 0; info = info->ai_next)
        descriptor = listen_on_address(info);
    error = errno;
    freeaddrinfo(found);
    if (descriptor < 0)
        return cannot_listen(listen_text, error, complaint);
    *ret_descriptor = descriptor;
    return OK;
}

static uint16_t port_of(int descriptor)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &size))
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

struct status http_open(const struct http_options *options, const struct http_route *routes,
                        struct http_server **ret_server, struct complaint *complaint)
{
    int descriptor;
    TRY(open_socket(options->listen, &descriptor, complaint));
    struct http_server *server = calloc(1, sizeof *server);
    if (!server) {
        close(descriptor);
        return FAIL(MEMORY, 0, "no memory for the HTTP server");
    }
    *server = (struct http_server){.routes = routes, .body = {.limit = BODY_MAX}, .port = port_of(descriptor)};
    unsigned connections_max = options->connections_max ? options->connections_max : 32;
    unsigned timeout_s = options->timeout_s ? options->timeout_s : 10;
    server->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, answer, server,
                                      MHD_OPTION_LISTEN_SOCKET, descriptor, MHD_OPTION_CONNECTION_LIMIT,
                                      connections_max, MHD_OPTION_CONNECTION_TIMEOUT, timeout_s,
                                      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (!server->daemon) {
        int error = errno;
        close(descriptor);
        free(server);
        return cannot_listen(options->listen, error, complaint);
    }
    *ret_server = server;
    return OK;
}

void http_close(struct http_server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon);
    buffer_release(&server->body);
    free(server);
}

uint16_t http_port(const struct http_server *server)
{
    return server->port;
}
