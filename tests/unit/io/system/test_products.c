// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/model/arithmetic.h"

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

int main(void)
{
    system_begin_products(); /* without it, an OpenBLAS that has no locks gets some wrong in most runs */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_at_the_same_time_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
