// SPDX-License-Identifier: Apache-2.0
#pragma once
/* service: what a running process answers over HTTP: /metrics, /healthz (it runs), /readyz (it answers clicks). */
#include <eddy/base/metrics.h>

struct service;

/* *ret_service is NULL when `listen` is empty. `waiting_for` says in a few words why the process is not ready, or is
 * NULL when it is; called from the service's thread. */
MUST_CHECK struct status service_open(const char *listen, const struct metrics *metrics,
                                      const char *(*waiting_for)(void *context), void *context,
                                      struct service **ret_service, struct complaint *complaint);
void service_close(struct service *service);
