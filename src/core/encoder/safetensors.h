// SPDX-License-Identifier: Apache-2.0
#pragma once
/* safetensors: the tensors of a file in that format:
 *
 *   u64 size of the header, little-endian | header, JSON | data
 *   header: {"name": {"dtype": "F32", "shape": [rows, columns], "data_offsets": [begin, end]}, ...}
 *
 * Offsets count from the data's beginning; "__metadata__" is passed over. All of it is checked when it is opened: every
 * tensor's type is known, its bytes lie within the data and are as many as its shape and type say, and together they
 * are the data, without gaps or overlaps, as the format demands. */
#include <eddy/base/bytes.h>

#define SAFETENSORS_HEADER_MAX ((uint64_t)64 << 20)
#define SAFETENSORS_RANK_MAX   8

struct safetensors;

/* `file` is borrowed until it is closed, `name` too: complaints begin with it. BAD_INPUT, LIMIT, MEMORY. */
MUST_CHECK struct status safetensors_open(struct bytes file, const char *name, struct safetensors **ret_tensors,
                                          struct complaint *complaint);
void safetensors_close(struct safetensors *tensors);

bool safetensors_have(const struct safetensors *tensors, const char *tensor);
/* The numbers of a matrix (rows, columns), or with one row of a vector (columns), as floats. BAD_INPUT: there is no
 * such tensor, it has another shape, is neither F32, F16 nor BF16, or a number in it is not finite. */
MUST_CHECK struct status safetensors_read(const struct safetensors *tensors, const char *tensor, uint32_t rows,
                                          uint32_t columns, float *numbers, struct complaint *complaint);
