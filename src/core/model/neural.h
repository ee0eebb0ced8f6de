// SPDX-License-Identifier: Apache-2.0
#pragma once
/* neural, for its tests and benchmarks. */
#include "core/model/products.h"

#include <eddy/core/neural.h>

/* Instead of the CPU's best. */
void neural_use(struct neural *neural, const struct product_kernel *kernel);
size_t neural_memory(const struct neural *neural);
/* neural_lists(); *ret_settled: how many items were scored in float32, in all lists. */
MUST_CHECK struct status neural_lists_counted(const struct neural *neural, const struct neural_sessions *sessions,
                                              struct arena *arena, struct scored_item *lists, uint32_t capacity,
                                              uint32_t *lengths, uint64_t *ret_settled);
