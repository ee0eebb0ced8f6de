// SPDX-License-Identifier: Apache-2.0
#include "core/hashing/subspace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SWEEPS_MAX 50
#define SMALL      1e-14 /* of the diagonal: what is no longer turned away */

struct turn {
    double cosine, sine;
};

/* The turn that makes matrix[p][q] vanish (Golub & Van Loan, 8.5). */
static struct turn turn_of(const double *matrix, uint32_t size, uint32_t p, uint32_t q)
{
    double off = matrix[(size_t)p * size + q];
    double tau = (matrix[(size_t)q * size + q] - matrix[(size_t)p * size + p]) / (2 * off);
    double tangent = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau));
    double cosine = 1 / sqrt(1 + tangent * tangent);
    return (struct turn){cosine, tangent * cosine};
}

static void turn_pair(struct turn turn, double *a, double *b)
{
    double x = *a, y = *b;
    *a = turn.cosine * x - turn.sine * y;
    *b = turn.sine * x + turn.cosine * y;
}

static void turn_away(double *matrix, double *vectors, uint32_t size, uint32_t p, uint32_t q)
{
    struct turn turn = turn_of(matrix, size, p, q);
    for (uint32_t i = 0; i < size; i++)
        turn_pair(turn, &matrix[(size_t)i * size + p], &matrix[(size_t)i * size + q]);
    for (uint32_t i = 0; i < size; i++) {
        turn_pair(turn, &matrix[(size_t)p * size + i], &matrix[(size_t)q * size + i]);
        turn_pair(turn, &vectors[(size_t)p * size + i], &vectors[(size_t)q * size + i]);
    }
}

/* True when there was anything left. */
static bool sweep(double *matrix, double *vectors, uint32_t size)
{
    bool turned = false;
    for (uint32_t p = 0; p < size; p++)
        for (uint32_t q = p + 1; q < size; q++) {
            double off = fabs(matrix[(size_t)p * size + q]);
            double on = sqrt(fabs(matrix[(size_t)p * size + p] * matrix[(size_t)q * size + q]));
            if (off <= SMALL * on || off < 1e-300)
                continue;
            turn_away(matrix, vectors, size, p, q);
            turned = true;
        }
    return turned;
}

/* By selection: there are few. */
static void sort_descending(double *values, double *vectors, uint32_t size, double *spare)
{
    size_t row = size * sizeof *vectors;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t best = i;
        for (uint32_t j = i + 1; j < size; j++)
            best = values[j] > values[best] ? j : best;
        double value = values[i];
        values[i] = values[best];
        values[best] = value;
        if (best == i)
            continue;
        memcpy(spare, vectors + (size_t)i * size, row);
        memcpy(vectors + (size_t)i * size, vectors + (size_t)best * size, row);
        memcpy(vectors + (size_t)best * size, spare, row);
    }
}

struct status subspace_eigen(double *matrix, uint32_t size, double *values, double *vectors)
{
    double *spare = malloc(size * sizeof *spare);
    if (!spare)
        return FAIL(MEMORY, size, "no memory for eigenvectors");
    memset(vectors, 0, (size_t)size * size * sizeof *vectors);
    for (uint32_t i = 0; i < size; i++)
        vectors[(size_t)i * size + i] = 1;
    for (int i = 0; i < SWEEPS_MAX && sweep(matrix, vectors, size); i++)
        ;
    for (uint32_t i = 0; i < size; i++)
        values[i] = matrix[(size_t)i * size + i];
    sort_descending(values, vectors, size, spare);
    free(spare);
    return OK;
}
