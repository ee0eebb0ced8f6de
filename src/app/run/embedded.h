// SPDX-License-Identifier: Apache-2.0
#pragma once
/* embedded: a broker inside the process (io/kafka_mock.h) with the topics of a configuration, for a first look, the
 * demo and tests. */
#include "app/config.h"

struct embedded;

/* Starts it and puts its address into the configuration (kafka.bootstrap.servers), which stays the caller's; clicks,
 * items and recommendations are JSON there unless the user has set their formats. */
MUST_CHECK struct status embedded_open(struct config *config, struct embedded **ret_embedded,
                                       struct complaint *complaint);
void embedded_close(struct embedded *embedded);
/* "127.0.0.1:port". */
const char *embedded_bootstrap(const struct embedded *embedded);
