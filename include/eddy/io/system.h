// SPDX-License-Identifier: Apache-2.0
#pragma once
/* system: the operating system's clocks, the only place that reads them. */
#include <eddy/port.h>

struct time_source system_time(void);

/* CPU time of the calling thread, for measuring what an answer costs. */
int64_t system_thread_cpu_ns(void);
