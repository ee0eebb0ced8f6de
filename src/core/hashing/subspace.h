// SPDX-License-Identifier: Apache-2.0
#pragma once
/* subspace: the first right singular vectors of a sparse matrix, in plain arithmetic and a fixed order: the same bits
 * on every machine. */
#include <eddy/base/status.h>

/* Row i has values[k] in columns[k], starts[i] <= k < starts[i + 1]. */
struct sparse {
    uint32_t rows, columns;
    const uint64_t *starts;
    const uint32_t *indices;
    const float *values;
};

/* vectors: (columns, width) singular vectors side by side, those of the largest singular values first; of fewer than
 * `width` there are zeros for the rest. 1 <= width. MEMORY. */
MUST_CHECK struct status subspace_find(const struct sparse *matrix, uint32_t width, uint64_t seed, float *vectors);

/* Of a symmetric matrix: (size, size), which is lost. values: (size) descending; vectors: (size, size) rows of length
 * 1. Jacobi's method, by rows. MEMORY. */
MUST_CHECK struct status subspace_eigen(double *matrix, uint32_t size, double *values, double *vectors);
