// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/arithmetic.h"

#include <cblas.h>
#include <eddy/base/random.h>
#include <eddy/io/system.h>
#include <eddy/io/team.h>

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

int main(void)
{
    assert_ok(system_begin_products()); /* without it, an OpenBLAS that has no locks gets some wrong in most runs */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_at_the_same_time_do_not_meet),
        cmocka_unit_test(an_openblas_with_openmp_is_refused_unless_it_has_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
