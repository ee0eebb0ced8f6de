// SPDX-License-Identifier: Apache-2.0
#include "app/run/service.h"

#include "app/log.h"

#include <eddy/io/http.h>
#include <stdlib.h>

struct service {
    struct http_server *server;
    struct http_route routes[4];
    const struct metrics *metrics;
    const char *(*waiting_for)(void *context);
    void *context;
};

static void answer_metrics(void *context, struct http_reply *reply)
{
    const struct service *service = context;
    metrics_expose(service->metrics, reply->body);
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
}

static void answer_health(void *context, struct http_reply *reply)
{
    (void)context;
    buffer_append_text(reply->body, "ok\n");
}

static void answer_readiness(void *context, struct http_reply *reply)
{
    const struct service *service = context;
    const char *reason = service->waiting_for(service->context);
    reply->status = reason ? 503 : 200;
    buffer_format(reply->body, "%s\n", reason ? reason : "ready");
}

static struct status explain(struct status status, const struct complaint *why, struct complaint *complaint)
{
    if (failed_as(status, FAULT_UNAVAILABLE)) /* the address is taken, or not of this machine yet: that may pass */
        return complain(complaint, status,
                        "http.listen: %s. Free it, set another address, or an empty one to have no HTTP", why->text);
    return why->text[0] ? complain(complaint, status, "http.listen: %s", why->text) : status;
}

struct status service_open(const char *listen, const struct metrics *metrics, const char *(*waiting_for)(void *context),
                           void *context, struct service **ret_service, struct complaint *complaint)
{
    *ret_service = NULL;
    if (!listen[0])
        return OK;
    struct service *service = calloc(1, sizeof *service);
    if (!service)
        return FAIL(MEMORY, 0, "no memory for the HTTP service");
    *service = (struct service){.metrics = metrics, .waiting_for = waiting_for, .context = context};
    service->routes[0] = (struct http_route){"/metrics", answer_metrics, service};
    service->routes[1] = (struct http_route){"/healthz", answer_health, service};
    service->routes[2] = (struct http_route){"/readyz", answer_readiness, service};
    const struct http_options options = {.listen = listen};
    struct complaint why = {0};
    struct status status = http_open(&options, service->routes, &service->server, &why);
    if (failed(status)) {
        free(service);
        return explain(status, &why, complaint);
    }
    log_always(LOG_INFO, "http_listening", "address=%s port=%u", listen, (unsigned)http_port(service->server));
    *ret_service = service;
    return OK;
}

void service_close(struct service *service)
{
    if (!service)
        return;
    http_close(service->server);
    free(service);
}
