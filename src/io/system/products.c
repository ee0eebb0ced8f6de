// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/system.h>

#include <eddy/core/model.h>
#include <pthread.h>
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void begin(void)
{
    pthread_mutex_lock(&turn);
}

static void end(void)
{
    pthread_mutex_unlock(&turn);
}

#if defined(__x86_64__) && defined(__linux__)

#define CPUID_FEATURES      7
#define CPUID_AMX           (1u << 24 | 1u << 25) /* registers; products of bytes */
#define ARCH_REQ_XCOMP_PERM 0x1023                /* of asm/prctl.h, which knows it since Linux 5.17 */
#define XFEATURE_XTILEDATA  18

/* Linux saves a thread's AMX registers, 8 KiB, for processes that asked. Nobody is asked who has none: tools that stand
 * in for the CPU, and know no such call, end the process. A refusal (an older Linux, a filter of system calls, a signal
 * stack too small for them) is an answer. */
static bool system_lets_have_amx(void)
{
    uint32_t a, b, c, d;
    return __get_cpuid_count(CPUID_FEATURES, 0, &a, &b, &c, &d) && (d & CPUID_AMX) == CPUID_AMX &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

#else

static bool system_lets_have_amx(void)
{
    return false;
}

#endif

struct status system_begin_products(void)
{
    static const struct matrix_turns turns = {begin, end};
    TRY(matrix_begin_threads(&turns));
    if (system_lets_have_amx())
        matrix_allow_amx();
    return OK;
}
