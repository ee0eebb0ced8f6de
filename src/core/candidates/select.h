// SPDX-License-Identifier: Apache-2.0
#pragma once
/* select: the k largest of many, without sorting them. */
#include <stdint.h>

/* The k-th largest of keys[0..count), 1 <= k <= count: fewer than k are greater, at least k are as great. `buffer` has
 * room for count. One pass counts 512 buckets, then only the bucket of the border is looked into. */
uint32_t select_kth(const uint32_t *keys, uint32_t count, uint32_t k, uint32_t *buffer);
