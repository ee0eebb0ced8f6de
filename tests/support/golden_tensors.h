// SPDX-License-Identifier: Apache-2.0
#pragma once
/* golden_tensors: numbers that another program computed (tools/golden_*.py), and whether ours are the same.
 *
 *   # a comment, only before the first tensor
 *   name rows columns          a vector is one row
 *   number number ...          as many lines as rows, as many finite numbers as columns, one blank between them
 *
 * Whatever differs from that is refused with its line. Those with a `report` say there what is wrong; the others fail
 * the test. */
#include <eddy/base/buffer.h>

#include <stdint.h>

/* |got - wanted| is at most the larger of 1e-5 |wanted| and 1e-6: vector_exp() is off by up to 2e-6 of its value,
 * vector_sigmoid() by 1e-6, and a layer adds some of that up. */
#define GOLDEN_RELATIVE 1e-5
#define GOLDEN_ABSOLUTE 1e-6

struct golden_tensors;

/* NULL when it is refused. `text` may go away. */
struct golden_tensors *golden_tensors_parse(struct bytes text, struct buffer *report);
struct golden_tensors *golden_tensors_open(const char *path);
void golden_tensors_close(struct golden_tensors *tensors);

/* (rows, columns), until the tensors are closed; NULL when there is none of that name and shape. */
const float *golden_tensor_find(struct golden_tensors *tensors, const char *name, uint32_t rows, uint32_t columns,
                                struct buffer *report);
const float *golden_tensor(struct golden_tensors *tensors, const char *name, uint32_t rows, uint32_t columns);
/* A vector of whole numbers, 0 to 2^24. */
void golden_indices(struct golden_tensors *tensors, const char *name, uint32_t count, uint32_t *ret_indices);

bool golden_same(const char *name, const float *wanted, const float *got, uint32_t count, struct buffer *report);
void golden_compare(struct golden_tensors *tensors, const char *name, uint32_t rows, uint32_t columns,
                    const float *got);

/* The first tensor whose name begins with `prefix` that nobody has asked for: a gradient that was forgotten. */
const char *golden_unused(const struct golden_tensors *tensors, const char *prefix);
