// SPDX-License-Identifier: Apache-2.0
#include "app/run/service.h"

#include "app/config.h"
#include "app/log.h"

#include <eddy/io/http.h>
#include <pthread.h>
#include <stdlib.h>

struct service {
    struct http_server *server;
    struct http_route routes[5];
    struct service_options options;
    pthread_mutex_t lock;
    struct mixing mixing; /* under the lock */
    bool mixes;
};

static void answer_metrics(void *context, struct http_reply *reply)
{
    const struct service *service = context;
    metrics_expose(service->options.metrics, reply->body);
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
    const char *reason = service->options.waiting_for(service->options.context);
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

static void answer_mixing(void *context, struct http_reply *reply)
{
    struct service *service = context;
    pthread_mutex_lock(&service->lock);
    bool mixes = service->mixes;
    struct mixing mixing = service->mixing;
    pthread_mutex_unlock(&service->lock);
    reply->status = mixes ? 200 : 503;
    if (mixes)
        config_write_mixing(&mixing, reply->body);
    else
        buffer_append_text(reply->body, "nothing is mixed yet\n");
}

void service_set_mixing(struct service *service, const struct mixing *mixing)
{
    if (!service)
        return;
    pthread_mutex_lock(&service->lock);
    service->mixing = *mixing;
    service->mixes = true;
    pthread_mutex_unlock(&service->lock);
}

struct status service_open(const struct service_options *options, struct service **ret_service,
                           struct complaint *complaint)
{
    *ret_service = NULL;
    if (!options->listen[0])
        return OK;
    struct service *service = calloc(1, sizeof *service);
    if (!service)
        return FAIL(MEMORY, 0, "no memory for the HTTP service");
    service->options = *options;
    pthread_mutex_init(&service->lock, NULL);
    service->routes[0] = (struct http_route){"/metrics", answer_metrics, service};
    service->routes[1] = (struct http_route){"/healthz", answer_health, service};
    service->routes[2] = (struct http_route){"/readyz", answer_readiness, service};
    service->routes[3] = (struct http_route){"/mixing", answer_mixing, service};
    const struct http_options http = {.listen = options->listen};
    struct complaint why = {0};
    struct status status = http_open(&http, service->routes, &service->server, &why);
    if (failed(status)) {
        service_close(service);
        return explain(status, &why, complaint);
    }
    log_always(LOG_INFO, "http_listening", "address=%s port=%u", options->listen, (unsigned)http_port(service->server));
    *ret_service = service;
    return OK;
}

void service_close(struct service *service)
{
    if (!service)
        return;
    http_close(service->server);
    pthread_mutex_destroy(&service->lock);
    free(service);
}
