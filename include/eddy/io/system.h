// SPDX-License-Identifier: Apache-2.0
#pragma once
/* system: the operating system's clocks and CPUs, the only place that asks for them. */
#include <eddy/port.h>

struct time_source system_time(void);

/* Lets the thread wait; shorter when a signal comes. */
void system_wait_ms(int duration_ms);

/* CPUs this process may run on, at least 1. */
uint32_t system_cpu_count(void);

/* Lets several threads compute matrix products at once, or in turns: see matrix_begin_threads(), and for its failure;
 * and asks the system for the CPU's AMX registers: matrix_allow_amx(). At start, once. */
MUST_CHECK struct status system_begin_products(void);

/* The calling thread gives way to those that answer: it is nicer by 10, where the system lets it. */
void system_thread_give_way(void);

/* CPU time of the calling thread, for measuring what an answer costs. */
int64_t system_thread_cpu_ns(void);
/* The same of all threads of the process. */
int64_t system_process_cpu_ns(void);
