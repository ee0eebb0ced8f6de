// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/hashing/subspace.h"

#include <eddy/base/random.h>
#include <math.h>

enum { ROWS = 60, COLUMNS = 40, WIDTH = 6, MANY = 50 };

static uint64_t starts[ROWS + 1];
static uint32_t indices[ROWS * COLUMNS];
static float values[ROWS * COLUMNS];

/* `rank` directions, each weaker than the one before. */
static struct sparse make(uint64_t seed, int rank)
{
    struct random random;
    static double left[ROWS], right[COLUMNS], dense[ROWS][COLUMNS];
    random_seed(&random, seed);
    memset(dense, 0, sizeof dense);
    for (int k = 0; k < rank; k++) {
        for (int i = 0; i < ROWS; i++)
            left[i] = random_unit(&random) - 0.5;
        for (int j = 0; j < COLUMNS; j++)
            right[j] = random_unit(&random) - 0.5;
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < COLUMNS; j++)
                dense[i][j] += left[i] * right[j] / (1 << k);
    }
    uint64_t count = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t j = 0; j < COLUMNS; j++) {
            indices[count] = j;
            values[count++] = (float)dense[i][j];
        }
        starts[i + 1] = count;
    }
    return (struct sparse){ROWS, COLUMNS, starts, indices, values};
}

/* (a^T a) v, for a vector of those side by side. */
static void apply(const float *vectors, uint32_t width, uint32_t vector, double *result)
{
    memset(result, 0, COLUMNS * sizeof *result);
    for (uint32_t i = 0; i < ROWS; i++) {
        double product = 0;
        for (uint32_t j = 0; j < COLUMNS; j++)
            product += (double)values[i * COLUMNS + j] * (double)vectors[j * width + vector];
        for (uint32_t j = 0; j < COLUMNS; j++)
            result[j] += product * (double)values[i * COLUMNS + j];
    }
}

static double dot(const float *vectors, uint32_t width, uint32_t a, uint32_t b)
{
    double sum = 0;
    for (uint32_t j = 0; j < COLUMNS; j++)
        sum += (double)vectors[j * width + a] * (double)vectors[j * width + b];
    return sum;
}

static void the_vectors_are_singular_and_the_largest_come_first(void **state)
{
    (void)state;
    float vectors[COLUMNS * WIDTH];
    double before = INFINITY, result[COLUMNS];
    struct sparse matrix = make(test_seed(1), 9);
    assert_ok(subspace_find(&matrix, WIDTH, 1, vectors));
    for (uint32_t i = 0; i < WIDTH; i++) {
        apply(vectors, WIDTH, i, result);
        double value = 0;
        for (uint32_t j = 0; j < COLUMNS; j++)
            value += result[j] * (double)vectors[j * WIDTH + i];
        for (uint32_t j = 0; j < COLUMNS; j++)
            assert_true(fabs(result[j] - value * (double)vectors[j * WIDTH + i]) < 1e-4 * before + 1e-4);
        assert_true(value > 0 && value <= before);
        before = value;
        for (uint32_t k = 0; k <= i; k++)
            assert_true(fabs(dot(vectors, WIDTH, i, k) - (i == k)) < 1e-4);
    }
}

static void there_are_no_more_than_the_rank(void **state)
{
    (void)state;
    static float vectors[COLUMNS * MANY];
    struct sparse matrix = make(test_seed(2), 3);
    assert_ok(subspace_find(&matrix, MANY, 1, vectors));
    for (uint32_t i = 0; i < 3; i++)
        assert_true(fabs(dot(vectors, MANY, i, i) - 1) < 1e-4);
    for (uint32_t i = 3; i < MANY; i++)
        for (uint32_t j = 0; j < COLUMNS; j++)
            assert_true(isfinite(vectors[j * MANY + i]));
    matrix.rows = 0;
    assert_ok(subspace_find(&matrix, MANY, 1, vectors));
    for (uint32_t i = 0; i < COLUMNS * MANY; i++)
        assert_true(vectors[i] == 0);
}

static void eigenvectors_are_those_of_the_matrix(void **state)
{
    (void)state;
    enum { SIZE = 12 };
    double matrix[SIZE * SIZE], copy[SIZE * SIZE], eigenvalues[SIZE], vectors[SIZE * SIZE];
    struct random random;
    random_seed(&random, test_seed(3));
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j <= i; j++)
            matrix[i * SIZE + j] = matrix[j * SIZE + i] = random_unit(&random) - 0.5;
    memcpy(copy, matrix, sizeof copy);
    assert_ok(subspace_eigen(matrix, SIZE, eigenvalues, vectors));
    for (int k = 0; k < SIZE; k++) {
        assert_true(k == 0 || eigenvalues[k] <= eigenvalues[k - 1]);
        for (int i = 0; i < SIZE; i++) {
            double sum = 0;
            for (int j = 0; j < SIZE; j++)
                sum += copy[i * SIZE + j] * vectors[k * SIZE + j];
            assert_true(fabs(sum - eigenvalues[k] * vectors[k * SIZE + i]) < 1e-10);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_are_singular_and_the_largest_come_first),
        cmocka_unit_test(there_are_no_more_than_the_rank),
        cmocka_unit_test(eigenvectors_are_those_of_the_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
