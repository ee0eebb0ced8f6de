// SPDX-License-Identifier: Apache-2.0
#pragma once
/* team: threads that share work out among themselves (core/parallel.h). The thread that has work is one of them; its
 * helpers sleep until there is some. A helper takes no signals: these are for the threads that there are without it. */
#include <eddy/base/status.h>
#include <eddy/core/parallel.h>

struct team;

/* `threads` >= 1, the caller's among them. MEMORY; UNAVAILABLE: the system gives no thread (detail: errno). */
MUST_CHECK struct status team_open(uint32_t threads, struct team **ret_team);
/* Not while it works. */
void team_close(struct team *team);

/* For one thread at a time. Valid until team_close(). */
struct parallel team_parallel(struct team *team);
