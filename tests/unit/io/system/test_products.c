// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/arithmetic.h"
#include "core/model/products.h"

#include <cblas.h>
#include <eddy/base/random.h>
#include <eddy/io/system.h>
#include <eddy/io/team.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__) && defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#define PRODUCTS 2000
#define SIDE     30

struct products {
    float a[SIDE * SIDE], b[SIDE * SIDE], wanted[SIDE * SIDE];
    uint32_t wrong[3];
};

static void multiply(void *context, uint32_t index)
{
    struct products *products = context;
    float c[SIDE * SIDE];
    for (int i = 0; i < PRODUCTS; i++) {
        matrix_nt(SIDE, SIDE, SIDE, 1, products->a, products->b, 0, c);
        products->wrong[index] += memcmp(c, products->wanted, sizeof c) != 0;
    }
}

static void products_at_the_same_time_do_not_meet(void **state)
{
    (void)state;
    struct random random;
    struct team *team;
    static struct products products;
    random_seed(&random, test_seed(9));
    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        products.a[i] = (float)random_unit(&random);
        products.b[i] = (float)random_unit(&random);
    }
    matrix_nt(SIDE, SIDE, SIDE, 1, products.a, products.b, 0, products.wanted);
    assert_ok(team_open(3, &team));
    parallel_run(team_parallel(team), multiply, &products, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(products.wrong[i], 0);
    team_close(team);
}

/* What OpenBLAS says of itself is wrapped (tests/CMakeLists.txt): 0, as it is. */
static int openmp_threads;

int __real_openblas_get_parallel(void);
int __wrap_openblas_get_parallel(void);
int __wrap_openblas_get_parallel(void)
{
    return openmp_threads ? OPENBLAS_OPENMP : __real_openblas_get_parallel();
}

int __real_openblas_get_num_threads(void);
int __wrap_openblas_get_num_threads(void);
int __wrap_openblas_get_num_threads(void)
{
    return openmp_threads ? openmp_threads : __real_openblas_get_num_threads();
}

static void an_openblas_with_openmp_is_refused_unless_it_has_one_thread(void **state)
{
    (void)state;
    openmp_threads = 2;
    assert_fails(CONFIG, system_begin_products());
    openmp_threads = 1;
    assert_ok(system_begin_products());
    openmp_threads = 0;
    assert_ok(system_begin_products());
}

#if defined(__x86_64__) && defined(__linux__)

/* Asking for a state of the CPU is refused from now on, as a service's filter of system calls may do. */
static bool refuse_states(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x1023, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* In a process of its own: what a process was once allowed stays so. */
static int kernel_when_refused(void)
{
    if (!refuse_states())
        return 2;
    if (failed(system_begin_products()))
        return 3;
    return strcmp(product_kernel_best()->name, "amx") == 0;
}

static void without_leave_there_is_no_amx(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(kernel_when_refused());
    assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == 2)
        skip(); /* there are no filters */
    assert_int_equal(WEXITSTATUS(status), 0);
}

#else

static void without_leave_there_is_no_amx(void **state)
{
    (void)state;
    skip();
}

#endif

static int begin_products(void **state)
{
    (void)state;
    assert_ok(system_begin_products()); /* without it, an OpenBLAS that has no locks gets some wrong in most runs */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_leave_there_is_no_amx), /* before anything asks */
        cmocka_unit_test_setup(products_at_the_same_time_do_not_meet, begin_products),
        cmocka_unit_test(an_openblas_with_openmp_is_refused_unless_it_has_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
