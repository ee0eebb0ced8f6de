// SPDX-License-Identifier: Apache-2.0
#pragma once
/* service: what a running process answers over HTTP: /metrics, /healthz (it runs), /readyz (it answers clicks) and
 * /mixing (how much each scorer's word counts now, as a configuration). */
#include <eddy/base/metrics.h>
#include <eddy/core/mixing.h>

struct service;

struct service_options {
    const char *listen; /* empty: there is no service */
    const struct metrics *metrics;
    /* Why the process is not ready, in a few words; NULL when it is. Called from the service's thread. */
    const char *(*waiting_for)(void *context);
    void *context;
};

/* *ret_service is NULL when there is none. What `options` points to must outlive it. */
MUST_CHECK struct status service_open(const struct service_options *options, struct service **ret_service,
                                      struct complaint *complaint);
/* What /mixing tells from now on; before, there is none. Any thread; NULL is fine. */
void service_set_mixing(struct service *service, const struct mixing *mixing);
void service_close(struct service *service);
