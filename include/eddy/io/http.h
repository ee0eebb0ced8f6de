// SPDX-License-Identifier: Apache-2.0
#pragma once
/* http: a small HTTP/1.1 server for metrics and health, on libmicrohttpd. GET and HEAD of exact paths; other methods
 * get 405, other paths 404. No TLS, no bodies, no query: it belongs on a loopback or a closed network.
 *
 * The server has one thread, which inherits the caller's signal mask; handlers run on it, one at a time, so they must
 * be quick and may only touch what is shared safely. Bounds: `connections_max` at once (more wait in the listen queue),
 * a connection idle for `timeout_s` is closed, 16 KiB of memory for a request's line and headers (more: refused).
 * Failures of http_open: CONFIG (not an address), UNAVAILABLE (cannot listen there; detail is errno), MEMORY. */
#include <eddy/base/buffer.h>

struct http_reply {
    struct buffer *body;      /* empty; the handler appends */
    const char *content_type; /* static; "text/plain; charset=utf-8" unless set */
    unsigned status;          /* 200 unless set */
};

struct http_route {
    const char *path; /* "/metrics"; NULL ends the routes */
    void (*handle)(void *context, struct http_reply *reply);
    void *context;
};

struct http_options {
    const char *listen;       /* "127.0.0.1:9464", "[::1]:9464", "localhost:9464", "*:9464"; port 0: any free one */
    unsigned connections_max; /* 0: 32 */
    unsigned timeout_s;       /* 0: 10 */
};

struct http_server;

/* `routes` must outlive the server. */
MUST_CHECK struct status http_open(const struct http_options *options, const struct http_route *routes,
                                   struct http_server **ret_server, struct complaint *complaint);
/* Waits for the handler that runs, if any; then no handler is called any more. NULL is fine. */
void http_close(struct http_server *server);
/* The port that is listened on. */
uint16_t http_port(const struct http_server *server);

struct http_address {
    char host[256]; /* "": all addresses */
    char port[6];
};
/* Splits a listen address; looks nothing up. CONFIG when it is none. */
MUST_CHECK struct status http_address_parse(const char *text, struct http_address *ret_address,
                                            struct complaint *complaint);
