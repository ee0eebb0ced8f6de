// SPDX-License-Identifier: Apache-2.0
#include "core/hashing/subspace.h"

#include "core/clones.h"
#include "core/model/arithmetic.h"

#include <eddy/base/random.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPARE     16    /* vectors beside those that are wanted, from which the last of them gain */
#define ROUNDS    4     /* of subspace iteration */
#define DEPENDENT 1e-12 /* of a column's square: what is left of one that others make up */

/* Columns that span the space, side by side. */
struct basis {
    uint32_t width;
    float *left;  /* (rows, width) */
    float *right; /* (columns, width) */
    double *gram; /* (width, width) */
    double *row;  /* (width) */
};

static struct status basis_open(const struct sparse *matrix, uint32_t width, struct basis *basis)
{
    basis->width = width;
    basis->left = malloc((size_t)matrix->rows * width * sizeof(float));
    basis->right = malloc((size_t)matrix->columns * width * sizeof(float));
    basis->gram = malloc((size_t)width * width * sizeof(double));
    basis->row = malloc(width * sizeof(double));
    if (basis->left && basis->right && basis->gram && basis->row)
        return OK;
    return FAIL(MEMORY, width, "no memory for singular vectors");
}

static void basis_release(struct basis *basis)
{
    free(basis->left);
    free(basis->right);
    free(basis->gram);
    free(basis->row);
}

/* ---- products */

static void multiply(const struct sparse *matrix, const float *right, uint32_t width, float *left)
{
    memset(left, 0, (size_t)matrix->rows * width * sizeof *left);
    for (uint32_t row = 0; row < matrix->rows; row++)
        for (uint64_t k = matrix->starts[row]; k < matrix->starts[row + 1]; k++)
            vector_add_scaled(matrix->values[k], right + (size_t)matrix->indices[k] * width, left + (size_t)row * width,
                              width);
}

static void multiply_turned(const struct sparse *matrix, const float *left, uint32_t width, float *right)
{
    memset(right, 0, (size_t)matrix->columns * width * sizeof *right);
    for (uint32_t row = 0; row < matrix->rows; row++)
        for (uint64_t k = matrix->starts[row]; k < matrix->starts[row + 1]; k++)
            vector_add_scaled(matrix->values[k], left + (size_t)row * width, right + (size_t)matrix->indices[k] * width,
                              width);
}

/* ---- orthonormal columns, by Cholesky's factor of their products, in double */

static CLONES void add_products(const double *restrict row, uint32_t width, double *restrict gram)
{
    for (uint32_t i = 0; i < width; i++)
        for (uint32_t j = 0; j < width; j++)
            gram[(size_t)i * width + j] += row[i] * row[j];
}

static void products_of(const float *columns, uint32_t rows, struct basis *basis)
{
    uint32_t width = basis->width;
    memset(basis->gram, 0, (size_t)width * width * sizeof *basis->gram);
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t j = 0; j < width; j++)
            basis->row[j] = (double)columns[(size_t)i * width + j];
        add_products(basis->row, width, basis->gram);
    }
}

/* gram = r^T r, r taking its place, upper triangle; a column that others make up gets a row of zeros. */
static CLONES void factor(double *gram, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        double *pivots = gram + (size_t)i * width, square = pivots[i];
        for (uint32_t k = 0; k < i; k++)
            square -= gram[(size_t)k * width + i] * gram[(size_t)k * width + i];
        bool dependent = square <= DEPENDENT * pivots[i];
        for (uint32_t k = 0; k < i && !dependent; k++) {
            const double *above = gram + (size_t)k * width;
            for (uint32_t j = i + 1; j < width; j++)
                pivots[j] -= above[i] * above[j];
        }
        double pivot = dependent ? 0 : sqrt(square);
        for (uint32_t j = i + 1; j < width; j++)
            pivots[j] = dependent ? 0 : pivots[j] / pivot;
        pivots[i] = pivot;
    }
}

/* row = row r^-1 */
static CLONES void divide(double *restrict row, const double *restrict r, uint32_t width)
{
    for (uint32_t k = 0; k < width; k++) {
        const double *above = r + (size_t)k * width;
        row[k] = above[k] > 0 ? row[k] / above[k] : 0;
        for (uint32_t j = k + 1; j < width; j++)
            row[j] -= row[k] * above[j];
    }
}

static void orthonormalise(float *columns, uint32_t rows, struct basis *basis)
{
    uint32_t width = basis->width;
    products_of(columns, rows, basis);
    factor(basis->gram, width);
    for (uint32_t i = 0; i < rows; i++, columns += width) {
        for (uint32_t j = 0; j < width; j++)
            basis->row[j] = (double)columns[j];
        divide(basis->row, basis->gram, width);
        for (uint32_t j = 0; j < width; j++)
            columns[j] = (float)basis->row[j];
    }
}

/* ---- the space, and the vectors in it */

/* Left is orthonormal in the end, and right the matrix's transpose times left. */
static void iterate(const struct sparse *matrix, uint64_t seed, struct basis *basis)
{
    struct random random;
    random_seed(&random, seed);
    for (size_t i = 0; i < (size_t)matrix->columns * basis->width; i++)
        basis->right[i] = (float)(2 * random_unit(&random) - 1);
    for (int i = 0; i < ROUNDS; i++) {
        if (i > 0)
            orthonormalise(basis->right, matrix->columns, basis);
        multiply(matrix, basis->right, basis->width, basis->left);
        orthonormalise(basis->left, matrix->rows, basis);
        multiply_turned(matrix, basis->left, basis->width, basis->right);
    }
}

/* vectors = right w / s, for the eigenvalues s^2 and eigenvectors w of right^T right. */
static void rotate(const struct basis *basis, uint32_t columns, const double *values, const double *rotation,
                   uint32_t width, float *vectors)
{
    for (uint32_t row = 0; row < columns; row++)
        for (uint32_t i = 0; i < width; i++) {
            double sum = 0;
            bool there = i < basis->width && values[i] > DEPENDENT * values[0];
            for (uint32_t j = 0; j < basis->width && there; j++)
                sum += (double)basis->right[(size_t)row * basis->width + j] * rotation[(size_t)i * basis->width + j];
            vectors[(size_t)row * width + i] = there ? (float)(sum / sqrt(values[i])) : 0;
        }
}

static struct status find(const struct sparse *matrix, uint32_t width, uint64_t seed, struct basis *basis,
                          float *vectors)
{
    size_t size = basis->width;
    double *values = malloc((size + size * size) * sizeof *values), *rotation = values + size;
    if (!values)
        return FAIL(MEMORY, (int64_t)size, "no memory for singular vectors");
    iterate(matrix, seed, basis);
    products_of(basis->right, matrix->columns, basis);
    struct status status = subspace_eigen(basis->gram, basis->width, values, rotation);
    if (!failed(status))
        rotate(basis, matrix->columns, values, rotation, width, vectors);
    free(values);
    return status;
}

struct status subspace_find(const struct sparse *matrix, uint32_t width, uint64_t seed, float *vectors)
{
    struct basis basis = {0};
    if (matrix->rows == 0 || matrix->columns == 0) {
        memset(vectors, 0, (size_t)matrix->columns * width * sizeof *vectors);
        return OK;
    }
    struct status status = basis_open(matrix, width + SPARE, &basis);
    if (!failed(status))
        status = find(matrix, width, seed, &basis, vectors);
    basis_release(&basis);
    return status;
}
