// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/system.h>

#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t wall_ms(void *self)
{
    (void)self;
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

static int64_t monotonic_us(void *self)
{
    (void)self;
    return clock_ns(CLOCK_MONOTONIC) / 1000;
}

static void wait(void *self, int ms)
{
    (void)self;
    system_wait_ms(ms);
}

struct time_source system_time(void)
{
    static const struct time_source_ops ops = {wall_ms, monotonic_us, wait};
    return (struct time_source){&ops, NULL};
}

int64_t system_thread_cpu_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

int64_t system_process_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void system_thread_give_way(void)
{
    int refused = setpriority(PRIO_PROCESS, (id_t)gettid(), 10); /* of a thread, on Linux */
    (void)refused;
}

void system_wait_ms(int duration_ms)
{
    poll(NULL, 0, duration_ms);
}

uint32_t system_cpu_count(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return count > 0 ? (uint32_t)count : 1;
}
